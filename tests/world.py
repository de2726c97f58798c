"""The small world of the tests: two sellers, an outsider who must see nothing, a head, an admin."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from peewee import MySQLDatabase, SqliteDatabase
from werkzeug.security import generate_password_hash

import database
import models
import settings
from fields import utcnow
from models import TABLES, Call, Funnel, Stage, User
from telephony.call_report import CallReport, LegReport
from tests.server import Server
from verbs import defaults, users
from verbs.calls import record_call

PASSWORD = "correct horse"
PEOPLE = (
    ("anna", "Anna Krüger", "seller", "PJSIP/101", "Sales"),
    ("ben", "Ben Okafor", "seller", "PJSIP/102", "Sales"),
    ("olga", "Olga Outsider", "seller", "PJSIP/103", "Service"),
    ("hugo", "Hugo Head", "head", None, "Sales"),
    ("ada", "Ada Admin", "admin", None, None),
)
CUSTOMER = "+493044701182"


class World(SimpleNamespace):
    """The people by name, the funnel, and its stages by name."""

    anna: User
    ben: User
    olga: User
    hugo: User
    ada: User
    funnel: Funnel

    def stage(self, name: str) -> Stage:
        return Stage.get(Stage.funnel == self.funnel, Stage.name == name)


HASH = generate_password_hash(PASSWORD, method="pbkdf2:sha256:1")
"""Of the one password of all. A good one takes longer than all the rest of a test."""

_pattern: list[sqlite3.Connection] = []
"""The world as SQLite has it, made once in a process: migrating takes twenty times as long as a
copy."""


def populate() -> World:
    """Migrate the database that models are connected to, and put the people in."""
    held = database.database.obj
    is_new_file = isinstance(held, SqliteDatabase) and not held.get_tables()
    if is_new_file and _pattern:
        _pattern[0].backup(held.connection())
    else:
        database.migrate()
        defaults.install()
        _hire()
    if is_new_file and not _pattern:
        _pattern.append(sqlite3.connect(":memory:", check_same_thread=False))
        held.connection().backup(_pattern[0])
    people = {login: User.get(User.login == login) for login, *_about in PEOPLE}
    return World(funnel=Funnel.default(), **people)


def _hire() -> None:
    with patch.object(users, "generate_password_hash", lambda _password: HASH):
        for login, name, role, endpoint, department in PEOPLE:
            users.add(login, name, role, PASSWORD, endpoint, department)


def use(url: str) -> settings.Settings:
    """Connect the models to a database. The caller closes it."""
    loaded = settings.load({"TRICHTER_DATABASE_URL": url, "TRICHTER_PANEL_SECRET_KEY": "k" * 32})
    models.connect(loaded)
    return loaded


def release() -> None:
    """Let go of every connection, so that the next test opens its own database."""
    held = database.database.obj
    if hasattr(held, "close_all"):
        held.close_all()
    held.close()


@contextmanager
def world_on(url: str, used: bool = False) -> Iterator[World]:
    """The world at ``world.url``, on an empty database, or on one that an earlier test has left;
    ``world.settings`` are those in force."""
    loaded = use(url)
    if used:
        _empty()
    made = populate()
    made.settings, made.url = loaded, url
    yield made
    release()


def _empty() -> None:
    database.migrate()
    with database.database.atomic():
        for table in reversed(TABLES):
            table.delete().execute()
    # The live feed awaits ids that were passed over: of events that are gone there are none.
    held = database.database.obj
    is_maria = isinstance(held, MySQLDatabase)
    of_postgresql = "ALTER SEQUENCE events_id_seq RESTART"
    held.execute_sql("ALTER TABLE events AUTO_INCREMENT = 1" if is_maria else of_postgresql)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The world on a fresh SQLite database."""
    with world_on(f"sqlite:///{tmp_path}/trichter.db") as made:
        yield made


@pytest.fixture(scope="session")
def kept_url(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The URL of the session's own database on a server of a kind, made at the first call: making
    tables there is slow, so they are migrated once, and emptied before each test."""

    @cache
    def url(kind: str) -> str:
        server: Server = request.getfixturevalue(f"{kind}_server")
        return server.url(server.create())

    return url


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def anywhere(
    request: pytest.FixtureRequest, tmp_path: Path, kept_url: Callable[[str], str]
) -> Iterator[World]:
    """The world on each kind of database. One that nobody has touched is behind `database_url`."""
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/trichter.db" if is_file else kept_url(request.param)
    with world_on(url, used=not is_file) as made:
        yield made


@pytest.fixture
def on_postgresql(kept_url: Callable[[str], str]) -> Iterator[World]:
    with world_on(kept_url("postgresql"), used=True) as made:
        yield made


@dataclass(frozen=True)
class Story:
    """One incoming call told step by step: each step records the report so far."""

    report: CallReport

    @classmethod
    def begins(
        cls,
        number: str = CUSTOMER,
        linkedid: str = "1700000000.1",
        name: str = "",
        did: str = "",
        direction: str = "incoming",
        at: datetime | None = None,
    ) -> Story:
        return cls(
            CallReport(
                pbx="asterisk",
                linkedid=linkedid,
                direction=direction,
                started_at=at or utcnow(),
                number=number,
                name=name,
                did=did,
            )
        )._recorded()

    def rings(self, *endpoints: str, after: float = 1) -> Story:
        legs = tuple(
            LegReport(f"{self.report.linkedid}-{e}", e, rang_at=self._at(after)) for e in endpoints
        )
        return Story(replace(self.report, legs=self.report.legs + legs))._recorded()

    def answered(self, endpoint: str, after: float = 5) -> Story:
        legs = tuple(
            replace(leg, answered_at=self._at(after))
            if leg.endpoint == endpoint
            else replace(leg, ended_at=self._at(after), outcome=leg.outcome or "missed")
            for leg in self.report.legs
        )
        answered_at = self.report.answered_at or self._at(after)
        return Story(
            replace(self.report, answered_at=answered_at, speaker=endpoint, legs=legs)
        )._recorded()

    def ended(self, after: float = 60, outcome: str | None = None) -> Story:
        at = self._at(after)
        talked = self.report.answered_at
        legs = tuple(
            replace(
                leg,
                ended_at=leg.ended_at or at,
                outcome=leg.outcome or ("answered" if leg.answered_at else "missed"),
            )
            for leg in self.report.legs
        )
        return Story(
            replace(
                self.report,
                ended_at=at,
                legs=legs,
                talk=round((at - talked).total_seconds()) if talked else None,
                outcome=outcome or ("answered" if talked else "missed"),
            )
        )._recorded()

    @property
    def call(self) -> Call:
        return Call.get(Call.linkedid == self.report.linkedid)

    def _at(self, after: float) -> datetime:
        return self.report.started_at + timedelta(seconds=after)

    def _recorded(self) -> Story:
        record_call(self.report)
        return self
