"""Which endpoints are users' phones: the inside of every call."""

from __future__ import annotations

import logging
import time

from ari_app.seldom import Seldom
from database import DATABASE_ERRORS, discard, explain
from verbs.phones import known_endpoints

log = logging.getLogger("trichter.ari")

GOOD_FOR = 2.0
ASK_AGAIN = 0.1
SAY_EVERY = 30.0
"""Seconds between two log lines about a fault that lasts."""


class Insiders:
    """Which endpoints are users' phones: asked anew every two seconds. Keeps the last answer while
    the database is away; ``are_known`` once there was one."""

    def __init__(self) -> None:
        self._known: frozenset[str] | None = None
        self._until = 0.0
        self._complaint = Seldom(SAY_EVERY, log)

    def __contains__(self, endpoint: str) -> bool:
        return self.are_known() and endpoint in (self._known or ())

    def are_known(self) -> bool:
        """Ask if it is time to. False as long as the database has never answered."""
        if time.monotonic() >= self._until:
            self._ask()
        return self._known is not None

    def _ask(self) -> None:
        try:
            self._known = known_endpoints()
            self._until = time.monotonic() + GOOD_FOR
        except DATABASE_ERRORS as error:
            known = "no calls yet" if self._known is None else "still using the phones known before"
            self._complaint.log(logging.ERROR, "%s; %s", explain(error), known)
            discard()
            self._until = time.monotonic() + ASK_AGAIN
