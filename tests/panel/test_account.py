"""/account: language, password, log-ins; and that a copied cookie is worthless after log-out."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from models import Event, User
from tests.panel.conftest import Browser, Visit
from tests.world import PASSWORD, World

NEW = "battery staple"


def copied(app: Flask, browser: Browser) -> Browser:
    """Another browser with the cookie of this one, as a thief would have it."""
    thief = Browser(app)
    cookie = browser.client.get_cookie("trichter")
    assert cookie
    thief.client.set_cookie("trichter", cookie.value)
    return thief


def is_in(browser: Browser) -> bool:
    return browser.get("/account/").status_code == 200


def test_everybody_has_the_page(visit: Visit) -> None:
    for login in ("anna", "hugo", "ada"):
        assert "Your account" in visit(login).get("/account/").text
    assert visit("").get("/account/").status_code == 303


def test_the_language(world: World, anna: Browser) -> None:
    assert anna.post("/account/language", {"language": "de"}).status_code == 303
    assert User.get_by_id(world.anna.id).locale == "de"
    assert '<html lang="de">' in anna.get("/account/").text
    assert anna.post("/account/language", {"language": "fr"}).status_code == 422


def change(browser: Browser, **fields: str) -> Any:
    form = {"old": PASSWORD, "new": NEW, "again": NEW, **fields}
    return browser.post("/account/password", form)


def test_a_new_password_keeps_this_browser_and_ends_the_others(
    world: World, app: Flask, visit: Visit, anna: Browser
) -> None:
    other, thief = visit("anna"), copied(app, anna)
    assert change(anna).status_code == 303
    assert is_in(anna)
    assert not is_in(other)
    assert not is_in(thief)
    assert visit("").log_in("anna", NEW).status_code == 303
    assert Event.of_kind("user.password").get().user == world.anna


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"old": "wrong horse"}, "not your password"),
        ({"old": "x" * 300}, "not your password"),
        ({"again": "other"}, "not the same"),
        ({"new": "short", "again": "short"}, "8 to 200"),
        ({"new": "x" * 201, "again": "x" * 201}, "8 to 200"),
    ],
)
def test_a_new_password_is_refused(
    world: World, anna: Browser, fields: dict[str, str], said: str
) -> None:
    answer = change(anna, **fields)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert User.get_by_id(world.anna.id).check_password(PASSWORD)
    assert is_in(anna)


def test_guesses_of_the_old_password_are_limited(visit: Visit, anna: Browser) -> None:
    for _ in range(10):
        assert change(anna, old="wrong horse").status_code == 422
    assert change(anna).status_code == 429
    assert change(visit("ben")).status_code == 303, "each user's count is its own"


def test_a_copied_cookie_is_worthless_after_log_out(
    app: Flask, visit: Visit, anna: Browser
) -> None:
    thief, phone = copied(app, anna), visit("anna")
    assert is_in(thief)
    anna.post("/logout")
    assert not is_in(thief)
    assert not is_in(anna)
    assert is_in(phone), "her other log-in stays"


def test_an_ended_cookie_gets_no_new_date(app: Flask, anna: Browser) -> None:
    thief = copied(app, anna)
    assert "Set-Cookie" in thief.get("/account/").headers
    anna.post("/logout")
    for path in ("/static/css/base.css", "/healthz", "/no/such/page", "/account/", "/login"):
        again = copied(app, thief)
        with again.get(path) as answer:
            cookies = answer.headers.getlist("Set-Cookie")
        for cookie in cookies:
            with again.client.session_transaction() as session:
                assert "_user_id" not in session, f"{path}: {cookie}"


def test_log_out_everywhere(world: World, app: Flask, visit: Visit, anna: Browser) -> None:
    phone, thief, ben = visit("anna"), copied(app, anna), visit("ben")
    assert anna.post("/account/log-outs").location == "/login"
    assert not any(map(is_in, (anna, phone, thief)))
    assert is_in(ben)
    assert anna.log_in("anna").status_code == 303
    assert is_in(anna)
    assert not is_in(thief)
    assert Event.of_kind("user.logged_out").get().user == world.anna
