"""The pages of calls in a real browser: they fit, everybody can read them, the count is live."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import expect

from fields import utcnow
from tests.browser import NewPage
from tests.desk import Enter, Panel, follow, sign_in
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
    expect(page.locator(BADGE)).to_have_text("1")
    page.click("nav >> text=Calls")
    expect(page.locator(".log tbody tr")).to_have_count(2)
    page.click("summary")
    page.fill("#number", "030 44701182")
    follow(page, page.get_by_role("button", name="Show", exact=True))
    expect(page.locator(".log tbody tr")).to_have_count(1)
    follow(page, page.locator(".tabs").get_by_text("To call back"))
    page.click(".log__deal a")
    expect(page.locator("h1")).to_have_text("Fitwerk")


def test_the_filter_of_the_statistics_is_low_on_a_phone(
    world: World, panel: Panel, new_page: NewPage
) -> None:
    """Where there is room it is open; on a phone it says what is chosen, and unfolds."""
    page = new_page(base_url=panel.address, viewport={"width": 1440, "height": 844})
    sign_in(page, "hugo")
    page.goto(f"/calls/statistics?from=2025-07-01&to=2025-07-02&seller={world.ben.id}")
    expect(page.get_by_label("From")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_label("From")).to_be_hidden()
    chosen = page.locator(".filters summary")
    expect(chosen).to_have_text("1 Jul 2025 – 2 Jul 2025, incoming, Ben Okafor")
    chosen.click()
    page.get_by_label("Seller").select_option(label="All")
    page.get_by_role("button", name="Show").click()
    expect(chosen).to_have_text("1 Jul 2025 – 2 Jul 2025, incoming")
