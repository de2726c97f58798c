"""One database behind one proxy: SQLite, PostgreSQL or MariaDB/MySQL, each with its settings."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import peewee
from peewee import DatabaseProxy, MySQLDatabase, SqliteDatabase
from playhouse import db_url
from playhouse.migrations import Runner
from playhouse.pool import PooledDatabase, PooledMySQLDatabase, PooledPostgresqlDatabase

# Whoever uses the database imports these from here.
from database.advice import DATABASE_ERRORS, DatabaseTrouble, explain, explained, trouble  # noqa: F401

database = DatabaseProxy()

MIGRATIONS = Path(__file__).parents[1] / "migrations"
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
            # What is erased is gone from the file too, not only from the tables (C3).
            "secure_delete": 1,
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


def forget_deleted() -> bool:
    """SQLite: empties the log in which rows still stand that were deleted or changed just now.
    False: others are reading, or writing, and are not made to wait; it happens by itself later,
    when what is written next takes its place."""
    held = database.obj
    if not isinstance(held, SqliteDatabase):
        return True
    held.execute_sql("PRAGMA busy_timeout = 0")
    try:
        busy, *_rest = held.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except peewee.OperationalError:
        busy = 1
    finally:
        held.execute_sql(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    return not busy


def locked(query: Any) -> Any:
    """Rows of ``query``, locked until the transaction ends (in SQLite the transaction locks)."""
    return query.for_update() if database.obj.for_update else query


def locked_if_there(insert: Any, key: Any) -> Any:
    """The insertion, which leaves a row that has this key as it is; in MariaDB locked. One that is
    ignored there shares the row, and two who share it and then lock it wait for each other."""
    if isinstance(database.obj, MySQLDatabase):
        return insert.on_conflict(preserve=[key])
    return insert.on_conflict_ignore()


def shared(query: Any) -> Any:
    """Rows of ``query`` that nobody changes or takes by ``locked`` until the transaction ends;
    others may hold them like this at the same time."""
    if not database.obj.for_update:
        return query
    # MariaDB knows no FOR SHARE, MySQL both.
    ours = "LOCK IN SHARE MODE" if isinstance(database.obj, MySQLDatabase) else "FOR SHARE"
    return query.for_update(ours)


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


def try_to_write() -> None:
    """Changes nothing; raises the database's error where it may not be written."""
    database.execute_sql("DELETE FROM schema_migration WHERE 1 = 0")
