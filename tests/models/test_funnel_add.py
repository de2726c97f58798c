"""build_funnel and add_rule: what an empty system begins with, and what is refused."""

import pytest

from errors import Refused
from models import CallRule, Funnel, Stage
from tests.world import World
from verbs import defaults
from verbs.funnels import build_funnel
from verbs.rule_choice import add_rule

UNSORTED = {"name": "Unsorted", "kind": "unsorted"}
OPEN = {"name": "Open", "kind": "open"}


def test_stages_stand_in_the_order_given(world: World) -> None:
    funnel = build_funnel("Service", [UNSORTED, OPEN, {"name": "Done", "kind": "won"}])
    assert [stage.name for stage in funnel.in_order()] == ["Unsorted", "Open", "Done"]
    assert funnel.unsorted.name == "Unsorted"


@pytest.mark.parametrize("stages", [[], [OPEN], [OPEN, UNSORTED], [UNSORTED, UNSORTED]])
def test_unsorted_is_first_and_only_once(world: World, stages: list[dict[str, str]]) -> None:
    with pytest.raises(Refused):
        build_funnel("Service", stages)
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
        add_rule(situation, True, effects)
