"""Who may still listen: the log-ins of all open streams, looked at together. Opening a connection
takes longer than looking, and news wakes hundreds of streams at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from database import DATABASE_ERRORS, database
from models import User

FORGET_SECONDS = 60.0
"""After which a log-in that no stream asked for is not looked at any more."""
FAILED_SECONDS = 0.5
"""For so long others are told of an error, rather than to wait for the same one each."""

Look = Callable[[str], User | None]


@dataclass
class _Seen:
    """``user``: the active one of a log-in, or None; ``at``: when it was looked at; ``asked``: when
    a stream last wanted to know."""

    user: User | None
    at: float
    asked: float


class Doors:
    """All open streams of a process ask here."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[str, _Seen] = {}
        self._failed: tuple[float, Exception] | None = None

    def seen(self, session_id: str, look: Look, within: float) -> tuple[User | None, float]:
        """The active user of a log-in, or None, and when that was looked at: at most ``within``
        seconds ago; 0 or less looks anew, at this one alone. Raises the database's errors."""
        with self._lock:
            now = time.monotonic()
            seen = self._seen.setdefault(session_id, _Seen(None, float("-inf"), now))
            seen.asked = now
            if now - seen.at >= within:
                self._look(now, look, None if within > 0 else session_id)
            return seen.user, seen.at

    def _look(self, now: float, look: Look, only: str | None) -> None:
        if self._failed and now - self._failed[0] < FAILED_SECONDS:
            raise self._failed[1]
        self._seen = {i: s for i, s in self._seen.items() if now - s.asked < FORGET_SECONDS}
        try:
            with database.connection_context():
                for session_id in [only] if only else list(self._seen):
                    one = self._seen[session_id]
                    one.user, one.at = look(session_id), now
        except DATABASE_ERRORS as error:
            self._failed = (time.monotonic(), error)
            raise
        self._failed = None
