"""On a phone: every place to touch is large enough, and what floats above a page lies apart."""

from __future__ import annotations

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from models import CallRequest, Contact, Deal
from tests.desk import Enter
from tests.office import until
from tests.world import CUSTOMER, Story, World
from verbs import requests

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
FINGER = 44
"""CSS pixels that a finger hits: WCAG 2.2, 2.5.5."""
SMALL = """least => [...document.querySelectorAll(
    'a:not(.skip), button, select, summary, input:not([type=hidden])')]
  .filter(place => place.checkVisibility({visibilityProperty: true}))
  .map(place => [place, (place.closest('label') ?? place).getBoundingClientRect()])
  .filter(([, {width, height}]) => Math.min(width, height) < least - 0.5)
  .map(([place, {width, height}]) => `${place.textContent.trim() || place.name} ${width}×${height}`)
"""


@pytest.fixture
def deal(world: World) -> Deal:
    """Anna's, with a call that is over, one that was missed, and one that goes on."""
    contact = Contact.of_number(CUSTOMER, "Inga Holm", world.anna)
    deal = Deal.open("New roof", world.anna, world.anna, contact=contact)
    Story.begins(linkedid="1.1").rings("PJSIP/101").answered("PJSIP/101").ended()
    Story.begins(linkedid="2.1").rings("PJSIP/101").ended()
    Story.begins(linkedid="3.1").rings("PJSIP/101").answered("PJSIP/101")
    return deal


def box(of: Locator) -> FloatRect:
    """Where it is; news may put a fresh one into its place at this very moment."""
    return until(of.bounding_box, "it to be seen")


def test_every_place_to_touch_is_large_enough(world: World, deal: Deal, enter: Enter) -> None:
    pages = {
        "anna": ["/calls", "/calls/missed", f"/deals/{deal.id}"],
        "hugo": ["/calls/statistics", "/exchange", f"/deals/{deal.id}"],
        "ada": ["/admin/rules", "/admin/rules/rule?situation=missed&caller=unknown"],
    }
    for who, paths in pages.items():
        page = enter(who, **PHONE)
        for path in paths:
            page.goto(path)
            assert page.evaluate(SMALL, FINGER) == [], path


@pytest.mark.parametrize("width", [390, 1024, 1440])
def test_the_strip_and_the_card_of_its_call_lie_apart(
    world: World, deal: Deal, enter: Enter, width: int
) -> None:
    page = enter("anna", viewport={"width": width, "height": 844})
    page.goto(f"/deals/{deal.id}")
    page.wait_for_selector("html[data-live=on]")
    page.locator(".contact__numbers .dial button").click()
    request = until(lambda: CallRequest.get_or_none(CallRequest.state == "new"), "a request")
    requests.claim(request)
    requests.rings(request)
    Story.begins(CUSTOMER, request.channel, direction="outgoing").rings("PJSIP/101")
    strip, card = page.locator("#request .request"), page.locator("#popups .pop").first
    expect(strip).to_contain_text("Your phone rings.")
    expect(card).to_be_visible()
    below, beside = box(strip), box(card)
    assert (
        beside["y"] + beside["height"] <= below["y"] or below["x"] + below["width"] <= beside["x"]
    )


def test_what_one_calls_off_goes_by_itself(world: World, deal: Deal, enter: Enter) -> None:
    page = enter("anna", **PHONE)
    page.goto(f"/deals/{deal.id}")
    page.wait_for_selector("html[data-live=on]")
    page.locator(".contact__numbers .dial button").click()
    request = until(lambda: CallRequest.get_or_none(CallRequest.state == "new"), "a request")
    requests.claim(request)
    requests.cancel(request)
    requests.fail(request, "no answer")
    strip = page.locator("#request .request")
    expect(strip.get_by_role("status")).to_have_text("Cancelled.")
    expect(strip).to_have_count(0, timeout=20_000)
