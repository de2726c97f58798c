"""The pages of calls in a real browser: they fit, everybody can read them, the count is live."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from fields import utcnow
from tests.browser import NewPage
from tests.desk import Enter, Panel, sign_in
from tests.world import CUSTOMER, Story, World

BADGE = "[data-missed-url] [aria-hidden]"


def test_the_count_is_live(world: World, enter: Enter) -> None:
    anna, ben, olga = enter("anna"), enter("ben"), enter("olga")
    expect(anna.locator(BADGE)).to_be_hidden()
    at = utcnow() - timedelta(minutes=2)
    Story.begins(at=at).rings("PJSIP/101", "PJSIP/102").ended(20)
    for page in (anna, ben):
        expect(page.locator(BADGE)).to_have_text("1")
    expect(olga.locator(BADGE)).to_be_hidden()
    anna.goto("/calls/missed")
    anna.wait_for_selector("html[data-live=on]")
    anna.get_by_role("button", name="Call back").focus()
    # Ben calls back, which clears it for both, in the list, too.
    back = Story.begins(CUSTOMER, "2.1", direction="outgoing", at=at + timedelta(minutes=1))
    back.rings("PJSIP/102").answered("PJSIP/102")
    for page in (anna, ben):
        expect(page.locator(BADGE)).to_be_hidden()
    expect(anna.locator("main")).to_contain_text("Nobody waits to be called back.")
    expect(anna.locator(".log")).to_have_count(0)
    expect(anna.locator("main")).to_be_focused()
    Story.begins(linkedid="3.1").rings("PJSIP/101").ended(20)
    expect(anna.locator(".log tbody tr")).to_have_count(1)


def test_without_scripts(world: World, panel: Panel, new_page: NewPage) -> None:
    Story.begins(name="Fitwerk").rings("PJSIP/101").ended()
    Story.begins("+4940123456", "2.1").rings("PJSIP/101").answered("PJSIP/101").ended()
    page = new_page(base_url=panel.address, java_script_enabled=False)
    sign_in(page, "anna")
    assert page.inner_text(BADGE) == "1"
    page.click("nav >> text=Calls")
    assert page.locator(".log tbody tr").count() == 2
    page.click("summary")
    page.fill("#number", "030 44701182")
    page.click("text=Show")
    assert page.locator(".log tbody tr").count() == 1
    page.click(".tabs >> text=To call back")
    page.click(".log__deal a")
    assert page.inner_text("h1") == "Fitwerk"
