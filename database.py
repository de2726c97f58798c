"""One database behind one proxy: SQLite, PostgreSQL or MariaDB/MySQL, each with its settings."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
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
    PooledDatabase,
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
PROBE_AFTER, PROBE_EVERY, PROBES = 10, 5, 3
"""Seconds and count: a server that has vanished without a word is given up after 25 s. Left to
itself the kernel would wait for two hours, and every thread that asks with it."""
VANISHED_AFTER = PROBE_AFTER + PROBE_EVERY * PROBES
PROBING = {
    socket.TCP_KEEPIDLE: PROBE_AFTER,
    socket.TCP_KEEPINTVL: PROBE_EVERY,
    socket.TCP_KEEPCNT: PROBES,
    socket.TCP_USER_TIMEOUT: VANISHED_AFTER * 1000,
}
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


class _MySQL(PooledMySQLDatabase):
    """Notices a server that has vanished, for which the driver has no setting."""

    def _connect(self) -> Any:
        connection = super()._connect()
        line = getattr(connection, "_sock", None)
        if isinstance(line, socket.socket) and line.family != socket.AF_UNIX:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in PROBING.items():
                line.setsockopt(socket.IPPROTO_TCP, option, value)
        return connection


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
        return _MySQL(name, **pool, **options)
    options.setdefault("connect_timeout", BUSY_SECONDS)
    options.setdefault("keepalives_idle", PROBE_AFTER)
    options.setdefault("keepalives_interval", PROBE_EVERY)
    options.setdefault("keepalives_count", PROBES)
    options.setdefault("tcp_user_timeout", VANISHED_AFTER * 1000)
    return PooledPostgresqlDatabase(name, prefer_psycopg3=True, **pool, **options)


def locked(query: Any) -> Any:
    """Rows of ``query``, locked until the transaction ends (in SQLite the transaction locks)."""
    return query.for_update() if database.obj.for_update else query


class Prepared:
    """A query for what is asked on every call: its SQL is built once and then only filled in, since
    building takes several times as long as the database needs to answer.

    ``build`` gets as many values as it has parameters, and puts them where constants would stand;
    they must be given as the database holds them (numbers in E.164, times in milliseconds).
    """

    def __init__(self, build: Callable[..., Any]) -> None:
        self._build = build
        self._built: tuple[Any, str, list[Any], Any] = (None, "", [], None)

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """The rows, as tuples of what the database holds. Raises peewee's errors."""
        _, sql, parameters, _ = self._current(len(values))
        filled = [values[p] if isinstance(p, _Slot) else p for p in parameters]
        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            return database.execute_sql(sql, filled).fetchall()

    def models(self, *values: Any) -> list[Any]:
        """The rows as objects, where the query selects one table with all its columns."""
        table = self._current(len(values))[3]
        columns = [(field.name, field.python_value) for field in table._meta.sorted_fields]
        found = []
        for row in self.rows(*values):
            pairs = zip(columns, row, strict=True)
            one = table(__no_default__=True, **{name: read(value) for (name, read), value in pairs})
            one._dirty.clear()
            found.append(one)
        return found

    def change(self, *values: Any) -> None:
        """Carry out a query that gives no rows. Raises peewee's errors."""
        _, sql, parameters, _ = self._current(len(values))
        database.execute_sql(sql, [values[p] if isinstance(p, _Slot) else p for p in parameters])

    def _current(self, count: int) -> tuple[Any, str, list[Any], Any]:
        if self._built[0] is not database.obj:  # each kind of database has its own SQL
            slots = [peewee.Value(_Slot(place), converter=False) for place in range(count)]
            query = self._build(*slots)
            self._built = (database.obj, *query.sql(), query.model)
        return self._built


class _Slot(int):
    """Which value comes here."""


@contextmanager
def kept_connection() -> Iterator[None]:
    """A connection for a thread that reads again and again.

    In SQLite it stays open, for opening one takes longer than a look-up; those of a database server
    go back to the pool. After an error the next one begins with a new connection.
    """
    database.connect(reuse_if_open=True)
    try:
        yield
    except peewee.PeeweeException:
        discard()
        raise
    if isinstance(database.obj, PooledDatabase):
        database.close()


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
    text = " ".join(str(_first(error)).split())[:300]
    hints = {
        "readonly": "the database file or its folder can't be written by this user",
        "read-only": "the database file or its folder can't be written by this user",
        "unable to open": "check that the folder of the database file exists and can be written",
        "locked": "another program holds the database; end it or try again",
        "not a database": "the file is something else; name another one in [database] url",
        "disk I/O": "look whether its disk is full or broken",
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


def _first(error: BaseException) -> BaseException:
    """SQLite itself rolls back when the disk is full; that it can't do so again is no news."""
    known: BaseException | None = error
    while known and "cannot rollback" in str(known):
        known = known.__context__
    return known or error
