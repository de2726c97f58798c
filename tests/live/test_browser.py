"""The panel in real browsers, under its real server: cards that move, calls that pop up.

Calls are entered as the ledger does, by ``record_call``; the exchange has tests of its own.
"""

from __future__ import annotations

import time

from playwright.sync_api import expect

from models import Call, Contact, Deal, Event, StageChange
from tests.desk import Enter, Panel, card, column, drag, head
from tests.office import until
from tests.world import CUSTOMER, Story, World
from verbs.deals import assign

A_SECOND = 1000
SHOWN = """new Promise(found => {
  const look = () => document.querySelector(".pop") && found(Date.now());
  new MutationObserver(look).observe(document.getElementById("popups"), {childList: true});
  look();
})"""


def test_a_drag_is_seen_by_the_head_within_a_second(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    Deal.open("Stays", world.anna, world.anna)
    anna, hugo, ben = enter("anna"), enter("hugo"), enter("ben")
    drag(anna, card(anna, deal), column(anna, world, "Opportunity"))
    inside = f"[data-stage='{world.stage('Opportunity').id}'] > #deal-{deal.id}"
    hugo.wait_for_selector(inside, timeout=A_SECOND)
    expect(anna.locator(inside)).to_be_visible()
    expect(anna.locator("#announcer")).to_have_text("Roof moved to Opportunity.")
    for page in (anna, hugo):
        expect(head(page, world, "Opportunity")).to_have_text("1")
        expect(head(page, world, "Unsorted")).to_have_text("1")
    assert ben.locator(".card").count() == 0
    assert Deal.get_by_id(deal.id).stage.name == "Opportunity"


def test_from_ring_to_board(world: World, enter: Enter) -> None:
    anna, ben, hugo = enter("anna"), enter("ben"), enter("hugo")
    story = Story.begins(number=CUSTOMER, name="Inga Holm").rings("PJSIP/101", "PJSIP/102")
    for page in (anna, ben):
        page.wait_for_selector(".pop--rings")
        expect(page.locator(".pop__name")).to_have_text("Inga Holm")
        expect(page.locator(".pop__number")).to_contain_text("+49 30 44701182")
        assert page.title().startswith("☎ Inga Holm")
    # It must never take the keyboard away.
    assert anna.evaluate("document.activeElement === document.body")
    story = story.answered("PJSIP/101")
    ben.wait_for_selector(".pop", state="detached")
    anna.wait_for_selector(".pop--talks")
    deal = Deal.get()
    assert story.call.deal == deal
    unsorted = world.stage("Unsorted").id
    for page in (anna, hugo):
        page.wait_for_selector(f"[data-stage='{unsorted}'] > #deal-{deal.id}")
        expect(card(page, deal).locator(".card__live")).to_contain_text("Talks")
        expect(head(page, world, "Unsorted")).to_have_text("1")
    assert ben.locator(".card").count() == 0
    assert hugo.locator(".pop").count() == 0
    anna.get_by_role("link", name="Open deal").click()
    anna.wait_for_url(f"**/deals/{deal.id}")
    # A new page shows the talk that goes on.
    anna.wait_for_selector(".pop--talks")
    anna.wait_for_selector("html[data-live=on]")
    story.ended()
    anna.wait_for_selector(".pop--ended")
    expect(anna.locator(".pop__state")).to_contain_text("Ended")
    # It asks what comes next, and leaves by itself when nobody says.
    anna.wait_for_selector(".pop__next")
    anna.wait_for_selector(".pop", state="detached")


def test_the_pop_up_comes_within_a_second(world: World, enter: Enter) -> None:
    anna = enter("anna")
    anna.evaluate(f"() => {{ window.shown = {SHOWN}; }}")
    begun = time.time()
    Story.begins().rings("PJSIP/101")
    took = anna.evaluate("() => window.shown") / 1000 - begun
    print(f"from record_call to the pop-up: {took * 1000:.0f} ms")
    assert took < 1


def test_a_deal_from_the_pop_up(world: World, enter: Enter) -> None:
    anna = enter("anna")
    Story.begins().rings("PJSIP/101")
    anna.get_by_label("Name of the caller").fill("Inga Holm")
    anna.get_by_label("What it is about", exact=True).fill("New roof")
    anna.get_by_role("button", name="Create deal").click()
    anna.wait_for_url("**/deals/*")
    deal = Deal.get()
    assert (deal.title, deal.owner, deal.contact.name) == ("New roof", world.anna, "Inga Holm")
    assert Call.get().deal == deal


def test_what_is_typed_stays_when_the_call_goes_on(world: World, enter: Enter) -> None:
    anna = enter("anna")
    story = Story.begins().rings("PJSIP/101")
    name = anna.get_by_label("Name of the caller")
    name.fill("Inga")
    story = story.answered("PJSIP/101")
    anna.wait_for_selector(".pop--talks")
    expect(name).to_have_value("Inga")
    expect(name).to_be_focused()
    story.ended()
    anna.wait_for_selector(".pop--ended")
    expect(name).to_have_value("Inga")


def test_dismiss_hides_it_in_this_browser_only(world: World, enter: Enter) -> None:
    here, there = enter("anna"), enter("anna")
    story = Story.begins().rings("PJSIP/101")
    there.wait_for_selector(".pop")
    here.get_by_role("button", name="Dismiss").click()
    expect(here.locator(".pop")).to_have_count(0)
    Story.begins(linkedid="2", number="+493044702222").rings("PJSIP/101")
    here.wait_for_selector(".pop")
    expect(here.locator(".pop")).to_have_count(1)
    expect(there.locator(".pop")).to_have_count(2)
    story.answered("PJSIP/101")
    here.reload()
    here.wait_for_selector(".pop")
    expect(here.locator(".pop")).to_have_count(1)


def test_moving_by_keyboard(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    other = Deal.open("Stays", world.anna, world.anna)
    anna = enter("anna")
    card(anna, other).focus()
    anna.keyboard.press("ArrowDown")
    expect(card(anna, deal)).to_be_focused()
    for _ in range(3):
        anna.keyboard.press("ArrowRight")
    anna.keyboard.press("[")
    announcer = anna.locator("#announcer")
    # Each press was a move of its own; the last one is said last.
    changes = Deal.get_by_id(deal.id).changes.order_by(StageChange.id)
    ways = ["Unsorted", "Opportunity", "Commercial offer", "Documents", "Commercial offer"]
    until(lambda: [change.to_stage.name for change in changes.clone()] == ways, "four moves")
    expect(announcer).to_have_text("Roof moved to Commercial offer.")
    expect(column(anna, world, "Commercial offer").locator(".card")).to_have_count(1)
    expect(card(anna, deal)).to_be_focused()
    assert Deal.get_by_id(deal.id).stage.name == "Commercial offer"
    card(anna, other).focus()
    anna.keyboard.press("ArrowLeft")
    expect(announcer).to_have_text("Stays is in the first column.")
    anna.keyboard.press("Enter")
    anna.wait_for_url(f"**/deals/{other.id}")


def test_a_move_that_fails_is_taken_back(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna")
    anna.route("**/moves*", lambda route: route.abort())
    card(anna, deal).focus()
    anna.keyboard.press("ArrowRight")
    expect(anna.locator(".toast")).to_contain_text("Roof could not be moved")
    expect(column(anna, world, "Unsorted").locator(".card")).to_have_count(1)
    expect(card(anna, deal)).to_be_focused()


def test_a_move_that_somebody_else_made_before(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna")

    def late(route: object) -> None:
        """The other one's move arrives while this one is on its way."""
        Deal.get_by_id(deal.id).move_to(world.stage("Documents"), by=world.hugo)
        route.continue_()  # type: ignore[attr-defined]

    anna.route("**/moves*", late)
    card(anna, deal).focus()
    anna.keyboard.press("ArrowRight")
    expect(anna.locator(".toast")).to_contain_text("Hugo Head moved this deal to “Documents”.")
    expect(column(anna, world, "Documents").locator(".card")).to_have_count(1)


def test_a_new_deal_from_the_board(world: World, enter: Enter) -> None:
    anna = enter("anna")
    anna.get_by_role("button", name="New deal").click()
    anna.get_by_label("What is it about?").fill("Roof")
    amount = anna.get_by_label("Amount in €")
    amount.fill("much")
    anna.keyboard.press("Enter")
    expect(anna.locator("#new-amount-problem")).to_be_visible()
    expect(amount).to_have_value("much")
    amount.fill("12,500")
    anna.keyboard.press("Enter")
    expect(anna.locator("#new-deal")).to_be_hidden()
    expect(column(anna, world, "Unsorted").locator(".card")).to_have_count(1)
    expect(anna.locator(".welcome--bar")).to_have_count(0)


def test_the_list_on_the_deal_moves_it(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna, hugo = enter("anna"), enter("hugo")
    anna.goto(f"/deals/{deal.id}")
    anna.wait_for_selector("html[data-live=on]")
    assert not anna.get_by_role("button", name="Move", exact=True).is_visible()
    anna.get_by_label("Stage", exact=True).select_option(label="Documents")
    anna.wait_for_load_state()
    expect(column(hugo, world, "Documents").locator(".card")).to_have_count(1)
    # Her page follows when somebody else moves the deal.
    Deal.get_by_id(deal.id).move_to(world.stage("Opportunity"), by=world.hugo)
    expect(anna.get_by_label("Stage", exact=True).locator("option:checked")).to_have_text(
        "Opportunity"
    )


def test_a_deal_given_away_leaves_the_board(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna, ben = enter("anna"), enter("ben")
    expect(card(anna, deal)).to_be_visible()
    assign(deal, world.ben, by=world.hugo)
    expect(card(anna, deal)).to_have_count(0)
    expect(card(ben, deal)).to_be_visible()


def test_a_restart_of_the_panel_loses_nothing(world: World, panel: Panel, enter: Enter) -> None:
    contact = Contact.of_number(CUSTOMER, "Inga Holm", world.anna)
    anna = enter("anna")
    assert panel.stop() < 5, "open streams must not hold up the end"
    deal = Deal.open("Meanwhile", world.anna, world.anna, contact=contact)
    Story.begins().rings("PJSIP/101")
    expect(anna.locator("#connection")).to_be_visible()
    panel.start()
    expect(card(anna, deal)).to_be_visible()
    expect(anna.locator(".pop__name")).to_have_text("Inga Holm")
    expect(anna.locator("#connection")).to_be_hidden()


def test_a_card_that_did_not_change_stays_the_same_element(world: World, enter: Enter) -> None:
    """It may be under somebody's finger, or have the focus."""
    deal, other = (Deal.open(name, world.anna, world.anna) for name in ("Roof", "Stays"))
    anna = enter("anna")
    card(anna, deal).evaluate("card => { card.marked = true }")
    Event.add("deal.changed", deal=deal)
    other.move_to(world.stage("Opportunity"), by=world.anna)
    expect(column(anna, world, "Opportunity").locator(".card")).to_have_count(1)
    assert card(anna, deal).evaluate("card => card.marked")
