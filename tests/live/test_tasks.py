"""Tasks (K1) as people use them in a browser: with keys, without scripts, live in other windows."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

import database
from fields import utcnow
from models import Contact, Deal, Event, Task, User
from panel import reminders
from tests.browser import NewPage
from tests.desk import Enter, Panel, enter_leads_on, follow, sign_in
from tests.live.conftest import Listen
from tests.office import until
from tests.panel.test_server import FAULTS, RULES
from tests.world import CUSTOMER, Story, World
from verbs import tasks

HOUR = timedelta(hours=1)
BADGE = "[data-tasks-url] [aria-hidden]"
ROW = "[data-tasks] [data-task]"


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(CUSTOMER, "Miriam Sander", world.anna)
    return Deal.open("Roof", world.anna, world.anna, contact=contact)


def make(owner: User | None, title: str, after: timedelta, deal: Deal | None = None) -> Task:
    return tasks.add(title, utcnow() + after, owner, None, kind="call", deal=deal)


def day(page: Page) -> Page:
    page.goto("/tasks")
    page.wait_for_selector("html[data-live=on]")
    return page


def lose_answer(route: Route) -> None:
    """The server does what is asked of it; who asked hears of no answer."""
    route.fetch()
    route.abort()


@pytest.mark.parametrize("width", [1440, 390])
def test_pages_are_accessible_and_fit(
    world: World, deal: Deal, enter: Enter, axe_path: Path, width: int
) -> None:
    late = make(world.hugo, "A task with a long title about the offer for the roof", -HOUR, deal)
    make(None, "Call", 30 * HOUR, deal)
    tasks.finish(make(world.hugo, "Done", HOUR, deal), world.hugo, "They want it")
    page = enter(
        "hugo",
        viewport={"width": width, "height": 800},
        has_touch=width < 500,
        is_mobile=width < 500,
        bypass_csp=True,
    )
    for path in ("/tasks", "/tasks?of=all", f"/tasks/{late.id}", f"/tasks/{late.id}/next"):
        page.goto(path)
        if path == "/tasks":
            page.locator("[data-task-open=later] summary").click()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.add_script_tag(path=axe_path)
            assert page.evaluate(FAULTS, RULES) == [], f"{path}, {scheme}"
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"{path} is {over} px wider than the screen"


def test_a_day_with_the_keyboard(world: World, deal: Deal, enter: Enter) -> None:
    make(world.anna, "Ask about the offer", -HOUR, deal)
    make(world.anna, "Second", HOUR)
    page = day(enter("anna"))
    expect(page.locator(BADGE)).to_have_text("2")
    page.locator("[data-task-link]").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Second")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("d")
    page.keyboard.type("They want it")
    page.keyboard.press("Enter")
    page.locator("[data-task-next] [name=title]").wait_for()
    expect(page.locator("[data-task-next] [name=title]")).to_be_focused()
    page.keyboard.type("Send the contract")
    page.keyboard.press("Enter")
    expect(page.locator("#day-tomorrow")).to_contain_text("Send the contract")
    expect(page.locator("#day-done")).to_contain_text("They want it")
    step = Task.get(Task.title == "Send the contract")
    assert (step.deal, step.kind, step.owner) == (deal, "call", world.anna)
    expect(page.locator(BADGE)).to_have_text("1")
    # It was not done after all.
    page.locator("#day-done").get_by_role("button", name="Undo").click()
    expect(page.locator("#day-overdue")).to_contain_text("Ask about the offer")
    expect(page.locator("#day-done")).to_have_count(0)


def test_no_next_step_and_later(world: World, enter: Enter) -> None:
    make(world.anna, "First", -HOUR)
    make(world.anna, "Second", -HOUR)
    page = day(enter("anna"))
    page.get_by_text("Done", exact=True).first.click()
    expect(page.locator("[name=result]").first).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="No next step").click()
    expect(page.locator("#day-done")).to_contain_text("First")
    page.get_by_role("link", name="Second").focus()
    page.keyboard.press("s")
    page.get_by_role("button", name="Tomorrow 9:00").click()
    expect(page.locator("#day-tomorrow")).to_contain_text("Second")
    expect(page.locator("#day-overdue")).to_have_count(0)


def test_quick_add_and_what_is_wrong_with_it(world: World, enter: Enter) -> None:
    page = day(enter("anna"))
    expect(page.locator(".day__empty")).to_be_visible()
    page.fill(".day__add [name=title]", "Meet the architect")
    page.locator(".day__add").get_by_text("Meeting").click()
    page.locator(".day__add").get_by_text("Another time").click()
    page.fill(".day__add [name=at]", "")
    page.locator(".day__add").get_by_role("button", name="Add").click()
    expect(page.locator(".day__add .field__problem")).to_have_text("Choose when it is due.")
    tomorrow = (utcnow() + timedelta(days=1)).astimezone().strftime("%Y-%m-%dT14:30")
    page.fill(".day__add [name=at]", tomorrow)
    page.keyboard.press("Enter")
    expect(page.locator("#day-tomorrow")).to_contain_text("tomorrow, 14:30")
    expect(page.locator(".day__add .field__problem")).to_have_count(0)
    assert (Task.get().kind, Task.get().owner) == ("meeting", world.anna)


def test_on_the_card_of_a_deal(world: World, deal: Deal, enter: Enter) -> None:
    page = enter("anna")
    page.goto(f"/deals/{deal.id}")
    page.wait_for_selector("html[data-live=on]")
    page.fill(".task-add [name=title]", "Send the offer")
    page.keyboard.press("Enter")
    expect(page.locator(ROW)).to_contain_text("Send the offer")
    make(world.hugo, "Of the head", HOUR, deal)
    expect(page.locator(ROW)).to_have_count(2)
    expect(page.locator(ROW).first).to_contain_text("Hugo Head")
    # The answer to a new one is lost, and a next step goes to the same place: again, it is one.
    page.route("**/tasks", lose_answer, times=1)
    page.fill(".task-add [name=title]", "Ring")
    page.keyboard.press("Enter")
    expect(page.locator(".toast--bad")).to_be_visible()
    offer = page.locator(ROW, has_text="Send the offer")
    offer.locator("[data-task-open=done] summary").click()
    expect(offer.locator("[name=result]")).to_be_focused()
    page.keyboard.press("Enter")
    page.locator("[data-task-next] [name=title]").fill("Ask again")
    page.keyboard.press("Enter")
    expect(page.locator("[data-task-next]")).to_have_count(0)
    page.locator("[data-task-form=add] [name=title]").press("Enter")
    expect(page.locator("[data-task-form=add] [name=title]")).to_have_value("")
    titles = sorted(task.title for task in Task.select())
    assert titles == ["Ask again", "Of the head", "Ring", "Send the offer"]


def test_it_is_live_for_whom_it_concerns(world: World, deal: Deal, enter: Enter) -> None:
    anna, olga, hugo = day(enter("anna")), day(enter("olga")), enter("hugo")
    hugo.goto("/tasks?of=all")
    hugo.wait_for_selector("html[data-live=on]")
    task = make(world.anna, "Without a deal", HOUR)
    for page in (anna, hugo):
        expect(page.locator(ROW)).to_have_count(1)
    expect(anna.locator(BADGE)).to_have_text("1")
    expect(hugo.locator(BADGE)).to_be_hidden()
    tasks.change(task, world.hugo, owner=world.olga)
    expect(olga.locator(ROW)).to_have_count(1)
    expect(anna.locator(ROW)).to_have_count(0)
    expect(anna.locator(BADGE)).to_be_hidden()


def test_what_is_being_written_is_left_alone(world: World, enter: Enter) -> None:
    make(world.anna, "First", HOUR)
    page = day(enter("anna"))
    page.get_by_role("link", name="First").focus()
    page.keyboard.press("d")
    page.keyboard.type("They")
    with page.expect_response("**/tasks/count"):
        make(world.anna, "Second", 2 * HOUR)
    page.keyboard.type(" want it")
    expect(page.locator("[name=result]").first).to_have_value("They want it")
    page.keyboard.press("Escape")
    expect(page.locator(ROW)).to_have_count(2)


def test_a_missed_call_comes_and_goes(world: World, enter: Enter) -> None:
    page = day(enter("anna"))
    at = utcnow() - timedelta(minutes=2)
    Story.begins(name="Fitwerk", at=at).rings("PJSIP/101").ended(20)
    expect(page.locator(ROW)).to_contain_text("Call back Fitwerk")
    expect(page.get_by_role("button", name="Call +49 30 44701182").last).to_be_visible()
    back = Story.begins(CUSTOMER, "2.1", direction="outgoing", at=at + timedelta(minutes=1))
    back.rings("PJSIP/102").answered("PJSIP/102")
    expect(page.locator("#day-done")).to_contain_text("talked")
    expect(page.locator(BADGE)).to_be_hidden()


def test_a_reminder_on_every_page_of_its_owner(world: World, enter: Enter) -> None:
    anna, hugo = enter("anna"), enter("hugo")
    anna.goto("/calls")
    anna.wait_for_selector("html[data-live=on]")
    task = make(world.anna, "Ring the architect", timedelta(minutes=1))
    expect(anna.locator(BADGE)).to_have_text("1")
    assert tasks.remind(utcnow() + timedelta(minutes=2)) == 1
    note = anna.locator("#toasts [data-reminder]")
    expect(note).to_contain_text("Ring the architect")
    expect(hugo.locator("#toasts [data-reminder]")).to_have_count(0)
    note.get_by_role("link", name="Show").click()
    expect(anna).to_have_url(re.compile(f"/tasks#task-{task.id}$"))


def test_without_scripts(world: World, deal: Deal, panel: Panel, new_page: NewPage) -> None:
    make(world.anna, "Ask about the offer", -HOUR, deal)
    page = new_page(base_url=panel.address, java_script_enabled=False)
    sign_in(page, "anna")
    follow(page, page.locator("nav").get_by_role("link", name="Tasks").first)
    page.get_by_text("Done", exact=True).first.click()
    page.fill("[name=result]", "They want it")
    enter_leads_on(page)
    page.fill("main [name=title]", "Send the contract")
    follow(page, page.get_by_role("button", name="Add"))
    tomorrow = page.locator("#day-tomorrow [data-task-link]")
    expect(tomorrow).to_have_text("Send the contract")
    follow(page, tomorrow)
    page.fill("main [name=title]", "Send two contracts")
    page.get_by_role("button", name="Save").click()
    expect(tomorrow).to_have_text("Send two contracts")
    page.locator("#day-done").get_by_role("button", name="Undo").click()
    expect(page.locator("#day-overdue [data-task-link]")).to_have_text("Ask about the offer")


# The stream, and the thread that reminds


def test_the_stream_tells_of_a_task_without_a_deal(world: World, listen: Listen) -> None:
    anna, olga, hugo = listen("anna"), listen("olga"), listen("hugo")
    task = make(world.anna, "Call", HOUR)
    about = {"task": task.id, "kind": "task.added", "deal": None}
    assert anna.next() == ("task", {**about, "mine": True})
    assert hugo.next() == ("task", {**about, "mine": False})
    make(world.olga, "Hers", HOUR)
    assert olga.next()[1]["task"] != task.id


def test_each_is_told_of_once_by_however_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "LOOK_SECONDS", 0.05)
    count = 5
    for n in range(count):
        make(world.anna, f"Task {n}", -HOUR)
    running = [reminders.Reminders(lambda: True) for _ in range(3)]
    for one in running:
        one.start()
    try:
        until(lambda: Task.select().where(Task.reminded_at.is_null()).count() == 0, "all are told")
    finally:
        for one in running:
            one.stop()
    told = [event.content["task"] for event in Event.of_kind("task.due")]
    assert len(told) == len(set(told)) == count


def test_reminders_wait_for_the_database(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    task = make(world.anna, "Task", -HOUR)
    one = reminders.Reminders(lambda: True)
    remind = tasks.remind

    def fails(_at: object) -> int:
        raise database.DATABASE_ERRORS[0]("gone")

    monkeypatch.setattr(tasks, "remind", fails)
    one.look()
    one.look()
    monkeypatch.setattr(tasks, "remind", remind)
    one.look()
    assert Task.get_by_id(task.id).reminded_at
    said = [record.getMessage() for record in caplog.records if "Reminders" in record.getMessage()]
    assert len(said) == 2
    assert said[1] == "Reminders work again."


def test_the_thread_ends_with_its_server(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(reminders, "LOOK_SECONDS", 0.01)
    alive = iter([True, True])
    one = reminders.Reminders(lambda: next(alive, False))
    one.start()
    one.join(10)
    assert not one.is_alive()
