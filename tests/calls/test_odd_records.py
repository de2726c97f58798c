"""Rows of CDR and CEL with values that no exchange should write, on each kind of database: one
costs itself at most, never the row behind it."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ari_app.cdr_row import LONGEST_CALL
from ari_app.record_files import CEL_CUSTOM
from models import Call
from telephony.call_report import CallReport
from tests.calls.records import COLUMNS, answered_cel, found, lines, row
from tests.world import World, release, use
from trichter import main

LONGEST = 2**31 - 1
ODD = (
    "", "\x00", "a\x00b", "3000000000", "1e9", "1e15", "-1e6", "nan", "inf", "1e400", "'; --",
    "a" * 300, "PJSIP/101", "PJSIP/101-0a", "Local/x@y-1;2", "2099-12-31 23:59:59",
    "1990-01-01 00:00:00", "99999999999", "<b>", "\u202e", "../../etc/passwd", "=1+1", '"',
    "mobile/+49301234567", "trichter-call-1.2", "\U0001d4b3" * 50, "0", "²",
)  # fmt: skip


@pytest.mark.parametrize("way", [(), ("--deals",)], ids=["baseline", "deals"])
def test_odd_rows(
    anywhere: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: tuple[str, ...]
) -> None:
    url = anywhere.settings.database.url
    monkeypatch.setenv("TRICHTER_DATABASE_URL", url)
    rows = []
    for number, (column, odd) in enumerate(product(COLUMNS, ODD)):
        own, good = f"{number}.1", f"good-{number}.1"
        rows.append(row(linkedid=own, uniqueid=own) | {column: odd})
        rows.append(row(linkedid=good, uniqueid=good))
    file = tmp_path / "Master.csv"
    file.write_text(lines(rows))
    release()
    result = CliRunner().invoke(main, ["import-cdr", "--timezone", "UTC", *way, str(file)])
    release()
    use(url)
    assert result.exit_code == 0, result.output[-1000:]
    those = Call.select().where(Call.linkedid.startswith("good-"), Call.outcome == "answered")
    assert those.count() == len(COLUMNS) * len(ODD)
    lasts: Any = Call.select(Call.talk, Call.wait).where(Call.talk.is_null(False)).tuples()
    assert all(0 <= talk <= LONGEST and 0 <= (wait or 0) <= LONGEST for talk, wait in lasts)


EXTRAS = (
    "[]", "5", "null", "NaN", '{"bridge_id":[]}', '{"bridge_id":{"a":1}}', '{"hangupcause":"x"}',
    '{"hangupcause":1e400}', '{"bridge_id":"' + "b" * 3000 + '"}', '{"a":' * 3000,
)  # fmt: skip


def test_odd_rows_of_cel(world: World, tmp_path: Path) -> None:
    """Each row of a call in turn has an odd value; the calls around it are as they were."""
    usual, rows, count = answered_cel(), [], 0
    rows += _named("good-0", usual)
    changes = [*product(CEL_CUSTOM, ODD), *product(["extra"], EXTRAS)]
    for count, (column, odd) in enumerate(changes, start=1):
        for at in (0, 1, 4, 8, 13):
            odd_ones = _named(f"{count}-{at}", usual)
            odd_ones[at][column] = odd
            rows += odd_ones
        rows += _named(f"good-{count}", usual)
    file = tmp_path / "cel.csv"
    file.write_text(lines(rows, CEL_CUSTOM))
    reports = [report for report in found(file) if isinstance(report, CallReport)]
    good = [report for report in reports if report.linkedid.startswith("good-")]
    assert {report.linkedid.partition("_")[0] for report in good} == {
        f"good-{number}" for number in range(count + 1)
    }
    assert {report.talk for report in good} == {60}
    assert all(r.ended_at and r.ended_at - r.started_at <= LONGEST_CALL for r in reports)


def _named(name: str, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows of another call."""
    ids = ("uniqueid", "linkedid")
    return [one | {key: f"{name}_{one[key]}" for key in ids} for one in rows]
