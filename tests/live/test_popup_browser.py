"""What sellers do in a pop-up, in real browsers: write while they talk, and say what comes next."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from models import Contact, Deal, Note, Task
from tests.desk import Enter
from tests.office import until
from tests.panel.test_server import FAULTS, RULES
from tests.world import CUSTOMER, Story, World

NOTIFIED = """
window.notices = [];
class Notice extends EventTarget {
  static permission = "granted";
  static requestPermission() { Notice.permission = "granted"; return Promise.resolve("granted"); }
  constructor(title, about) {
    super();
    Object.assign(this, about, {title, open: true});
    notices.push(this);
  }
  close() { this.open = false; }
}
window.Notification = Notice;
window.away = yes => {
  Object.defineProperty(document, "hidden", {configurable: true, value: yes});
  document.dispatchEvent(new Event("visibilitychange"));
};
"""


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(CUSTOMER, "Inga Holm", world.anna)
    return Deal.open("Bakery", world.anna, world.anna, contact=contact)


def test_notes_stage_and_what_is_next(world: World, deal: Deal, enter: Enter) -> None:
    anna = enter("anna")
    story = Story.begins().rings("PJSIP/101")
    anna.wait_for_selector(".pop--rings")
    expect(anna.get_by_label("Note of this call")).to_have_count(0)
    story = story.answered("PJSIP/101")
    note = anna.get_by_label("Note of this call")
    note.fill("Wants two ov")
    # News of the call and of the card, and another page: what is typed stays.
    deal.move_to(world.stage("Opportunity"), by=world.hugo)
    stage = anna.locator(".pop__stage select")
    expect(stage.locator("option:checked")).to_have_text("Opportunity")
    expect(note).to_have_value("Wants two ov")
    anna.goto("/calls")
    expect(note).to_have_value("Wants two ov")
    note.press_sequentially("ens")
    note.press("Control+Enter")
    expect(note).to_have_value("")
    expect(anna.locator(".pop__note")).to_contain_text("Wants two ovens")
    stage.select_option(label="Commercial offer")
    until(lambda: Deal.get().stage.name == "Commercial offer", "the deal is moved")
    anna.get_by_label("Email").fill("inga@example.com")
    anna.get_by_label("Company").fill("Holm")
    anna.get_by_label("Email").press("Enter")
    expect(anna.locator(".pop__ask")).to_have_count(0)
    story.ended()
    anna.wait_for_selector(".pop--ended")
    anna.get_by_label("Next step").select_option("days3")
    anna.get_by_role("button", name="Call back").click()
    expect(anna.locator("[data-planned]")).to_contain_text("Call back Inga Holm")
    written, task, contact = Note.get(), Task.get(), Contact.get()
    assert (written.text, written.call, written.deal) == ("Wants two ovens", story.call, deal)
    assert (task.kind, task.deal) == ("call", deal)
    assert (contact.email, contact.company.name) == ("inga@example.com", "Holm")
    anna.mouse.move(1, 1)
    anna.wait_for_selector(".pop", state="detached")


def test_what_is_half_written_outlives_the_talk(world: World, deal: Deal, enter: Enter) -> None:
    anna = enter("anna")
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    note = anna.get_by_label("Note of this call")
    note.fill("Half a sen")
    story.ended()
    anna.wait_for_selector(".pop--ended")
    expect(note).to_have_value("Half a sen")
    anna.goto("/calls")
    anna.wait_for_selector(".pop--ended")
    expect(note).to_have_value("Half a sen")
    anna.get_by_role("button", name="Save note").click()
    until(lambda: Note.select().count() == 1, "it is saved")


def test_a_stage_that_asks_for_something(world: World, deal: Deal, enter: Enter) -> None:
    anna = enter("anna")
    Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    # On every page there is a form for it; the page stays.
    anna.locator(".pop__stage select").select_option(label="Lost")
    expect(anna.locator("#completion form")).to_be_visible()
    anna.keyboard.press("Escape")
    expect(anna.locator(".pop__stage option:checked")).to_have_text("Unsorted")
    anna.goto("/calls")
    anna.locator(".pop__stage select").select_option(label="Lost")
    anna.get_by_label("In your own words").fill("Went to a cousin")
    anna.keyboard.press("Enter")
    expect(anna.locator(".toast--undo")).to_contain_text("Bakery moved to Lost.")
    assert (Deal.get().stage.name, Deal.get().lost_reason) == ("Lost", "Went to a cousin")
    anna.get_by_role("button", name="Undo").click()
    until(lambda: Deal.get().stage.name == "Unsorted", "the move is taken back")
    assert anna.url.endswith("/calls")


def background(enter: Enter) -> Page:
    anna = enter("anna", bypass_csp=True)
    anna.add_init_script(NOTIFIED)
    anna.reload()
    anna.wait_for_selector("html[data-live=on]")
    anna.evaluate("away(true)")
    return anna


def test_a_window_in_the_background_is_told_of_it(world: World, deal: Deal, enter: Enter) -> None:
    anna = background(enter)
    story = Story.begins().rings("PJSIP/101", "PJSIP/102")
    anna.wait_for_function("notices.length === 1 && notices[0].open")
    assert anna.evaluate("notices[0].title") == "☎ Inga Holm"
    story.answered("PJSIP/102")
    anna.wait_for_function("!notices[0].open")
    Story.begins(linkedid="2").rings("PJSIP/101")
    anna.wait_for_function("notices.length === 2")
    anna.evaluate("notices[1].dispatchEvent(new Event('click'))")
    anna.wait_for_url(f"**/deals/{deal.id}")


def test_a_window_in_view_needs_no_notice(world: World, deal: Deal, enter: Enter) -> None:
    anna = background(enter)
    anna.evaluate("away(false)")
    Story.begins().rings("PJSIP/101")
    anna.wait_for_selector(".pop--rings")
    anna.evaluate("new Promise(done => setTimeout(done, 500))")
    assert anna.evaluate("notices.length") == 0


def test_it_asks_once(world: World, enter: Enter) -> None:
    anna = enter("anna")
    anna.add_init_script(NOTIFIED + 'Notice.permission = "default";')
    anna.reload()
    anna.wait_for_selector("html[data-live=on]")
    Story.begins().rings("PJSIP/101")
    anna.get_by_role("button", name="No", exact=True).click()
    Story.begins(linkedid="2", number="+493044702222").rings("PJSIP/101")
    expect(anna.locator(".pop")).to_have_count(2)
    expect(anna.locator(".pop__offer")).to_have_count(0)
    anna.evaluate("localStorage.clear()")
    Story.begins(linkedid="3", number="+493044703333").rings("PJSIP/101")
    anna.get_by_role("button", name="Yes, please").click()
    expect(anna.locator(".pop__offer")).to_have_count(0)
    assert anna.evaluate("Notification.permission") == "granted"


@pytest.mark.parametrize("width", [1440, 390])
def test_it_is_accessible(
    world: World, deal: Deal, enter: Enter, axe_path: Path, width: int
) -> None:
    small = width < 500
    anna = enter(
        "anna",
        viewport={"width": width, "height": 800},
        has_touch=small,
        is_mobile=small,
        bypass_csp=True,
    )
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    for state in ("talks", "ended"):
        if state == "ended":
            story.ended()
        anna.wait_for_selector(f".pop--{state}")
        for scheme in ("light", "dark"):
            anna.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            anna.add_script_tag(path=axe_path)
            assert anna.evaluate(FAULTS, RULES) == [], f"{state}, {scheme}"
        over = anna.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"{state} is {over} px wider than the screen"
