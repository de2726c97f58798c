"""GET /calls/statistics and its CSV: for heads, counted in the database."""

from __future__ import annotations

import csv
import io
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from models import Call
from panel import create_app
from panel.call_statistics import median
from tests.panel.conftest import Browser
from tests.world import Story, World

DAY = "from=2026-07-01&to=2026-07-02"
MORNING = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def told(n: int, hour: int, waits: int, phone: str = "PJSIP/101", did: str = "+49304470") -> Story:
    """An incoming call, answered after ``waits`` seconds, or missed for none."""
    at = MORNING.replace(hour=hour)
    story = Story.begins(f"+4930999{n:03}", f"{n}.1", did=did, at=at).rings(phone)
    return (story.answered(phone, waits) if waits else story).ended(100)


def fill() -> None:
    for n, waits in enumerate((10, 20, 60)):
        told(n, 8, waits)
    told(3, 9, 0, "PJSIP/102", "+49304471")
    Story.begins("+4930999100", "100.1", at=MORNING).ended(10, outcome="busy")
    Story.begins("+4930999101", "101.1", at=MORNING + timedelta(days=30)).ended(10)
    told(5, 9, 8, "PJSIP/102")


def rows(browser: Browser, query: str = DAY) -> dict[tuple[str, str], list[str]]:
    answer = browser.get(f"/calls/statistics.csv?{query}")
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    lines = csv.DictReader(io.StringIO(answer.text))
    return {(line["by"], line["key"]): list(line.values())[2:] for line in lines}


def test_it_is_for_heads(anna: Browser, olga: Browser, hugo: Browser) -> None:
    for path in ("/calls/statistics", "/calls/statistics.csv"):
        assert anna.get(path).status_code == 404
        assert olga.get(path).status_code == 404
        assert hugo.get(path).status_code == 200
    assert "/calls/statistics" not in anna.get("/calls").text
    assert "/calls/statistics" in hugo.get("/calls").text


def test_the_numbers(anywhere: World) -> None:
    browser = Browser(create_app(anywhere.settings))
    browser.log_in("hugo")
    fill()
    found = rows(browser)
    # calls, answered, missed, busy, answer rate, median wait, talk
    assert found["total", ""][:5] == ["6", "4", "1", "1", "0.6667"]
    assert [float(n) for n in found["total", ""][5:]] == [15, 90 + 80 + 40 + 92]
    assert found["seller", "Anna Krüger"][:5] == ["3", "3", "0", "0", "1.0"]
    assert float(found["seller", "Anna Krüger"][5]) == 20
    assert found["seller", "Ben Okafor"][:5] == ["2", "1", "1", "0", "0.5"]
    assert found["seller", ""][:5] == ["1", "0", "0", "1", "0.0"]
    assert found["hour", "8"][:4] == ["4", "3", "0", "1"]
    assert found["hour", "9"][:4] == ["2", "1", "1", "0"]
    assert found["hour", "10"] == ["0", "0", "0", "0", "", "", "0"]
    assert found["did", "+49304470"][:2] == ["4", "4"]
    assert found["did", "+49304471"][:2] == ["1", "0"]
    page = browser.get(f"/calls/statistics?{DAY}").text
    for text in ("67%", "Anna Krüger", "at nobody", "08:00", "<svg"):
        assert text in page


def test_filters(world: World, hugo: Browser) -> None:
    fill()
    only_ben = rows(hugo, f"{DAY}&seller={world.ben.id}")
    assert only_ben["total", ""][0] == "2"
    assert ("seller", "Anna Krüger") not in only_ben
    assert rows(hugo, f"{DAY}&did=030 4471")["total", ""][0] == "1"
    assert rows(hugo, f"{DAY}&direction=outgoing")["total", ""][0] == "0"
    assert rows(hugo, "from=2026-07-31&to=2026-07-31")["total", ""][0] == "1"
    assert rows(hugo, "from=x")["total", ""][0] == "0"
    # The last day before the first: no day at all.
    assert rows(hugo, "from=2026-07-31&to=2026-07-01")["total", ""][0] == "0"
    assert rows(hugo, "from=2199-12-31&to=1980-01-01")["total", ""][0] == "0"


def test_calls_that_go_on_do_not_count(world: World, hugo: Browser) -> None:
    Story.begins(at=MORNING).rings("PJSIP/101").answered("PJSIP/101")
    assert rows(hugo)["total", ""][0] == "0"


def test_hours_follow_summer_time(anywhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hour of UTC on both sides of the night in which clocks go back."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    browser = Browser(create_app(anywhere.settings))
    browser.log_in("hugo")
    for day in (24, 25, 26):
        at = datetime(2026, 10, day, 9, 30, tzinfo=UTC)
        Story.begins(f"+49309990{day}", f"{day}.1", at=at).ended(10)
    found = rows(browser, "from=2026-10-01&to=2026-10-31")
    assert (found["hour", "10"][0], found["hour", "11"][0]) == ("2", "1")


def test_a_formula_in_a_did_stays_text(world: World, hugo: Browser) -> None:
    Story.begins(at=MORNING, did="=1+1").ended(10)
    assert Call.select().count() == 1
    assert ("did", "'=1+1") in rows(hugo)


def test_by_queue(anywhere: World) -> None:
    browser = Browser(create_app(anywhere.settings))
    browser.log_in("hugo")
    fill()
    assert not [key for key in rows(browser) if key[0] == "queue"]
    assert "By queue" not in browser.get(f"/calls/statistics?{DAY}").text
    Call.update(queue="<b>sales").where(Call.did == "+49304470").execute()
    found = rows(browser)
    assert found["queue", "<b>sales"][:3] == ["4", "4", "0"]
    assert found["queue", ""][:3] == ["2", "0", "1"]
    page = browser.get(f"/calls/statistics?{DAY}").text
    assert "&lt;b&gt;sales" in page
    assert "in no queue" in page


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, None),
        ({7: 1}, 7),
        ({7: 1, 9: 1}, 8),
        ({1: 2, 100: 1}, 1),
        ({1: 2, 2: 1, 100: 3}, 51),
        ({0: 3, 5: 4}, 5),
    ],
)
def test_the_median(counts: dict[int, int], expected: float | None) -> None:
    assert median(counts) == expected
    values = [value for value, often in counts.items() for _ in range(often)]
    assert expected == (statistics.median(values) if values else None)
