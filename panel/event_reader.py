"""Reads the new rows of Event, whatever order their transactions end in."""

from __future__ import annotations

import time

from peewee import fn

from models import Event

LATE_IDS = 1000
LATE_SECONDS = 10.0
"""How far back, in ids and in time, rows are awaited that other transactions overtook."""
BATCH = 1000


class Reader:
    """New rows of Event, each once, in the order in which they become visible.

    On PostgreSQL and MariaDB a transaction may commit a lower id after a higher one. Ids are given
    out one by one, so an id that was skipped is a row still to come (or rolled back): exactly these
    are looked for again, for a while.
    """

    def __init__(self) -> None:
        """Starts behind the rows that are there now."""
        self.highest: int = Event.select(fn.MAX(Event.id)).scalar() or 0
        first = max(1, self.highest - LATE_IDS + 1)
        there = {event.id for event in Event.select(Event.id).where(Event.id >= first)}
        self.highest = max(there, default=self.highest)
        self._skipped = dict.fromkeys(
            (i for i in range(first, self.highest) if i not in there), time.monotonic()
        )

    @property
    def mark(self) -> int:
        """Nothing up to this id is still to come: what a listener resumes after."""
        return next(iter(self._skipped)) - 1 if self._skipped else self.highest

    def read(self) -> list[tuple[Event, int]]:
        """What became visible since the last time, each row with the mark that it makes."""
        given_up = time.monotonic() - LATE_SECONDS
        self._skipped = {i: since for i, since in self._skipped.items() if since > given_up}
        wanted = Event.id > self.highest
        if self._skipped:
            wanted |= Event.id << list(self._skipped)
        # All rows first: an error on the way must not count the ones before it as read.
        rows = list(Event.select().where(wanted).order_by(Event.id).limit(BATCH))
        return [(event, self._passed(event.id)) for event in rows]

    def _passed(self, event_id: int) -> int:
        if event_id > self.highest:
            first = max(self.highest + 1, event_id - LATE_IDS)
            self._skipped.update(dict.fromkeys(range(first, event_id), time.monotonic()))
            self.highest = event_id
        else:
            self._skipped.pop(event_id, None)
        return self.mark
