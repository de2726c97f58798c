"""The thread that records: takes what is queued, and keeps trying where the database is away.

A slow or absent database delays rows and nothing else.
"""

from __future__ import annotations

import logging
import queue
import threading
import time

from ari_app.events import Event
from ari_app.giving_way import GivingWay
from ari_app.insiders import SAY_EVERY, Insiders
from ari_app.ledger import Ledger
from ari_app.recorder import OnForgotten, Recorder, RecordsRead, is_about_the_call
from ari_app.seldom import Seldom
from database import DATABASE_ERRORS, database, discard, explain

log = logging.getLogger("trichter.ari")

BATCH = 500
RETRY_FIRST, RETRY_LAST = 0.1, 5.0
GATHER = 0.01
"""Seconds in which events are gathered: of a call several come at once (a phone is dialled, rings,
is picked up, two are connected), and what they change is recorded as one."""
PORTION = 20
"""Calls recorded at a time while others need the processors."""


class Recording:
    """The thread that records. ``put`` never waits; ``end`` returns when all is written once."""

    def __init__(
        self,
        pbx: str,
        has_records: bool = False,
        on_forgotten: OnForgotten = lambda _until, _known: None,
    ) -> None:
        self.insiders = Insiders()
        ledger = Ledger(pbx, self.insiders.__contains__)
        self.recorder = Recorder(ledger, has_records, on_forgotten)
        self._events: queue.SimpleQueue[Event | RecordsRead | None] = queue.SimpleQueue()
        self._not_written = Seldom(SAY_EVERY, log)
        self._ending = threading.Event()
        self._giving_way = GivingWay()
        self._thread = threading.Thread(target=self.run, name="ledger")

    def start(self) -> None:
        self._thread.start()

    def put(self, event: Event | RecordsRead) -> None:
        self._events.put(event)

    def end(self) -> None:
        self._ending.set()
        self._events.put(None)
        self._thread.join()

    def run(self) -> None:
        """Until told to end. After a failure events are taken in all the same, but the database is
        left alone for a while, which doubles up to RETRY_LAST. Where the processors are needed for
        calls, what is to be recorded waits a little, too."""
        # Without users' phones every call would look like one that nobody picked up.
        while not self.insiders.are_known() and not self._ending.wait(RETRY_FIRST):
            pass
        wait, not_before, ends = RETRY_FIRST, 0.0, not self.insiders.are_known()
        while not ends:
            rest = max(0.0, not_before - time.monotonic())
            batch, ends = self._next(rest if self.recorder.is_behind else None)
            self.recorder.take(batch)
            if time.monotonic() < not_before and not ends:
                continue
            waiting = len(self.recorder.due)
            if self._wrote(PORTION if self._giving_way.is_needed and not ends else None):
                wait, not_before = RETRY_FIRST, time.monotonic() + self._giving_way.rest(waiting)
            else:
                wait = min(wait * 2, RETRY_LAST)
                not_before = time.monotonic() + wait
        discard()

    def _wrote(self, most: int | None) -> bool:
        try:
            self._write(most)
        except Exception as error:  # noqa: BLE001 - logged; all is still due and tried again
            text, waiting = f"{type(error).__name__}: {error}", len(self.recorder.due)
            known = isinstance(error, DATABASE_ERRORS)
            self._not_written.log(
                logging.ERROR,
                "%s; %d calls wait to be recorded",
                explain(error) if known else text,
                waiting,
                exc_info=not known,
            )
            discard()
            return False
        return True

    def _write(self, most: int | None) -> None:
        if not self.recorder.is_behind:
            return
        database.connect(reuse_if_open=True)
        try:
            self.recorder.write(most)
        except Exception as error:
            if not is_about_the_call(error):
                raise
            self.recorder.write_one_by_one(most)

    def _next(self, timeout: float | None) -> tuple[list[Event | RecordsRead], bool]:
        """All that is queued, after waiting for the first; and whether it is time to end."""
        batch: list[Event | RecordsRead] = []
        try:
            event = self._events.get(timeout=timeout)
            self._ending.wait(GATHER)
            while event is not None:
                batch.append(event)
                if len(batch) == BATCH:
                    return batch, False
                event = self._events.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True
