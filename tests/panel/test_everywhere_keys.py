"""Every act by keyboard, and what is told to those who do not see the page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from fields import utcnow
from models import Deal, Note, Task
from panel import shortcuts
from tests.desk import Enter, card, column
from tests.office import until
from tests.panel.conftest import Visit
from tests.world import Story, World
from verbs import tasks

FOCUSED = "document.activeElement.{0}"


def shown_by_help(page: Page) -> set[str]:
    """Names of what the help lists on this page; it is closed again."""
    page.keyboard.press("?")
    dialog = page.locator("#help")
    expect(dialog).to_be_visible()
    names = dialog.locator("[data-shortcut]").evaluate_all(
        "all => all.map(line => line.dataset.shortcut)"
    )
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    return set(names)


def test_the_help_tells_of_every_key_once(world: World, visit: Visit) -> None:
    page = visit("anna").get("/shortcuts").text
    listed = [page.count(f'data-shortcut="{name}"') for name in shortcuts.KEYS]
    assert listed == [1] * len(shortcuts.KEYS)
    assert "<kbd>Ctrl</kbd> + <kbd>K</kbd>" in page


def test_a_head_at_the_board(world: World, enter: Enter) -> None:
    first = Deal.open("Roof", world.anna, world.anna, at=utcnow() - timedelta(hours=1))
    second = Deal.open("Wall", world.anna, world.anna)
    hugo = enter("hugo")
    keys = hugo.keyboard
    everywhere = {"help", "search", "new", "popup", "dismiss", "save", "undo"}
    of_board = {name for name in shortcuts.KEYS if name.startswith(("card", "column"))}
    of_board |= {"quick", "filter", "choose"}
    assert shown_by_help(hugo) == everywhere | of_board
    # Nothing happens while somebody writes, nor with keys that belong to the browser.
    keys.press("a")
    line = hugo.get_by_label("New deal in Unsorted")
    expect(line).to_be_focused()
    keys.type("nc? /p")
    expect(line).to_have_value("nc? /p")
    expect(hugo.locator("#help")).to_be_hidden()
    line.fill("Door")
    keys.press("Enter")
    expect(column(hugo, world, "Unsorted").locator(".card")).to_have_count(3)
    hugo.locator("#funnel").click()
    keys.press("Control+c")
    assert hugo.evaluate(FOCUSED.format("tagName")) == "BODY"
    keys.press("c")
    expect(hugo.locator(".card").first).to_be_focused()
    keys.press("ArrowDown")
    expect(card(hugo, second)).to_be_focused()
    keys.press("]")
    expect(hugo.locator("#announcer")).to_have_text("Wall moved to Opportunity.")
    expect(card(hugo, second)).to_be_focused()
    keys.press("Shift+ArrowLeft")
    expect(column(hugo, world, "Unsorted").locator(".card").first).to_be_focused()
    keys.press("Control+z")
    expect(hugo.locator("#announcer")).to_have_text("Wall is back in Unsorted.")
    card(hugo, first).focus()
    keys.press("Space")
    expect(card(hugo, first).get_by_role("checkbox")).to_be_checked()
    keys.press("Escape")
    expect(hugo.locator("#bulk")).to_be_hidden()
    keys.press("f")
    expect(hugo.get_by_label("Only deals with these words")).to_be_focused()
    keys.press("Control+k")
    expect(hugo.locator("#find-field")).to_be_focused()
    keys.press("Escape")
    card(hugo, first).focus()
    keys.press("Enter")
    hugo.wait_for_url(f"**/deals/{first.id}")


def test_a_dialog_holds_the_focus_and_gives_it_back(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna")
    inside = "!!document.activeElement.closest('#new-deal')"
    anna.keyboard.press("n")
    expect(anna.get_by_label("What is it about?")).to_be_focused()
    for _ in range(12):
        anna.keyboard.press("Tab")
        assert anna.evaluate(inside)
    anna.keyboard.press("Escape")
    expect(anna.locator("#new-deal")).to_be_hidden()
    card(anna, deal).focus()
    anna.keyboard.press("?")
    expect(anna.locator("#help")).to_be_visible()
    # None of the board's keys holds behind it.
    anna.keyboard.press("ArrowRight")
    anna.keyboard.press("Escape")
    expect(card(anna, deal)).to_be_focused()
    assert Deal.get_by_id(deal.id).stage.name == "Unsorted"


def test_a_call_comes_first_and_goes_by_keys(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna, ben = enter("anna"), enter("ben")
    card(anna, deal).focus()
    anna.keyboard.press("?")
    expect(anna.locator("#help")).to_be_visible()
    story = Story.begins(name="Inga Holm").rings("PJSIP/101", "PJSIP/102")
    for page in (anna, ben):
        expect(page.locator("#announcer")).to_have_text("Inga Holm calls.")
    expect(anna.locator("#help")).to_be_hidden()
    expect(card(anna, deal)).to_be_focused()
    anna.keyboard.press("p")
    expect(anna.locator(".pop")).to_be_focused()
    anna.keyboard.press("Tab")
    anna.keyboard.press("Escape")
    expect(anna.locator(".pop")).to_be_focused()
    anna.keyboard.press("Escape")
    expect(anna.locator(".pop")).to_have_count(0)
    expect(card(anna, deal)).to_be_focused()
    story.answered("PJSIP/102")
    expect(anna.locator("#announcer")).to_have_text("Inga Holm: picked up by Ben Okafor.")
    expect(ben.locator(".pop--talks")).to_be_visible()
    ben.keyboard.press("p")
    expect(ben.locator(".pop")).to_be_focused()
    ben.locator(".pop textarea").focus()
    ben.keyboard.type("wants a quote, next week")
    ben.keyboard.press("Control+Enter")
    until(lambda: Note.select().count() == 1, "the note is saved")
    expect(ben.locator("#announcer")).to_contain_text("Saved.")


def test_what_a_colleague_moves_is_told_once(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna")
    Deal.get_by_id(deal.id).move_to(world.stage("Documents"), by=world.hugo)
    expect(anna.locator("#announcer")).to_have_text("Hugo Head moved Roof to Documents.")
    expect(column(anna, world, "Documents").locator(".card")).to_have_count(1)
    # One polite place, and alerts; what floats is not read a second time.
    live = "all => all.map(part => part.id || part.className)"
    assert anna.locator("[aria-live]").evaluate_all(live) == ["announcer"]
    anna.route("**/moves*", lambda route: route.abort())
    card(anna, deal).focus()
    anna.keyboard.press("ArrowLeft")
    expect(anna.get_by_role("alert")).to_contain_text("Roof could not be moved")


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_deal_and_its_tasks(world: World, enter: Enter, locale: str) -> None:
    """On a keyboard that writes Russian the places of the letters hold."""
    deal = Deal.open("Roof", world.anna, world.anna)
    for title in ("Ring", "Send"):
        tasks.add(title, utcnow() + timedelta(hours=1), world.anna, world.anna, deal=deal)
    anna = enter("anna")
    letters = {"w": "ц", "m": "ь", "t": "е", "d": "в"} if locale == "ru" else {}

    def press(letter: str) -> None:
        key = letters.get(letter, letter)
        event = {"key": key, "code": f"Key{letter.upper()}", "bubbles": True, "cancelable": True}
        anna.evaluate(
            "event => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', event))",
            event,
        )

    anna.goto(f"/deals/{deal.id}")
    anna.wait_for_selector("html[data-live=on]")
    assert {"note", "stage", "tasks", "task-done"} <= shown_by_help(anna)
    press("w")
    expect(anna.locator(".compose textarea")).to_be_focused()
    anna.locator("h1").first.focus()
    anna.evaluate("document.activeElement.blur()")
    press("m")
    expect(anna.get_by_label("Stage", exact=True)).to_be_focused()
    anna.evaluate("document.activeElement.blur()")
    press("t")
    links = anna.locator("[data-task-link]")
    expect(links.first).to_be_focused()
    anna.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    press("d")
    anna.keyboard.press("Enter")
    until(lambda: Task.select().where(Task.done_at.is_null(False)).count() == 1, "it is done")
    # In a field it belongs to what is written there.
    expect(anna.locator("[data-task-next] input[name=title]")).to_be_focused()
    anna.keyboard.press("Control+z")
    anna.keyboard.press("Escape")
    # On the same task, or on its neighbour if it stands with what is done by now.
    expect(anna.locator("[data-task-link]:focus")).to_have_count(1)
    anna.keyboard.press("Control+z")
    until(lambda: not Task.select().where(Task.done_at.is_null(False)).exists(), "it is open")
    expect(anna.locator("#announcer")).to_have_text("To be done again: Send")


def test_what_a_head_did_on_a_deals_page_is_taken_back(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    hugo = enter("hugo")
    hugo.goto(f"/deals/{deal.id}")
    hugo.wait_for_selector("html[data-live=on]")
    hugo.get_by_label("Stage", exact=True).select_option(label="Documents")
    expect(hugo.locator(".steps .is-here")).to_have_text("Documents")
    hugo.get_by_label("Give it to").select_option(label="Ben Okafor")
    hugo.get_by_role("button", name="Reassign").click()
    expect(hugo.locator(".toast--undo")).to_contain_text("“Roof” given to Ben Okafor.")
    owner = hugo.locator("[data-part=facts] dd").first
    expect(owner).to_have_text("Ben Okafor")
    hugo.keyboard.press("Control+z")
    expect(owner).to_have_text("Anna Krüger")
    expect(hugo.locator("#announcer")).to_contain_text("with its owner of before again")
    expect(hugo.get_by_label("Give it to")).to_have_value(str(world.anna.id))
    hugo.keyboard.press("Control+z")
    expect(hugo.locator(".toast--note").last).to_have_text("Roof is back in Unsorted.")
    expect(hugo.locator(".steps .is-here")).to_have_text("Unsorted")
    hugo.keyboard.press("Control+z")
    expect(hugo.locator("#announcer")).to_have_text("There is nothing to take back.")
    # An act without a way back does not let the key take back the one before it; its button does.
    hugo.get_by_label("Stage", exact=True).select_option(label="Documents")
    expect(hugo.locator(".toast--undo")).to_contain_text("Roof moved to Documents.")
    # Under the pointer it stays.
    hugo.locator(".toast--undo").hover()
    hugo.get_by_label("Priority").select_option("1")
    expect(hugo.locator(".deal__tags")).to_contain_text("High priority")
    hugo.evaluate("document.activeElement.blur()")
    hugo.keyboard.press("Control+z")
    expect(hugo.locator("#announcer")).to_have_text("There is nothing to take back.")
    assert Deal.get_by_id(deal.id).stage.name == "Documents"
    hugo.get_by_role("button", name="Undo").click()
    expect(hugo.locator(".steps .is-here")).to_have_text("Unsorted")
