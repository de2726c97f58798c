"""The page of the exchange in a real browser: it changes by itself, quietly, and fits."""

from __future__ import annotations

import re
from datetime import timedelta

from playwright.sync_api import Page, expect

from fields import utcnow
from models import Contact, Deal
from tests.browser import NewPage
from tests.desk import Enter, Panel
from tests.world import CUSTOMER, PASSWORD, Story, World
from verbs.exchange import QueueReport, record_devices, record_queues, record_watching

ONLINE = {"PJSIP/101": "online", "PJSIP/102": "online", "PJSIP/103": "online"}
FOR_LONG = timedelta(hours=1)
"""An exchange that said so in the future is taken for watched, however slow the test is."""
MARK = "document.getElementById('person-1').querySelector('.person__name').wasHere = true"
NO_TURNS = """
  const after = window.setTimeout;
  window.setTimeout = (work, ms, ...more) => (ms === 3000 ? 0 : after(work, ms, ...more));
"""
IS_MARKED = "document.getElementById('person-1').querySelector('.person__name').wasHere"


def office(world: World) -> Deal:
    """Anna talks, Ben's phone rings, Olga's is off; two wait in a queue."""
    at = utcnow()
    record_devices("asterisk", {**ONLINE, "PJSIP/103": "offline"}, at)
    record_queues("asterisk", [QueueReport("hotline", 2, 1, at - timedelta(seconds=75))], at)
    record_watching("asterisk", True, at + FOR_LONG)
    contact = Contact.of_number(CUSTOMER, "Inga Holm", world.anna)
    deal = Deal.open("New roof", world.anna, world.anna, contact=contact)
    Story.begins(at=at - timedelta(seconds=90)).rings("PJSIP/101").answered("PJSIP/101")
    evil = "<script>alert(1)</script> \u202e" + "W" * 10_000
    Story.begins("+493088", "2.1", name=evil).rings("PJSIP/102")
    return deal


def opened(enter: Enter, only_news: bool = False) -> Page:
    """As it is while people work; or ``only_news`` renews it, and no time that passes."""
    page = enter("hugo")
    if only_news:
        page.add_init_script(NO_TURNS)
    page.goto("/exchange")
    page.wait_for_selector("html[data-live=on]")
    return page


def test_a_call_shows_at_once_and_what_is_the_same_stays(world: World, enter: Enter) -> None:
    record_devices("asterisk", ONLINE, utcnow())
    record_watching("asterisk", True, utcnow() + FOR_LONG)
    page = opened(enter, only_news=True)
    anna = page.locator(f"#person-{world.anna.id}")
    expect(anna).to_contain_text("free")
    page.evaluate(MARK)
    story = Story.begins(name="Inga Holm").rings("PJSIP/101")
    expect(anna).to_contain_text("rings")
    expect(anna).to_contain_text("Inga Holm")
    expect(page.locator("#calls-now")).to_have_text("1")
    story = story.answered("PJSIP/101", after=0)
    expect(anna).to_contain_text("talks")
    expect(anna.locator("[data-timer]")).to_have_text(re.compile("00:0[2-9]|00:[1-5]"))
    story.ended()
    expect(anna).to_contain_text("free")
    assert page.evaluate(IS_MARKED)


def test_phones_and_queues_change_by_themselves(world: World, enter: Enter) -> None:
    deal = office(world)
    page = opened(enter)
    link = page.locator(f"#exchange a[href='/deals/{deal.id}']")
    link.focus()
    timer = page.locator(".queues [data-timer]")
    expect(timer).to_contain_text("1:")
    record_devices("asterisk", ONLINE, utcnow())
    expect(page.locator(f"#person-{world.olga.id}")).to_contain_text("free")
    record_queues("asterisk", [], utcnow())
    expect(timer).to_have_count(0)
    expect(page.locator("#waiting-now")).to_have_text("0")
    record_watching("asterisk", False, utcnow())
    expect(page.locator(".stale")).to_contain_text("Not connected since today")
    expect(link).to_have_count(0)
    record_watching("asterisk", True, utcnow() + FOR_LONG)
    expect(page.locator(".stale")).to_have_count(0)
    expect(link).to_be_visible()


def test_the_focus_stays_where_it_is(world: World, enter: Enter) -> None:
    deal = office(world)
    page = opened(enter)
    link = page.locator(f"#exchange a[href='/deals/{deal.id}']")
    link.focus()
    with page.expect_response("**/exchange/now"):
        pass
    Story.begins("+493089", "3.1", name="Another").rings("PJSIP/101")
    expect(page.locator(f"#person-{world.anna.id}")).to_contain_text("Another")
    expect(link).to_be_focused()


def test_a_window_that_nobody_sees_does_not_ask(world: World, enter: Enter) -> None:
    office(world)
    page = enter("hugo")
    page.clock.install()
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if r.url.endswith("/exchange/now") else None)
    page.goto("/exchange")
    with page.expect_request("**/exchange/now"):
        page.clock.run_for(3100)
    hide = "Object.defineProperty(document, 'hidden', {value: %s, configurable: true});"
    tell = "document.dispatchEvent(new Event('visibilitychange'))"
    page.evaluate(f"() => {{ {hide % 'true'} {tell} }}")
    asked.clear()
    page.clock.run_for(30_000)
    assert asked == []
    with page.expect_request("**/exchange/now"):
        page.evaluate(f"() => {{ {hide % 'false'} {tell} }}")


def test_without_scripts(world: World, panel: Panel, new_page: NewPage) -> None:
    office(world)
    page = new_page(base_url=panel.address, java_script_enabled=False)
    page.goto("/login?next=/exchange")
    page.fill("[name=login]", "hugo")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator(f"#person-{world.anna.id}")).to_contain_text("Inga Holm")
    record_devices("asterisk", ONLINE, utcnow())
    page.reload()
    expect(page.locator(f"#person-{world.olga.id}")).to_contain_text("free")
