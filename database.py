"""One database behind one proxy: SQLite, PostgreSQL or MariaDB/MySQL, each with its settings."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import peewee
from peewee import DatabaseProxy, PostgresqlDatabase, SqliteDatabase
from playhouse import db_url
from playhouse.migrations import Runner
from playhouse.pool import PooledMySQLDatabase, PooledPostgresqlDatabase

database = DatabaseProxy()

MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_SECONDS = 5
POOL_SIZE = 64
NEWS = "trichter_news"
"""The PostgreSQL channel on which commits are announced."""
SQLITE_POLL_SECONDS = 0.025
POLL_SECONDS = 0.1


class DatabaseTrouble(Exception):
    """The database can't be used; the message says what to do. Never holds a password."""


def open_database(url: str) -> None:
    """Point the proxy at ``url``; connects lazily. Raises DatabaseTrouble for a bad address."""
    scheme = urlsplit(url).scheme
    try:
        database.initialize(_sqlite(url) if scheme == "sqlite" else _server(url, scheme))
    except (ValueError, TypeError, peewee.ImproperlyConfigured) as error:
        raise DatabaseTrouble(f"database.url: {error}") from error


def _sqlite(url: str) -> SqliteDatabase:
    path = unquote(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else ""
    if not path:
        raise ValueError("write sqlite:///FILE, or sqlite:////FOLDER/FILE for an absolute path")
    # IMMEDIATE: a transaction that reads before it writes would otherwise fail at once, without
    # waiting, when another process writes in between.
    return SqliteDatabase(
        path,
        lock_type="IMMEDIATE",
        timeout=BUSY_SECONDS,
        pragmas={
            "journal_mode": "wal",
            "foreign_keys": 1,
            "synchronous": "normal",
            "cache_size": -16000,
        },
    )


def _server(url: str, scheme: str) -> Any:
    options = db_url.parse(url, unquote_password=True, unquote_user=True)
    name = options.pop("database")
    if not name:
        raise ValueError(f"name the database: {scheme}://USER:PASSWORD@HOST/NAME")
    pool = {"max_connections": POOL_SIZE, "timeout": BUSY_SECONDS, "stale_timeout": 300}
    if scheme in ("mysql", "mariadb"):
        options["password"] = options.pop("passwd", None) or options.pop("password", None) or ""
        options.setdefault("connect_timeout", BUSY_SECONDS)
        # READ COMMITTED as in PostgreSQL: after a lost race for a unique key the winner's row
        # must be visible to the same transaction.
        options["init_command"] = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"
        return PooledMySQLDatabase(name, **pool, **options)
    options.setdefault("connect_timeout", BUSY_SECONDS)
    return PooledPostgresqlDatabase(name, prefer_psycopg3=True, **pool, **options)


def locked(query: Any) -> Any:
    """Rows of ``query``, locked until the transaction ends (in SQLite the transaction locks)."""
    return query.for_update() if database.obj.for_update else query


def discard() -> None:
    """Ends this thread's connection; a broken one must not go back to the pool for others."""
    getattr(database.obj, "manual_close", database.obj.close)()


def announce() -> None:
    """Wakes those who wait for changes, once the present transaction is committed.

    Only PostgreSQL can; on the others ``Changes`` looks for itself.
    """
    if isinstance(database.obj, PostgresqlDatabase):
        database.execute_sql("SELECT pg_notify(%s, '')", (NEWS,))


class Changes:
    """Waits until somebody may have committed something, on a connection of the calling thread.

    What was committed before it was made is not reported: read once, then wait.
    """

    def __init__(self) -> None:
        database.connect(reuse_if_open=True)
        self._version = None
        if isinstance(database.obj, SqliteDatabase):
            self._version = self._data_version()
        elif isinstance(database.obj, PostgresqlDatabase):
            database.execute_sql(f"LISTEN {NEWS}")

    def wait(self, stop: threading.Event, seconds: float) -> None:
        """Until something changed, ``seconds`` passed or, except on PostgreSQL, ``stop`` is set."""
        if isinstance(database.obj, SqliteDatabase):
            self._wait_for_version(stop, seconds)
        elif isinstance(database.obj, PostgresqlDatabase):
            with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
                for _ in database.connection().notifies(timeout=seconds, stop_after=1):
                    pass
        else:
            stop.wait(min(seconds, POLL_SECONDS))

    def _wait_for_version(self, stop: threading.Event, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not stop.wait(SQLITE_POLL_SECONDS):
            version = self._data_version()
            if version != self._version:
                self._version = version
                return

    @staticmethod
    def _data_version() -> int:
        """Changes with every commit of another connection (SQLite: PRAGMA data_version)."""
        return database.execute_sql("PRAGMA data_version").fetchone()[0]

    @staticmethod
    def close() -> None:
        """Ends the connection; one that listens must not go back to the pool."""
        discard()


def migrate() -> list[str]:
    """Bring the schema up to date. Returns the names of the migrations applied now."""
    with explained():
        return list(Runner(database.obj, str(MIGRATIONS)).up())


def pending() -> list[str]:
    """Migrations not applied yet."""
    with explained():
        return [m.name for m in Runner(database.obj, str(MIGRATIONS)).status() if not m.applied]


class explained:  # noqa: N801 (reads as a word in a with statement)
    """Turns the database's errors into DatabaseTrouble with a sentence that says what to do."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, peewee.PeeweeException):
            raise DatabaseTrouble(explain(error)) from error


def explain(error: BaseException) -> str:
    """What a person should do about a database error, in one line."""
    text = " ".join(str(error).split())[:300]
    hints = {
        "readonly": "the database file or its folder can't be written by this user",
        "read-only": "the database file or its folder can't be written by this user",
        "unable to open": "check that the folder of the database file exists and can be written",
        "locked": "another program holds the database; end it or try again",
        "disk is full": "free some space on the database's disk",
        "no such table": "run 'trichter init' to create or update the tables",
        "no such column": "run 'trichter init' to create or update the tables",
        "doesn't exist": "run 'trichter init' to create or update the tables",
        "Unknown column": "run 'trichter init' to create or update the tables",
        'relation "': "run 'trichter init' to create or update the tables",
        'column "': "run 'trichter init' to create or update the tables",
        "does not exist": "create the database, then run 'trichter init'",
        "Unknown database": "create the database, then run 'trichter init'",
        "ccess denied": "check user and password in [database] url",
        "authentication": "check user and password in [database] url",
        "onnect": "check that the database server runs and that [database] url is right",
    }
    hint = next((advice for mark, advice in hints.items() if mark in text), "see the log")
    return f"database: {text} — {hint}"
