"""A file's rules become what holds, wholly or not at all."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from errors import Conflict
from formats import rules_file
from models import CallRule, Event, IgnoredNumber
from tests.world import CUSTOMER, World
from verbs import rule_set, rules
from verbs.rules import Rule

SERVICE = "+4930555000"
RULES = [
    Rule("", "incoming", False, ("contact", "deal", "record")),
    Rule("", "missed", True, ("deal", "task"), "head", 14),
    Rule(SERVICE, "outgoing", True),
]
IGNORED = {CUSTOMER: 'the "taxi" \\ 🚕', "+4930999888": ""}


def loaded() -> int:
    return Event.of_kind("rules.loaded").count()


def held() -> tuple[list[Rule], dict[str, str]]:
    return rules.matrix(), {row.e164: row.note for row in rules.ignore_list()}


def test_it_replaces_all_and_is_idempotent(world: World) -> None:
    rules.ignore("+4930111222", "old", by=world.ada)
    assert len(rule_set.replace_all(RULES, IGNORED)) == 10
    assert held() == (RULES, dict(sorted(IGNORED.items())))
    assert rule_set.replace_all(reversed(RULES), IGNORED) == []
    assert loaded() == 1
    event = Event.of_kind("rules.loaded").get()
    assert (event.user, event.content["count"]) == (None, 10)


def test_what_it_says(world: World) -> None:
    rules.ignore("+4930111222", "old", by=world.ada)
    rules.ignore(CUSTOMER, "taxi", by=world.ada)
    kept = [rule for rule in rules.matrix() if rule.situation != "outgoing"]
    changed = [Rule("", "incoming", False, ("contact",)), *kept[1:], RULES[2]]
    said = rule_set.replace_all(changed, {CUSTOMER: "Taxi", "+4930999888": ""})
    assert said == [
        "~ all numbers, incoming, unknown: contact (was: contact, deal)",
        "- all numbers, outgoing, unknown: nothing",
        "- all numbers, outgoing, known: nothing",
        "+ +4930555000, outgoing, known: nothing",
        "- ignore +4930111222 (old)",
        "~ ignore +493044701182 (Taxi)",
        "+ ignore +4930999888",
    ]


def test_only_to_say_it(world: World) -> None:
    before = held()
    said = rule_set.replace_all(RULES, IGNORED, only_say=True)
    assert (held(), loaded()) == (before, 0)
    assert rule_set.replace_all(RULES, IGNORED) == said


def test_nothing_at_all(world: World) -> None:
    rule_set.replace_all([], {})
    assert held() == ([], {})
    assert rules_file.read(rules_file.as_toml([], {}).encode()).problems == []


def test_a_fault_on_the_way_changes_nothing(world: World) -> None:
    before = held()
    broken = patch.object(rule_set, "_replace_ignored", side_effect=OSError("the disk is full"))
    with broken, pytest.raises(OSError, match="full"):
        rule_set.replace_all(RULES, IGNORED)
    assert (held(), loaded()) == (before, 0)


def test_somebody_else_ignores_the_number_at_this_moment(world: World) -> None:
    """Their row is there when ours is written."""
    before = held()[0]

    def meanwhile(*_args: object) -> None:
        for _ in range(2):
            IgnoredNumber.create(e164=CUSTOMER, note="")

    with patch.object(rule_set, "_replace_ignored", meanwhile), pytest.raises(Conflict):
        rule_set.replace_all(RULES, IGNORED)
    assert held() == (before, {})


def test_many_changes_fit_into_the_audit_trail(world: World) -> None:
    many = {f"+4930{n:07}": "x" * 120 for n in range(1_000_000, 1_001_000)}
    rule_set.replace_all(rules.matrix(), many)
    content = Event.of_kind("rules.loaded").get().content
    assert (content["count"], len(content["changes"])) == (1000, rule_set.KEPT)
    assert len(held()[1]) == 1000


def test_show_can_be_loaded_again(world: World) -> None:
    rule_set.replace_all(RULES, IGNORED)
    rules.add_number("durchwahl „7“ \\", by=world.ada)
    contents = rules_file.read(rules_file.as_toml(*held()).encode())
    assert contents.problems == []
    assert rule_set.replace_all(contents.rules, contents.ignored) == []
    assert CallRule.select().count() == 9
