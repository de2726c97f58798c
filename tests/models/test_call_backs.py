"""verbs.call_backs: a missed call makes a task to call back, a conversation finishes it (T2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fields import utcnow
from models import CallRule, Contact, Deal, Event, Task
from tests.world import CUSTOMER, Story, World
from verbs import call_backs, tasks, users

OTHER = "+4930555001"


def missed(linkedid: str = "1.1", number: str = CUSTOMER, hours: float = 1) -> Story:
    at = utcnow() - timedelta(hours=hours)
    return Story.begins(number, linkedid, at=at).rings("PJSIP/101").ended(30)


def talk(linkedid: str = "2.1", number: str = CUSTOMER, direction: str = "outgoing") -> Story:
    return (
        Story.begins(number, linkedid, direction=direction).rings("PJSIP/102").answered("PJSIP/102")
    )


def effects(known: bool, words: str) -> None:
    which = (CallRule.situation == "missed") & (CallRule.known == known) & (CallRule.did == "")
    assert CallRule.update(effects=words).where(which).execute()


def test_of_an_unknown_number(world: World) -> None:
    call = missed().call
    task = Task.get()
    assert (task.kind, task.title, task.owner) == ("call", f"Call back {CUSTOMER}", world.anna)
    assert (task.call, task.deal, task.contact) == (call, call.deal, call.contact)
    assert task.due_at == call.ended_at + call_backs.WITHIN
    assert Deal.get().next_due == task.due_at
    assert Event.of_kind("task.added").get().content["task_for"] == [world.anna.id]


def test_of_a_customer_it_is_the_deals_owners(world: World) -> None:
    customer = Contact.of_number(CUSTOMER, "Miriam", world.ben)
    Deal.open("Roof", world.ben, world.ben, contact=customer)
    missed()
    assert (Task.get().owner, Task.get().title) == (world.ben, "Call back Miriam")


def test_one_is_enough(world: World) -> None:
    missed("1.1", hours=3)
    missed("1.2", hours=2)
    assert Task.select().count() == 1
    tasks.finish(Task.get(), world.anna)
    missed("1.3", hours=1)
    assert Task.select().where(Task.done_at.is_null()).count() == 1


@pytest.mark.parametrize(("after", "count"), [(timedelta(days=3), 2), (timedelta(minutes=1), 1)])
def test_a_call_that_is_planned_sooner_is_enough(
    world: World, after: timedelta, count: int
) -> None:
    customer = Contact.of_number(CUSTOMER, "Miriam", world.anna)
    tasks.add("Ask", utcnow() + after, world.anna, None, kind="call", contact=customer)
    missed(hours=0)
    assert Task.select().count() == count


@pytest.mark.parametrize("direction", ["incoming", "outgoing"])
def test_a_conversation_finishes_it(world: World, direction: str) -> None:
    missed()
    other = tasks.add("Call", utcnow(), world.anna, None, kind="call", deal=Deal.get())
    story = talk(direction=direction)
    task = Task.get(Task.call.is_null(False))
    assert (task.done_at, task.result) == (story.call.answered_at, "talked")
    assert Event.of_kind("task.done").get().user is None
    assert Task.get_by_id(other.id).done_at is None, "people say themselves what they have done"
    assert Deal.get().next_due == other.due_at


def test_other_numbers_and_calls_without_an_answer_finish_nothing(world: World) -> None:
    missed()
    talk("2.1", OTHER)
    Story.begins(direction="outgoing", linkedid="3.1").rings("PJSIP/102").ended()
    assert Task.get().done_at is None


def test_they_have_talked_before_the_missed_call_is_known(world: World) -> None:
    talk()
    missed(hours=1)
    assert Task.get().result == "talked"


def test_only_where_the_rule_says_so(world: World) -> None:
    effects(False, "contact deal")
    missed()
    assert Task.select().count() == 0


def test_without_a_contact(world: World) -> None:
    effects(False, "task")
    missed("1.1", hours=2)
    missed("1.2")
    task = Task.get()
    assert (task.contact, task.deal, task.owner) == (None, None, world.anna)
    assert Contact.select().count() == 0
    talk()
    assert Task.get().result == "talked"


def test_of_somebody_who_is_disabled_it_is_nobodys(world: World) -> None:
    customer = Contact.of_number(CUSTOMER, "Miriam", world.ben)
    Deal.open("Roof", world.ben, world.ben, contact=customer)
    users.disable(world.ben)
    missed()
    assert Task.get().owner is None


def test_in_turn(world: World) -> None:
    effects(False, "task")
    CallRule.update(missed_owner="turns").where(CallRule.situation == "missed").execute()
    at = utcnow() - timedelta(hours=1)
    for n in range(3):
        Story.begins(f"+493055500{n}", f"{n}.1", at=at).rings("PJSIP/101", "PJSIP/102").ended()
    assert [t.owner.login for t in Task.select().order_by(Task.id)] == ["anna", "ben", "anna"]


def test_everywhere(anywhere: World) -> None:
    missed()
    talk()
    assert Task.get().result == "talked"
