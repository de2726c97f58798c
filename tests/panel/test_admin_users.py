"""/admin/users: who may log in, with what, and what becomes of a leaver's work."""

from __future__ import annotations

import html
import re

import pytest

from models import Deal, Event, User
from tests.panel.conftest import Browser, Visit
from tests.world import PASSWORD, World
from verbs import users

KIM = {"login": "kim", "name": "Kim", "role": "seller", "locale": "de", "endpoint": "PJSIP/104"}


@pytest.fixture
def ada(visit: Visit) -> Browser:
    return visit("ada")


def form_of(browser: Browser, user: User) -> dict[str, str]:
    """What the form of a user holds, as a browser would send it."""
    text = browser.get(f"/admin/users/{user.id}").text
    text = text[text.index(f'action="/admin/users/{user.id}"') :]
    text = text[: text.index("</form>")]
    values = re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', text)
    chosen = re.findall(r'<select[^>]* name="(\w+)".*?<option value="(\w*)" selected', text, re.S)
    return {name: html.unescape(value) for name, value in (*values, *chosen)}


def made_password(text: str) -> str:
    return re.findall(r"command--large\">([^<]+)<", text)[0]


def test_a_new_user_with_a_password_made_here(visit: Visit, ada: Browser) -> None:
    answer = ada.post("/admin/users/", {**KIM, "department": "Sales", "mobile": "0171 2345678"})
    assert answer.status_code == 200
    kim = User.get(User.login == "kim")
    assert (kim.endpoint, kim.mobile, kim.locale) == ("PJSIP/104", "+491712345678", "de")
    assert kim.department.name == "Sales"
    password = made_password(answer.text)
    assert visit("").log_in("kim", password).status_code == 303
    assert password not in ada.get(f"/admin/users/{kim.id}").text, "shown once"
    assert not [e for e in Event.select() if password in e.payload]
    assert Event.of_kind("user.added").order_by(Event.id.desc()).get().user.login == "ada"


def test_a_new_user_with_a_password_typed(visit: Visit, ada: Browser) -> None:
    answer = ada.post("/admin/users/", {**KIM, "password": PASSWORD})
    assert PASSWORD not in answer.text
    assert visit("").log_in("kim").status_code == 303


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"login": "anna"}, "there is a user"),
        ({"login": "K im"}, "use 1 to 40"),
        ({"name": " "}, "must not be empty"),
        ({"role": "boss"}, "one of seller"),
        ({"locale": "fr"}, "one of en"),
        ({"endpoint": "101"}, "TECHNOLOGY/NAME"),
        ({"endpoint": "PJSIP/101"}, "belongs to"),
        ({"mobile": "x"}, "is not"),
        ({"password": "short"}, "8 to 200"),
    ],
)
def test_a_new_user_is_refused(ada: Browser, changes: dict[str, str], said: str) -> None:
    answer = ada.post("/admin/users/", {**KIM, **changes})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert User.get_or_none(User.login == "kim") is None


def test_a_change_and_what_others_changed_meanwhile(world: World, ada: Browser) -> None:
    form = form_of(ada, world.anna)
    assert (form["name"], form["role"], form["endpoint"]) == ("Anna Krüger", "seller", "PJSIP/101")
    answer = ada.post(f"/admin/users/{world.anna.id}", {**form, "name": "Anna Berg"})
    assert answer.location.endswith(f"/admin/users/#user-{world.anna.id}")
    stale = ada.post(f"/admin/users/{world.anna.id}", {**form, "role": "head"})
    assert stale.status_code == 409
    assert "Somebody else changed this" in stale.text
    anna = User.get_by_id(world.anna.id)
    assert (anna.name, anna.role, anna.department) == ("Anna Berg", "seller", world.ben.department)
    again = re.findall(r'name="seen" value="([^"]*)"', stale.text)[0]
    form["seen"] = html.unescape(again)
    assert ada.post(f"/admin/users/{world.anna.id}", {**form, "role": "head"}).status_code == 303


@pytest.mark.parametrize("seen", ["", "x", "[]", "{}", "[" * 5000])
def test_a_form_that_does_not_say_what_it_saw(world: World, ada: Browser, seen: str) -> None:
    form = {**form_of(ada, world.anna), "name": "Anna Berg", "seen": seen}
    assert ada.post(f"/admin/users/{world.anna.id}", form).status_code == 409


def test_the_last_administrator(world: World, ada: Browser) -> None:
    form = form_of(ada, world.ada)
    answer = ada.post(f"/admin/users/{world.ada.id}", {**form, "role": "seller"})
    assert answer.status_code == 422
    assert "last administrator" in answer.text
    answer = ada.post(f"/admin/users/{world.ada.id}/disabling", {"heir": "keep"})
    assert answer.status_code == 422
    assert "last administrator" in answer.text
    assert User.get_by_id(world.ada.id).role == "admin"


def test_a_new_password_ends_log_ins(world: World, visit: Visit, ada: Browser) -> None:
    anna = visit("anna")
    answer = ada.post(f"/admin/users/{world.anna.id}/password", {"password": ""})
    assert anna.get("/").status_code == 303
    assert visit("").log_in("anna", made_password(answer.text)).status_code == 303
    refused = ada.post(f"/admin/users/{world.anna.id}/password", {"password": "short"})
    assert (refused.status_code, "8 to 200" in refused.text) == (422, True)


def test_a_leaver_hands_over(world: World, visit: Visit, ada: Browser) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    anna, url = visit("anna"), f"/admin/users/{world.anna.id}/disabling"
    answer = ada.post(url)
    assert answer.status_code == 422
    assert "Say who gets the open work" in answer.text
    assert User.get_by_id(world.anna.id).active
    assert ada.post(url, {"heir": world.anna.id}).status_code == 404
    answer = ada.post(url, {"heir": world.ben.id})
    assert "1 deal went to Ben Okafor" in answer.text
    assert Deal.get_by_id(deal.id).owner == world.ben
    assert anna.get("/").status_code == 303
    answer = ada.post(f"/admin/users/{world.anna.id}/enabling")
    assert "can log in again" in answer.text
    assert visit("").log_in("anna").status_code == 303


def test_work_that_was_left_is_handed_over_later(world: World, ada: Browser) -> None:
    deal, url = Deal.open("Roof", world.anna, world.anna), f"/admin/users/{world.anna.id}"
    assert ada.post(f"{url}/disabling", {"heir": "keep"}).status_code == 200
    assert Deal.get_by_id(deal.id).owner == world.anna
    assert "Hand over" in ada.get(url).text
    assert ada.post(f"{url}/disabling", {"heir": world.ben.id}).status_code == 200
    assert Deal.get_by_id(deal.id).owner == world.ben
    assert "Hand over" not in ada.get(url).text


def test_the_list_shows_everybody(world: World, ada: Browser) -> None:
    users.disable(world.olga)
    users.change(world.ben, endpoint="")
    text = ada.get("/admin/users/").text
    assert text.index("Anna Krüger") < text.index("Disabled") < text.index("Olga Outsider")
    assert "no phone" in text
