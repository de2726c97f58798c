"""From typed events to rows: what is queued is applied to the ledger, and its reports are recorded.

A slow or absent database delays rows and nothing else.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial

import peewee

from ari_app.events import Connected, Event, Snapshot
from ari_app.insiders import SAY_EVERY, Insiders
from ari_app.ledger import Ledger
from ari_app.seldom import Seldom
from call_report import CallReport
from database import DATABASE_ERRORS, database, discard, explain
from fields import utcnow
from models import Call
from verbs.calls import record_call

log = logging.getLogger("trichter.ari")

BATCH = 500
RETRY_FIRST, RETRY_LAST = 0.1, 5.0
UNLINKED = (
    "calls are not recorded: nothing tells which channels are one call. ari.conf [general] needs "
    "channelvars=CHANNEL(linkedid); then: asterisk -rx 'module reload res_ari.so'"
)


def is_about_the_call(error: Exception) -> bool:
    """Whether writing this one call failed; else the database did, and all calls wait for it."""
    if isinstance(error, DATABASE_ERRORS):
        return isinstance(error, peewee.DataError | peewee.IntegrityError)
    return True


@dataclass
class Recorder:
    """Applies events to the ledger and records what they changed, many in one transaction.

    A call whose report could not be written stays due; as a report is the whole of what is known,
    nothing is lost when several wait. What is heard of a call between connecting and the list of
    all that lives is held back, for it may be the smaller half: a trunk's channel alone looks like
    a customer who calls, even where a seller has dialled.
    """

    ledger: Ledger
    due: dict[str, None] = field(default_factory=dict)
    held: dict[str, None] | None = None
    check_unfinished: bool = False
    refused: set[str] = field(default_factory=set)
    unlinked: Seldom = field(default_factory=lambda: Seldom(SAY_EVERY, log))

    @property
    def is_behind(self) -> bool:
        return bool(self.due or self.check_unfinished)

    def take(self, batch: Iterable[Event]) -> None:
        for event in batch:
            if isinstance(event, Connected) and self.held is None:
                self.held = {}
            touched = self._applied(event)
            (self.due if self.held is None else self.held).update(dict.fromkeys(touched))
            if isinstance(event, Snapshot):
                self.due.update(self.held or {})
                self.held, self.check_unfinished = None, True
        if self.ledger.unlinked:
            self.unlinked.log(logging.ERROR, UNLINKED)
            self.ledger.unlinked = 0

    def _applied(self, event: Event) -> set[str]:
        try:
            return self.ledger.apply(event)
        except Exception:  # one odd event must not end the recording of all others
            log.exception("event not understood: %s", type(event).__name__)
            return set()

    def write(self) -> None:
        """Record what is due. Raises peewee's errors; everything is still due then."""
        reports = [report for i in self.due if (report := self.ledger.report(i))]
        with database.atomic():
            if self.check_unfinished:
                reports += self._lost()
            for report in reports:
                record_call(report)
        for linkedid in self.due:
            self.ledger.forget_finished(linkedid)
        self.due.clear()
        self.check_unfinished = False

    def write_one_by_one(self) -> None:
        """After a refusal that is about one call: record the others, and say which it was."""
        for linkedid in list(self.due):
            self._write_alone(linkedid, partial(self.ledger.report, linkedid))
            self.ledger.forget_finished(linkedid)
            del self.due[linkedid]
        if self.check_unfinished:
            for lost in self._lost():
                self._write_alone(lost.linkedid, partial(replace, lost))
        self.check_unfinished = False
        self.refused &= self.ledger.calls.keys()

    def _write_alone(self, linkedid: str, told: Callable[[], CallReport | None]) -> None:
        """Refusals are logged once for each call that lives, and once more at its end."""
        report = None
        try:
            report = told()
            if report:
                record_call(report)
        except Exception as error:
            if not is_about_the_call(error):
                raise
            if linkedid not in self.refused or (report and report.ended_at):
                log.exception("call not recorded: %r", report or linkedid)
            self.refused.add(linkedid)

    def _lost(self) -> list[CallReport]:
        """Calls that were live when we last wrote, and are gone: ended while we were away."""
        now = utcnow()
        return [
            CallReport(
                call.pbx,
                call.linkedid,
                call.direction,
                call.started_at,
                ended_at=now,
                end_is_guess=True,
            )
            for call in Call.unfinished(self.ledger.pbx)
            if self.ledger.report(call.linkedid) is None
        ]


class Recording:
    """The thread that records. ``put`` never waits; ``end`` returns when all is written once."""

    def __init__(self, pbx: str) -> None:
        self.insiders = Insiders()
        self.recorder = Recorder(Ledger(pbx, self.insiders.__contains__))
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._not_written = Seldom(SAY_EVERY, log)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self.run, name="ledger")

    def start(self) -> None:
        self._thread.start()

    def put(self, event: Event) -> None:
        self._events.put(event)

    def end(self) -> None:
        self._ending.set()
        self._events.put(None)
        self._thread.join()

    def run(self) -> None:
        """Until told to end. After a failure events are taken in all the same, but the database is
        left alone for a while, which doubles up to RETRY_LAST."""
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
            if self._wrote():
                wait = RETRY_FIRST
            else:
                wait = min(wait * 2, RETRY_LAST)
                not_before = time.monotonic() + wait
        discard()

    def _wrote(self) -> bool:
        try:
            self._write()
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

    def _write(self) -> None:
        if not self.recorder.is_behind:
            return
        database.connect(reuse_if_open=True)
        try:
            self.recorder.write()
        except Exception as error:
            if not is_about_the_call(error):
                raise
            self.recorder.write_one_by_one()

    def _next(self, timeout: float | None) -> tuple[list[Event], bool]:
        """All that is queued, after waiting for the first; and whether it is time to end."""
        batch: list[Event] = []
        try:
            event = self._events.get(timeout=timeout)
            while event is not None:
                batch.append(event)
                if len(batch) == BATCH:
                    return batch, False
                event = self._events.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True
