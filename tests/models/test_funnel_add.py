"""Funnel.add and CallRule.add: what an empty system begins with, and what is refused."""

import pytest

import defaults
from errors import Refused
from models import CallRule, Funnel, Stage
from tests.world import World

UNSORTED = {"name": "Unsorted", "kind": "unsorted"}
OPEN = {"name": "Open", "kind": "open"}


def test_stages_stand_in_the_order_given(world: World) -> None:
    funnel = Funnel.add("Service", [UNSORTED, OPEN, {"name": "Done", "kind": "won"}])
    assert [stage.name for stage in funnel.in_order()] == ["Unsorted", "Open", "Done"]
    assert funnel.unsorted.name == "Unsorted"


@pytest.mark.parametrize("stages", [[], [OPEN], [OPEN, UNSORTED], [UNSORTED, UNSORTED]])
def test_unsorted_is_first_and_only_once(world: World, stages: list[dict[str, str]]) -> None:
    with pytest.raises(Refused):
        Funnel.add("Service", stages)
    assert Funnel.select().count() == 1


def test_default_funnel_is_f1(world: World) -> None:
    names = [stage.name for stage in world.funnel.in_order()]
    assert names == [
        "Unsorted",
        "Opportunity",
        "Commercial offer",
        "Documents",
        "Signature and payment",
        "Implementation",
        "Completed",
        "Lost",
    ]


def test_defaults_are_put_in_once(world: World) -> None:
    defaults.install()
    assert Funnel.select().count() == 1
    assert Stage.select().count() == len(defaults.STAGES)
    assert CallRule.select().count() == len(defaults.RULES)


@pytest.mark.parametrize(("situation", "effects"), [("maybe", "deal"), ("missed", "deal fax")])
def test_rule_of_unknown_words(world: World, situation: str, effects: str) -> None:
    with pytest.raises(Refused):
        CallRule.add(situation, True, effects)
