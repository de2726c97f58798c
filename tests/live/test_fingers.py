"""On a phone: cards are dragged by touch, and what floats above a page lies apart. That every place
to touch is large enough is seen on every page by tests/panel/test_everywhere_pages.py."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect

from fields import utcnow
from models import CallRequest, Contact, Deal
from tests.desk import Enter, box
from tests.finger import Finger
from tests.office import until
from tests.world import CUSTOMER, Story, World
from verbs import deals, notes, requests, tasks

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
}


@pytest.fixture
def deal(world: World) -> Deal:
    """Anna's, with a call that is over, one that was missed, and one that goes on."""
    contact = Contact.of_number(CUSTOMER, "Inga Holm", world.anna)
    deal = Deal.open("New roof", world.anna, world.anna, contact=contact)
    Story.begins(linkedid="1.1").rings("PJSIP/101").answered("PJSIP/101").ended()
    Story.begins(linkedid="2.1").rings("PJSIP/101").ended()
    Story.begins(linkedid="3.1").rings("PJSIP/101").answered("PJSIP/101")
    return deal


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
    expect(strip).to_have_count(0)


def test_a_card_is_dragged_to_the_next_column(world: World, enter: Enter) -> None:
    """Long press, to the edge, where the board scrolls on by itself; then it stays in sight."""
    deal = Deal.open("Roof", world.anna, world.anna)
    page = enter("anna", **PHONE)
    card = page.locator(f"#deal-{deal.id}")
    place, finger = box(card), Finger(page)
    x, y = place["x"] + 60, place["y"] + 20
    left = "document.getElementById('board').scrollLeft"
    # Held still for a moment it is picked up; from then on it goes along.
    finger.lift(x, y)
    scrolled, width = page.evaluate(left), PHONE["viewport"]["width"]
    opportunity = page.locator(f".col__cards[data-stage='{world.stage('Opportunity').id}']")
    # It goes on to scroll as long as the finger stays at the edge.
    finger.move(width - 12, y)
    until(lambda: page.evaluate(left) > scrolled + width / 3, "the board scrolls on")
    finger.carry(opportunity, y + 60)
    finger.up()
    expect(opportunity.locator(f"#deal-{deal.id}")).to_be_visible()
    until(lambda: Deal.get_by_id(deal.id).stage.name == "Opportunity", "the deal is moved")
    expect(page.locator("#announcer")).to_have_text("Roof moved to Opportunity.")
    inside = box(opportunity)
    assert inside["x"] >= 0
    assert inside["x"] + inside["width"] <= width
    # A finger that goes on at once scrolls, and moves nothing.
    place, was = box(card), page.evaluate(left)
    finger.swipe(place["x"] + 200, place["y"] + 20, -175)
    until(lambda: page.evaluate(left) > was, "the board scrolls")
    expect(page.locator("body.is-dragging")).to_have_count(0)
    assert Deal.get_by_id(deal.id).stage.name == "Opportunity"
    assert "/deals/" not in page.url


def test_the_card_of_a_talk_leaves_half_of_the_screen(world: World, enter: Enter) -> None:
    """With all that it can ask and tell; the page below it stays in sight."""
    contact = Contact.of_number(CUSTOMER, "", world.anna)
    deal = Deal.open("Roof", world.anna, world.anna, contact=contact)
    tasks.add("Send it", utcnow() - timedelta(days=2), world.anna, world.anna, deal=deal)
    notes.add("Wants it red, and soon.", world.anna, deal=deal)
    page = enter("anna", **PHONE)
    talk = Story.begins(linkedid="2.1").rings("PJSIP/101").answered("PJSIP/101")
    pop = page.locator(".pop--talks")
    expect(pop.locator(".pop__facts")).to_contain_text("Wants it red")
    assert box(pop)["height"] < 844 / 2
    expect(pop.get_by_label("Company")).to_be_hidden()
    pop.locator("summary").tap()
    pop.get_by_label("Company").fill("Holm")
    # What was written stays unfolded, whatever comes, and on the next page, too.
    deals.change(deal, world.hugo, amount=Decimal(900))
    expect(pop).to_contain_text("900")
    expect(pop.get_by_label("Company")).to_have_value("Holm")
    page.goto("/tasks")
    expect(pop.get_by_label("Company")).to_be_visible()
    expect(pop.get_by_label("Company")).to_have_value("Holm")
    talk.ended()
