"""Recordings that only the exchange's own record knows: FreePBX's column ``recordingfile``."""

from __future__ import annotations

from pathlib import Path

import pytest

from ari_app import cdr_row
from ari_app.catchup import Import
from ari_app.records import opened
from models import Call
from tests.calls.records import DAY, UTC_CLOCK, row
from tests.calls.wires import PHONES
from tests.world import Story, World

NAME = "in-493055500-03044701182-20260302-090000-1772442000.10.wav"


def written(tmp_path: Path, *rows: dict[str, str]) -> Path:
    """A CDR with a head line, as cdr_custom writes it."""
    file = tmp_path / "cdr.csv"
    head = [*rows[0], *(["recordingfile"] if "recordingfile" not in rows[0] else [])]
    text = [",".join(head)]
    text += [",".join('"' + r.get(n, "").replace('"', '""') + '"' for n in head) for r in rows]
    file.write_text("\n".join([*text, ""]))
    return file


def read(file: Path) -> Import:
    reading = Import("asterisk", UTC_CLOCK, PHONES.__contains__)
    with opened(str(file), UTC_CLOCK) as tables:
        for table in tables:
            for _ in reading.read(table):
                pass
    return reading


def test_a_new_call_comes_with_its_recording(world: World, tmp_path: Path) -> None:
    first = row(recordingfile="")
    file = written(tmp_path, first, row(recordingfile=NAME, sequence=2, begin="09:00:03"))
    assert read(file).calls == 1
    assert Call.get().recording == NAME


@pytest.mark.parametrize("live", [None, "/var/spool/asterisk/monitor/live.wav"])
def test_a_call_that_was_heard_gets_it_later_and_once(
    world: World, tmp_path: Path, live: str | None
) -> None:
    story = Story.begins(linkedid="1772442000.10").rings("PJSIP/101").answered("PJSIP/101").ended()
    Call.update(recording=live).execute()
    file = written(tmp_path, row(recordingfile=NAME))
    for _ in range(2):
        assert read(file).calls == 0
        assert story.call.recording == (live or NAME)


@pytest.mark.parametrize("name", ["x" * 256, "a\0b.wav", "a\nb.wav"])
def test_a_name_that_can_not_be_one_is_left_out(name: str) -> None:
    _, part = cdr_row.part(row(recordingfile=name), UTC_CLOCK)
    assert part.recording == ""


def test_who_only_listened_is_no_call(world: World, tmp_path: Path) -> None:
    """Asterisk 22 and 16 write a row of their own for a channel that snoops."""
    snoop = row(
        channel="Snoop/1772442000.10-00000000",
        dstchannel="",
        app="Stasis",
        lastdata="trichter,own,record,1",
        uniqueid="trichter-record-1",
        linkedid="trichter-record-1",
        src="",
        clid='"" <>',
        start=f"{DAY} 09:00:05",
    )
    probe = row(
        channel="Local/s@phones-00000000;2",
        dstchannel="",
        uniqueid="trichter-doctor-1772442001.7;2",
        linkedid="trichter-doctor-1772442001.7",
        disposition="FAILED",
    )
    file = written(tmp_path, row(recordingfile=""), snoop, probe)
    assert read(file).found == 1
    assert [call.linkedid for call in Call.select()] == ["1772442000.10"]
