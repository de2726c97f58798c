"""A day at the board: fingers, second thoughts, callers at the wrong moment."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from fields import utcnow
from models import Contact, Deal
from tests.desk import Enter, box, card, column, drag, head
from tests.finger import Finger
from tests.office import until
from tests.world import CUSTOMER, Story, World
from verbs.deals import assign

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def middle(what: Locator) -> tuple[float, float]:
    place = box(what)
    return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2


def test_a_finger_drags_a_card(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna", **PHONE)
    finger = Finger(anna)
    x, y = middle(card(anna, deal))
    finger.lift(x, y)
    # At the edge the board scrolls under the card.
    finger.carry(column(anna, world, "Documents"), y + 20)
    expect(anna.locator("body > .sortable-drag")).to_be_visible()
    finger.up()
    expect(column(anna, world, "Documents").locator(".card")).to_be_in_viewport()
    until(lambda: Deal.get_by_id(deal.id).stage.name == "Documents", "the move is kept")
    # Looked for, it is seen at once, wherever it stands, and so is the way back to all.
    anna.goto("/?q=Roof")
    expect(column(anna, world, "Documents").locator(".card")).to_be_in_viewport()
    expect(anna.locator(".sift").get_by_role("link", name="Show all")).to_be_in_viewport()


def test_a_finger_that_swipes_takes_no_card_along(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna", **PHONE)
    x, y = middle(card(anna, deal))
    Finger(anna).swipe(x, y, -160)
    expect(column(anna, world, "Opportunity")).to_be_in_viewport(ratio=0.9)
    expect(anna.get_by_role("link", name="Opportunity")).to_have_attribute("aria-current", "true")
    assert Deal.get_by_id(deal.id).stage.name == "Unsorted"
    card(anna, deal).tap()
    anna.wait_for_url(f"**/deals/{deal.id}")


def test_escape_puts_a_dragged_card_back(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna")
    x, y = middle(card(anna, deal))
    there = middle(column(anna, world, "Documents"))
    anna.mouse.move(x, y)
    anna.mouse.down()
    anna.mouse.move(x + 20, y + 10, steps=3)
    anna.mouse.move(*there, steps=5)
    expect(column(anna, world, "Documents").locator(".sortable-ghost")).to_be_visible()
    anna.keyboard.press("Escape")
    expect(column(anna, world, "Unsorted").locator(".card")).to_have_count(1)
    anna.mouse.move(x, y)
    anna.mouse.up()
    # Letting go above the card was no click on it.
    assert anna.url.endswith("/")
    assert Deal.get_by_id(deal.id).changes.count() == 1
    card(anna, deal).click()
    anna.wait_for_url(f"**/deals/{deal.id}")


def test_shift_and_arrows_go_to_other_columns(world: World, enter: Enter) -> None:
    first = Deal.open("Roof", world.anna, world.anna)
    far = Deal.open("Far", world.anna, world.anna, stage=world.stage("Documents"))
    anna = enter("anna")
    card(anna, first).focus()
    anna.keyboard.press("Shift+ArrowRight")
    expect(card(anna, far)).to_be_focused()
    anna.keyboard.press("Shift+ArrowRight")
    expect(card(anna, far)).to_be_focused()
    anna.keyboard.press("Shift+ArrowLeft")
    expect(card(anna, first)).to_be_focused()
    assert Deal.get_by_id(far.id).changes.count() == 1


def test_a_card_given_away_while_it_is_dragged(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna")
    anna.route("**/moves*", lambda route: (assign(deal, world.ben, world.hugo), route.continue_()))
    drag(anna, card(anna, deal), column(anna, world, "Documents"))
    expect(anna.locator(".toast")).to_have_text("Roof is not on your board any more.")
    expect(card(anna, deal)).to_have_count(0)


def test_a_head_who_looks_at_one_seller_sees_no_others(world: World, enter: Enter) -> None:
    mine = Deal.open("Of Anna", world.anna, world.anna)
    hugo = enter("hugo")
    hugo.get_by_label("Whose deals").select_option(label=world.anna.name)
    hugo.wait_for_url("**owner=*")
    hugo.wait_for_selector("html[data-live=on]")
    Deal.open("Of Ben", world.ben, world.ben)
    last = Deal.open("Of Anna, too", world.anna, world.anna)
    expect(card(hugo, last)).to_be_visible()
    expect(hugo.locator(".card")).to_have_count(2)
    expect(head(hugo, world, "Unsorted")).to_have_text("2")
    assign(mine, world.ben, by=world.hugo)
    expect(card(hugo, mine)).to_have_count(0)
    # The way back from a deal leads to the same view.
    card(hugo, last).click()
    hugo.wait_for_url("**/deals/*")
    hugo.locator(".sheet__back a").click()
    hugo.wait_for_url(re.compile(rf"owner={world.anna.id}(&|$)"))


def test_ages_go_on_while_the_board_is_open(world: World, enter: Enter) -> None:
    anna = enter("anna")
    anna.clock.install()
    anna.reload()
    anna.wait_for_selector("html[data-live=on]")
    since = utcnow() - timedelta(seconds=58)
    deal = Deal.open("Roof", world.anna, world.anna, at=since)
    age = card(anna, deal).locator(".pill")
    expect(age).to_be_visible()
    until(lambda: utcnow() - since > timedelta(minutes=1), "a minute has passed")
    anna.clock.fast_forward(20_000)
    expect(age).to_have_text("1 min")


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desk", "phone"])
def test_a_caller_is_seen_above_the_dialog(world: World, enter: Enter, size: dict) -> None:
    anna = enter("anna", **size)
    anna.get_by_role("button", name="New deal").click()
    title = anna.get_by_label("What is it about?")
    title.fill("Roof")
    Story.begins(name="Inga Holm").rings("PJSIP/101")
    name = anna.locator(".pop__name")
    expect(name).to_be_visible()
    expect(title).to_be_focused()
    x, y = middle(name)
    assert anna.evaluate("at => document.elementFromPoint(...at)?.closest('.pop') !== null", [x, y])
    anna.get_by_role("button", name="Dismiss").click()
    expect(name).to_have_count(0)
    expect(anna.locator("#new-deal")).to_be_visible()
    expect(title).to_have_value("Roof")


def test_no_connection_is_said_inside_the_dialog(world: World, enter: Enter) -> None:
    anna = enter("anna")
    anna.get_by_role("button", name="New deal").click()
    anna.get_by_label("What is it about?").fill("Roof")
    anna.route("**/deals", lambda route: route.abort())
    anna.keyboard.press("Enter")
    expect(anna.locator("#new-deal [role=alert]")).to_have_text(
        "No connection. Try again in a moment."
    )
    anna.unroute("**/deals")
    anna.keyboard.press("Enter")
    expect(column(anna, world, "Unsorted").locator(".card")).to_have_count(1)
    assert Deal.select().count() == 1


def test_of_two_callers_on_a_phone_the_latest_is_in_full(world: World, enter: Enter) -> None:
    anna = enter("anna", **PHONE)
    Story.begins().rings("PJSIP/101")
    anna.wait_for_selector(".pop__act >> visible=true")
    Contact.of_number("+493044702222", "Inga Holm", world.anna)
    Story.begins(linkedid="2", number="+493044702222").rings("PJSIP/101")
    latest, first = anna.locator(".pop").nth(0), anna.locator(".pop").nth(1)
    expect(latest.locator(".pop__act")).to_be_visible()
    expect(first.locator(".pop__act")).to_be_hidden()
    first.locator(".pop__name").tap()
    expect(first.locator(".pop__act")).to_be_visible()


def test_a_line_that_went_dead_is_noticed(world: World, enter: Enter) -> None:
    """Nothing comes from the server any more, and nobody tells the browser."""
    anna = enter("anna")
    anna.clock.install()
    anna.reload()
    anna.wait_for_selector("html[data-live=on]")
    anna.route("**/live?*", lambda route: route.abort())
    anna.clock.fast_forward(45_000)
    expect(anna.locator("#connection")).to_be_visible()
    anna.unroute("**/live?*")
    anna.clock.fast_forward(6_000)
    expect(anna.locator("#connection")).to_be_hidden()


@pytest.mark.parametrize("state", ["ringing", "dialog", "problems", "menu"])
def test_states_are_accessible(world: World, enter: Enter, axe_path: Path, state: str) -> None:
    Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna", bypass_csp=True)
    if state != "menu":
        Story.begins(number=CUSTOMER).rings("PJSIP/101")
        anna.wait_for_selector(".pop")
    if state in ("dialog", "problems"):
        anna.get_by_role("button", name="New deal").click()
    if state == "problems":
        anna.locator("#new-deal .btn--go").click()
        anna.wait_for_selector(".field__problem")
    if state == "menu":
        anna.locator(".me").click()
    anna.add_script_tag(path=axe_path)
    found = anna.evaluate("async () => (await axe.run()).violations.map(found => found.id)")
    assert found == []
