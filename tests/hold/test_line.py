"""The line to Asterisk goes dead without a word."""

from __future__ import annotations

from ari_app.client import connect
from tests.hold import trials
from tests.hold.faults import Line
from tests.hold.place import Held

SILENT_AFTER, TICK, SLACK = 15.0, 0.5, 4.0
"""Seconds: docs/limits.md says when a dead line is noticed."""


def test_dead_without_a_fin(held: Held) -> None:
    with Line(held.pbx.ari_url) as line:
        outcome = trials.line_cut(held, line, seconds=5)
    assert outcome.verdict.faults == []
    assert outcome.figures["noticed_after_s"] < SILENT_AFTER + TICK + SLACK


def test_no_states_of_devices_are_asked_for(held: Held) -> None:
    """Asterisk #2170: a listener that dies while it is told of one can lock up all of ARI."""
    held.listen()
    client = connect(held.pbx.ari_url, held.pbx.ari_username, held.pbx.ari_password, 30)
    try:
        listed = client.request("GET", "/applications/{name}", name="trichter")
    finally:
        client.close()
    assert listed["device_names"] == []
    assert listed["channel_ids"] != []
