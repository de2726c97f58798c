"""GET /calls: who sees which calls, in which order, through which filters, in how many queries."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playhouse.test_utils import count_queries

from fields import utcnow
from models import Call, Deal
from panel import create_app
from tests.panel.conftest import Browser
from tests.world import Story, World
from verbs.deals import assign

SELLER_QUERIES = 7
HEAD_QUERIES = 8
STATISTICS_QUERIES = 9
START = (utcnow() - timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
OTHER = "+4940123456"


def told(linkedid: str, number: str = OTHER, minutes: int = 0, **more: str) -> Story:
    at = START + timedelta(minutes=minutes)
    return Story.begins(number, linkedid, at=at, **more)


def listed(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<tr [^>]*id="call-(\d+)"', page)]


def row(page: str, story: Story) -> str:
    found = re.search(rf'<tr [^>]*id="call-{story.call.id}".*?</tr>', page, re.DOTALL)
    assert found
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


@pytest.fixture
def day(world: World) -> dict[str, Story]:
    """Calls of all kinds: Anna's, Ben's, and one between two desks."""
    return {
        "answered": told("1.1", minutes=1, name="Fitwerk", did="+493044700")
        .rings("PJSIP/101")
        .answered("PJSIP/101", 9)
        .ended(99),
        "missed": told("2.1", "+4930999001", 2).rings("PJSIP/101", "PJSIP/102").ended(30),
        "bens": told("3.1", "+4930999002", 3, did="+493044799").rings("PJSIP/102").ended(30),
        "outgoing": told("4.1", "+4930999003", 4, direction="outgoing")
        .rings("PJSIP/101")
        .ended(20, outcome="busy"),
    }


def test_each_sees_their_own_and_heads_see_all(
    day: dict[str, Story], anna: Browser, hugo: Browser, olga: Browser
) -> None:
    ids = {name: story.call.id for name, story in day.items()}
    assert listed(anna.get("/calls").text) == [ids["outgoing"], ids["missed"], ids["answered"]]
    assert listed(hugo.get("/calls").text) == sorted(ids.values(), reverse=True)
    for path in ("/calls", f"/calls?number={OTHER}", "/calls?waiting=1", "/calls/missed"):
        page = olga.get(path).text
        assert listed(page) == []
        assert "999002" not in page
        assert "Fitwerk" not in page


def test_a_row_shows_the_whole_call(day: dict[str, Story], anna: Browser) -> None:
    page = anna.get("/calls").text
    answered = row(page, day["answered"])
    for text in ("incoming,", "Fitwerk", "+49 40 123456", "Anna Krüger", "0:09", "1:30"):
        assert text in answered
    missed = row(page, day["missed"])
    assert "rang at Anna Krüger, Ben Okafor" in missed
    assert "missed, call back" in missed
    assert "busy" in row(page, day["outgoing"])
    assert "call back" not in row(page, day["outgoing"])


def test_a_call_back_is_marked(day: dict[str, Story], anna: Browser) -> None:
    told("9.1", "+4930999001", 62, direction="outgoing").rings("PJSIP/101").answered(
        "PJSIP/101"
    ).ended()
    text = row(anna.get("/calls").text, day["missed"])
    assert "call back" not in text
    assert "called back after 59 minutes" in text


def test_a_hidden_number_can_not_be_called_back(world: World, anna: Browser) -> None:
    story = told("1.1", "anonymous").rings("PJSIP/101").ended()
    page = anna.get("/calls").text
    assert "missed" in row(page, story)
    assert "call back" not in row(page, story)
    assert listed(anna.get("/calls/missed").text) == []


def test_a_call_that_goes_on(world: World, anna: Browser) -> None:
    story = told("1.1").rings("PJSIP/101")
    assert "rings now" in row(anna.get("/calls").text, story)
    story.answered("PJSIP/101")
    assert "talks now" in row(anna.get("/calls").text, story)


def test_the_deal_of_somebody_else_does_not_exist(
    day: dict[str, Story], world: World, anna: Browser, hugo: Browser
) -> None:
    deal = Deal.get(Deal.id == day["answered"].call.deal_id)
    link = f'href="/deals/{deal.id}"'
    assert link in anna.get("/calls").text
    assign(deal, world.ben, by=world.hugo)
    assert link not in anna.get("/calls").text
    assert "Fitwerk" in row(anna.get("/calls").text, day["answered"])
    assert link in hugo.get("/calls").text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("direction=outgoing", ["outgoing"]),
        ("direction=internal", []),
        ("outcome=missed", ["bens", "missed"]),
        ("outcome=busy&direction=incoming", []),
        ("waiting=1", ["bens", "missed"]),
        ("number=%2B49 30 999001", ["missed"]),
        ("number=030/999-001", ["missed"]),
        ("number=0049 30 999001", ["missed"]),
        ("number=nonsense", []),
        ("did=030 44799", ["bens"]),
        ("did=elsewhere", []),
        ("seller={anna}", ["outgoing", "missed", "answered"]),
        ("seller={ben}", ["bens", "missed"]),
        ("seller=99999", []),
        ("from={today}&to={today}", ["outgoing", "bens", "missed", "answered"]),
        ("to={yesterday}", []),
        ("from={tomorrow}", []),
        ("from=x", []),
        ("from=0001-01-01", []),
    ],
)
def test_filters(
    day: dict[str, Story], world: World, hugo: Browser, query: str, names: list[str]
) -> None:
    today = START.astimezone().date()
    address = query.format(
        anna=world.anna.id,
        ben=world.ben.id,
        today=today,
        yesterday=today - timedelta(days=1),
        tomorrow=today + timedelta(days=1),
    )
    page = hugo.get(f"/calls?{address}").text
    assert listed(page) == [day[name].call.id for name in names]


@pytest.mark.parametrize(
    "query",
    ["direction=x", "outcome=x", "waiting=2", "seller=x", "before=x", "before=1.", "before=1.x"],
)
def test_what_no_link_leads_to_is_404(hugo: Browser, query: str) -> None:
    assert hugo.get(f"/calls?{query}").status_code == 404


def test_what_can_not_be_used_is_said_beside_its_field(hugo: Browser) -> None:
    page = hugo.get("/calls?number=nonsense&from=yesterday&did=%3Ctt%3E").text
    assert "This is not a telephone number." in page
    assert "Write the day as 2026-01-31." in page
    assert 'value="nonsense"' in page
    assert "<tt>" not in page


def test_a_seller_can_not_ask_for_another(
    day: dict[str, Story], world: World, anna: Browser
) -> None:
    page = anna.get(f"/calls?seller={world.ben.id}").text
    assert len(listed(page)) == 3
    assert 'name="seller"' not in page


def test_the_rest_comes_page_by_page(anywhere: World) -> None:
    browser = Browser(create_app(anywhere.settings))
    browser.log_in("anna")
    # Three at once, so that a page ends in the middle of a moment.
    stories = [told(f"{n}.1", minutes=n // 3).rings("PJSIP/101").ended() for n in range(52)]
    page = browser.get("/calls?direction=incoming").text
    seen = listed(page)
    assert len(seen) == 50
    older = re.search(r'href="([^"]+)" rel="next"', page)
    assert older
    page = browser.get(older[1].replace("&amp;", "&")).text
    assert "direction=incoming" in older[1]
    seen += listed(page)
    calls = [story.call for story in stories]
    newest_first = sorted(calls, key=lambda c: (c.started_at, c.id), reverse=True)
    assert seen == [call.id for call in newest_first]
    assert 'rel="next"' not in page
    assert listed(browser.get("/calls?waiting=1&number=040 123456&did=&seller=").text) == seen[:50]


def test_few_and_many_calls_of_a_seller_are_listed_alike(
    anywhere: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few are picked out, many are met on the way through all calls."""
    browser = Browser(create_app(anywhere.settings))
    browser.log_in("anna")
    rang = told("1.1").rings("PJSIP/101").ended()
    talked = told("2.1", minutes=1).rings("PJSIP/101", "PJSIP/102").answered("PJSIP/101")
    told("3.1", "+493088", minutes=2).rings("PJSIP/102").ended()
    of_deal = told("4.1", "+493089", minutes=3)
    Deal.open("Hers", anywhere.anna, anywhere.anna)
    Call.update(deal=Deal.get(Deal.title == "Hers")).where(Call.id == of_deal.call.id).execute()
    expected = [story.call.id for story in (of_deal, talked, rang)]
    for few in (10, 3, 2, 0):
        monkeypatch.setattr("panel.calls.FEW", few)
        assert listed(browser.get("/calls").text) == expected


@pytest.mark.parametrize("number", [1, 30])
def test_the_number_of_queries_is_constant(
    world: World, anna: Browser, hugo: Browser, number: int
) -> None:
    for n in range(number):
        story = told(f"{n}.1", f"+4930447{n:05}", n).rings("PJSIP/101", "PJSIP/102")
        (story.answered("PJSIP/101") if n % 2 else story).ended(90)
    for browser, path, expected in (
        (anna, "/calls", SELLER_QUERIES + 1),
        (hugo, "/calls", HEAD_QUERIES),
        (anna, "/calls/missed", SELLER_QUERIES + 1),
        (hugo, "/calls/statistics", STATISTICS_QUERIES),
    ):
        with count_queries() as counted:
            assert browser.get(path).status_code == 200
        assert counted.count == expected, [q.msg for q in counted.get_queries()]
