"""How processes learn that another one has committed something."""

from __future__ import annotations

import threading
import time

import peewee
from peewee import PostgresqlDatabase, SqliteDatabase

from database import database, discard

NEWS = "trichter_news"
"""The PostgreSQL channel on which commits are announced."""
SQLITE_POLL_SECONDS = 0.025
POLL_SECONDS = 0.1


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
