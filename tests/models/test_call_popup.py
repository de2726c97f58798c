"""popping_up_for and Call.visible_to: on whose screen a call is (T1, R1)."""

from __future__ import annotations

import pytest

from models import Call, Deal, User
from panel.audience import popping_up_for
from tests.world import Story, World
from verbs.deals import assign


def screens(world: World) -> list[str]:
    """Who sees a pop-up now."""
    people = (world.anna, world.ben, world.olga, world.hugo, world.ada)
    return [u.login for u in people if popping_up_for(u).exists()]


def seen(user: User) -> list[str]:
    return [call.linkedid for call in Call.visible_to(user).order_by(Call.id)]


def test_a_ring_group(world: World) -> None:
    story = Story.begins()
    assert screens(world) == []
    story = story.rings("PJSIP/101", "PJSIP/102")
    assert screens(world) == ["anna", "ben"]
    story = story.answered("PJSIP/102")
    assert screens(world) == ["ben"]
    story.ended()
    assert screens(world) == []


def test_it_vanishes_for_the_others_before_their_phones_are_silent(world: World) -> None:
    story = Story.begins().rings("PJSIP/101", "PJSIP/102")
    answered = story.answered("PJSIP/102").report
    legs = Call.get().legs
    assert legs.count() == 2
    type(legs.get()).update(ended_at=None).execute()
    assert answered.speaker == "PJSIP/102"
    assert screens(world) == ["ben"]


def test_a_blind_transfer_pops_up_at_the_next(world: World) -> None:
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    at_ben = story.rings("PJSIP/102", after=20)
    gone = at_ben.report.legs[0].channel
    Call.get().legs.model.update(ended_at=at_ben.report.started_at).where(
        Call.get().legs.model.channel == gone
    ).execute()
    assert screens(world) == ["ben"]


def test_it_leaves_the_next_phone_when_that_stops_ringing(world: World) -> None:
    story = Story.begins().rings("PJSIP/101").ended()
    assert story.call.outcome == "missed"
    assert screens(world) == []


def test_visible_to(world: World) -> None:
    Story.begins(linkedid="1.1").rings("PJSIP/101").answered("PJSIP/101").ended()
    Story.begins("+4930999888", "2.1").rings("PJSIP/102").ended()
    Story.begins("", "3.1").ended()
    assert seen(world.anna) == ["1.1"]
    assert seen(world.ben) == ["2.1"]
    assert seen(world.olga) == []
    assert seen(world.hugo) == seen(world.ada) == ["1.1", "2.1", "3.1"]


@pytest.mark.parametrize("who", ["anna", "ben"])
def test_who_gets_the_deal_sees_its_calls(world: World, who: str) -> None:
    Story.begins(linkedid="1.1").rings("PJSIP/103").answered("PJSIP/103").ended()
    user = getattr(world, who)
    assert seen(user) == []
    assign(Deal.get(), user, by=world.hugo)
    assert seen(user) == ["1.1"]
