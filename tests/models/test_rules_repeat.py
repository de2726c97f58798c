"""The repeat deal: what a customer's call makes when the last deal was closed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from errors import Refused
from fields import utcnow
from models import CallRule, Contact, Deal, Event
from tests.world import CUSTOMER, Story, World
from verbs.rule_choice import add_rule


@pytest.fixture
def sold(world: World) -> Deal:
    """Won ten days ago."""
    customer = Contact.of_number(CUSTOMER, "Miriam Sander", world.anna)
    deal = Deal.open("Roof", world.anna, None, contact=customer, at=utcnow() - timedelta(days=40))
    deal.move_to(world.stage("Completed"), by=None, at=utcnow() - timedelta(days=10))
    return deal


def within(days: int, situation: str = "incoming", effects: str = "deal", did: str = "") -> None:
    key = (CallRule.did == did) & (CallRule.situation == situation) & CallRule.known
    CallRule.delete().where(key).execute()
    add_rule(situation, True, effects, did, repeat_after=days)


def talked(linkedid: str = "1.1", did: str = "") -> Deal | None:
    story = Story.begins(linkedid=linkedid, did=did).rings("PJSIP/102").answered("PJSIP/102")
    return story.ended().call.deal


def test_a_deal_closed_lately_takes_the_call(world: World, sold: Deal) -> None:
    within(30)
    assert talked() == sold
    within(30, "missed")
    assert Story.begins(linkedid="2.1").rings("PJSIP/102").ended().call.deal == sold
    assert Deal.get() == sold
    assert sold.owner == world.anna, "it is not the speaker's"
    assert Deal.get().closed_at, "and stays closed"
    assert Event.of_kind("deal.created").count() == 1


@pytest.mark.parametrize("days", [0, 5, 10])
def test_after_that_a_repeat_deal_is_made(world: World, sold: Deal, days: int) -> None:
    within(days)
    repeat = talked()
    assert repeat != sold
    assert (repeat.owner, repeat.contact) == (world.ben, sold.contact)


def test_after_that_nothing_where_the_rule_says_nothing(world: World, sold: Deal) -> None:
    within(5, effects="")
    assert talked() is None
    within(30, effects="")
    assert talked("2.1") == sold


def test_of_several_the_one_closed_last(world: World, sold: Deal) -> None:
    within(30)
    other = Deal.open("Gutter", world.ben, None, contact=sold.contact)
    other.move_to(world.stage("Lost"), by=None, at=utcnow() - timedelta(days=1))
    assert talked() == other
    Deal.open("Window", world.ben, None, contact=sold.contact)
    assert talked("2.1").title == "Window", "an open one always takes the call"


def test_each_called_number_has_its_own_days(world: World, sold: Deal) -> None:
    within(0)
    within(30, did="+4930555000")
    assert talked("1.1", did="030 555 000") == sold
    assert talked("2.1") != sold


def test_the_deals_of_others_take_no_call(world: World, sold: Deal) -> None:
    within(30)
    stranger = Contact.of_number("+4930999888", "Somebody", None)
    assert (
        Story.begins("+4930999888", "2.1").rings("PJSIP/101").answered("PJSIP/101").call.deal
        != sold
    )
    assert stranger.deals.count() == 1


@pytest.mark.parametrize(
    ("situation", "known", "more"),
    [
        ("incoming", False, {"repeat_after": 5}),
        ("incoming", True, {"repeat_after": -1}),
        ("incoming", True, {"repeat_after": 3651}),
        ("incoming", True, {"missed_owner": "turns"}),
        ("missed", True, {"missed_owner": "boss"}),
        ("missed", True, {"effects": "record"}),
        ("incoming", True, {"effects": "contact"}),
    ],
)
def test_rules_that_make_no_sense(
    world: World, situation: str, known: bool, more: dict[str, object]
) -> None:
    with pytest.raises(Refused):
        add_rule(situation, known, **{"effects": "deal", "did": "1", **more})  # type: ignore[arg-type]
