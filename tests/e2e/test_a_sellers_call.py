"""A seller's call from the first ring to the next step, with real phones on a real exchange and the
panel in real browsers: the pop-up, the board, the deal's page, and the call back by a click."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from models import Call, Contact, Deal, Note, Task
from tests.browser import NewPage
from tests.desk import card
from tests.e2e.test_ring_to_board import log_in
from tests.office import Office, until
from tests.scene import DID, STRANGER, Scene, converse

CONTEXT = {"TRICHTER_CALLS_OUTBOUND_CONTEXT": "phones"}
SECONDS = re.compile(r"[0-9]+:[0-9]{2}")


@pytest.fixture
def scene(office: Office, parties: ExitStack) -> Iterator[Scene]:
    office.listen(**CONTEXT)
    yield Scene(office, parties)
    parties.close()


@pytest.fixture
def deal(office: Office) -> Deal:
    anna = office.world.anna
    contact = Contact.of_number(STRANGER, "Inga Holm", anna)
    return Deal.open("Bakery", anna, anna, contact=contact, amount=Decimal(12000))


def counted(page: Page, where: str) -> None:
    """The seconds of a talk go on by themselves."""
    first = page.locator(where).text_content()
    assert first
    assert SECONDS.search(first)
    expect(page.locator(where)).not_to_have_text(first)


def test_from_the_ring_to_the_next_step(scene: Scene, deal: Deal, new_page: NewPage) -> None:
    panel = scene.office.open_panel()
    anna, ben = (log_in(new_page(base_url=panel), panel, name) for name in ("anna", "ben"))
    phones = scene.anna, scene.ben
    outside = scene.customer().call(DID)
    rings = [phone.expect_call() for phone in phones]
    for ring in rings:
        ring.ring()
    # Ben may not see whose customer it is: to him it is a number that calls.
    for page in (anna, ben):
        expect(page.locator(".pop--rings")).to_be_visible()
    expect(anna.locator(".pop__deals")).to_contain_text("Bakery")
    assert ben.locator(".pop__deals").count() == 0
    expect(card(anna, deal).locator(".card__live")).to_contain_text("Rings")
    rings[0].answer()
    converse(rings[0], outside)
    expect(ben.locator(".pop")).to_have_count(0)
    expect(anna.locator(".pop--talks")).to_be_visible()
    expect(card(anna, deal).locator(".card__live")).to_contain_text("Talks")
    counted(anna, f"#deal-{deal.id} [data-timer]")
    written_while_they_talk(anna)
    outside.hang_up()
    expect(anna.locator(".pop--ended")).to_be_visible()
    anna.get_by_label("Next step").select_option("days3")
    anna.locator(".pop__kinds").get_by_role("button", name="Call back").click()
    expect(anna.locator("[data-planned]")).to_contain_text("Call back Inga Holm")
    call = scene.calls(1)[0]
    assert (call.deal, call.agent, call.outcome) == (deal, scene.office.world.anna, "answered")
    assert (Note.get().text, Note.get().call) == ("Wants two ovens", call)
    assert Task.get().deal == deal
    now = Deal.get_by_id(deal.id)
    assert (now.stage.name, now.contact.company.name) == ("Commercial offer", "Holm")


def written_while_they_talk(anna: Page) -> None:
    """A note, what was missing of the customer, and the stage: each in the pop-up."""
    note = anna.get_by_label("Note of this call")
    note.fill("Wants two ovens")
    anna.locator(".pop__ask [name=company]").fill("Holm")
    anna.locator(".pop__ask").get_by_role("button", name="Save").click()
    expect(anna.locator(".card__row")).to_contain_text("Holm")
    expect(note).to_have_value("Wants two ovens")
    anna.locator(".pop__stage select").select_option(label="Commercial offer")
    expect(anna.locator(".toast--undo")).to_contain_text("Bakery moved to Commercial offer.")
    expect(anna.locator("[data-stage-name='Commercial offer'] .card--live")).to_be_visible()
    note.press("Control+Enter")
    expect(anna.locator(".pop__note")).to_contain_text("Wants two ovens")


def test_a_missed_call_is_returned_by_a_click(scene: Scene, deal: Deal, new_page: NewPage) -> None:
    panel = scene.office.open_panel()
    anna = log_in(new_page(base_url=panel), panel, "anna")
    phone, far = scene.anna, scene.outside
    outside = scene.customer().call(DID)
    phone.expect_call().ring()
    expect(anna.locator(".pop--rings")).to_be_visible()
    outside.hang_up()
    expect(anna.locator(".pop")).to_have_count(0)
    expect(card(anna, deal).get_by_text("call back", exact=True)).to_be_visible()
    card(anna, deal).locator("a").click()
    expect(anna.locator(".story")).to_contain_text("missed, call back")
    # Each number on the page has its button: of the contact, of the task, and of the call.
    dials = anna.get_by_role("button", name="Call +49 30 44701182")
    expect(dials).to_have_count(3)
    draft = anna.get_by_role("textbox", name="Note", exact=True)
    draft.fill("Half a sent")
    dials.first.click()
    back = phone.expect_call()
    back.ring()
    back.answer()
    customer = far.expect_call()
    customer.ring()
    customer.answer()
    converse(back, customer)
    expect(anna.locator(".deal__tags .pill--live")).to_contain_text("Talks")
    counted(anna, ".deal__tags [data-timer]")
    customer.hang_up()
    back.wait_ended()
    expect(anna.locator(".deal__tags")).not_to_contain_text("call back")
    expect(anna.locator(".story__one--call").first).to_contain_text("Outgoing call")
    expect(draft).to_have_value("Half a sent")
    returned = until(lambda: Call.get_or_none(Call.called_back_at.is_null(False)), "it is returned")
    assert returned.deal == deal
