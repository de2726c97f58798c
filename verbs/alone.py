"""What only one of several processes does at a time, whichever machine it runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from peewee import MySQLDatabase, Select, SqliteDatabase, fn

from database import DatabaseTrouble, database

PATIENCE = 60
"""Seconds after which somebody who waits on MariaDB gives up; a turn takes less than one."""


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Nobody else is in a block of this name meanwhile. It goes around a transaction, so that who
    comes next sees all of it; in SQLite transactions alone are enough. Raises DatabaseTrouble.

    The lock is the connection's: it ends with it, whatever becomes of the process.
    """
    held = database.obj
    if isinstance(held, SqliteDatabase):
        yield
    elif isinstance(held, MySQLDatabase):
        # Such names are the server's, not the database's, and short.
        own = fn.MD5(fn.CONCAT(fn.DATABASE(), ".", name))
        if _asked(fn.GET_LOCK(own, PATIENCE)) != 1:
            raise DatabaseTrouble(f"somebody else has been at it for {PATIENCE} s: {name}")
        yield from _then(fn.RELEASE_LOCK(own))
    else:
        own = fn.hashtext(name)
        _asked(fn.pg_advisory_lock(own))
        yield from _then(fn.pg_advisory_unlock(own))


def _then(release: Any) -> Iterator[None]:
    try:
        yield
    finally:
        _asked(release)


def _asked(function: Any) -> Any:
    return Select(columns=[function]).bind(database.obj).scalar()
