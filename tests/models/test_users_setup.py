"""verbs/users.py beyond the columns: the last administrator, leavers' work, ended log-ins."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from errors import Conflict, Refused
from fields import utcnow
from models import Contact, Deal, EndedSession, Event, Task, User
from panel.languages import LANGUAGES
from tests.at_once import at_once
from tests.world import World
from verbs import tasks, users

SOON = timedelta(hours=1)


def test_the_languages_are_those_of_the_panel() -> None:
    assert tuple(LANGUAGES) == users.LOCALES


def test_the_last_administrator_stays_one(world: World) -> None:
    for act in (
        lambda: users.disable(world.ada, by=world.ada),
        lambda: users.change(world.ada, by=world.ada, role="head"),
        lambda: users.change(world.ada, by=world.ada, active=False),
    ):
        with pytest.raises(Refused, match="last administrator"):
            act()
    users.add("eve", "Eve", "admin", "correct horse", by=world.ada)
    users.change(world.ada, by=world.ada, role="head")
    assert User.get_by_id(world.ada.id).role == "head"


def test_two_administrators_cannot_remove_each_other_at_once(anywhere: World) -> None:
    users.add("eve", "Eve", "admin", "correct horse")
    both = [User.get(User.login == login) for login in ("ada", "eve")]

    def demote(user: User) -> bool:
        try:
            return users.change(user, role="seller")
        except Refused:
            return False

    assert sorted(at_once(*(partial(demote, user) for user in both))) == [False, True]
    assert User.select().where(User.role == "admin", User.active).count() == 1


def test_a_conflict_is_told(world: World) -> None:
    seen = {"name": "Anna Krüger", "role": "seller"}
    assert users.change(User.get_by_id(world.anna.id), world.ada, seen, name="Anna Berg")
    with pytest.raises(Conflict):
        users.change(User.get_by_id(world.anna.id), world.ada, seen, role="head")
    anna = User.get_by_id(world.anna.id)
    assert (anna.name, anna.role) == ("Anna Berg", "seller")


def test_the_open_work_of_a_leaver_goes_to_another(world: World) -> None:
    count = users.AT_ONCE * 2 + 1
    contact = Contact.add("Customer", world.anna)
    for number in range(count):
        Deal.open(f"Deal {number}", world.anna, world.anna, contact)
    closed = Deal.open("Closed", world.anna, world.anna)
    closed.move_to(world.stage("Lost"), by=None, reason="Price")
    task = tasks.add("Call", utcnow() + SOON, world.anna, world.anna)
    assert users.open_work(world.anna) == (count, 1)
    users.disable(world.anna, by=world.ada)
    assert users.hand_over(world.anna, world.ben, by=world.ada) == count
    assert users.open_work(world.anna) == (0, 0)
    assert users.open_work(world.ben) == (count, 1)
    assert Deal.get_by_id(closed.id).owner == world.anna, "reports stay right"
    assert Task.get_by_id(task.id).owner == world.ben
    assert Contact.get_by_id(contact.id).owner == world.ben
    assert Event.of_kind("deal.assigned").where(Event.user == world.ada).count() == count
    assert users.hand_over(world.anna, world.ben, by=world.ada) == 0, "repeated"


def test_nobody_inherits_from_themselves_or_as_disabled(world: World) -> None:
    users.disable(world.olga)
    for heir in (world.anna, world.olga):
        with pytest.raises(Refused):
            users.hand_over(world.anna, heir, by=world.ada)


def test_ended_sessions_are_forgotten_when_no_cookie_can_hold_them(world: World) -> None:
    users.end_session(world.anna, "old")
    users.end_session(world.anna, "old")
    long_ago = utcnow() - users.LONGEST_SESSION - SOON
    EndedSession.update(at=long_ago).execute()
    users.end_session(world.ben, "new")
    assert [row.key for row in EndedSession.select()] == ["new"]
    users.end_all_sessions(world.ben, world.ben)
    assert not EndedSession.select().exists()
    assert User.get_by_id(world.ben.id).session_mark
