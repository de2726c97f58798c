"""GET /calls/missed and the count in the navigation (T9)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

import fields
from fields import utcnow
from panel import calls, create_app
from tests.panel.conftest import FRAGMENT, Browser
from tests.panel.test_calls_list import listed
from tests.world import CUSTOMER, Story, World

NOW = utcnow()


def missed(
    linkedid: str, hours: float, number: str = CUSTOMER, endpoint: str = "PJSIP/101"
) -> Story:
    at = NOW - timedelta(hours=hours)
    return Story.begins(number, linkedid, at=at).rings(endpoint).ended(30)


def returned(linkedid: str, hours: float, number: str = CUSTOMER) -> Story:
    at = NOW - timedelta(hours=hours)
    story = Story.begins(number, linkedid, at=at, direction="outgoing").rings("PJSIP/102")
    return story.answered("PJSIP/102", 30).ended(60)


def badge(page: str) -> str:
    """The count as it can be seen; '' if it is hidden."""
    found = re.search(r'<span class="badge"[^>]*?( hidden)?><span[^>]*>(.*?)</span>', page)
    assert found
    return "" if found[1] else found[2]


def test_the_longest_waiting_first_until_somebody_talks(
    world: World, anna: Browser, hugo: Browser, olga: Browser
) -> None:
    late = missed("1.1", 3)
    early = missed("2.1", 5, "+4930999001")
    bens = missed("3.1", 4, "+4930999002", "PJSIP/102")
    page = anna.get("/calls/missed").text
    assert listed(page) == [early.call.id, late.call.id]
    assert "5 hours" in page
    assert 'Call back<span class="visually-hidden"> +49 30 999001</span>' in page
    assert "A line goes once anybody here has talked with that number" in page
    assert listed(hugo.get("/calls/missed").text) == [early.call.id, bens.call.id, late.call.id]
    assert [badge(b.get("/").text) for b in (anna, hugo, olga)] == ["2", "3", ""]
    # By whichever seller, in either direction.
    returned("4.1", 1)
    assert listed(anna.get("/calls/missed").text) == [early.call.id]
    assert badge(anna.get("/calls/missed/count", headers=FRAGMENT).text) == "1"
    assert "Nobody waits to be called back." in olga.get("/calls/missed").text


def test_the_badge_says_how_many_only_so_far(
    world: World, anna: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "COUNTED", 1)
    for n in range(3):
        missed(f"{n}.1", n + 1, f"+493099900{n}")
    assert badge(anna.get("/calls/missed/count").text) == "1+"
    assert "over 1 to call back" in anna.get("/calls").text


def test_a_number_that_is_ignored_waits_for_nobody(
    world: World, anna: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    missed("1.1", 2)
    assert badge(anna.get("/").text) == "1"
    monkeypatch.setattr(fields, "ignored", frozenset({CUSTOMER}))
    assert badge(anna.get("/").text) == ""
    assert listed(anna.get("/calls/missed").text) == []


def figures(browser: Browser) -> list[str]:
    return re.findall(r"<dd>(.*?)</dd>", browser.get("/calls/missed").text)


def test_how_long_it_takes_to_call_back(anywhere: World) -> None:
    browser = Browser(create_app(anywhere.settings))
    browser.log_in("hugo")
    assert figures(browser) == ["0", "0", "–"]
    for n, hours in enumerate((2, 30, 4)):
        missed(f"{n}.1", 100, f"+493099900{n}")
        returned(f"{n}.2", 100 - hours, f"+493099900{n}")
    missed("8.1", 1)
    missed("9.1", 24 * 40, "+4930999009")
    returned("9.2", 24 * 39, "+4930999009")
    assert figures(browser) == ["4", "3", "4 hours"]
    # Of two the mean of both.
    missed("7.1", 100, "+4930999007")
    returned("7.2", 94, "+4930999007")
    assert figures(browser) == ["5", "4", "5 hours"]


def test_page_by_page(world: World, anna: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PAGE", 2)
    ids = [missed(f"{n}.1", 9 - n, f"+493099900{n}").call.id for n in range(3)]
    page = anna.get("/calls/missed").text
    assert listed(page) == ids[:2]
    later = re.search(r'href="([^"]+)" rel="next"', page)
    assert later
    assert listed(anna.get(later[1]).text) == ids[2:]
    assert anna.get("/calls/missed?after=x").status_code == 404
