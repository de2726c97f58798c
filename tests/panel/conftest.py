"""The panel as a browser meets it: real requests, real log-ins, CSRF on."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from panel import auth, create_app
from tests.world import PASSWORD, World
from verbs import users

FRAGMENT = {"Accept": "text/html-partial"}
Visit = Callable[[str], "Browser"]


class Browser:
    """A client that sends the CSRF token of the last page with every form."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.token = ""

    def get(self, path: str, **options: Any) -> TestResponse:
        answer = self.client.get(path, **options)
        found = re.search(r'name="csrf-token" content="([^"]+)"', answer.get_data(as_text=True))
        self.token = found[1] if found else self.token
        return answer

    def post(
        self, path: str, /, data: dict[str, Any] | None = None, **options: Any
    ) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token, **(data or {})}, **options)

    def log_in(self, login: str, password: str = PASSWORD, **fields: str) -> TestResponse:
        self.get("/login")
        answer = self.post("/login", {"login": login, "password": password, **fields})
        if answer.status_code == 303:
            self.get("/")
        return answer


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that take no time: a good one takes longer than all the rest of a test."""
    quick = partial(generate_password_hash, method="pbkdf2:sha256:1")
    monkeypatch.setattr(users, "generate_password_hash", quick)
    monkeypatch.setattr(auth, "_nobodys_hash", lambda: quick("nobody"))


class _Compiled(BytecodeCache):
    """Templates of all apps of this process: compiling them takes longer than most tests."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._known:
            bucket.bytecode_from_string(self._known[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key] = bucket.bytecode_to_string()


Flask.jinja_options = {"bytecode_cache": _Compiled()}


@pytest.fixture
def app(world: World) -> Flask:
    return create_app(world.settings)


@pytest.fixture
def visit(app: Flask) -> Visit:
    """``visit("anna")`` is a browser in which Anna has logged in; ``visit("")`` nobody has."""

    def opened(login: str) -> Browser:
        browser = Browser(app)
        if login:
            assert browser.log_in(login).status_code == 303
        return browser

    return opened


@pytest.fixture
def anna(visit: Visit) -> Browser:
    return visit("anna")


@pytest.fixture
def hugo(visit: Visit) -> Browser:
    return visit("hugo")


@pytest.fixture
def olga(visit: Visit) -> Browser:
    """The outsider: no deal of Sales exists for her."""
    return visit("olga")
