"""CEL → the ledger: the same truth as from live events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ari_app.record_files import CEL_CUSTOM
from ari_app.row import BadRow
from telephony.call_report import CallReport
from tests.calls.records import CUSTOMER, answered_cel, event, found, lines, row, with_head


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "cel.csv"


def one(file: Path, rows: list[dict[str, str]]) -> CallReport:
    file.write_text(lines(rows, CEL_CUSTOM))
    (report,) = found(file)
    assert isinstance(report, CallReport)
    return report


def test_an_answered_call(file: Path) -> None:
    report = one(file, answered_cel())
    assert (report.direction, report.number, report.name) == ("incoming", CUSTOMER, "Miriam Sander")
    assert (report.did, report.outcome, report.talk) == ("493055500", "answered", 60)
    assert report.speaker == "PJSIP/101"
    assert {leg.channel: leg.outcome for leg in report.legs} == {"1.2": "answered", "1.3": "missed"}


def test_a_head_line_names_the_columns(file: Path) -> None:
    """In another order, and as dates in place of seconds."""
    columns = [c for c in reversed(CEL_CUSTOM) if c != "peer"]
    file.write_text(with_head(answered_cel(), columns))
    (report,) = found(file)
    assert isinstance(report, CallReport)
    assert report.talk == 60


def test_cdr_tells_the_same_where_it_can(file: Path, tmp_path: Path) -> None:
    by_cel = one(file, answered_cel())
    other = tmp_path / "cdr.csv"
    rows = [
        row("PJSIP/101-0b", start="1772442000", linkedid="1.1", uniqueid="1.1"),
        row(
            "PJSIP/102-0c",
            "NO ANSWER",
            start="1772442000",
            duration=5,
            linkedid="1.1",
            uniqueid="1.1",
        ),
    ]
    other.write_text(lines(rows))
    (by_cdr,) = found(other)
    assert isinstance(by_cdr, CallReport)
    assert replace(by_cdr, legs=()) == replace(by_cel, legs=())
    assert [(g.endpoint, g.answered_at, g.ended_at, g.outcome) for g in by_cdr.legs] == [
        (g.endpoint, g.answered_at, g.ended_at, g.outcome) for g in by_cel.legs
    ]


@pytest.mark.parametrize(
    ("cause", "outcome", "rang"),
    [(17, "busy", True), (16, "missed", True), (127, "missed", True), (20, "failed", False)],
)
def test_why_a_phone_did_not_answer(file: Path, cause: int, outcome: str, rang: bool) -> None:
    anna = ("1.2", "PJSIP/101-0b")
    rows = [
        answered_cel()[0],
        event("CHAN_START", 0.1, *anna),
        event("HANGUP", 9, *anna, extra={"hangupcause": cause}),
        event("CHAN_END", 9, *anna),
        event("HANGUP", 10, "1.1", "PJSIP/trunk-0a", extra={"hangupcause": 16}),
        event("CHAN_END", 10, "1.1", "PJSIP/trunk-0a"),
    ]
    (leg,) = one(file, rows).legs
    assert (leg.outcome, leg.rang_at is not None) == (outcome, rang)


def test_what_was_sent_out_is_the_number_called(file: Path) -> None:
    anna, trunk, bridge = ("1.1", "PJSIP/101-0a"), ("1.2", "PJSIP/trunk-0b"), {"bridge_id": "b"}
    rows = [
        event("CHAN_START", 0, *anna, cid_num="101", exten="903044701182"),
        event("APP_START", 0, *anna, appname="Dial", appdata="PJSIP/03044701182@trunk,60"),
        event("CHAN_START", 0, *trunk),
        event("ANSWER", 4, *trunk),
        event("BRIDGE_ENTER", 4, *trunk, extra=bridge),
        event("BRIDGE_ENTER", 4, *anna, extra=bridge),
        event("CHAN_END", 9, *anna),
        event("CHAN_END", 9, *trunk),
    ]
    report = one(file, rows)
    assert (report.direction, report.number) == ("outgoing", "03044701182")
    assert (report.outcome, report.talk) == ("answered", 5)


def test_a_call_that_began_before_the_record_is_left_out(file: Path) -> None:
    file.write_text(lines(answered_cel()[1:], CEL_CUSTOM))
    kept = found(file)
    assert not [r for r in kept if isinstance(r, CallReport) and r.direction == "incoming"]


def test_a_call_that_goes_on_is_left_out(file: Path) -> None:
    file.write_text(lines(answered_cel()[:-4], CEL_CUSTOM))
    assert found(file) == []


def test_hostile_rows(file: Path) -> None:
    bad = [
        event("CHAN_START", 0, "", "PJSIP/101-1"),
        event("CHAN_START", 0, "9" * 300, "PJSIP/101-1"),
        event("CHAN_START", 0, "7.7", ""),
        event("CHAN_START", 0, "7.8", "PJSIP/101-1", eventtime="never"),
    ]
    odd = answered_cel()
    odd[6]["extra"] = '{"hangupcause": "many"}'
    odd[-3]["extra"] = "[[[["
    odd[-2]["extra"] = "[" * 9000
    file.write_text(lines([*bad, *odd], CEL_CUSTOM))
    *refused, report = found(file)
    assert [r.line for r in refused if isinstance(r, BadRow)] == [1, 2, 3, 4]
    assert isinstance(report, CallReport)
    assert report.talk == 60
