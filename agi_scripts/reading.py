"""How look-ups use the database: they read, and they never keep a caller waiting for it."""

from __future__ import annotations

from collections.abc import Callable

import peewee
from playhouse.pool import PooledDatabase

from agi_scripts.protocol import Request
from database import database, discard
from settings import Settings

LookUp = Callable[[Request, Settings], dict[str, str]]
"""Returns the variables to set on the call."""

# The dialplan gives a decision one second.
LOCK_SECONDS = 0.5


def hurry() -> None:
    """Wait for a locked SQLite database no longer than a caller can; for the whole process."""
    if isinstance(database.obj, peewee.SqliteDatabase):
        database.obj.timeout = LOCK_SECONDS


def ask(look_up: LookUp, request: Request, settings: Settings) -> dict[str, str]:
    """Run one look-up. Raises DATABASE_ERRORS.

    Each thread keeps its SQLite connection, for opening one takes longer than a look-up; those of a
    database server go back to the pool. After an error the next one begins with a new connection.
    """
    pooled = isinstance(database.obj, PooledDatabase)
    database.connect(reuse_if_open=True)
    try:
        found = look_up(request, settings)
    except peewee.PeeweeException:
        discard()
        raise
    if pooled:
        database.close()
    return found
