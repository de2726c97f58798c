"""verbs.tasks: what people have to do (K1), and when a deal's next task is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from errors import Conflict, Refused
from fields import utcnow
from models import Deal, Event, Task, User
from panel import audience
from tests.world import World
from verbs import tasks, users
from verbs.deals import assign

SOON, LATER = timedelta(hours=1), timedelta(days=2)


@pytest.fixture
def deal(world: World) -> Deal:
    return Deal.open("Roof", owner=world.anna, by=world.anna)


def make(world: World, deal: Deal | None, after: timedelta = SOON, **about: object) -> Task:
    values = {"owner": world.anna, "by": world.anna, **about}
    return tasks.add("Send the offer", utcnow() + after, deal=deal, **values)  # type: ignore[arg-type]


def next_due(deal: Deal) -> object:
    return Deal.get_by_id(deal.id).next_due


def test_the_deal_knows_its_next_task(world: World, deal: Deal) -> None:
    late = make(world, deal, LATER)
    assert next_due(deal) == late.due_at
    soon = make(world, deal)
    assert next_due(deal) == soon.due_at
    assert tasks.finish(soon, world.anna, "Sent") is True
    assert next_due(deal) == late.due_at
    assert tasks.reopen(soon, world.anna) is True
    assert next_due(deal) == soon.due_at
    tasks.change(soon, world.anna, due_at=late.due_at + SOON)
    assert next_due(deal) == late.due_at


def test_finished_once(world: World, deal: Deal) -> None:
    task = make(world, deal)
    same = Task.get_by_id(task.id)
    assert tasks.finish(task, world.anna, " They \n want  it ") is True
    assert tasks.finish(same, world.hugo, "again") is False
    found = Task.get_by_id(task.id)
    assert (found.result, found.done_at is not None) == ("They want it", True)
    assert Event.of_kind("task.done").count() == 1
    assert tasks.reopen(same, world.anna) is True
    assert tasks.reopen(task, world.anna) is False


@pytest.mark.parametrize("act", [tasks.finish, tasks.reopen, tasks.change])
def test_of_others(world: World, deal: Deal, act: object) -> None:
    task = make(world, deal)
    with pytest.raises(Refused, match="somebody else"):
        act(task, world.olga)  # type: ignore[operator]


def test_the_owner_of_the_deal_may_finish_a_colleagues_task(world: World, deal: Deal) -> None:
    task = make(world, deal, owner=world.ben, by=world.hugo)
    assert tasks.finish(task, world.anna) is True


def test_only_heads_give_tasks_to_others(world: World, deal: Deal) -> None:
    with pytest.raises(Refused, match="Only a head"):
        make(world, deal, owner=world.ben)
    with pytest.raises(Refused, match="Only a head"):
        make(world, deal, owner=None)
    task = make(world, deal)
    with pytest.raises(Refused, match="Only a head"):
        tasks.change(task, world.anna, owner=world.ben)
    assert tasks.change(task, world.hugo, owner=world.ben) is True
    told = Event.of_kind("task.changed").get().content["task_for"]
    assert told == sorted([world.anna.id, world.ben.id]), "it must vanish from Anna's list"


def test_to_somebody_disabled(world: World, deal: Deal) -> None:
    users.disable(world.ben)
    with pytest.raises(Refused, match="ben"):
        make(world, deal, owner=User.get_by_id(world.ben.id), by=world.hugo)


@pytest.mark.parametrize(
    ("about", "field"), [({"title": " \u202e"}, "title"), ({"kind": "x"}, "kind")]
)
def test_what_makes_no_sense(world: World, deal: Deal, about: dict[str, Any], field: str) -> None:
    task = make(world, deal)
    with pytest.raises(Refused, match=field):
        tasks.change(task, world.anna, **about)
    assert tasks.change(task, world.anna, title="Send the offer") is False


def test_visible_to(world: World, deal: Deal) -> None:
    of_deal = make(world, deal, owner=world.hugo, by=world.hugo)
    own = make(world, None, owner=world.ben, by=world.ben)
    seen = {
        who: {t.id for t in Task.visible_to(getattr(world, who))}
        for who in ("anna", "ben", "olga", "hugo")
    }
    assert seen == {
        "anna": {of_deal.id},
        "ben": {own.id},
        "olga": set(),
        "hugo": {of_deal.id, own.id},
    }


def test_each_is_reminded_of_once(world: World, deal: Deal) -> None:
    task = make(world, deal)
    make(world, deal, LATER)
    tasks.finish(make(world, deal), world.anna)
    assert tasks.remind(utcnow()) == 0
    assert tasks.remind(utcnow() + 2 * SOON) == 1
    assert tasks.remind(utcnow() + 2 * SOON) == 0
    assert Event.of_kind("task.due").get().content["task"] == task.id


def test_put_off_it_is_reminded_of_again(world: World, deal: Deal) -> None:
    task = make(world, deal)
    assert tasks.remind(utcnow() + 2 * SOON) == 1
    tasks.change(Task.get_by_id(task.id), world.anna, due_at=utcnow() + LATER)
    assert tasks.remind(utcnow() + 2 * SOON) == 0
    assert tasks.remind(utcnow() + 2 * LATER) == 1


def test_with_a_deal_its_open_tasks_change_hands(world: World, deal: Deal) -> None:
    own, done = make(world, deal), make(world, deal)
    tasks.finish(done, world.anna)
    others, elsewhere = make(world, deal, owner=world.hugo, by=world.hugo), make(world, None)
    assign(deal, world.ben, by=world.hugo)
    owners = [Task.get_by_id(task.id).owner for task in (own, done, others, elsewhere)]
    assert owners == [world.ben, world.anna, world.hugo, world.anna]


def test_who_hears_of_it(world: World, deal: Deal) -> None:
    make(world, None)
    heard = [
        audience.task_for(Event.of_kind("task.added").get(), u) for u in (world.anna, world.olga)
    ]
    assert heard == [Task.get().id, None]
    assert audience.task_for(Event.of_kind("deal.created").get(), world.hugo) is None


def test_two_people_change_one(world: World, deal: Deal) -> None:
    """The second is told; what both want alike is no conflict."""
    task = make(world, deal)
    saw = {"title": task.title, "kind": "todo", "due_at": task.due_at, "done": False}
    assert tasks.change(task, world.hugo, saw, title="Send both offers") is True
    with pytest.raises(Conflict, match="just now"):
        tasks.change(task, world.anna, saw, title="Send no offer")
    assert Task.get().title == "Send both offers"
    assert tasks.change(task, world.anna, saw, title="Send both offers") is False
    now = {**saw, "title": "Send both offers"}
    tasks.finish(task, world.hugo)
    with pytest.raises(Conflict):
        tasks.change(task, world.anna, now, due_at=task.due_at + LATER)
    assert Task.get().due_at == task.due_at
