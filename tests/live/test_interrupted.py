"""What sellers have in hand when something breaks: the server, the line, or their log-in."""

from __future__ import annotations

from datetime import timedelta

from playwright.sync_api import Page, Route, expect

from fields import utcnow
from models import Contact, Deal, Note
from tests.desk import Enter, Panel, card, column
from tests.office import until
from tests.world import CUSTOMER, PASSWORD, Story, World
from verbs import tasks, users


def log_in_elsewhere(page: Page, login: str) -> None:
    """In another window of the same browser, as the notice says."""
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="log in in another window").click()
    other = opened.value
    other.fill("[name=login]", login)
    other.fill("[name=password]", PASSWORD)
    other.keyboard.press("Enter")
    other.wait_for_selector("#board")
    other.close()


def test_the_server_goes_while_a_form_is_open(world: World, panel: Panel, enter: Enter) -> None:
    contact = Contact.of_number(CUSTOMER, "Inga Holm", world.anna)
    deal = Deal.open("Roof", world.anna, world.anna, contact=contact)
    anna = enter("anna")
    Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    anna.locator(".pop__ask [name=company]").fill("Holm")
    anna.locator(".pop__stage select").select_option(label="Lost")
    reason = anna.get_by_label("In your own words")
    reason.fill("Went to a cousin")
    otto = Contact.of_number("+494012345", "Otto Meier", world.anna)
    page = anna.context.new_page()
    page.goto(f"/contacts/{otto.id}")
    page.wait_for_selector("html[data-live=on]")
    page.get_by_label("New note").fill("Has two brothers")
    panel.stop()
    page.get_by_role("button", name="Add note").click()
    # A form that would load the next page says that it can't, and keeps what was written.
    expect(page.locator(".toast")).to_contain_text("No connection")
    expect(page.get_by_label("New note")).to_have_value("Has two brothers")
    reason.press("Enter")
    # So does a form above the page, in itself.
    expect(anna.locator("#completion [role=alert]")).to_contain_text("No connection")
    expect(reason).to_have_value("Went to a cousin")
    # A press beside it takes nothing away either.
    anna.mouse.click(5, 300)
    expect(reason).to_be_visible()
    expect(anna.locator("#connection")).to_be_visible()
    panel.start()
    reason.press("Enter")
    expect(column(anna, world, "Lost").locator(".card")).to_have_count(1)
    assert Deal.get_by_id(deal.id).lost_reason == "Went to a cousin"
    expect(anna.locator(".pop__ask [name=company]")).to_have_value("Holm")
    expect(anna.locator("#connection")).to_be_hidden()
    anna.locator(".pop__ask").get_by_role("button", name="Save").click()
    until(lambda: Contact.get().company, "it is saved")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".past__note p")).to_have_text("Has two brothers")
    assert Note.select().count() == 1
    # Calls come into the history of who has no deal, too.
    page.wait_for_selector("html[data-live=on]")
    Story.begins(otto.phones.get().e164, "9.1").rings("PJSIP/101")
    expect(page.locator(".past")).to_contain_text("rings now")


