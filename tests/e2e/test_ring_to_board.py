"""The main job, with nothing faked: a SIP call on a real Asterisk, seen in real browsers."""

import time

from playwright.sync_api import Page, expect

from models import Deal
from tests.browser import NewPage
from tests.desk import at_rest, box
from tests.office import Office
from tests.world import PASSWORD

STRANGER = "+493044701182"
SEEN_BY_OTHERS_WITHIN = 1.0


def log_in(page: Page, panel: str, login: str) -> Page:
    page.goto(f"{panel}/login")
    page.get_by_label("Login").fill(login)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#board")).to_be_visible()
    expect(page.locator("html[data-live=on]")).to_be_attached()
    return page


def column(page: Page, name: str) -> str:
    stage = page.locator(f".col__cards[data-stage-name='{name}']").get_attribute("data-stage")
    return f".col__cards[data-stage='{stage}']"


def test_ring_popup_answer_card_drag_and_the_head_sees_it(
    listening: Office, new_page: NewPage
) -> None:
    panel = listening.open_panel()
    anna = log_in(new_page(), panel, "anna")
    hugo = log_in(new_page(), panel, "hugo")
    olga = log_in(new_page(), panel, "olga")

    with (
        listening.phones(ring_seconds=2.0, p101="answer"),
        listening.caller(STRANGER, name="Miriam Sander", hold=3) as caller,
    ):
        popup = anna.locator("#popups .pop")
        expect(popup).to_be_visible()
        expect(popup).to_contain_text("Miriam Sander")
        listening.event("call.answered")
        card = anna.locator(f"{column(anna, 'Unsorted')} .card", has_text="Miriam Sander")
        expect(card).to_be_visible()
        caller.wait()

    seen = hugo.locator(f"{column(hugo, 'Unsorted')} .card", has_text="Miriam Sander")
    expect(seen).to_be_visible()
    # The end of the call redraws the card; a hand would wait for that too.
    listening.ended()
    expect(anna.locator(".card--live")).to_have_count(0)

    begun = drag(anna, "Miriam Sander", "Opportunity")
    moved = hugo.locator(f"{column(hugo, 'Opportunity')} .card", has_text="Miriam Sander")
    moved.wait_for()
    assert time.monotonic() - begun < SEEN_BY_OTHERS_WITHIN
    expect(seen).to_have_count(0)

    deal = Deal.get()
    assert deal.stage.name == "Opportunity"
    assert deal.owner == listening.world.anna
    assert olga.locator(".card").count() == 0
    assert olga.locator(".pop").count() == 0


def drag(page: Page, card_text: str, stage_name: str) -> float:
    """Drag a card by the mouse as a hand does; the time at which it was let go."""
    taken = page.locator(".card", has_text=card_text)
    at_rest(taken)
    card, target = box(taken), box(page.locator(column(page, stage_name)))
    page.mouse.move(card["x"] + 20, card["y"] + card["height"] / 2)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(
            card["x"] + 20 + (target["x"] + 40 - card["x"]) * step / 10,
            card["y"] + 20 + (target["y"] + 20 - card["y"]) * step / 10,
        )
    page.mouse.up()
    return time.monotonic()
