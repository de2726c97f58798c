"""GET /exchange: for heads, who does what now, the queues, and what is known of it at all."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta

from playhouse.test_utils import count_queries

from database import database
from fields import utcnow
from models import Contact, Deal, Device, Leg, QueueState, User
from panel import create_app
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import CUSTOMER, Story, World
from verbs import users
from verbs.calls import record_call
from verbs.exchange import (
    SILENT,
    QueueReport,
    record_devices,
    record_queues,
    record_watching,
)

PHONES = {"PJSIP/101": "online", "PJSIP/102": "offline", "PJSIP/103": "online"}
QUERIES = 11
FRAGMENT_QUERIES = 8


def watched(
    pbx: str = "asterisk", seconds_ago: float = 0, phones: dict[str, str] | None = None
) -> None:
    at = utcnow() - timedelta(seconds=seconds_ago)
    record_devices(pbx, PHONES if phones is None else phones, at)
    record_watching(pbx, True, at)


def text(page: str) -> str:
    return re.sub(r"<[^>]+>|\s+", " ", page).replace("  ", " ")


def person(browser: Browser, user: User) -> str:
    """What is said of a user, without tags; '' if nothing is."""
    page = browser.get("/exchange").text
    found = re.search(rf'<li [^>]*id="person-{user.id}".*?</li>', page, re.DOTALL)
    return " ".join(text(found[0]).split()) if found else ""


def in_queue(number: str, at: datetime, name: str = "hotline") -> Story:
    """A call that rings at Anna's phone out of a queue."""
    story = Story.begins(number, f"{number}.1", at=at).rings("PJSIP/101")
    story = Story(replace(story.report, queue=name))
    record_call(story.report)
    return story


def test_it_is_for_heads(anna: Browser, olga: Browser, hugo: Browser) -> None:
    for path in ("/exchange", "/exchange/now"):
        assert anna.get(path).status_code == 404
        assert olga.get(path).status_code == 404
        assert hugo.get(path).status_code == 200
    assert 'href="/exchange"' not in anna.get("/").text
    assert 'href="/exchange"' in hugo.get("/").text


def test_nothing_was_ever_connected(world: World, hugo: Browser) -> None:
    assert "No exchange has been connected yet" in hugo.get("/exchange").text
    assert person(hugo, world.anna) == "Anna Krüger 101 not known"


def test_free_and_away_by_department(world: World, hugo: Browser) -> None:
    watched()
    assert person(hugo, world.anna) == "Anna Krüger 101 free"
    assert "away since today" in person(hugo, world.ben)
    page = hugo.get("/exchange").text
    assert page.index("Sales") < page.index("Anna") < page.index("Service") < page.index("Olga")
    # Nobody without a phone can ring.
    assert person(hugo, world.hugo) == ""
    assert "Not connected" not in page


def test_rings_then_talks_with_whom_about_what(world: World, hugo: Browser) -> None:
    watched()
    contact = Contact.of_number(CUSTOMER, "Inga Holm", world.anna)
    deal = Deal.open("New roof", world.anna, world.anna, contact=contact)
    story = Story.begins().rings("PJSIP/101", "PJSIP/103")
    for user in (world.anna, world.olga):
        assert "rings 00:0" in person(hugo, user)
        assert "Inga Holm +49 30 44701182 New roof" in person(hugo, user)
    story = story.answered("PJSIP/101")
    assert "talks 00:00 Inga Holm" in person(hugo, world.anna)
    assert f'href="/deals/{deal.id}"' in hugo.get("/exchange/now").text
    assert person(hugo, world.olga) == "Olga Outsider 103 free"
    assert 'id="calls-now">1<' in hugo.get("/exchange").text
    story.ended()
    assert person(hugo, world.anna) == "Anna Krüger 101 free"
    assert 'id="calls-now">0<' in hugo.get("/exchange").text


def test_dials_and_internal_calls(world: World, hugo: Browser) -> None:
    watched()
    out = Story.begins("+493099", "1.1", direction="outgoing")
    leg = Leg.create(call=out.call, channel="1.1-a", endpoint="PJSIP/101", user=world.anna)
    assert "dials 00:0" in person(hugo, world.anna)
    leg.answered_at = utcnow()
    leg.save()
    assert "talks" in person(hugo, world.anna)
    inside = Story.begins("", "2.1", direction="internal").call
    Leg.create(call=inside, channel="2.1", endpoint="PJSIP/103", user=world.olga)
    ben = Leg.create(call=inside, channel="2.2", endpoint="PJSIP/102", user=world.ben)
    assert "dials" in person(hugo, world.olga)
    # The exchange dials Ben's phone, and has not heard from it.
    assert "away" in person(hugo, world.ben)
    ben.rang_at = utcnow()
    ben.save()
    assert "rings 00:00 Olga Outsider" in person(hugo, world.ben)
    assert "dials 00:00 Ben Okafor" in person(hugo, world.olga)


def test_several_calls_of_one_user(world: World, hugo: Browser) -> None:
    watched()
    Story.begins("+493088", "1.1", name="First").rings("PJSIP/101").answered("PJSIP/101")
    Story.begins("+493089", "2.1", name="Second").rings("PJSIP/101")
    said = person(hugo, world.anna)
    assert said.index("talks") < said.index("First") < said.index("rings") < said.index("Second")