def test_the_log_in_ends_while_something_is_written(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna")
    anna.goto(f"/deals/{deal.id}")
    anna.wait_for_selector("html[data-live=on]")
    anna.locator("#edit-title").click()
    title = anna.get_by_role("textbox", name="Title")
    title.fill("Roof and walls")
    users.end_all_sessions(world.anna)
    title.press("Enter")
    expect(anna.locator("#logged-out")).to_be_visible()
    expect(title).to_have_value("Roof and walls")
    # Somebody else at this desk does not send it under their own name.
    log_in_elsewhere(anna, "hugo")
    title.press("Enter")
    expect(anna.locator(".edit--title [role=alert]")).to_contain_text("open for too long")
    # The window says whose it is, and shows nothing of what the other one sees.
    expect(anna.locator("#other-viewer")).to_contain_text("This window is Anna Krüger’s")
    assert Deal.get().title == "Roof"
    anna.context.clear_cookies()
    title.press("Enter")
    expect(anna.locator("#logged-out")).to_be_visible()
    log_in_elsewhere(anna, "anna")
    title.press("Enter")
    expect(anna.locator("h1").first).to_have_text("Roof and walls")
    expect(anna.locator("#logged-out")).to_be_hidden()
    assert Deal.get().title == "Roof and walls"


def test_the_line_is_dead_when_a_talk_ends(world: World, enter: Enter) -> None:
    """What comes next is asked for until there is an answer: the end of a talk is told once."""
    contact = Contact.of_number(CUSTOMER, "Inga Holm", world.anna)
    Deal.open("Roof", world.anna, world.anna, contact=contact)
    anna = enter("anna")
    talk = Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    expect(anna.locator(".pop--talks")).to_be_visible()
    anna.route("**/after", lambda route: route.abort())
    with anna.expect_event("requestfailed"):
        talk.ended()
    anna.unroute("**/after")
    expect(anna.locator(".pop__next")).to_be_visible()


def test_somebody_else_logs_in_at_the_same_desk(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    Deal.open("Cellar", world.ben, world.ben)
    anna = enter("anna")
    anna.goto(f"/deals/{deal.id}")
    anna.wait_for_selector("html[data-live=on]")
    anna.get_by_placeholder("What was said").fill("Asks for a discount")
    board = anna.context.new_page()
    board.goto("/")
    board.wait_for_selector("html[data-live=on]")
    # In a third window she goes home, and the head sits down: the browser is his from now on.
    anna.context.add_cookies(enter("hugo").context.cookies())  # type: ignore[arg-type]
    users.end_all_sessions(world.anna)
    # Both of her windows become his, whole, and what she wrote stands in none of them.
    for page in (anna, board):
        expect(page.locator(".me")).to_contain_text("Hugo Head")
    expect(board.locator(".card")).to_have_count(2)
    expect(anna.get_by_placeholder("What was said")).to_have_value("")


def test_the_log_in_ends_while_a_card_is_moved(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna")
    # By now it has asked for what was news when it was opened; that would show the log-in, too.
    expect(card(anna, Deal.open("Wall", world.anna, world.anna))).to_be_visible()
    users.end_all_sessions(world.anna)
    card(anna, deal).focus()
    anna.keyboard.press("ArrowRight")
    # Nothing was written, so the log-in itself comes, and leads back.
    expect(anna.locator("[name=password]")).to_be_visible()
    assert "/login" in anna.url
    assert Deal.get_by_id(deal.id).stage.name == "Unsorted"


def test_a_script_that_comes_late_misses_no_news(world: World, enter: Enter) -> None:
    """News is told once: nothing listens to it before all that it is for are there."""
    anna = enter("anna")
    held: list[Route] = []
    asked: list[str] = []
    anna.on("request", lambda request: asked.append(request.url))
    anna.route("**/tasks.js", lambda route: held.append(route))
    with anna.expect_request("**/tasks.js"):
        anna.goto("/tasks", wait_until="commit")
    # The scripts before it run: all but the last few.
    expect(anna.locator("#find-field")).to_have_attribute("role", "combobox")
    assert not [url for url in asked if "/live?" in url]
    tasks.add("Ring", utcnow() + timedelta(hours=1), world.anna, world.anna)
    held[0].continue_()
    expect(anna.locator("[data-tasks]")).to_contain_text("Ring")


def test_three_windows_and_a_closed_lid(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna = enter("anna")
    others = [anna.context.new_page() for _ in range(2)]
    for page in others:
        page.goto("/")
        page.wait_for_selector("html[data-live=on]")
    windows = [anna, *others]
    anna.context.set_offline(True)
    # What happens meanwhile is there when the lid opens, in each window and only once.
    deal.move_to(world.stage("Documents"), by=world.anna)
    late = Deal.open("Late", world.anna, world.anna)
    story = Story.begins().rings("PJSIP/101")
    anna.context.set_offline(False)
    for page in windows:
        expect(page.locator(".pop--rings")).to_have_count(1)
        expect(column(page, world, "Documents").locator(".card")).to_have_count(1)
        expect(card(page, late)).to_be_visible()
    # What is put away in one window stays in the others.
    anna.get_by_role("button", name="Dismiss").click()
    expect(others[0].locator(".pop--rings")).to_have_count(1)
    story.ended()
    for page in windows:
        expect(page.locator(".pop")).to_have_count(0)
