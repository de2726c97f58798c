"""Tells when tasks are due (K1): one thread in each process that serves the panel looks from time
to time; the row is claimed, so that of several processes one tells of it, once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from database import DATABASE_ERRORS, database, discard, explain
from fields import utcnow
from verbs import tasks

log = logging.getLogger(__name__)

LOOK_SECONDS = 20.0
"""A reminder is late by this much at most."""


class Reminders(threading.Thread):
    """``alive`` says whether the process still serves."""

    def __init__(self, alive: Callable[[], bool]) -> None:
        super().__init__(name="reminders", daemon=True)
        self._alive = alive
        self._over = threading.Event()
        self._trouble = False

    def run(self) -> None:
        while not self._over.is_set() and self._alive():
            self.look()
            self._over.wait(LOOK_SECONDS)

    def stop(self) -> None:
        """Waits until it is gone, with its connection."""
        self._over.set()
        self.join()

    def look(self) -> None:
        """Tell of what is due by now."""
        try:
            database.connect(reuse_if_open=True)
            tasks.remind(utcnow())
            database.close()
            if self._trouble:
                log.warning("Reminders work again.")
            self._trouble = False
        except DATABASE_ERRORS as error:
            discard()
            if not self._trouble:
                log.error("Reminders wait for the %s", explain(error))
            self._trouble = True
