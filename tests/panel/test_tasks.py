"""/tasks (K1): the day, one task, what people do with it, who sees what, in how many queries."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from playhouse.test_utils import count_queries

from fields import utcnow
from models import Contact, Deal, Task, User
from panel import due, task_lists
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import CUSTOMER, Story, World
from verbs import tasks

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SELLER_QUERIES, HEAD_QUERIES = 9, 9


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(CUSTOMER, "Miriam Sander", world.anna)
    return Deal.open("Roof", world.anna, world.anna, contact=contact)


def make(
    owner: User | None,
    title: str = "Send the offer",
    after: timedelta | None = HOUR,
    deal: Deal | None = None,
    kind: str = "todo",
) -> Task:
    at = utcnow()
    task = tasks.add(title, at + (after or HOUR), owner, None, kind=kind, deal=deal)
    if after is None:
        tasks.change(task, None, due_at=None)
    return task


def titles(page: str) -> list[str]:
    return re.findall(r"data-task-link>(.*?)</a>", page)


def groups(page: str) -> dict[str, list[str]]:
    parts = re.split(r'id="day-(overdue|today|tomorrow|week|later|without|done)" ', page)
    return {name: titles(part) for name, part in zip(parts[1::2], parts[2::2], strict=True)}


def badge(page: str) -> tuple[str, bool]:
    """The count in the navigation, '' if hidden, and whether it is red."""
    found = re.search(
        r'<span class="badge( badge--calm)?" data-tasks-url="[^"]+"( hidden)?><span[^>]*>(.*?)<',
        page,
    )
    assert found
    return "" if found[2] else found[3], not found[1]


# The day


def at_noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """A Wednesday, so that every group has its own days, whatever the day of the test is."""
    noon = datetime(2026, 11, 25, 12).astimezone(UTC)
    for module in (due, task_lists, tasks):
        monkeypatch.setattr(module, "utcnow", lambda: noon)
    monkeypatch.setitem(globals(), "utcnow", lambda: noon)
    return noon


def test_by_day(world: World, anna: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    at_noon(monkeypatch)
    make(world.anna, "late", -HOUR)
    make(world.anna, "soon", HOUR)
    make(world.anna, "next day", DAY)
    make(world.anna, "sunday", 4 * DAY)
    make(world.anna, "monday", 5 * DAY)
    make(world.anna, "some day", None)
    tasks.finish(make(world.anna, "done", HOUR), world.anna, "They want it")
    tasks.finish(make(world.anna, "before", HOUR), world.anna, at=utcnow() - DAY)
    page = anna.get("/tasks").text
    assert groups(page) == {
        "overdue": ["late"],
        "today": ["soon"],
        "tomorrow": ["next day"],
        "week": ["sunday"],
        "later": ["monday"],
        "without": ["some day"],
        "done": ["done"],
    }
    assert "1 hour late" in page
    assert "They want it" in page
    assert badge(page) == ("2", True)


def test_on_a_sunday_there_is_no_rest_of_the_week() -> None:
    sunday = datetime(2026, 11, 29, 12).astimezone()
    days = due.Days.around(sunday)
    assert days.group(sunday + DAY) == "tomorrow"
    assert days.group(sunday + 2 * DAY) == "later"


def test_the_badge(world: World, anna: Browser, hugo: Browser) -> None:
    assert badge(anna.get("/").text) == ("", False)
    task = make(world.anna, after=-HOUR)
    assert badge(anna.get("/tasks/count", headers=FRAGMENT).text) == ("1", True)
    assert badge(hugo.get("/").text)[0] == "", "a head's own, not everybody's"
    tasks.finish(task, world.anna)
    assert badge(anna.get("/").text)[0] == ""


def test_nothing_to_do_says_where_tasks_come_from(anna: Browser) -> None:
    assert "Missed calls make one by themselves" in anna.get("/tasks").text


def test_page_by_page(world: World, anna: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_lists, "PAGE", 2)
    for n in range(3):
        make(world.anna, f"dated {n}", (n + 1) * HOUR)
        make(world.anna, f"some day {n}", None)
    page, seen = anna.get("/tasks").text, []
    for _ in range(3):
        seen += titles(page)
        later = re.search(r'href="([^"]+)" rel="next"', page)
        page = anna.get(later[1].replace("&amp;", "&")).text if later else ""
    wanted = [f"{when} {n}" for when in ("dated", "some day") for n in range(3)]
    assert seen == wanted
    for wrong in ("x", "1.x", "none.0", "9" * 30 + ".1"):
        assert anna.get(f"/tasks?after={wrong}").status_code == 404


# Whose


def test_whose_tasks_a_head_sees(world: World, hugo: Browser, anna: Browser) -> None:
    make(world.anna, "annas")
    make(world.olga, "olgas")
    make(world.hugo, "hugos")
    make(None, "nobodys")
    seen = {
        of: sorted(titles(hugo.get(f"/tasks?of={of}").text))
        for of in (
            "",
            "all",
            "none",
            f"person-{world.olga.id}",
            f"department-{world.anna.department_id}",
        )
    }
    assert list(seen.values()) == [
        ["hugos"],
        ["annas", "hugos", "nobodys", "olgas"],
        ["nobodys"],
        ["olgas"],
        ["annas", "hugos"],
    ]
    for wrong in ("x", "person-", "person-99", "department-99"):
        assert hugo.get(f"/tasks?of={wrong}").status_code == 404
    assert titles(anna.get("/tasks?of=all").text) == ["annas"]


def test_what_is_nobodys_on_an_own_deal_is_for_its_owner(
    world: World, deal: Deal, anna: Browser, olga: Browser
) -> None:
    make(None, "nobodys", deal=deal)
    assert titles(anna.get("/tasks").text) == ["nobodys"]
    assert titles(olga.get("/tasks").text) == []


def test_for_others_it_does_not_exist(world: World, deal: Deal, olga: Browser) -> None:
    task = make(world.anna, deal=deal)
    path = f"/tasks/{task.id}"
    assert [olga.get(path + p).status_code for p in ("", "/next", "/reminder")] == [404] * 3
    acts = ["", "/done", "/reopen", "/due"]
    form = {"title": "x", "when": "hour"}
    assert [olga.post(path + act, form).status_code for act in acts] == [404] * 4
    assert olga.post("/tasks", {**form, "deal": deal.id}).status_code == 404
    assert olga.post("/tasks", {**form, "after": task.id}).status_code == 404
    assert Task.select().count() == 1


def test_a_deal_that_is_somebody_elses_by_now_is_not_shown(
    world: World, deal: Deal, anna: Browser
) -> None:
    make(world.anna, deal=deal, kind="call")
    assert f"/deals/{deal.id}" in anna.get("/tasks").text
    Deal.update(owner=world.ben).execute()
    Contact.update(owner=world.ben).execute()
    page = anna.get("/tasks").text
    assert titles(page) == ["Send the offer"]
    assert f"/deals/{deal.id}" not in page
    assert "Miriam" not in page
    assert CUSTOMER not in page


# What people do


def test_a_new_one(world: World, anna: Browser) -> None:
    anna.get("/tasks")
    form = {"title": "Send  the offer", "kind": "offer", "when": "tomorrow"}
    assert anna.post("/tasks", form).headers["Location"] == "/tasks"
    task = Task.get()
    assert (task.title, task.kind, task.owner) == ("Send the offer", "offer", world.anna)
    tomorrow = utcnow().astimezone().date() + DAY
    assert task.due_at.astimezone() == datetime.combine(tomorrow, due.MORNING).astimezone()


def test_times_are_on_the_clock_of_the_office(world: World, anna: Browser) -> None:
    form = {"title": "Call", "when": "at", "at": "2026-12-01T14:30"}
    anna.post("/tasks", form, headers=FRAGMENT)
    task = Task.get()
    assert task.due_at == datetime(2026, 12, 1, 14, 30).astimezone()
    assert 'value="2026-12-01T14:30"' in anna.get(f"/tasks/{task.id}").text


def test_of_a_deal(world: World, deal: Deal, anna: Browser, hugo: Browser) -> None:
    form = {"title": "Call", "kind": "call", "when": "hour", "deal": deal.id}
    anna.post("/tasks", form)
    hugo.post("/tasks", form)
    hugo.post("/tasks", {**form, "owner": world.ben.id})
    anna.post("/tasks", {**form, "owner": world.anna.id})
    made = Task.select().order_by(Task.id)
    assert [task.owner.login for task in made] == ["anna", "anna", "ben", "anna"]
    assert {(task.deal, task.contact) for task in made} == {(deal, deal.contact)}


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({"title": " "}, "title"),
        ({"when": "at"}, "at"),
        ({"when": "at", "at": "tomorrow"}, "at"),
        ({"when": "at", "at": "0001-01-01T00:00"}, "at"),
        ({"kind": "x"}, "kind"),
        ({"owner": "99"}, "owner"),
    ],
)
def test_what_makes_no_sense_is_said_beside_the_field(
    world: World, hugo: Browser, about: dict[str, str], field: str
) -> None:
    form = {"title": "Call", "when": "hour", **about}
    answer = hugo.post("/tasks", form, headers=FRAGMENT)
    assert (answer.status_code, f'data-of="{field}"' in answer.text) == (422, True)
    page = hugo.post("/tasks", form)
    assert page.status_code == 422
    assert "</html>" in page.text
    assert Task.select().count() == 0


def test_finishing_asks_for_the_next_step(world: World, deal: Deal, anna: Browser) -> None:
    task = make(world.anna, deal=deal, kind="call")
    anna.get("/tasks")
    answer = anna.post(f"/tasks/{task.id}/done", {"result": "They want it"}, headers=FRAGMENT)
    assert "data-task-next" in answer.text
    assert Task.get().result == "They want it"
    form = {"after": task.id, "title": "Send it", "kind": "offer", "when": "days3"}
    assert anna.post("/tasks", form, headers=FRAGMENT).status_code == 200
    step = Task.get(Task.kind == "offer")
    assert (step.deal, step.contact, step.owner) == (deal, deal.contact, world.anna)
    again = anna.post(f"/tasks/{task.id}/done", headers=FRAGMENT)
    assert "data-task-next" not in again.text, "asked once"


def test_finishing_without_scripts(world: World, deal: Deal, anna: Browser) -> None:
    task = make(world.anna, deal=deal)
    on = {"Referer": f"http://localhost/deals/{deal.id}"}
    page = anna.post(f"/tasks/{task.id}/done", headers=on, follow_redirects=True)
    assert "What is the next step?" in page.text
    assert f'name="back" value="/deals/{deal.id}"' in page.text
    form = {"after": task.id, "title": "Call", "when": "hour", "back": f"/deals/{deal.id}"}
    assert anna.post("/tasks", form).headers["Location"] == f"/deals/{deal.id}"
    assert anna.post("/tasks", {**form, "back": "//evil.example"}).headers["Location"] == "/tasks"


def test_not_done_after_all(world: World, anna: Browser) -> None:
    task = make(world.anna)
    anna.post(f"/tasks/{task.id}/done", headers=FRAGMENT)
    row = anna.post(f"/tasks/{task.id}/reopen", headers=FRAGMENT).text
    assert "task--done" not in row
    assert Task.get().done_at is None


def test_putting_it_off(world: World, anna: Browser) -> None:
    task = make(world.anna, after=-HOUR)
    assert tasks.remind(utcnow()) == 1
    anna.post(f"/tasks/{task.id}/due", {"when": "hour"}, headers=FRAGMENT)
    found = Task.get()
    assert found.due_at > utcnow() + HOUR - timedelta(minutes=1)
    assert tasks.remind(utcnow() + 2 * HOUR) == 1, "told of again"
    assert anna.post(f"/tasks/{task.id}/due", {"when": "never"}).status_code == 400


def test_change(world: World, anna: Browser, hugo: Browser) -> None:
    task = make(world.anna)
    path, seen = f"/tasks/{task.id}", due.entry(task.due_at)
    anna.post(path, {"title": "Meet", "kind": "meeting", "at": seen})
    found = Task.get()
    assert (found.title, found.kind, found.due_at) == ("Meet", "meeting", task.due_at)
    assert 'name="owner"' not in anna.get(path).text
    anna.post(path, {"title": "Meet", "kind": "meeting", "at": seen, "owner": world.ben.id})
    assert Task.get().owner == world.anna, "only heads give tasks away"
    hugo.post(path, {"title": "Meet", "kind": "meeting", "at": seen, "owner": world.ben.id})
    assert Task.get().owner == world.ben
    assert anna.get(path).status_code == 404
    answer = hugo.post(path, {"title": "", "at": seen})
    assert answer.status_code == 422
    assert "Say what is to be done." in answer.text


def shown(page: str) -> str:
    """What the form of a page carries along of the task that it showed."""
    found = re.search(r'name="seen" value="(.*?)"', page)
    assert found
    return unescape(found[1])


def test_two_people_change_one(world: World, anna: Browser, hugo: Browser) -> None:
    task = make(world.anna, deal=Deal.open("Roof", world.anna, world.anna))
    path, at = f"/tasks/{task.id}", due.entry(task.due_at)
    saw = shown(anna.get(path).text)
    hugo.post(path, {"title": "Meet", "at": at, "seen": shown(hugo.get(path).text)})
    late = anna.post(path, {"title": "My own words", "at": at, "seen": saw})
    assert late.status_code == 409
    assert "Somebody else changed this just now" in late.text
    assert 'value="My own words"' in late.text
    assert "<b>Meet</b>" in late.text
    assert Task.get().title == "Meet"
    again = anna.post(path, {"title": "My own words", "at": at, "seen": shown(late.text)})
    assert (again.status_code, Task.get().title) == (303, "My own words")


def test_two_people_put_one_off(world: World, anna: Browser, hugo: Browser) -> None:
    task = make(world.anna)
    saw = shown(anna.get("/tasks").text)
    hugo.post(f"/tasks/{task.id}/due", {"when": "week"})
    was = Task.get().due_at
    late = anna.post(f"/tasks/{task.id}/due", {"when": "hour", "seen": saw}, headers=FRAGMENT)
    assert (late.status_code, Task.get().due_at) == (409, was)
    assert "Somebody else changed this just now" in late.text


@pytest.mark.parametrize("text", ["", "7", "[", "[1]", '{"due_at": 7}', '{"due_at": "x"}', "{}"])
def test_what_no_page_has_shown(world: World, anna: Browser, text: str) -> None:
    task = make(world.anna)
    answer = anna.post(f"/tasks/{task.id}/due", {"when": "week", "seen": text})
    assert answer.status_code == 303


def test_one_without_a_time_may_stay_so(world: World, anna: Browser) -> None:
    task = make(world.anna, after=None)
    assert anna.post(f"/tasks/{task.id}", {"title": "Other", "at": ""}).status_code == 303
    assert (Task.get().title, Task.get().due_at) == ("Other", None)


def test_a_missed_call_can_be_called_back_from_its_task(world: World, anna: Browser) -> None:
    Story.begins(name="Miriam").rings("PJSIP/101").ended()
    page = anna.get("/tasks").text
    assert 'action="/call-requests"' in page
    assert f'href="tel:{CUSTOMER}"' in page


def test_a_reminder_is_for_its_owner_while_it_is_open(
    world: World, anna: Browser, hugo: Browser
) -> None:
    task = make(world.anna, after=-HOUR)
    path = f"/tasks/{task.id}/reminder"
    assert f'data-reminder="{task.id}" data-title="Send the offer"' in anna.get(path).text
    assert hugo.get(path).status_code == 404
    tasks.finish(task, world.anna)
    assert anna.get(path).status_code == 404


def test_text_of_others_stays_text(world: World, anna: Browser) -> None:
    task = make(world.anna, "<script>alert(1)</script>", after=-HOUR)
    for path in ("/tasks", f"/tasks/{task.id}", f"/tasks/{task.id}/reminder"):
        assert "<script>alert" not in anna.get(path).text


def test_on_a_deals_page(world: World, deal: Deal, anna: Browser, hugo: Browser) -> None:
    make(world.anna, "Roof first", deal=deal)
    make(world.anna, "Of nothing")
    for browser in (anna, hugo):
        assert titles(browser.get(f"/deals/{deal.id}").text) == ["Roof first"]


@pytest.mark.parametrize("number", [1, 20])
def test_the_number_of_queries_is_constant(
    world: World, anna: Browser, hugo: Browser, number: int
) -> None:
    at = utcnow() - HOUR
    for n in range(number):
        Story.begins(f"+4930447{n:05}", f"{n}.1", at=at).rings("PJSIP/101").ended()
        tasks.finish(make(world.anna, f"done {n}"), world.anna)
    for browser, path, expected in (
        (anna, "/tasks", SELLER_QUERIES),
        (hugo, "/tasks?of=all", HEAD_QUERIES),
    ):
        with count_queries() as counted:
            page = browser.get(path).text
        assert len(titles(page)) == 2 * number
        assert counted.count == expected, [q.msg for q in counted.get_queries()]
