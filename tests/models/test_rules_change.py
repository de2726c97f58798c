"""What administrators do in the matrix and on the ignore list: refused, repeated, at once."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from errors import Conflict, Refused
from models import Event, IgnoredNumber, User
from tests.at_once import at_once
from tests.world import CUSTOMER, World
from verbs import rules
from verbs.rule_choice import effects_for
from verbs.rules import Rule

SERVICE = "+4930555000"
DEFAULT = Rule("", "incoming", False, ("contact", "deal"))
QUIET = Rule("", "incoming", False)


def told() -> list[Event]:
    return list(Event.of_kind("rules.changed").order_by(Event.id))


def now(rule: Rule) -> Rule | None:
    return next((r for r in rules.matrix() if r.key == rule.key), None)


def test_the_matrix_is_in_order(world: World) -> None:
    rules.add_number("helpdesk", by=world.ada)
    keys = [rule.key for rule in rules.matrix()]
    assert [key[0] for key in keys] == [""] * 6 + ["helpdesk"] * 6
    assert [key[1:] for key in keys[:6]] == [
        ("incoming", False), ("incoming", True), ("missed", False), ("missed", True),
        ("outgoing", False), ("outgoing", True),
    ]  # fmt: skip


def test_change(world: World) -> None:
    wanted = Rule("", "missed", True, ("task", "deal"), "turns", 30)
    was = now(wanted)
    assert was
    assert rules.change(wanted, was.mark, by=world.ada)
    assert now(wanted) == wanted
    assert wanted.effects == ("deal", "task")
    (event,) = told()
    assert (event.user, event.content["now"]["missed_owner"]) == (world.ada, "turns")
    assert event.content["was"]["missed_owner"] == "last"
    assert not rules.change(wanted, wanted.mark, by=world.ada), "it says so already"
    assert len(told()) == 1


def test_a_rule_that_was_not_there(world: World) -> None:
    own = Rule(SERVICE, "incoming", False, ("contact",))
    assert rules.change(own, "", by=world.ada)
    assert effects_for("incoming", False, SERVICE) == {"contact"}
    assert told()[0].content["was"] is None


def test_the_second_of_two_is_told(world: World) -> None:
    assert rules.change(QUIET, DEFAULT.mark, by=world.ada)
    with pytest.raises(Conflict):
        rules.change(Rule("", "incoming", False, ("contact",)), DEFAULT.mark, by=world.ada)
    with pytest.raises(Conflict):
        rules.remove(DEFAULT.key, DEFAULT.mark, by=world.ada)
    with pytest.raises(Conflict):
        rules.change(DEFAULT, "", by=world.ada)
    assert now(DEFAULT) == QUIET
    rules.remove(QUIET.key, QUIET.mark, by=world.ada)
    with pytest.raises(Conflict):
        rules.change(DEFAULT, QUIET.mark, by=world.ada)
    assert len(told()) == 2


@pytest.mark.parametrize("seen", ["there", "new"])
def test_two_at_once(world: World, seen: str) -> None:
    did = "" if seen == "there" else SERVICE
    mark = DEFAULT.mark if seen == "there" else ""
    wanted = [Rule(did, "incoming", False, (word,)) for word in ("contact", "deal", "task")]

    def run(rule: Rule) -> bool:
        try:
            return rules.change(rule, mark, by=world.ada)
        except Conflict:
            return False

    done = at_once(*(partial(run, rule) for rule in wanted))
    assert done.count(True) == 1
    assert now(wanted[0]) == wanted[done.index(True)]
    assert len(told()) == 1


@pytest.mark.parametrize(
    "rule",
    [
        Rule("", "ringing", False),
        Rule("", "incoming", False, ("fax",)),
        Rule("", "missed", False, ("record",)),
        Rule("", "incoming", True, ("contact",)),
        Rule("", "missed", False, (), "boss"),
        Rule("", "incoming", False, (), "turns"),
        Rule("", "incoming", False, (), "last", 5),
        Rule("", "incoming", True, (), "last", -1),
    ],
)
def test_what_is_refused(world: World, rule: Rule) -> None:
    with pytest.raises(Refused):
        rules.change(rule, "", by=world.ada)
    assert not told()


@pytest.mark.parametrize("login", ["anna", "hugo"])
def test_administrators_only(world: World, login: str) -> None:
    by: User = getattr(world, login)
    acts: list[Any] = [
        lambda: rules.change(QUIET, DEFAULT.mark, by=by),
        lambda: rules.remove(DEFAULT.key, DEFAULT.mark, by=by),
        lambda: rules.add_number(SERVICE, by=by),
        lambda: rules.remove_number(SERVICE, by=by),
        lambda: rules.ignore(CUSTOMER, "", by=by),
        lambda: rules.stop_ignoring(1, by=by),
    ]
    for act in acts:
        with pytest.raises(Refused, match="administrator"):
            act()
    assert not told()


def test_a_called_number_begins_like_all(world: World) -> None:
    wanted = Rule("", "missed", False, ("deal",), "turns")
    rules.change(wanted, now(wanted).mark, by=world.ada)
    assert rules.add_number(" 030 / 555 000 ", by=world.ada) == SERVICE
    of_all = [rule for rule in rules.matrix() if rule.did == ""]
    own = [rule for rule in rules.matrix() if rule.did == SERVICE]
    assert [rule.mark for rule in own] == [rule.mark for rule in of_all]
    for did in (SERVICE, "", " "):
        with pytest.raises(Refused):
            rules.add_number(did, by=world.ada)
    assert len(rules.matrix()) == 12


def test_a_called_number_is_removed(world: World) -> None:
    rules.add_number(SERVICE, by=world.ada)
    assert rules.remove_number(SERVICE, by=world.ada) == 6
    assert rules.remove_number(SERVICE, by=world.ada) == 0
    with pytest.raises(Refused):
        rules.remove_number("", by=world.ada)
    assert len(rules.matrix()) == 6
    assert len(told()) == 2


def test_ignore(world: World) -> None:
    assert rules.ignore("030 4470 1182", "Taxi\n\x00 Krause", by=world.ada) == CUSTOMER
    rules.ignore(CUSTOMER, "Taxi Krause", by=world.ada)
    assert len(told()) == 1, "that changed nothing"
    rules.ignore(CUSTOMER, "", by=world.ada)
    assert [(row.e164, row.note) for row in rules.ignore_list()] == [(CUSTOMER, "")]
    for number in ("", "taxi", "101"):
        with pytest.raises(Refused, match=r"^number: "):
            rules.ignore(number, "", by=world.ada)
    row = IgnoredNumber.get()
    assert rules.stop_ignoring(row.id, by=world.ada) == CUSTOMER
    assert rules.stop_ignoring(row.id, by=world.ada) is None
    assert len(told()) == 3
