"""Missed calls: what clears them (T9), and whose they are."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fields import utcnow
from models import Call, Event
from tests.world import CUSTOMER, Story, World

START = utcnow() - timedelta(hours=2)


@pytest.fixture
def missed(world: World) -> Story:
    return Story.begins(at=START).rings("PJSIP/101").ended(20)


def waiting() -> list[str]:
    return [call.linkedid for call in Call.awaiting_call_back()]


def later(number: str = CUSTOMER, direction: str = "incoming") -> Story:
    at = START + timedelta(hours=1)
    return Story.begins(number, "2.1", direction=direction, at=at)


@pytest.mark.parametrize("direction", ["incoming", "outgoing"])
def test_a_conversation_in_either_direction_clears(missed: Story, direction: str) -> None:
    assert waiting() == [missed.report.linkedid]
    later("030 44701182", direction).rings("PJSIP/102").answered("PJSIP/102").ended()
    assert waiting() == []
    assert missed.call.called_back_at == START + timedelta(hours=1, seconds=5)
    assert missed.call.outcome == "missed"
    event = Event.of_kind("call.called_back").get()
    assert event.call == missed.call


def test_it_is_cleared_once_only(missed: Story) -> None:
    later().rings("PJSIP/102").answered("PJSIP/102").ended()
    first = missed.call.called_back_at
    Story.begins(linkedid="3.1").rings("PJSIP/102").answered("PJSIP/102").ended()
    assert missed.call.called_back_at == first


@pytest.mark.parametrize("direction", ["incoming", "outgoing"])
def test_an_attempt_does_not_clear(missed: Story, direction: str) -> None:
    later(direction=direction).rings("PJSIP/102").ended()
    assert missed.report.linkedid in waiting()


def test_another_number_does_not_clear(missed: Story) -> None:
    later("+4930999888").rings("PJSIP/102").answered("PJSIP/102").ended()
    assert waiting() == [missed.report.linkedid]


def test_an_earlier_conversation_does_not_clear(world: World) -> None:
    Story.begins(at=START).rings("PJSIP/102").answered("PJSIP/102").ended()
    later().rings("PJSIP/101").ended()
    assert waiting() == ["2.1"]


def test_all_of_a_number_are_cleared_and_the_oldest_stands_first(missed: Story) -> None:
    Story.begins(linkedid="1.2", at=START + timedelta(minutes=5)).ended()
    assert waiting() == [missed.report.linkedid, "1.2"]
    later().rings("PJSIP/102").answered("PJSIP/102")
    assert waiting() == []


def test_hidden_numbers_do_not_clear_each_other(world: World) -> None:
    Story.begins("", at=START).rings("PJSIP/101").ended()
    later("").rings("PJSIP/102").answered("PJSIP/102").ended()
    assert len(waiting()) == 1


def test_busy_and_failed_wait_too(world: World) -> None:
    for count, outcome in enumerate(("busy", "failed", "missed")):
        Story.begins(f"+493099988{count}", f"{count}.1", at=START).ended(5, outcome=outcome)
    assert len(waiting()) == 3
