"""CDR rows → the truth about a call, as far as CDR knows it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ari_app.record_files import CDR_CSV, NEW_COLUMNS
from ari_app.row import BadRow, Clock, SourceError
from telephony.call_report import CallReport
from tests.calls.records import COLUMNS, CUSTOMER, found, lines, row, with_head

OUT: dict[str, Any] = {
    "src": "101",
    "dst": "903044701182",
    "clid": '"Anna" <101>',
    "lastdata": "PJSIP/03044701182@trunk,60",
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "Master.csv"


def one(file: Path, *rows: dict[str, str]) -> CallReport:
    file.write_text(lines(rows))
    (report,) = found(file)
    assert isinstance(report, CallReport)
    return report


def test_a_ring_group_in_which_one_picks_up(file: Path) -> None:
    report = one(
        file,
        row(),
        row("PJSIP/102-0000000c", "BUSY", duration=0, sequence=2),
        row("PJSIP/103-0000000d", "NO ANSWER", duration=5, sequence=3),
    )
    assert (report.direction, report.number, report.name) == ("incoming", CUSTOMER, "Miriam Sander")
    assert (report.linkedid, report.did) == ("1772442000.10", "493055500")
    assert (report.outcome, report.speaker, report.talk) == ("answered", "PJSIP/101", 60)
    assert report.started_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert report.answered_at == datetime(2026, 3, 2, 9, 0, 5, tzinfo=UTC)
    assert report.ended_at == datetime(2026, 3, 2, 9, 1, 5, tzinfo=UTC)
    outcomes = {leg.endpoint: leg.outcome for leg in report.legs}
    assert outcomes == {"PJSIP/101": "answered", "PJSIP/102": "busy", "PJSIP/103": "missed"}


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([row(disposition="NO ANSWER")], "missed"),
        ([row(disposition="BUSY")], "busy"),
        ([row(disposition="BUSY"), row("PJSIP/102-0c", "NO ANSWER")], "missed"),
        ([row("", app="BackGround")], "missed"),
        ([row("", app="Playback")], "missed"),
        ([row("", app="Queue")], "missed"),
        ([row(app="VoiceMail")], "missed"),
        ([row(disposition="NO ANSWER"), row("", app="VoiceMail", sequence=2)], "missed"),
        ([row("", "NO ANSWER", app="Dial")], "missed"),
    ],
)
def test_what_is_no_answer(file: Path, rows: list[dict[str, str]], outcome: str) -> None:
    report = one(file, *rows)
    assert (report.outcome, report.answered_at, report.talk) == (outcome, None, None)


@pytest.mark.parametrize(
    ("disposition", "outcome"),
    [("ANSWERED", "answered"), ("NO ANSWER", "missed"), ("BUSY", "busy"), ("CONGESTION", "failed")],
)
def test_an_outgoing_call(file: Path, disposition: str, outcome: str) -> None:
    report = one(file, row("PJSIP/trunk-0b", disposition, channel="PJSIP/101-0a", **OUT))
    assert (report.direction, report.number, report.did) == ("outgoing", "03044701182", "")
    assert report.outcome == outcome
    assert [leg.endpoint for leg in report.legs] == ["PJSIP/101"]
    assert report.legs[0].channel == "1772442000.10"


def test_an_internal_call(file: Path) -> None:
    report = one(file, row("PJSIP/102-0b", channel="PJSIP/101-0a", src="101", dst="102"))
    assert (report.direction, report.outcome, report.talk) == ("internal", "answered", 60)


def test_a_queue_of_freepbx_through_local_channels(file: Path) -> None:
    wire = "Local/101@from-queue-00000001"
    report = one(
        file,
        row(f"{wire};1", app="Queue", did="493055500", dst="600"),
        row(
            channel=f"{wire};2", uniqueid="1772442001.12", begin="09:00:10", duration=55, sequence=3
        ),
    )
    assert (report.direction, report.speaker) == ("incoming", "PJSIP/101")
    assert [leg.endpoint for leg in report.legs] == ["PJSIP/101"]


def test_local_channels_that_reach_nobody(file: Path) -> None:
    wire = "Local/101@from-queue-00000001"
    report = one(
        file,
        row(f"{wire};1", app="Queue"),
        row(channel=f"{wire};2", disposition="NO ANSWER", uniqueid="1772442001.12"),
    )
    assert report.outcome == "missed"


def test_a_transfer_belongs_to_who_spoke_last(file: Path) -> None:
    later = row("PJSIP/102-0c", begin="09:01:05", duration=30, billsec=25, sequence=2)
    report = one(file, row(), later)
    assert (report.speaker, report.talk) == ("PJSIP/102", 85)


@pytest.mark.parametrize(
    ("columns", "ids"),
    [
        (CDR_CSV, 2),
        ([*CDR_CSV, "uniqueid"], 1),
        ([*CDR_CSV, "userfield"], 2),
        ([*CDR_CSV, "uniqueid", "userfield"], 1),
        ([*CDR_CSV, *NEW_COLUMNS], 1),
        ([*CDR_CSV, "uniqueid", *NEW_COLUMNS], 1),
        ([*CDR_CSV, "userfield", *NEW_COLUMNS], 1),
        (COLUMNS, 1),
    ],
)
def test_the_columns_that_cdr_csv_can_write(file: Path, columns: list[str], ids: int) -> None:
    """Without an id of the call each row is one, and the same one at every reading."""
    rows = [row(userfield="vip"), row("PJSIP/102-0c", "NO ANSWER", userfield="vip")]
    file.write_text(lines(rows, columns))
    first, again = found(file), found(file)
    assert len(first) == ids
    assert first == again
    assert all(isinstance(report, CallReport) for report in first)


def test_a_head_line_names_the_columns(file: Path) -> None:
    columns = [
        "calldate",
        "Channel",
        "dstchannel",
        "disposition",
        "duration",
        "billsec",
        "src",
        "uniqueid",
    ]
    values = {**row(), "calldate": "2026-03-02 09:00:00.250", "Channel": row()["channel"]}
    file.write_text("\ufeff" + with_head([values], columns))
    (report,) = found(file)
    assert isinstance(report, CallReport)
    assert report.outcome == "answered"
    assert report.started_at == datetime(2026, 3, 2, 9, 0, 0, 250000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "zone", "hour"),
    [
        ("2026-01-15 09:00:00", "Europe/Berlin", 8),
        ("2026-07-15 09:00:00", "Europe/Berlin", 7),
        ("2026-07-15 09:00:00", "UTC", 9),
        ("2026-07-15 09:00:00.5", "America/New_York", 13),
        ("2026-07-15T09:00:00+02:00", "UTC", 7),
    ],
)
def test_time_zones(written: str, zone: str, hour: int) -> None:
    assert Clock(zone).read(written).hour == hour


def test_a_call_over_the_hour_that_is_repeated_keeps_its_length(file: Path) -> None:
    file.write_text(lines([row(start="2026-10-25 02:59:30", end="2026-10-25 02:00:35")]))
    (report,) = found(file, Clock("Europe/Berlin"))
    assert isinstance(report, CallReport)
    assert report.ended_at
    assert (report.ended_at - report.started_at).seconds == 65


def test_bad_rows_are_named_by_their_line_and_cost_no_other(file: Path) -> None:
    good = lines([row()])
    bad = [
        "nonsense\n",
        lines([row(start="yesterday")]),
        lines([row(start="9" * 400)]),
        lines([row(start="inf")]),
        lines([row(channel="")]),
        lines([{**row(), "duration": "long"}]),
        lines([{**row(), "duration": "nan"}]),
        lines([row(linkedid="9" * 500)]),
        lines([row()]).rstrip("\n")[:-1] + "\n",
        "x" * 200_000 + "\n",
        "\x00\x00\n",
    ]
    other = lines([row(linkedid="1772442000.99", uniqueid="1772442000.99")])
    file.write_bytes(
        (good + "\n" + "".join(bad)).encode() + b"\xff\xfe\n" + (other + other[:-20]).encode()
    )
    everything = found(file)
    assert {r.linkedid for r in everything if isinstance(r, CallReport)} == {
        "1772442000.10",
        "1772442000.99",
    }
    told = [r.line for r in everything if isinstance(r, BadRow)]
    assert told[:9] == list(range(3, 12))
    assert all(isinstance(r, CallReport) or len(r.why) < 300 for r in everything)


def test_hostile_text_is_text(file: Path) -> None:
    name = "=cmd|'/c calc'!A1\u202e<script>\t" + "x" * 5000
    report = one(file, row(clid=f'"{name}" <{CUSTOMER}>', src="'; DROP TABLE calls;--", dst="s"))
    assert (report.did, report.outcome) == ("", "answered")
    assert report.number.startswith("';")


def test_only_the_end_of_a_long_file_is_read_for_a_gap(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ari_app.record_files.FIRST_STEP", 2000)
    days = [
        row(start=f"2026-03-{day:02} 09:00:00", uniqueid=f"{day}.1", linkedid=f"{day}.1")
        for day in range(1, 29)
    ]
    file.write_text(lines(days) + "bad\n")
    everything = found(file, since=datetime(2026, 3, 27, 8, tzinfo=UTC))
    kept = [r.linkedid for r in everything if isinstance(r, CallReport)]
    assert {"27.1", "28.1"} <= set(kept)
    assert len(kept) < 14
    assert everything[0] == BadRow(29, "1 columns instead of 16 to 21")


@pytest.mark.parametrize(
    "source",
    ["/nowhere/Master.csv", "/", "sqlite:////nowhere/x.db", "mysql://u:secret@127.0.0.1:1/x"],
)
def test_a_source_that_cannot_be_read(source: str) -> None:
    with pytest.raises(SourceError) as caught:
        found(source)
    assert "secret" not in str(caught.value)


def test_an_unknown_time_zone() -> None:
    with pytest.raises(SourceError, match="Mars"):
        Clock("Mars/Olympus")
