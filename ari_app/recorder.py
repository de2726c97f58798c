"""From typed events to rows: what is queued is applied to the ledger, and its reports are recorded.

A slow or absent database delays rows and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import peewee

from ari_app import overflow, precedence
from ari_app.events import Event, Snapshot
from ari_app.insiders import SAY_EVERY
from ari_app.ledger import Ledger
from ari_app.seldom import Seldom
from database import DATABASE_ERRORS, database
from fields import utcnow
from models import Call, Leg
from telephony.call_report import CallReport
from verbs import silences
from verbs.calls import record_call

log = logging.getLogger("trichter.ari")

OnForgotten = Callable[[datetime, frozenset[str]], None]
UNLINKED = (
    "calls are not recorded: nothing tells which channels are one call. ari.conf [general] needs "
    "channelvars=CHANNEL(linkedid); then: asterisk -rx 'module reload res_ari.so'"
)


def is_about_the_call(error: Exception) -> bool:
    """Whether writing this one call failed; else the database did, and all calls wait for it."""
    if isinstance(error, DATABASE_ERRORS):
        return isinstance(error, peewee.DataError | peewee.IntegrityError)
    return True


@dataclass(frozen=True)
class RecordsRead:
    """What Asterisk wrote down of the gap is entered, or can't be had."""


@dataclass
class Recorder:
    """Applies events to the ledger and records what they changed, many in one transaction.

    A call whose report could not be written stays due; as a report is the whole of what is known,
    nothing is lost when several wait. What is heard of a call between connecting and the moment
    when all that lives is known, and all that happened before, is held back. It may be the smaller
    half: a trunk's channel alone looks like a customer who calls, even where a seller has dialled.

    Calls that ended unheard have their end guessed, but where there are records of Asterisk's
    (``has_records``) only after these were read: a guess may be a missed call that was none. Of
    those for which there was no room ``on_forgotten`` tells when the database is back: when the
    last of them ended, and the linkedids of the calls that are known.

    More than half of all events tell nothing new of a call: what was ``recorded`` last of each is
    not said again in the same words.
    """

    ledger: Ledger
    has_records: bool = False
    on_forgotten: OnForgotten = lambda _until, _known: None
    due: dict[str, None] = field(default_factory=dict)
    held: dict[str, None] | None = None
    check_unfinished: bool = False
    check_together: bool = False
    listed_at: datetime | None = None
    forgotten_until: datetime | None = None
    awaits_records: bool = False
    guessed: dict[str, None] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    recorded: dict[str, CallReport] = field(default_factory=dict)
    unlinked: Seldom = field(default_factory=lambda: Seldom(SAY_EVERY, log))

    @property
    def is_behind(self) -> bool:
        return bool(self.due or self.listed_at or self.check_together or self._is_to_check)

    @property
    def _is_to_check(self) -> bool:
        return self.check_unfinished and not self.awaits_records

    def take(self, batch: Iterable[Event | RecordsRead]) -> None:
        for event in batch:
            if isinstance(event, RecordsRead):
                self.awaits_records = False
                self.recorded.clear()
                self.due.update(self.guessed)
                self.guessed.clear()
            else:
                self._take(event)
        if self.awaits_records:
            self._put_off_guesses()
        if until := overflow.forget(self.ledger, self.due):
            log.error(overflow.FORGOTTEN, until.isoformat(timespec="seconds"))
            self.forgotten_until = until
        if self.ledger.unlinked:
            self.unlinked.log(logging.ERROR, UNLINKED)
            self.ledger.unlinked = 0

    def _take(self, event: Event) -> None:
        if isinstance(event, Snapshot):
            self.listed_at, self.awaits_records = event.at, self.has_records
            self.recorded.clear()  # others may have written meanwhile
        touched = dict.fromkeys(self._applied(event))
        for odd, error in self.ledger.odd:
            log.error("event not understood: %s", type(odd).__name__, exc_info=error)
        self.ledger.odd.clear()
        if not self.ledger.is_settled:
            self.held = {} if self.held is None else self.held
            self.held.update(touched)
            return
        self.due.update(touched)
        if self.held is not None:
            self.due.update(self.held)
            self.held, self.check_unfinished, self.check_together = None, True, True

    def _applied(self, event: Event) -> set[str]:
        try:
            return self.ledger.apply(event)
        except Exception:  # one odd event must not end the recording of all others
            log.exception("event not understood: %s", type(event).__name__)
            return set()

    def _put_off_guesses(self) -> None:
        for linkedid in list(self.due):
            known = self.ledger.calls.get(linkedid)
            if known and known.end_is_guess:
                self.guessed[linkedid] = self.due.pop(linkedid)

    def write(self, most: int | None = None) -> None:
        """Record what is due, or about so many calls of it. Raises peewee's errors; what is not
        recorded is still due then."""
        self._note_silence()
        self._keep_together()
        in_order = precedence.in_order(self.ledger, self.due, self.recorded, most)
        while in_order or self._is_to_check:
            part, in_order = in_order[: precedence.PART], in_order[precedence.PART :]
            self._write_part(part, is_last=not in_order)

    def _note_silence(self) -> None:
        if self.listed_at:
            silences.note(self.ledger.pbx, self.listed_at)
            self.listed_at = None
        if self.forgotten_until:
            silences.note(self.ledger.pbx, self.forgotten_until)
            self.on_forgotten(self.forgotten_until, frozenset(self.ledger.calls))
            self.forgotten_until = None

    def _keep_together(self) -> None:
        """What the rows know to be one call stays one, and what they know as two may have become
        one since: a channel that is a leg of one row, and now of another call, tells."""
        if self.check_together:
            unfinished = list(Call.unfinished(self.ledger.pbx))
            legs: Any = Leg.select(Leg.channel, Call.linkedid, Call.direction).join(Call)
            for channel, linkedid, direction in legs.where(Leg.call << unfinished).tuples():
                is_customers = direction != "internal"
                if became := self.ledger.unite(channel, linkedid, is_customers):
                    self.due[became] = None
            self.check_together = False

    def _write_part(self, part: list[str], is_last: bool) -> None:
        checks = is_last and self._is_to_check
        reports = {i: report for i in part if (report := self.ledger.report(i))}
        news = [report for i, report in reports.items() if self.recorded.get(i) != report]
        if news or checks:
            with database.atomic():
                for report in news + (self._lost() if checks else []):
                    record_call(report)
        self.check_unfinished = self.check_unfinished and not checks
        for linkedid in part:
            self.ledger.forget_finished(linkedid)
            del self.due[linkedid]
        self._note_recorded(reports)

    def _note_recorded(self, reports: dict[str, CallReport]) -> None:
        self.recorded.update(reports)
        gone = {absorbed for report in reports.values() for absorbed in report.absorbed}
        for linkedid in gone | (reports.keys() - self.ledger.calls.keys()):
            self.recorded.pop(linkedid, None)

    def write_one_by_one(self, most: int | None = None) -> None:
        """After a refusal that is about one call: record the others, as ``write`` does, and say
        which it was."""
        self._note_silence()
        for linkedid in precedence.in_order(self.ledger, self.due, self.recorded, most):
            self._write_alone(linkedid, partial(self.ledger.report, linkedid))
            self.ledger.forget_finished(linkedid)
            del self.due[linkedid]
        if self._is_to_check:
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
                ended_at=self.ledger.end_of(call.linkedid) or now,
                end_is_guess=self.ledger.end_of(call.linkedid) is None,
            )
            for call in Call.unfinished(self.ledger.pbx)
            if not self.ledger.knows(call.linkedid)
        ]