def test_a_user_with_a_phone_that_the_exchange_does_not_name(world: World, hugo: Browser) -> None:
    watched(phones={"PJSIP/102": "unknown"})
    assert person(hugo, world.anna) == "Anna Krüger 101 no such phone"
    assert "not known since" in person(hugo, world.ben)


def test_who_is_not_watched_any_more_is_not_known(world: World, hugo: Browser) -> None:
    Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    record_queues("asterisk", [QueueReport("hotline", 2, 1, utcnow())], utcnow())
    watched()
    assert 'id="waiting-now" class="is-waiting">2<' in hugo.get("/exchange").text
    watched(seconds_ago=SILENT.total_seconds() + 1)
    page = hugo.get("/exchange").text
    assert "Not connected since today" in page
    assert 'id="calls-now">–<' in page
    assert 'id="waiting-now">–<' in page
    assert "hotline" not in page
    assert "not known since today" in person(hugo, world.anna)
    watched()
    record_watching("asterisk", False, utcnow())
    assert "Not connected since today" in hugo.get("/exchange").text
    assert "not known since today" in person(hugo, world.anna)


def test_two_exchanges(world: World, hugo: Browser) -> None:
    watched("berlin", phones={"PJSIP/101": "offline"})
    watched("munich", seconds_ago=60, phones={"PJSIP/102": "online"})
    record_queues("berlin", [QueueReport("sales", 1, 0, utcnow())], utcnow())
    record_queues("munich", [QueueReport("sales", 3, 0, utcnow())], utcnow())
    page = text(hugo.get("/exchange").text)
    assert "munich : Not connected since" in page.replace("</b>", "")
    assert "berlin 0 now" in page
    assert "munich not connected" in page
    assert "Waiting in queues 1" in page
    assert "away" in person(hugo, world.anna)
    assert "not known since" in person(hugo, world.ben)


def test_an_exchange_that_is_gone_for_long_is_not_shown(world: World, hugo: Browser) -> None:
    watched("berlin")
    watched("old", seconds_ago=8 * 86400)
    assert "Not connected" not in hugo.get("/exchange").text
    Device.delete().where(Device.pbx == "berlin").execute()
    assert "Not connected" in hugo.get("/exchange").text


def test_queues_today(anywhere: World) -> None:
    browser = Browser(create_app(anywhere.settings))
    browser.log_in("hugo")
    watched()
    now = utcnow()
    for number, waits in enumerate((10, 30, 20)):
        in_queue(f"+493099900{number}", now).answered("PJSIP/101", waits).ended(40)
    in_queue("+4930999009", now).ended(50)
    in_queue("+4930999010", now - timedelta(days=2)).ended(50)
    states = [QueueReport("hotline", 2, 1, now), QueueReport("all", 0, 4)]
    record_queues("asterisk", states, now)
    page = browser.get("/exchange").text
    rows = [" ".join(text(row).split()) for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL)]
    assert rows[1] == "all 0 – 4 0 0 – –"
    assert re.fullmatch(r"hotline 2 00:\d\d 1 3 1 50% 0:20", rows[2])
    assert len(rows) == 3
    # The call of two days ago has not been called back either, but is not of today.
    assert re.search(r'id="missed-now"><a [^>]*class="is-bad">1<', page)


def test_a_queue_that_was_not_used_for_long_is_not_shown(world: World, hugo: Browser) -> None:
    watched()
    then = utcnow() - timedelta(days=8)
    record_queues("asterisk", [QueueReport("summer", 1, 0, then)], then)
    assert "summer" in hugo.get("/exchange").text
    record_queues("asterisk", [], then)
    assert QueueState.select().count() == 1
    assert "summer" not in hugo.get("/exchange").text


def test_hostile_names_stay_text(world: World, hugo: Browser) -> None:
    evil = "<script>alert(1)</script>\u202e\"'"
    watched()
    record_queues("asterisk", [QueueReport(evil + "x" * 10_000, 1, 0, utcnow())], utcnow())
    Story.begins("+493088", name=evil + "y" * 10_000).rings("PJSIP/101")
    watched(evil[:60])
    answer = hugo.get("/exchange")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert answer.text.count("&lt;script&gt;") >= 3
    assert "x" * 100 not in answer.text
    assert "y" * 100 not in answer.text


def test_queries_do_not_grow_with_the_office(world: World, hugo: Browser) -> None:
    watched()
    hugo.get("/exchange")
    for number in range(12):
        phone = f"PJSIP/2{number:02}"
        users.add(f"s{number}", f"S {number}", "seller", "correct horse", phone, f"D {number}")
        Story.begins(f"+49308880{number:02}", f"{number}.1", name="N").rings(phone).answered(phone)
    record_queues("asterisk", [QueueReport(f"q{n}", n, 1) for n in range(9)], utcnow())
    database.close()
    with count_queries() as counted:
        assert "q8" in hugo.get("/exchange").text
    assert counted.count == QUERIES
    with count_queries() as counted:
        answer = hugo.get("/exchange/now", headers=FRAGMENT)
    assert counted.count == FRAGMENT_QUERIES
    assert "<html" not in answer.text
