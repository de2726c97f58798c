"""Whatever goes wrong: a page with a sentence and a way on, never a traceback."""

from __future__ import annotations

import re
import sqlite3
from html import unescape
from pathlib import Path
from typing import Any

import peewee
import pytest
from flask import Flask, render_template_string
from playhouse.pool import MaxConnectionsExceeded

import database
from models import Contact, Deal, Funnel, Note, User
from tests.panel.conftest import FRAGMENT, Browser, Visit
from tests.world import World

TELLTALES = ("Traceback", "peewee", "sqlite", "File &#34;", "/panel/")


def is_calm(text: str) -> bool:
    return not any(word in text for word in TELLTALES)


def test_no_such_page(anna: Browser, visit: Visit) -> None:
    for browser in (anna, visit("")):
        answer = browser.get("/no/such/page")
        assert answer.status_code == 404
        assert "Nothing here" in answer.text
        assert is_calm(answer.text)


@pytest.mark.parametrize("referrer", ["http://[", "//[", "\xff", "javascript:x"])
def test_a_referrer_that_is_no_address(anna: Browser, referrer: str) -> None:
    headers = {"Referer": referrer}
    assert anna.get("/no/such/page", headers=headers).status_code == 404
    assert anna.post("/deals", {"title": ""}, headers=headers).status_code == 422


def test_a_wrong_method(anna: Browser) -> None:
    answer = anna.get("/logout")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_a_huge_form(anna: Browser) -> None:
    answer = anna.post("/deals", {"title": "x" * 200_000})
    assert answer.status_code == 413
    assert "larger than the panel accepts" in answer.text


def test_a_form_with_too_many_parts(anna: Browser) -> None:
    fields = {f"field{n}": "x" for n in range(100)}
    answer = anna.post("/deals", fields, content_type="multipart/form-data")
    assert answer.status_code == 413


@pytest.mark.parametrize("body", [b"\xff\xfe=\x00", b"%", b"title=%ff%fe", b"&&&==="])
def test_a_form_that_is_no_form(anna: Browser, body: bytes) -> None:
    answer = anna.client.post(
        "/deals",
        data=body,
        content_type="application/x-www-form-urlencoded",
        headers={"X-CSRFToken": anna.token},
    )
    assert answer.status_code in (303, 422)


def test_a_page_left_open_too_long(anna: Browser) -> None:
    answer = anna.client.post("/deals", data={"csrf_token": "old", "title": "x"})
    assert answer.status_code == 400
    assert "open for too long" in answer.text
    assert is_calm(answer.text)


FROM_HERE = {"Origin": "http://localhost"}


def test_what_was_written_on_a_page_left_open_too_long_is_sent_again(anna: Browser) -> None:
    written = "Roof & gutter,\n<b>Sander</b>"
    form = {"csrf_token": "old", "text": written, "kind": "note", "seen_text": "carried along"}
    contact = Contact.add("Miriam Sander", User.get(User.login == "anna"))
    path = f"/contacts/{contact.id}/notes"
    answer = anna.client.post(path, data=form, headers=FROM_HERE)
    assert answer.status_code == 400
    assert Note.select().count() == 0
    fields = dict(
        re.findall(r'<textarea name="(\w+)" hidden>\n(.*?)</textarea>', answer.text, re.DOTALL)
    )
    assert {name: unescape(text) for name, text in fields.items()} == {
        "text": written, "kind": "note", "seen_text": "carried along",
    }  # fmt: skip
    token = re.search(r'name="csrf_token" value="(.*?)"', answer.text)
    assert token
    again = {"csrf_token": token[1], **{name: unescape(text) for name, text in fields.items()}}
    assert anna.client.post(path, data=again, headers=FROM_HERE).status_code == 303
    assert Note.get().text == written


def test_who_is_logged_out_meanwhile_loses_nothing_either(anna: Browser, visit: Visit) -> None:
    nobody = visit("")
    nobody.get("/login")
    answer = nobody.post("/deals", {"title": "The roof of Sander"}, headers=FROM_HERE)
    assert answer.status_code == 401
    assert "The roof of Sander" in answer.text
    assert 'target="_blank"' in answer.text


@pytest.mark.parametrize(
    ("form", "headers"),
    [
        ({"title": "The roof of Sander"}, {"Origin": "https://evil.example"}),
        ({"title": "The roof of Sander"}, {}),
        ({"title": "x" * 60_000}, FROM_HERE),
        ({"old_password": "correct horse battery"}, FROM_HERE),
    ],
)
def test_what_is_not_offered_again(anna: Browser, form: dict, headers: dict) -> None:
    """Of another site, too long, or a password."""
    answer = anna.client.post("/deals", data={**form, "csrf_token": "old"}, headers=headers)
    assert answer.status_code == 400
    assert "Send it again" not in answer.text
    assert next(iter(form.values()))[:99] not in answer.text


def test_a_mistake_of_ours(
    app: Flask, anna: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_cls: Any, _user: Any) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(Deal, "visible_to", classmethod(broken))
    page = anna.get("/")
    assert page.status_code == 500
    assert "Something went wrong" in page.text
    assert "secret detail" not in page.text
    assert is_calm(page.text)
    assert "secret detail" in caplog.text
    fragment = anna.get("/deals/1/card", headers=FRAGMENT)
    assert fragment.status_code == 500
    assert fragment.mimetype == "text/plain"
    assert "\n" not in fragment.text


