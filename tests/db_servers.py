"""pytest plugin: own PostgreSQL and MariaDB servers, started when a test first asks for one.

A server listens on a free port of 127.0.0.1, asks for a random password, keeps its data in a
temporary folder without syncing it to disk, and is gone with the session. Its time zone is not UTC,
so that a column which leans on the server's zone fails.

Fixtures: `database_url` (each test three times, with a new empty database of SQLite, PostgreSQL and
MariaDB), `postgresql_url` and `mariadb_url` (the same for one of them).
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.mariadb import MariaDB
from tests.postgresql import PostgreSQL
from tests.server import Server


def serve(kind: Callable[[], Server]) -> Iterator[Server]:
    server = kind()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    yield from serve(PostgreSQL)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    yield from serve(MariaDB)


def new_database(server: Server) -> Iterator[str]:
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """The URL of a new empty PostgreSQL database."""
    yield from new_database(postgresql_server)


@pytest.fixture
def mariadb_url(mariadb_server: Server) -> Iterator[str]:
    """The URL of a new empty MariaDB database, as mysql://…"""
    yield from new_database(mariadb_server)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path}/trichter.db"


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a new empty database; the test runs once with each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))
