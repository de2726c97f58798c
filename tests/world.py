"""The small world of the tests: two sellers, an outsider who must see nothing, a head, an admin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest
from werkzeug.security import generate_password_hash

import database
import models
import settings
from fields import utcnow
from models import Call, Funnel, Stage, User
from telephony.call_report import CallReport, LegReport
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


HASH = generate_password_hash(PASSWORD)
"""Of the one password of all: it takes long on purpose, and is wanted in every test."""


def populate() -> World:
    """Migrate the database that models are connected to, and put the people in."""
    database.migrate()
    defaults.install()
    with patch.object(users, "generate_password_hash", lambda _password: HASH):
        return _people()


def _people() -> World:
    people = {
        login: users.add(login, name, role, PASSWORD, endpoint, department)
        for login, name, role, endpoint, department in PEOPLE
    }
    return World(funnel=Funnel.default(), **people)


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
def world_on(url: str) -> Iterator[World]:
    """The world on an empty database; ``world.settings`` are those in force."""
    loaded = use(url)
    made = populate()
    made.settings = loaded
    yield made
    release()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The world on a fresh SQLite database."""
    with world_on(f"sqlite:///{tmp_path}/trichter.db") as made:
        yield made


@pytest.fixture
def anywhere(database_url: str) -> Iterator[World]:
    """The world on each kind of database."""
    with world_on(database_url) as made:
        yield made


@pytest.fixture
def on_postgresql(postgresql_url: str) -> Iterator[World]:
    with world_on(postgresql_url) as made:
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
