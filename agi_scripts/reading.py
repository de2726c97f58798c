"""How look-ups use the database: they read, and they never keep a caller waiting for it."""

from __future__ import annotations

from collections.abc import Callable

import peewee

from agi_scripts.protocol import Request
from ari_app.router import in_one_go
from database import database, kept_connection
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
    """Run one look-up: the variables as they are set with the fewest commands. Raises
    DATABASE_ERRORS."""
    with kept_connection():
        return in_one_go(look_up(request, settings))
