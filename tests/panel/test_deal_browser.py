"""A deal's page in a real browser: written in its place, live, by keyboard, on a phone, without
scripts."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from models import Contact, Deal, Note
from tests.browser import NewPage
from tests.desk import Enter, Panel, sign_in
from tests.office import until
from tests.world import CUSTOMER, Story, World
from verbs import deals, funnels, notes

DRAFT = "Said that the price is fine"


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(CUSTOMER, "Jonas Brandt", world.anna)
    return Deal.open(
        "Fitwerk GmbH", world.anna, world.anna, contact=contact, amount=Decimal("12000")
    )


@pytest.fixture
def page(deal: Deal, enter: Enter) -> Page:
    opened = enter("anna")
    opened.goto(f"/deals/{deal.id}")
    opened.wait_for_selector("html[data-live=on]")
    return opened


def test_a_value_is_changed_in_its_place(deal: Deal, page: Page) -> None:
    page.locator("h1").click()
    title = page.get_by_role("textbox", name="Title")
    expect(title).to_be_focused()
    title.fill("Fitwerk AG")
    title.press("Enter")
    expect(page.locator("h1")).to_have_text("Fitwerk AG")
    expect(title).to_be_hidden()
    assert Deal.get().title == "Fitwerk AG"
    # By keyboard, and taken back.
    page.locator("#edit-amount").press("Enter")
    amount = page.get_by_role("textbox", name="Amount in €")
    expect(amount).to_be_focused()
    amount.fill("99")
    amount.press("Escape")
    expect(amount).to_be_hidden()
    expect(page.locator("#edit-amount")).to_be_focused()
    page.locator("#edit-amount").press("Enter")
    expect(amount).to_have_value("12000")
    amount.fill("dear")
    amount.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Write the amount")).to_be_visible()
    expect(amount).to_have_value("dear")
    assert Deal.get().amount == 12000


def test_the_contact_and_the_priority(deal: Deal, page: Page) -> None:
    page.locator("#edit-email").click()
    page.get_by_role("textbox", name="Email").fill("jonas@fitwerk.example")
    page.keyboard.press("Enter")
    expect(page.locator(".edit--email .edit__value")).to_have_text("jonas@fitwerk.example")
    page.get_by_label("Priority").select_option("1")
    expect(page.locator(".deal__tags")).to_contain_text("High priority")
    assert (Contact.get().email, Deal.get().priority) == ("jonas@fitwerk.example", 1)


def test_somebody_was_faster(world: World, deal: Deal, page: Page) -> None:
    page.locator("#edit-amount").click()
    amount = page.get_by_role("textbox", name="Amount in €")
    amount.fill("13000")
    deals.change(deal, world.hugo, amount=Decimal(15000))
    expect(page.locator(".story")).to_contain_text("Hugo Head changed: amount")
    # News does not take away what is being typed.
    expect(amount).to_have_value("13000")
    amount.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Hugo Head")).to_contain_text("15,000")
    until(
        lambda: page.locator("input[name=seen_amount]").input_value() == "15000", "it has seen it"
    )
    amount.press("Enter")
    expect(page.locator(".edit--amount .edit__value")).to_have_text("€\u00a013,000")


def test_all_pages_of_a_contact_follow(world: World, deal: Deal, page: Page) -> None:
    second = Deal.open("Second", world.anna, world.anna, contact=deal.contact)
    other, person = page.context.new_page(), page.context.new_page()
    other.goto(f"/deals/{second.id}")
    person.goto(f"/contacts/{deal.contact_id}")
    for window in (other, person):
        window.wait_for_selector("html[data-live=on]")
    page.locator("#edit-company").click()
    page.get_by_role("textbox", name="Company").fill("Fitwerk Nord")
    page.keyboard.press("Enter")
    expect(other.locator(".edit--company .edit__value")).to_have_text("Fitwerk Nord")
    expect(other.locator(".story")).to_contain_text("changed: company")
    expect(person.locator(".person-head")).to_contain_text("Fitwerk Nord")
    # What is being written there stays, whatever comes.
    person.locator("#note").fill("Half a sent")
    second.move_to(world.stage("Documents"), by=world.hugo)
    expect(person.locator(".strip", has_text="Second")).to_contain_text("Documents")
    expect(person.locator("#note")).to_have_value("Half a sent")


def test_a_draft_survives_and_is_saved(world: World, deal: Deal, page: Page) -> None:
    draft = page.get_by_role("textbox", name="Note")
    draft.fill(DRAFT)
    deal.move_to(world.stage("Opportunity"), by=world.hugo)
    expect(page.locator(".steps .is-here")).to_have_text("Opportunity")
    expect(page.locator(".story")).to_contain_text("Moved to Opportunity")
    # What the administrator changes meanwhile comes by itself, too.
    stage = world.stage("Opportunity")
    funnels.change_stage(stage, world.ada, name="Chance", advice="Ask for the budget.")
    expect(page.locator(".deal__advice")).to_contain_text("Ask for the budget.")
    expect(page.locator(".steps .is-here")).to_have_text("Chance")
    expect(draft).to_have_value(DRAFT)
    page.goto("/")
    page.goto(f"/deals/{deal.id}")
    expect(draft).to_have_value(DRAFT)
    draft.press("Control+Enter")
    expect(page.locator(".story__note")).to_contain_text(DRAFT)
    expect(draft).to_have_value("")
    page.reload()
    expect(draft).to_have_value("")
    assert Note.get().text == DRAFT
    page.get_by_text("Edit note").click()
    field = page.locator(".story__edit textarea")
    field.fill("Said that it is too dear")
    field.press("Control+Enter")
    expect(page.locator(".story__text")).to_have_text("Said that it is too dear")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_text("Edit note").click()
    page.get_by_role("button", name="Remove note").click()
    expect(page.locator(".story__note")).to_have_count(0)
    assert Note.select().count() == 0


def test_filters_and_older_ones(world: World, deal: Deal, page: Page) -> None:
    Story.begins().rings("PJSIP/101").ended()
    for number in range(45):
        notes.add(f"Note {number}.", world.anna, deal=deal)
    page.reload()
    page.wait_for_selector("html[data-live=on]")
    expect(page.locator(".story__one")).to_have_count(30)
    page.get_by_role("link", name="Show older").click()
    until(lambda: page.locator(".story__one").count() >= 47, "the rest")
    expect(page.get_by_role("link", name="Show older")).to_have_count(0)
    notes.add("The newest", world.hugo, deal=deal)
    expect(page.locator(".story__one").first).to_contain_text("The newest")
    assert page.locator(".story__one").count() >= 48
    page.get_by_role("link", name="Calls", exact=True).last.click()
    expect(page.locator(".story__one")).to_have_count(1)
    expect(page.locator(".story__one")).to_contain_text("Incoming call")
    assert page.url.endswith("show=calls")
    page.get_by_role("link", name="All", exact=True).click()
    expect(page.locator(".story__one")).to_have_count(30)


def test_without_scripts(world: World, deal: Deal, panel: Panel, new_page: NewPage) -> None:
    page = new_page(base_url=panel.address, java_script_enabled=False)
    sign_in(page, "anna")
    page.goto(f"/deals/{deal.id}")
    page.fill(".compose textarea >> nth=0", "Written plainly")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".story__note")).to_contain_text("Written plainly")
    page.locator("#edit-title").click()
    page.get_by_role("textbox", name="Title").fill("Plain")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Plain")
    page.get_by_role("link", name="Notes", exact=True).click()
    expect(page.locator(".story__one")).to_have_count(1)