def test_a_path_writes_no_line_of_its_own_into_the_log(
    anna: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_args: Any, **_others: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("panel.errors.came_from", broken)
    monkeypatch.setattr("panel.errors.wants_fragment", broken)
    with pytest.raises(RuntimeError):
        anna.get("/x%0aAll%20is%20well%1b[31m")
    message = next(r.getMessage() for r in caplog.records if "Exception on" in r.getMessage())
    assert "All is well" in message
    assert "\n" not in message
    assert "\x1b" not in message


def is_unavailable(answer: Any, advice: str) -> bool:
    calm = is_calm(answer.text)
    known = answer.status_code == 503 and "database" in answer.text and advice in answer.text
    return calm and known and int(answer.headers["Retry-After"]) > 0


def test_a_locked_database(world: World, anna: Browser, tmp_path: Path) -> None:
    database.database.obj.timeout = 0.05
    database.database.close()
    Funnel.select().get()
    holder = sqlite3.connect(tmp_path / "trichter.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        answer = anna.post("/deals", {"title": "Fitwerk"})
        assert is_unavailable(answer, "another program holds the database")
        # Reading goes on meanwhile: SQLite's write-ahead log.
        assert anna.get("/").status_code == 200
    finally:
        holder.close()
    assert anna.post("/deals", {"title": "Fitwerk"}).status_code == 303


def test_a_read_only_database(world: World, anna: Browser) -> None:
    database.database.execute_sql("PRAGMA query_only = 1")
    answer = anna.post("/deals", {"title": "Fitwerk"})
    assert is_unavailable(answer, "can&#39;t be written by this user")


def test_a_database_that_is_gone(world: World, anna: Browser, tmp_path: Path) -> None:
    database.database.close()
    for file in tmp_path.glob("trichter.db*"):
        file.unlink()
    (tmp_path / "trichter.db").mkdir()
    answer = anna.get("/")
    assert is_unavailable(answer, "check that the folder")
    assert is_unavailable(anna.get("/no/such/page"), "check that the folder")
    fragment = anna.get("/deals/1/card", headers=FRAGMENT)
    assert (fragment.status_code, fragment.mimetype) == (503, "text/plain")


def test_a_database_without_tables(world: World, anna: Browser, tmp_path: Path) -> None:
    database.database.close()
    for file in tmp_path.glob("trichter.db*"):
        file.unlink()
    assert is_unavailable(anna.get("/"), "trichter init")


@pytest.mark.parametrize(
    "error",
    [
        peewee.OperationalError("connection to server at 10.1.2.3 failed: user 'secret'"),
        peewee.InterfaceError("connection already closed"),
        MaxConnectionsExceeded("Max connections exceeded"),
    ],
)
def test_where_the_database_is_stays_in_the_log(
    anna: Browser,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    def broken(_cls: Any, _user: Any) -> None:
        raise error

    monkeypatch.setattr(Deal, "visible_to", classmethod(broken))
    answer = anna.get("/")
    assert answer.status_code == 503
    assert "10.1.2.3" not in answer.text
    assert "secret" not in answer.text
    assert str(error) in caplog.text


def test_every_answer_is_protected(anna: Browser, visit: Visit) -> None:
    for answer in (
        anna.get("/"),
        anna.get("/no/such/page"),
        anna.get("/healthz"),
        visit("").get("/login"),
        visit("").get("/"),
        anna.client.get("/static/css/tokens.css"),
    ):
        headers = answer.headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        answer.close()


def test_pages_keep_to_the_policy(world: World, anna: Browser) -> None:
    deal = Deal.open("Fitwerk GmbH", world.anna, world.anna)
    for path in ("/", f"/deals/{deal.id}", "/deals/new"):
        page = anna.get(path).text
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick" not in page
        assert "<script>" not in page
        assert "http://" not in page.replace("http://www.w3.org", "")


def test_pages_are_not_kept_and_static_files_are(anna: Browser) -> None:
    assert anna.get("/").headers["Cache-Control"] == "no-store"
    with anna.client.get("/static/css/tokens.css?v=1") as kept:
        assert "immutable" in kept.headers["Cache-Control"]
    with anna.client.get("/static/css/tokens.css") as asked:
        assert asked.headers["Cache-Control"] == "no-cache"
    with anna.client.get("/static/../__init__.py") as outside:
        assert outside.status_code == 404


@pytest.mark.parametrize("path", ["//evil.example/", "/%5Cevil.example/", "/%09/evil.example/"])
def test_trying_again_stays_on_this_site(
    anna: Browser, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """While the database is away every path gets the page with the link, existing or not."""

    def broken(_self: Any, **_options: Any) -> None:
        raise peewee.OperationalError("away")

    monkeypatch.setattr(type(database.database.obj), "connect", broken)
    answer = anna.client.get(path, base_url="http://localhost")
    assert answer.status_code in (308, 404, 503)
    assert 'href="/%5C' not in answer.text
    assert 'href="/\\' not in answer.text
    assert 'href="//' not in answer.text


def test_a_page_that_cannot_even_be_made_is_still_one(anna: Browser, app: Flask) -> None:
    def stylesheets() -> list[str]:
        raise FileNotFoundError("/somewhere/css")

    app.jinja_env.globals["stylesheets"] = stylesheets
    for path, status in (("/", 500), ("/no/such/page", 404)):
        answer = anna.get(path)
        assert answer.status_code == status
        assert answer.text.startswith("<!doctype html>")
        assert 'href="/"' in answer.text
        assert is_calm(answer.text)
        assert "/somewhere" not in answer.text


def test_a_static_file_that_is_missing_takes_no_page_with_it(app: Flask) -> None:
    with app.test_request_context("/"):
        address = render_template_string("{{ asset('css/gone.css') }}")
    assert address == "/static/css/gone.css"
    answer = Browser(app).get(address)
    assert answer.status_code == 404
    assert "Nothing here" in answer.text
