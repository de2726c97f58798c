"""One database behind one proxy: SQLite, PostgreSQL or MariaDB/MySQL, each with its settings."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import peewee
from peewee import DatabaseProxy, MySQLDatabase, PostgresqlDatabase, SqliteDatabase
from playhouse import db_url
from playhouse.migrations import Runner
from playhouse.pool import (
    MaxConnectionsExceeded,
    PooledMySQLDatabase,
    PooledPostgresqlDatabase,
)

database = DatabaseProxy()

# The pool's own error is no kind of Peewee's.
DATABASE_ERRORS: tuple[type[Exception], ...] = (peewee.PeeweeException, MaxConnectionsExceeded)
"""What any use of the database may raise; ``explain`` says what to do about it."""

MIGRATIONS = Path(__file__).with_name("migrations")
BUSY_SECONDS = 5
POOL_SIZE = 64
NEWS = "trichter_news"
"""The PostgreSQL channel on which commits are announced."""
SQLITE_POLL_SECONDS = 0.025
POLL_SECONDS = 0.1


class DatabaseTrouble(Exception):
    """The database can't be used. ``finding``: what is wrong, which may name hosts and accounts but
    never a password; ``advice``: what to do, fit for everybody. The message is both."""

    def __init__(self, finding: str, advice: str = "") -> None:
        super().__init__(f"{finding} — {advice}" if advice else finding)
        self.finding, self.advice = finding, advice


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
    """Ends this thread's connection; a broken one must not go back to the pool for others. That it
    can't even be closed is no news."""
    with suppress(*DATABASE_ERRORS):
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
        _refuse_narrow_letters()
        return list(Runner(database.obj, str(MIGRATIONS)).up())


def _refuse_narrow_letters() -> None:
    """A MariaDB database made in latin1 would refuse every call whose name has other letters."""
    if isinstance(database.obj, MySQLDatabase):
        (letters,) = database.execute_sql("SELECT @@character_set_database").fetchone()
        if letters != "utf8mb4":
            raise DatabaseTrouble(
                f"the database holds {letters} letters only; before anything is in it: "
                "ALTER DATABASE name CHARACTER SET utf8mb4"
            )


def pending() -> list[str]:
    """Migrations not applied yet."""
    with explained():
        return [m.name for m in Runner(database.obj, str(MIGRATIONS)).status() if not m.applied]


@contextmanager
def explained() -> Iterator[None]:
    """Turns the database's errors into DatabaseTrouble with a sentence that says what to do."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise trouble(error) from error


def try_to_write() -> None:
    """Changes nothing; raises the database's error where it may not be written."""
    database.execute_sql("DELETE FROM schema_migration WHERE 1 = 0")


def explain(error: BaseException) -> str:
    """A database error and what a person should do about it, in one line."""
    return str(trouble(error))


def trouble(error: BaseException) -> DatabaseTrouble:
    """The same error, understood."""
    if isinstance(error, DatabaseTrouble):
        return error
    text = " ".join(str(error).split())[:300]
    hints = {
        "readonly": "the database file or its folder can't be written by this user",
        "read-only": "the database file or its folder can't be written by this user",
        "unable to open": "check that the folder of the database file exists and can be written",
        "locked": "another program holds the database; end it or try again",
        "not a database": "the file is something else; name another one in [database] url",
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
    advice = next((hint for mark, hint in hints.items() if mark in text), "see the log")
    return DatabaseTrouble(f"database: {text}", advice)
