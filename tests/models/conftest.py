"""The world three times: on SQLite, PostgreSQL and MariaDB.

What needs a database that nobody has touched takes ``connected``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from werkzeug.security import generate_password_hash

from tests.world import World, release, use
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


@pytest.fixture
def world(anywhere: World, cheap_passwords: None) -> World:
    return anywhere
