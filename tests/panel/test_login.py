"""Log-in, log-out, and what ends a session."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from panel import create_app
from panel.urls import is_local
from tests.panel.conftest import FRAGMENT, Browser, Visit
from tests.world import PASSWORD, World, populate, release, use
from verbs import users


def test_a_right_password_leads_to_the_board(visit: Visit) -> None:
    browser = visit("")
    answer = browser.log_in("anna")
    assert (answer.status_code, answer.location) == (303, "/")
    assert "Anna Krüger" in browser.get("/").text


@pytest.mark.parametrize("path", ["/", "/deals/1", "/deals/new", "/board/heads?funnel=1"])
def test_without_log_in_pages_lead_to_it_and_back(visit: Visit, path: str) -> None:
    browser = visit("")
    answer = browser.get(path)
    assert answer.status_code == 303
    assert answer.location.startswith("/login?next=")
    browser.get(answer.location)
    form = {"login": "anna", "password": PASSWORD, "next": path}
    assert browser.post("/login", form).location == path


@pytest.mark.parametrize("path", ["/", "/deals/1/card", "/live"])
def test_without_log_in_scripts_get_401(visit: Visit, path: str) -> None:
    answer = visit("").get(path, headers=FRAGMENT)
    assert answer.status_code == 401
    assert answer.mimetype == "text/plain"


@pytest.mark.parametrize("login", ["anna", "nobody", "", "a'--", "x" * 5000, "\x00", "ада"])
def test_a_wrong_password_says_the_same_for_everybody(visit: Visit, login: str) -> None:
    answer = visit("").log_in(login, "wrong horse")
    assert answer.status_code == 401
    assert "Login or password is not right." in answer.text


def test_a_password_longer_than_any_is_wrong(visit: Visit) -> None:
    assert visit("").log_in("anna", PASSWORD + "x" * 10_000).status_code == 401


def test_the_login_is_read_kindly(visit: Visit) -> None:
    assert visit("").log_in(" Anna ").status_code == 303


def test_a_disabled_user_cannot_log_in(world: World, visit: Visit) -> None:
    users.disable(world.anna)
    assert visit("").log_in("anna").status_code == 401


def test_disabling_ends_the_session(world: World, anna: Browser) -> None:
    users.disable(world.anna)
    assert anna.get("/").status_code == 303


def test_a_new_password_ends_the_session(world: World, anna: Browser) -> None:
    users.set_password(world.anna, "battery staple")
    assert anna.get("/").status_code == 303
    assert anna.log_in("anna", "battery staple").status_code == 303


def test_log_out(anna: Browser) -> None:
    assert anna.post("/logout").location == "/login"
    assert anna.get("/").status_code == 303


def test_log_out_needs_the_token(anna: Browser) -> None:
    assert anna.client.post("/logout").status_code == 400
    assert anna.get("/").status_code == 200


def test_log_out_twice_is_no_error(anna: Browser) -> None:
    anna.post("/logout")
    anna.get("/login")
    assert anna.post("/logout").status_code == 303


def test_log_in_needs_the_token(visit: Visit) -> None:
    form = {"login": "anna", "password": PASSWORD}
    answer = visit("").client.post("/login", data=form)
    assert answer.status_code == 400
    assert "open for too long" in answer.text


def test_who_is_logged_in_does_not_see_the_form(anna: Browser) -> None:
    assert anna.get("/login").location == "/"


def test_a_planted_session_ends_at_log_in(visit: Visit) -> None:
    browser = visit("")
    browser.get("/login")
    with browser.client.session_transaction() as session:
        session["planted"] = "yes"
        before = session["csrf_token"]
    browser.post("/login", {"login": "anna", "password": PASSWORD})
    with browser.client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != before


def test_a_session_of_another_user_cannot_be_made_up(world: World, anna: Browser) -> None:
    with anna.client.session_transaction() as session:
        mark = session["_user_id"].partition(".")[2]
        session["_user_id"] = f"{world.hugo.id}.{mark}"
    assert anna.get("/").status_code == 303


@pytest.mark.parametrize("session_id", ["", "1", ".", "x.y", "9" * 40 + ".y", "1.ü", "-1.x"])
def test_a_broken_session_is_no_session(anna: Browser, session_id: str) -> None:
    with anna.client.session_transaction() as session:
        session["_user_id"] = session_id
    assert anna.get("/").status_code == 303


@pytest.mark.parametrize("cookie", ["x|y", "\xff|\xff", "1"])
def test_no_other_cookie_logs_in(visit: Visit, cookie: str) -> None:
    answer = visit("").get("/", headers={"Cookie": f"remember_token={cookie}"})
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        " //evil.example",
        "",
    ],
)
def test_log_in_never_leads_away(visit: Visit, target: str) -> None:
    assert not is_local(target)
    assert visit("").log_in("anna", next=target).location == "/"


def test_failures_are_limited_by_login_and_counted_for_nobody_else(visit: Visit) -> None:
    for _ in range(10):
        assert visit("").log_in("anna", "wrong horse").status_code == 401
    refused = visit("").log_in("anna", "wrong horse")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "Wait a few minutes" in refused.text
    assert visit("").log_in("Anna ", "wrong horse").status_code == 429
    assert visit("").log_in("ben").status_code == 303


def test_attempts_at_once_are_limited_like_those_in_turn(visit: Visit) -> None:
    browsers = [visit("") for _ in range(20)]
    for browser in browsers:
        browser.get("/login")
    begin = threading.Barrier(len(browsers))

    def guess(browser: Browser) -> int:
        begin.wait()
        form = {"login": "anna", "password": "wrong horse"}
        return browser.post("/login", form).status_code

    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = sorted(pool.map(guess, browsers))
    assert answers == [401] * 10 + [429] * 10


def test_another_spelling_is_another_login(mariadb_url: str) -> None:
    """MariaDB compares without accents; the failures of each spelling count on their own."""
    loaded = use(mariadb_url)
    try:
        populate()
        answer = Browser(create_app(loaded)).log_in("ánna")
        assert answer.status_code == 401
    finally:
        release()


def test_failures_are_limited_by_address(visit: Visit) -> None:
    for number in range(30):
        assert visit("").log_in(f"nobody{number}", "wrong horse").status_code == 401
    assert visit("").log_in("anna").status_code == 429


def test_successes_are_not_limited(visit: Visit) -> None:
    for _ in range(12):
        assert visit("").log_in("anna").status_code == 303


def attempt(app: Flask, seen_from: str, forwarded: str) -> int:
    browser = Browser(app)
    options: dict[str, Any] = {
        "environ_base": {"REMOTE_ADDR": seen_from},
        "headers": {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"},
        "base_url": "https://localhost",
    }
    browser.get("/login", **options)
    options["headers"] = {**options["headers"], "Referer": "https://localhost/login"}
    form = {"login": f"nobody{forwarded}", "password": "wrong horse"}
    return browser.post("/login", form, **options).status_code


def behind_https(world: World) -> Flask:
    panel = replace(world.settings.panel, public_url="https://crm.example")
    return create_app(replace(world.settings, panel=panel))


def test_a_stranger_cannot_dodge_the_limit_by_naming_addresses(world: World) -> None:
    app = behind_https(world)
    answers = [attempt(app, "203.0.113.7", f"198.51.100.{n}") for n in range(31)]
    assert answers == [401] * 30 + [429]


def test_a_proxy_on_this_machine_is_believed(world: World) -> None:
    app = behind_https(world)
    answers = [attempt(app, "127.0.0.1", f"198.51.100.{n}") for n in range(31)]
    assert answers == [401] * 31


def test_the_cookie(world: World, visit: Visit) -> None:
    browser = visit("")
    browser.get("/login")
    answer = browser.post("/login", {"login": "anna", "password": PASSWORD})
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("trichter="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    over_https = behind_https(world).test_client().get("/login").headers["Set-Cookie"]
    assert over_https.startswith("__Host-trichter=")
    assert "Secure" in over_https
    assert "Path=/" in over_https
    assert "Domain" not in over_https


def test_without_a_key_there_is_a_new_one_each_start(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    keyless = replace(world.settings, panel=replace(world.settings.panel, secret_key=""))
    first, second = create_app(keyless), create_app(keyless)
    assert first.secret_key != second.secret_key
    assert "secret_key is empty" in caplog.text
    assert str(first.secret_key) not in caplog.text
