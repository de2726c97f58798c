"""What the process does with an event that one of its parts can't take: the call is recorded and
routed all the same, by the other parts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ari_app.app import Telephony
from ari_app.events import Entered, Event
from ari_app.tape import Tape, replay
from ari_app.watch import Watch
from tests.world import World

ASKS: dict[str, Any] = {
    "type": "StasisStart",
    "timestamp": "2026-03-02T10:00:00.000+0000",
    "args": ["route", "4930555000"],
    "channel": {
        "id": "1.1",
        "name": "PJSIP/trunk-00000001",
        "state": "Ring",
        "creationtime": "2026-03-02T10:00:00.000+0000",
        "caller": {"name": "", "number": "+493044701182"},
        "dialplan": {"exten": "4930555000", "app_name": "Stasis", "app_data": "trichter"},
        "channelvars": {"CHANNEL(linkedid)": "1.1"},
    },
}


def told(telephony: Telephony, raw: dict[str, Any]) -> tuple[list[Event], list[Event]]:
    """What is recorded of an event, and what is routed."""
    recorded: list[Event] = []
    routed: list[Event] = []
    with (
        patch.object(telephony.recording, "put", recorded.append),
        patch.object(telephony.routing, "begin", routed.append),
    ):
        telephony.on_event(raw)
    return recorded, routed


def test_a_companion_that_fails(world: World, caplog: pytest.LogCaptureFixture) -> None:
    telephony = Telephony(world.settings)
    with patch.object(Watch, "heard", side_effect=TypeError("odd")):
        recorded, routed = told(telephony, ASKS)
    assert [type(event) for event in recorded] == [Entered]
    assert routed == recorded
    (line,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert line.exc_info


def test_text_that_is_none_on_the_tape(world: World, tmp_path: Path) -> None:
    """Half of a pair of surrogates: recorded, routed, on the tape, and read from there again."""
    file = tmp_path / "events.jsonl"
    tape = Tape(file)
    recorded, routed = told(Telephony(world.settings, tape), {**ASKS, "args": ["route", "\ud800"]})
    tape.close()
    assert routed == recorded
    (read,) = replay(file)
    assert isinstance(read, Entered)
    assert read.args == ("route", "\ud800")


def test_who_waits_for_an_answer_does_not_wait_for_the_tape(world: World, tmp_path: Path) -> None:
    tape = Tape(tmp_path / "events.jsonl")
    telephony = Telephony(world.settings, tape)
    order: list[str] = []
    with (
        patch.object(tape, "write", side_effect=lambda _raw: order.append("kept")),
        patch.object(telephony.routing, "begin", lambda _event: order.append("routed")),
        patch.object(telephony.recording, "put", lambda _event: order.append("recorded")),
    ):
        telephony.on_event(ASKS)
    tape.close()
    assert order == ["recorded", "routed", "kept"]
