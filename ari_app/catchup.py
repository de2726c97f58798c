"""What Asterisk wrote down of calls that nobody heard: ``trichter import-cdr``, and the gap after
``trichter ari`` was away."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import peewee

from ari_app import cdr, cel
from ari_app.insiders import Insiders
from ari_app.records import opened
from ari_app.row import BadRow, Clock, SourceError, Table, shown
from database import DATABASE_ERRORS, database, discard, explain
from fields import utcnow
from settings import Settings
from telephony.call_report import CallReport
from verbs import history, recordings, silences

log = logging.getLogger("trichter.ari")

BATCH = 400
"""Calls in one transaction: others wait for it, so it must be short."""
RECENT = timedelta(days=1)
"""Calls that ended within it are treated as if heard: with deals, rules and live events."""
SHARPNESS = timedelta(seconds=1)
"""Of CDR's times."""
TRY_FIRST, TRY_LAST = 1.0, 60.0
LATE = (10.0, 320.0)
"""Seconds after which the records are read again: Asterisk writes a call down a moment after its
end, or up to five minutes later where cdr.conf says batch=yes."""
REFUSALS = (peewee.IntegrityError, peewee.DataError, peewee.DoesNotExist)
"""About one call; the last if its contact is taken into another at this moment."""


@dataclass
class Import:
    """One reading of a source for a PBX. ``live``: linkedids left to whoever hears them,
    ``doubted``: of calls that were heard in part, and ended as a guess.

    ``found`` counts calls, ``calls`` those of them that were new, ``bad`` unusable rows.
    """

    pbx: str
    clock: Clock
    is_inside: Callable[[str], bool]
    since: datetime | None = None
    until: datetime | None = None
    deals: bool = False
    live: Container[str] = frozenset()
    doubted: Container[str] = frozenset()
    on_bad: Callable[[BadRow], None] = lambda _bad: None
    stopped: threading.Event = field(default_factory=threading.Event)
    found: int = 0
    calls: int = 0
    bad: int = 0

    def read(self, table: Table) -> Iterator[int]:
        """Record what a table knows; yields how far it is read. Raises the database's errors."""
        reader = cel.calls if table.kind == "cel" else cdr.calls
        batch: list[CallReport] = []
        for place, found in reader(table.read(), self.clock, self.pbx, self.is_inside):
            if self.stopped.is_set():
                return
            if isinstance(found, BadRow):
                self._refuse(found)
            elif self._is_wanted(found):
                batch.append(found)
            if len(batch) >= BATCH:
                self._write(batch)
                batch = []
                yield place
        self._write(batch)
        yield table.size

    def _refuse(self, bad: BadRow) -> None:
        self.bad += 1
        self.on_bad(bad)

    def _is_wanted(self, report: CallReport) -> bool:
        self.found += 1
        ended = report.ended_at
        if ended is None:
            return False
        if report.linkedid in self.doubted:
            return True
        if report.linkedid in self.live:
            return False
        if self.until and ended > self.until + SHARPNESS:
            return False
        return not self.since or ended >= self.since - SHARPNESS

    def _write(self, batch: list[CallReport]) -> None:
        done = history.recorded(self.pbx, [r.linkedid for r in batch])
        due = [r for r in batch if r.linkedid not in done]
        recordings.add(self.pbx, {r.linkedid: r.recording for r in batch if r.linkedid in done})
        try:
            self.calls += self._enter(due)
        except REFUSALS:
            # About one call, or another process was faster: each for itself.
            for report in due:
                self._write_alone(report)

    def _write_alone(self, report: CallReport) -> None:
        try:
            self.calls += self._enter([report])
        except REFUSALS as error:
            why = f"call {report.linkedid} not recorded: {type(error).__name__}"
            self._refuse(BadRow(0, why))

    def _enter(self, reports: list[CallReport]) -> int:
        recent_from = utcnow() - RECENT
        recent: list[CallReport] = []
        old: list[CallReport] = []
        for report in reports:
            is_recent = self.deals or (report.ended_at and report.ended_at > recent_from)
            (recent if is_recent else old).append(report)
        with database.atomic():
            for report in sorted(recent, key=lambda r: r.ended_at or r.started_at):
                history.record(report)
            return len(recent) + (history.enter(self.pbx, old) if old else 0)


