"""Deal.assign_to, visible_to and who hears of it."""

from __future__ import annotations

import pytest

from errors import Conflict, Refused
from fields import utcnow
from models import Deal, Event, Task
from panel import audience
from tests.world import World
from verbs import deals, tasks, users
from verbs.call_consequences import is_untouched
from verbs.deals import assign


@pytest.fixture
def deal(world: World) -> Deal:
    return Deal.open("Roof", owner=world.anna, by=world.anna)


@pytest.mark.parametrize("who", ["hugo", "ada", None])
def test_heads_reassign(world: World, deal: Deal, who: str | None) -> None:
    by = getattr(world, who) if who else None
    assert assign(deal, world.ben, by=by) is True
    assert (deal.owner, Deal.get_by_id(deal.id).owner) == (world.ben, world.ben)
    event = Event.of_kind("deal.assigned").get()
    assert (event.user, event.content["was"]) == (by, world.anna.id)
    heard = [u.login for u in (world.anna, world.ben, world.olga) if audience.deal_for(event, u)]
    assert heard == ["anna", "ben"], "the old owner's board must drop the card"


@pytest.mark.parametrize("who", ["anna", "ben", "olga"])
def test_sellers_do_not(world: World, deal: Deal, who: str) -> None:
    with pytest.raises(Refused):
        assign(deal, world.ben, by=getattr(world, who))
    assert Deal.get_by_id(deal.id).owner == world.anna


def test_to_its_owner(world: World, deal: Deal) -> None:
    assert assign(deal, world.anna, by=world.hugo) is False
    assert not Event.of_kind("deal.assigned").exists()


def test_to_nobody_and_back(world: World, deal: Deal) -> None:
    assert assign(deal, None, by=world.hugo) is True
    assert assign(deal, None, by=world.hugo) is False
    assert Deal.get_by_id(deal.id).owner is None
    assert assign(deal, world.ben, by=world.hugo) is True


def test_to_somebody_disabled(world: World, deal: Deal) -> None:
    users.disable(world.ben)
    with pytest.raises(Refused, match="ben"):
        assign(deal, world.ben, by=world.hugo)


def test_two_at_once(world: World, deal: Deal) -> None:
    late = Deal.get_by_id(deal.id)
    assign(deal, world.ben, by=world.hugo)
    with pytest.raises(Conflict):
        assign(late, world.olga, by=world.ada)
    assert Deal.get_by_id(deal.id).owner == world.ben


def test_visible_to(world: World, deal: Deal) -> None:
    other = Deal.open("Of Ben", owner=world.ben, by=world.ben)
    nobodys = Deal.open("Nobody's", owner=None, by=None)
    seen = {
        who: {d.id for d in Deal.visible_to(getattr(world, who))}
        for who in ("anna", "ben", "olga", "hugo", "ada")
    }
    everything = {deal.id, other.id, nobodys.id}
    assert seen == {
        "anna": {deal.id},
        "ben": {other.id},
        "olga": set(),
        "hugo": everything,
        "ada": everything,
    }


def test_a_deal_is_untouched_until_a_person_acts(world: World) -> None:
    deal = Deal.open("Roof", owner=world.anna, by=None)
    deal.move_to(world.stage("Documents"), by=None)
    assert is_untouched(deal)
    deal.move_to(world.stage("Unsorted"), by=world.anna)
    assert not is_untouched(deal)


def of_tasks() -> dict[str, str | None]:
    found = Task.select().order_by(Task.id)
    return {task.title: task.owner.login if task.owner else None for task in found}


def test_given_back_it_is_as_it_was(world: World, deal: Deal) -> None:
    due = utcnow()
    tasks.add("Ring Inga", due, world.anna, by=world.anna, deal=deal)
    tasks.add("Check the price", due, world.ben, by=world.hugo, deal=deal)
    done = tasks.add("Send the list", due, world.anna, by=world.anna, deal=deal)
    tasks.finish(done, world.anna, "sent")
    assign(deal, world.ben, by=world.hugo)
    tasks.add("Meet", due, world.ben, by=world.ben, deal=deal)
    assert of_tasks()["Ring Inga"] == "ben"
    assert deals.take_back_owner(Deal.get_by_id(deal.id), world.hugo) == world.anna
    assert Deal.get_by_id(deal.id).owner == world.anna
    assert of_tasks() == {
        "Ring Inga": "anna", "Check the price": "ben", "Send the list": "anna", "Meet": "anna",
    }  # fmt: skip
    event = Event.of_kind("deal.assigned").order_by(Event.id.desc()).get()
    heard = [u.login for u in (world.anna, world.ben, world.olga) if audience.deal_for(event, u)]
    assert heard == ["anna", "ben"]
    with pytest.raises(Refused, match="nothing of yours"):
        deals.take_back_owner(Deal.get_by_id(deal.id), world.hugo)


def test_given_back_to_nobody(world: World) -> None:
    deal = Deal.open("Nobody's", owner=None, by=None)
    assign(deal, world.anna, by=world.hugo)
    assert deals.take_back_owner(deal, world.hugo) is None
    assert Deal.get_by_id(deal.id).owner is None


def test_only_what_one_gave_oneself_is_given_back(world: World, deal: Deal) -> None:
    with pytest.raises(Refused, match="nothing of yours"):
        deals.take_back_owner(deal, world.hugo)
    assign(deal, world.ben, by=world.hugo)
    for who in (world.ada, world.anna, world.ben):
        with pytest.raises(Refused, match="nothing of yours"):
            deals.take_back_owner(Deal.get_by_id(deal.id), who)
    assign(deal, world.olga, by=world.ada)
    with pytest.raises(Refused, match="nothing of yours"):
        deals.take_back_owner(Deal.get_by_id(deal.id), world.hugo)
    assert Deal.get_by_id(deal.id).owner == world.olga


def test_not_back_to_somebody_disabled(world: World, deal: Deal) -> None:
    assign(deal, world.ben, by=world.hugo)
    users.disable(world.anna)
    with pytest.raises(Refused, match="anna"):
        deals.take_back_owner(Deal.get_by_id(deal.id), world.hugo)
    assert Deal.get_by_id(deal.id).owner == world.ben
