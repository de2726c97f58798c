"""The doctor's checks, run beside the panel's work."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from database import database, discard
from fields import utcnow
from settings import Settings

if TYPE_CHECKING:
    from doctor import Check

log = logging.getLogger("trichter.panel")

LIMIT = 60.0
"""Seconds after which a round counts as stuck, and another may begin."""


@dataclass
class Round:
    """What one run has found so far. ``ended_at`` None: it is still going on."""

    began: float
    found: list[Check] = field(default_factory=list)
    ended_at: datetime | None = None
    broke: bool = False

    @property
    def is_running(self) -> bool:
        return self.ended_at is None and not self.is_stuck

    @property
    def is_stuck(self) -> bool:
        return self.ended_at is None and time.monotonic() - self.began > LIMIT


class Checkup:
    """Keeps the last round, in the memory of the one panel process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._round: Round | None = None

    def begin(self) -> None:
        """Start a round, unless one is running."""
        with self._lock:
            if self._round and self._round.is_running:
                return
            self._over = threading.Event()
            self._round = Round(time.monotonic())
            about = (self._round, self._over)
            threading.Thread(target=self._run, args=about, name="doctor", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Whether the round is over, at the latest after so many seconds."""
        return self._over.wait(seconds)

    def state(self) -> Round | None:
        return self._round

    def _run(self, round_: Round, over: threading.Event) -> None:
        import doctor  # slow to import, and seldom needed

        try:
            for check in doctor.run(self._settings):
                round_.found.append(check)
        except Exception:
            # Said on the page; what it was is in the log.
            log.exception("The checks broke off")
            round_.broke = True
            discard()
        finally:
            if not database.is_closed():
                database.close()
            round_.ended_at = utcnow()
            over.set()