class CatchUp:
    """Reads the gap in a thread of its own, so that live calls do not wait for it.

    ``on_read``: it was read once more, or could not be. The gap is over only after it has been read
    ``late`` for the last time (seconds after the first); if this process dies before, the next one
    reads it.
    """

    def __init__(
        self,
        settings: Settings,
        on_read: Callable[[], None] = lambda: None,
        late: tuple[float, ...] = LATE,
    ) -> None:
        self._on_read, self._late = on_read, late
        self._news = threading.Event()
        self._source = settings.calls.cdr
        self._pbx = settings.pbx.name
        self._clock = Clock(settings.calls.cdr_timezone)
        self._insiders = Insiders()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._next: tuple[datetime, frozenset[str]] | None = None

    def begin(self, at: datetime, live: frozenset[str]) -> None:
        """The calls ``live`` were there at ``at``, when we were connected: find the others."""
        if not self._source:
            return
        with self._lock:
            self._next = (at, live)
            self._news.set()
            if self._thread is None and not self._stopped.is_set():
                self._thread = threading.Thread(target=self._run, name="catch-up")
                self._thread.start()

    def end(self) -> None:
        self._stopped.set()
        self._news.set()
        if thread := self._thread:
            thread.join()

    def _run(self) -> None:
        wait = TRY_FIRST
        while (job := self._job()) and not self._stopped.is_set():
            if self._is_read(*job) and self._is_read_late(*job):
                wait = TRY_FIRST
                continue
            self._on_read()
            with self._lock:
                self._next = self._next or job
            self._stopped.wait(wait)
            wait = min(2 * wait, TRY_LAST)

    def _job(self) -> tuple[datetime, frozenset[str]] | None:
        with self._lock:
            job, self._next = self._next, None
            self._news.clear()
            if job is None or self._stopped.is_set():
                self._thread = None
            return job

    def _is_read_late(self, at: datetime, live: frozenset[str]) -> bool:
        """Read it again and again, unless another gap has come, with which it is read anyway."""
        begin = time.monotonic()
        for late in self._late:
            if self._news.wait(max(0.0, begin + late - time.monotonic())):
                return True
            if not self._is_read(at, live, ends=late == self._late[-1]):
                return False
            self._on_read()
        return True

    def _is_read(self, at: datetime, live: frozenset[str], ends: bool = False) -> bool:
        try:
            with database.connection_context():
                self._read(silences.note(self._pbx, at), at, live)
                if ends and not self._stopped.is_set():
                    silences.caught_up(self._pbx, at)
            return True
        except SourceError as error:
            log.error("calls of the gap are not entered yet: %s", error)
        except DATABASE_ERRORS as error:
            log.error("calls of the gap are not entered yet: %s", explain(error))
        except Exception:
            log.exception("calls of the gap are not entered yet")
        discard()
        return False

    def _read(self, since: datetime, at: datetime, live: frozenset[str]) -> None:
        if not self._insiders.are_known():
            raise SourceError("the users' phones are not known")
        reading = Import(
            self._pbx, self._clock, self._insiders.__contains__, since, at, live=live,
            doubted=history.doubted(self._pbx, since), stopped=self._stopped,
        )  # fmt: skip
        with opened(self._source, self._clock, since) as tables:
            for table in tables:
                for _ in reading.read(table):
                    pass
        log.info(
            "catch-up since %s from %s: %d calls, %d rows that can't be used",
            since.isoformat(timespec="seconds"), shown(self._source), reading.calls, reading.bad,
        )  # fmt: skip
