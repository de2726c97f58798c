"""/admin: whom it exists for, the overview, departments, texts, the check-up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playhouse.test_utils import count_queries

import doctor
from doctor import FAULT, GOOD, Check
from fields import utcnow
from models import Department, Event
from panel import admin_doctor
from tests.panel.conftest import Browser, Visit
from tests.world import PASSWORD, Story, World
from verbs import departments, funnels, users, wordings
from verbs.exchange import record_watching

PAGES = (
    "/admin/",
    "/admin/users/",
    "/admin/users/new",
    "/admin/users/1",
    "/admin/departments/",
    "/admin/funnels/",
    "/admin/funnels/1",
    "/admin/stages/2",
    "/admin/texts/",
    "/admin/doctor/",
)
ACTS = (
    "/admin/users/",
    "/admin/users/1",
    "/admin/users/1/password",
    "/admin/users/1/disabling",
    "/admin/users/1/enabling",
    "/admin/departments/",
    "/admin/departments/1",
    "/admin/departments/1/removal",
    "/admin/funnels/",
    "/admin/funnels/1",
    "/admin/funnels/order",
    "/admin/funnels/1/archive",
    "/admin/funnels/1/order",
    "/admin/funnels/1/stages",
    "/admin/funnels/reasons",
    "/admin/funnels/reasons/order",
    "/admin/funnels/reasons/1/removal",
    "/admin/stages/2",
    "/admin/stages/2/removal",
    "/admin/texts/",
    "/admin/doctor/",
)


@pytest.fixture
def ada(visit: Visit) -> Browser:
    return visit("ada")


@pytest.mark.parametrize("login", ["anna", "hugo"])
def test_for_others_it_does_not_exist(world: World, visit: Visit, login: str) -> None:
    browser = visit(login)
    events = Event.select().count()
    assert {browser.get(path).status_code for path in PAGES} == {404}
    assert {browser.post(path).status_code for path in ACTS} == {404}
    assert Event.select().count() == events
    assert "/admin" not in browser.get("/").text


@pytest.mark.parametrize("path", PAGES)
def test_pages(ada: Browser, path: str) -> None:
    answer = ada.get(path)
    assert answer.status_code == 200
    assert 'aria-label="Parts of the setup"' in answer.text
    assert answer.text.count('aria-current="page"') == 2, "in the head, and among the parts"


@pytest.mark.parametrize(
    "path", ["/admin/users/999", "/admin/funnels/999", "/admin/stages/999", "/admin/nothing"]
)
def test_what_is_not_there(ada: Browser, path: str) -> None:
    assert ada.get(path).status_code == 404
    assert ada.post(path).status_code in (404, 405)


def steps_done(browser: Browser) -> int:
    return browser.get("/admin/").text.count("first is-done")


def test_an_empty_system_explains_itself(world: World, ada: Browser) -> None:
    for user in (world.anna, world.ben, world.olga):
        users.change(user, endpoint="")
    text = ada.get("/admin/").text
    assert "Connect the exchange" in text
    assert steps_done(ada) == 0
    assert "Before the first call makes a card" in ada.get("/").text
    record_watching("asterisk", True, utcnow())
    assert steps_done(ada) == 1
    users.change(world.anna, endpoint="PJSIP/101")
    assert steps_done(ada) == 2
    Story.begins().rings("PJSIP/101")
    assert steps_done(ada) == 3
    wordings.change({"company": "Roofs Ltd"})
    assert "All is set up" in ada.get("/admin/").text
    record_watching("asterisk", True, utcnow() - timedelta(minutes=5))
    assert steps_done(ada) == 3
    assert "is not now" in ada.get("/admin/").text


def test_sellers_wait_for_the_first_call(visit: Visit) -> None:
    text = visit("anna").get("/").text
    assert "Waiting for the first call" in text
    assert "Connect the exchange" not in text


def test_departments(world: World, ada: Browser) -> None:
    answer = ada.post("/admin/departments/", {"name": "Export", "did": "030 555009"})
    made = Department.get(Department.name == "Export")
    assert answer.location.endswith(f"#department-{made.id}")
    assert made.did == "+4930555009"
    form = {"name": "Exports", "did": "", "seen_name": "Export", "seen_did": made.did}
    assert ada.post(f"/admin/departments/{made.id}", form).status_code == 303
    stale = ada.post(f"/admin/departments/{made.id}", {**form, "name": "Late"})
    assert stale.status_code == 409
    assert "Somebody else changed this" in stale.text
    assert 'value="Late"' in stale.text
    assert ada.post(f"/admin/departments/{made.id}/removal").status_code == 303
    assert ada.post(f"/admin/departments/{made.id}/removal").status_code == 303
    assert not Department.select().where(Department.name == "Exports").exists()


def test_departments_refuse(world: World, ada: Browser) -> None:
    answer = ada.post("/admin/departments/", {"name": "Sales"})
    assert answer.status_code == 422
    assert "belongs to &#39;Sales&#39; already" in answer.text
    group = world.anna.department_id
    answer = ada.post(f"/admin/departments/{group}/removal")
    assert answer.status_code == 422
    assert "give them another one first" in answer.text


def test_texts_stand_where_they_belong(world: World, ada: Browser, visit: Visit) -> None:
    assert "brand__company" not in ada.get("/").text
    words = {"company": "Roofs & Co", "login_line": "Ask Ada <110>", "popup_hint": "Postcode?"}
    blank = {f"seen_{name}": "" for name in words}
    assert ada.post("/admin/texts/", {**words, **blank}).status_code == 303
    assert "Roofs &amp; Co" in ada.get("/").text
    login = visit("").get("/login").text
    assert "Ask Ada &lt;110&gt;" in login
    assert "Roofs &amp; Co" in login
    stale = ada.post("/admin/texts/", {**words, **blank, "company": "Late"})
    assert (stale.status_code, 'value="Late"' in stale.text) == (409, True)
    Story.begins().rings("PJSIP/101")
    assert "Postcode?" in visit("anna").get("/popups").text


def test_texts_refuse(world: World, ada: Browser) -> None:
    answer = ada.post("/admin/texts/", {"company": "x" * 41})
    assert answer.status_code == 422
    assert "at most 40 characters" in answer.text
    assert wordings.texts()["company"] == ""


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Checks of which the second waits until it is told to go on."""
    go_on = threading.Event()

    def run(_settings: Any) -> Iterator[Check]:
        yield Check(GOOD, "database", "sqlite")
        assert go_on.wait(20)
        yield Check(FAULT, "asterisk", "<gone>", "service asterisk start")

    monkeypatch.setattr(doctor, "run", run)
    monkeypatch.setattr(admin_doctor, "PATIENCE", 0.2)
    yield go_on
    go_on.set()


