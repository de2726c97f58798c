"""The world three times: on SQLite, PostgreSQL and MariaDB.

Making tables is slow on a server, so each kind is migrated once in a session, and emptied before
each test. What needs a database that nobody has touched takes ``connected``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest
from werkzeug.security import generate_password_hash

import database
from models import TABLES
from tests.world import World, populate, release, use
from verbs import users


@pytest.fixture(scope="session")
def cheap_passwords() -> Iterator[None]:
    """One round instead of thousands: five people a test would take half a second."""
    with pytest.MonkeyPatch.context() as patch:
        cheap = partial(generate_password_hash, method="pbkdf2:sha256:1")
        patch.setattr(users, "generate_password_hash", cheap)
        yield


@pytest.fixture
def connected(database_url: str) -> Iterator[str]:
    """The models are connected to an empty database; its URL."""
    use(database_url)
    yield database_url
    release()


@pytest.fixture(scope="session")
def shared_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """The URL of the session's own database of a kind, made at the first call."""
    made = {"sqlite": f"sqlite:///{tmp_path_factory.mktemp('models')}/trichter.db"}

    def url(kind: str) -> str:
        if kind not in made:
            server = request.getfixturevalue(f"{kind}_server")
            made[kind] = server.url(server.create())
        return made[kind]

    return url


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def world(
    request: pytest.FixtureRequest, shared_url: Callable[[str], str], cheap_passwords: None
) -> Iterator[World]:
    url = shared_url(request.param)
    loaded = use(url)
    database.migrate()
    with database.database.atomic():
        for table in reversed(TABLES):
            table.delete().execute()
    made = populate()
    made.settings, made.url = loaded, url
    yield made
    release()
