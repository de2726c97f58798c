"""Click-to-call in a browser: the strip follows the call live, on every page; and its pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from models import Call, CallRequest, Contact, Deal, User
from tests.desk import Enter
from tests.office import until
from tests.panel.test_server import FAULTS, RULES
from tests.world import Story, World
from verbs import requests

BAKERY = "+494088812904"
STRIP = "#request .request"


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(BAKERY, "Jörg Holm", world.anna)
    return Deal.open("Bakery", world.anna, world.anna, contact=contact)


def asked(page: Page) -> CallRequest:
    """A click on the button beside the number; the row that it made."""
    page.get_by_role("button", name="Call +49 40 88812904").first.click()
    return until(lambda: CallRequest.get_or_none(CallRequest.state == "new"), "a request")


def test_from_the_click_to_the_end(world: World, deal: Deal, enter: Enter) -> None:
    page, other = enter("anna"), enter("hugo")
    page.goto(f"/deals/{deal.id}")
    page.wait_for_selector("html[data-live=on]")
    request = asked(page)
    strip = page.locator(STRIP)
    expect(strip).to_contain_text("Your phone is being called")
    requests.claim(request)
    requests.rings(request)
    expect(strip).to_contain_text("Your phone rings. Pick it up to call Jörg Holm.")
    page.goto("/calls")
    expect(strip).to_contain_text("Your phone rings.")
    requests.picked_up(request)
    expect(strip).to_contain_text("Calling Jörg Holm…")
    story = Story.begins(BAKERY, request.channel, direction="outgoing").rings("PJSIP/101")
    story = story.answered("PJSIP/101")
    expect(strip).to_contain_text("Talking with Jörg Holm.")
    story.ended()
    requests.over(request)
    expect(strip).to_contain_text("Talked with Jörg Holm. 0:55")
    expect(strip).to_have_count(0)
    # Nothing of it is anybody else's, not even a head's.
    expect(other.locator(STRIP)).to_have_count(0)


def test_a_reason_stays_until_it_is_closed(world: World, deal: Deal, enter: Enter) -> None:
    page = enter("anna")
    page.goto(f"/deals/{deal.id}")
    page.wait_for_selector("html[data-live=on]")
    request = asked(page)
    requests.claim(request)
    requests.fail(request, "no phone")
    strip = page.locator(STRIP)
    expect(strip.get_by_role("alert")).to_have_text(
        "Your phone can't be reached. Is it switched on and registered?"
    )
    strip.get_by_role("button", name="Close").click()
    expect(strip).to_have_count(0)


def test_nobody_takes_it(world: World, deal: Deal, enter: Enter) -> None:
    """The exchange is away: the page says so by itself, after ten seconds."""
    page = enter("anna")
    page.goto(f"/deals/{deal.id}")
    asked(page)
    expect(page.locator(STRIP)).to_contain_text("not connected right now")
    assert CallRequest.get().reason == "expired"


def test_cancelling_and_a_second_click(world: World, deal: Deal, enter: Enter) -> None:
    page = enter("anna")
    page.goto(f"/deals/{deal.id}")
    page.wait_for_selector("html[data-live=on]")
    request = asked(page)
    page.get_by_role("button", name="Call +49 40 88812904").click()
    expect(page.locator(".toast")).to_contain_text("still busy")
    requests.claim(request)
    requests.rings(request)
    strip = page.locator(STRIP)
    expect(strip).to_contain_text("rings")
    strip.get_by_role("button", name="Cancel").click()
    expect(strip).to_contain_text("Hanging up")
    assert CallRequest.get().state == "ending"


def listening(world: World, deal: Deal, enter: Enter, **options: object) -> tuple[Page, Call]:
    User.update(endpoint="PJSIP/109").where(User.login == "hugo").execute()
    call = Story.begins(BAKERY).rings("PJSIP/101").answered("PJSIP/101").call
    page = enter("hugo", **options)
    page.goto(f"/deals/{deal.id}")
    page.wait_for_selector("html[data-live=on]")
    return page, call


def test_a_head_listens_and_changes(world: World, deal: Deal, enter: Enter) -> None:
    page, _call = listening(world, deal, enter)
    page.get_by_role("button", name="Listen").click()
    request = until(lambda: CallRequest.get_or_none(CallRequest.kind == "listen"), "a request")
    requests.claim(request)
    requests.picked_up(request)
    requests.noted(request, "started", world.anna)
    strip = page.locator(STRIP)
    expect(strip).to_contain_text("Nobody hears you.")
    expect(strip.get_by_role("button", name="Listen")).to_have_attribute("aria-pressed", "true")
    strip.get_by_role("button", name="Whisper").click()
    expect(strip).to_contain_text("Only the seller hears you.")
    assert CallRequest.get().kind == "whisper"


@pytest.mark.parametrize("width", [1440, 390])
def test_it_is_accessible_and_fits(
    world: World, deal: Deal, enter: Enter, axe_path: Path, width: int
) -> None:
    options = {"viewport": {"width": width, "height": 844}, "bypass_csp": True}
    Story.begins("+493044701182", "9.1", name="Fitwerk").rings("PJSIP/101").ended()
    page, call = listening(world, deal, enter, **options)
    request = requests.listen(User.get(User.login == "hugo"), call, "whisper")
    requests.claim(request)
    requests.picked_up(request)
    requests.noted(request, "started", world.anna)
    expect(page.locator(STRIP)).to_be_visible()
    for path in (f"/deals/{deal.id}", "/calls", "/calls/missed", f"/call-requests/{request.id}"):
        page.goto(path)
        expect(page.locator(".request").first).to_be_visible()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.add_script_tag(path=axe_path)
            assert page.evaluate(FAULTS, RULES) == [], f"{path}, {scheme}"
            if into := os.environ.get("PICTURES"):
                name = path.strip("/").replace("/", "-")
                page.screenshot(path=f"{into}/{name}-{width}-{scheme}.png")
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"{path} is {over} px wider than the screen"