def test_the_check_up_waits_for_nobody(ada: Browser, visit: Visit, slow: threading.Event) -> None:
    assert "Nothing was checked" in ada.get("/admin/doctor/").text
    assert ada.post("/admin/doctor/").status_code == 303
    text = ada.get("/admin/doctor/").text
    assert "Still checking" in text
    assert "sqlite" in text
    assert visit("anna").get("/").status_code == 200
    state = ada.client.application.extensions["checkup"].state()
    ada.post("/admin/doctor/")
    assert ada.client.application.extensions["checkup"].state() is state, "one round at a time"
    slow.set()
    assert ada.client.application.extensions["checkup"].wait(10)
    text = ada.get("/admin/doctor/").text
    assert "1 fault" in text
    assert "&lt;gone&gt;" in text
    assert "service asterisk start" in text


def test_a_check_up_that_breaks_off(ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_settings: Any) -> Iterator[Check]:
        yield Check(GOOD, "database", "sqlite")
        raise RuntimeError("secret=hunter2")

    monkeypatch.setattr(doctor, "run", run)
    ada.post("/admin/doctor/")
    text = ada.get("/admin/doctor/").text
    assert "broke off" in text
    assert "hunter2" not in text


def test_the_real_check_up_names_no_secret(world: World, ada: Browser) -> None:
    ada.post("/admin/doctor/")
    assert ada.client.application.extensions["checkup"].wait(60)
    text = ada.get("/admin/doctor/").text
    assert "asterisk" in text
    assert "k" * 32 not in text
    # What the command says in English, the page says in the language of who reads it.
    assert "<b>database</b>" in text
    assert "only needed for dialplans that use AGI" in text
    users.change(world.ada, locale="de")
    text = ada.get("/admin/doctor/").text
    assert "<b>Datenbank</b>" in text
    assert "nur für Dialpläne nötig, die AGI verwenden" in text
    assert '<b lang="en">asterisk</b>' in text


@pytest.mark.parametrize("path", PAGES)
def test_the_number_of_queries_is_constant(world: World, ada: Browser, path: str) -> None:
    path = path.replace("users/1", f"users/{world.anna.id}")
    ada.get(path)
    with count_queries() as few:
        ada.get(path)
    for number in range(3):
        made = departments.add(f"D {number}", f"03055590{number}")
        users.add(f"u{number}", "U", "seller", PASSWORD, department=made.name)
        funnel = funnels.add_funnel(f"F {number}", world.ada)
        funnels.add_stage(funnel, world.ada, name="S")
        funnels.add_stage(world.funnel, world.ada, name=f"S {number}")
    with count_queries() as many:
        ada.get(path)
    assert many.count == few.count <= 16, [q.msg for q in many.get_queries()]
