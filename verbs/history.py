"""The verb for calls of long ago, many at once: what ``record_call`` does, without what is only for
calls of today. They make contacts by the rules, calls and the list of missed calls, but neither
deals nor live events: months of them must not fill the board or pop up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from database import database
from fields import clean, seconds
from models import Call, Contact, Event, Leg, Phone
from telephony.call_report import CallReport, is_missed
from verbs import call_backs, search
from verbs.calls import first_known, record_call
from verbs.ignored import makes_customers
from verbs.phones import users_at
from verbs.rule_choice import effects_for

DAY, LONGEST_GAP = timedelta(days=1), timedelta(days=31)
CHUNK = 400
"""Rows in one statement: SQLite takes 32,766 values."""


def recorded(pbx: str, linkedids: Iterable[str]) -> set[str]:
    """Those of the calls that have ended, and not by a guess only."""
    return _known(pbx, linkedids, Call.ended_at.is_null(False), ~Call.guessed_end)


def doubted(pbx: str, since: datetime) -> frozenset[str]:
    """Calls that began after a moment (or half a day before it) and whose end is a guess."""
    calls: Any = Call.select(Call.linkedid)
    late = Call.started_at > since - DAY / 2
    of_pbx = calls.where(Call.pbx == pbx, late, Call.guessed_end)
    return frozenset(linkedid for (linkedid,) in of_pbx.tuples())


def _known(pbx: str, linkedids: Iterable[str], *state: Any) -> set[str]:
    found: set[str] = set()
    for page in _pages(list(linkedids)):
        query: Any = Call.select(Call.linkedid)
        of_page = query.where(Call.pbx == pbx, Call.linkedid << page, *state)
        found |= {linkedid for (linkedid,) in of_page.tuples()}
    return found


def gap_begins(pbx: str, at: datetime) -> datetime:
    """Since when calls of a PBX may be missing that was not heard until ``at``: the last end that
    is known, or the begin of a call whose end is not. A day before ``at`` where nothing is."""
    of_pbx = Call.pbx == pbx
    ends = Call.select(fn.MAX(Call.ended_at)).where(
        of_pbx, Call.ended_at < at, Call.ended_at > at - LONGEST_GAP, ~Call.guessed_end
    )
    open_ = Call.select(fn.MIN(Call.started_at)).where(
        of_pbx,
        Call.started_at > at - LONGEST_GAP,
        Call.started_at < at,
        Call.ended_at.is_null() | Call.guessed_end,
    )
    known = [moment for moment in (ends.scalar(), open_.scalar()) if moment]
    return min(known, default=at - DAY)


def record(report: CallReport) -> None:
    """``record_call``, with phones by the names that they have here already: CDR does not know the
    uniqueid of a phone that was called."""
    legs: Any = Leg.select(Leg.channel, Leg.endpoint).join(Call).order_by(Leg.id)
    of_call = legs.where(Call.pbx == report.pbx, Call.linkedid == report.linkedid)
    known = list(of_call.tuples())
    named = {channel for channel, _ in known} & {leg.channel for leg in report.legs}
    free = [(channel, endpoint) for channel, endpoint in known if channel not in named]
    told = []
    for leg in report.legs:
        channel = next((c for c, e in free if e == leg.endpoint), None)
        if leg.channel not in named and channel:
            free.remove((channel, leg.endpoint))
            leg = replace(leg, channel=channel)
        told.append(leg)
    record_call(replace(report, legs=tuple(told)))


def enter(pbx: str, reports: Sequence[CallReport]) -> int:
    """Record ended calls of one PBX that are not recorded yet; a few hundred at a time. Returns
    how many were new. Raises peewee's errors; nothing is recorded then."""
    with database.atomic():
        keys = [report.linkedid for report in reports]
        begun = _known(pbx, keys)
        done = recorded(pbx, begun) if begun else set()
        fresh = list({r.linkedid: r for r in reports if r.linkedid not in begun}.values())
        if fresh:
            _Batch(pbx, fresh).enter()
        unfinished = [r for r in reports if r.linkedid in begun - done]
        for report in unfinished:
            record(report)
    return len(fresh) + len(unfinished)


class _Batch:
    def __init__(self, pbx: str, reports: list[CallReport]) -> None:
        self.pbx = pbx
        self.reports = reports
        self.users = users_at({leg.endpoint for r in reports for leg in r.legs})
        self.rules: dict[tuple[str, bool, str | None], set[str]] = {}
        self.calls = [self._call(report) for report in reports]
        wanted = {c.number for c in self.calls if c.number}
        self.contacts: dict[str, Any] = {}
        for page in _pages(sorted(wanted)):
            for phone in Phone.select().where(Phone.e164 << page):
                self.contacts[phone.e164] = phone.contact_id

    def enter(self) -> None:
        self._add_contacts()
        for call in self.calls:
            call.contact = self.contacts.get(call.number) if makes_customers(call) else None
        for rows in _pages([_data(call) for call in self.calls]):
            Call.insert_many(rows).execute()
        self._add_legs()
        self._call_back()
        Event.add("calls.imported", payload={"pbx": self.pbx, "calls": len(self.calls)})

    def _call(self, report: CallReport) -> Call:
        talked = report.answered_at
        until = talked or report.ended_at or report.started_at
        speaker = self.users.get(report.speaker or "")
        return Call(
            **first_known(report),
            queue=clean(report.queue) or None,
            recording=report.recording or None,
            agent=speaker and speaker.id,
            answered_at=talked,
            ended_at=report.ended_at,
            wait=seconds(until - report.started_at),
            talk=report.talk,
            outcome="answered" if talked else report.outcome or "missed",
        )

    def _add_contacts(self) -> None:
        """By the rules of T2; a contact that a rule for deals would make is made too."""
        phones = []
        for call, report in zip(self.calls, self.reports, strict=True):
            if not makes_customers(call) or call.number in self.contacts:
                continue
            if self._effects(call) & {"contact", "deal"}:
                name = call.name or call.number
                owner = call.agent_id or self._rang_last(report)
                contact = Contact.create(name=name, owner=owner, created_at=call.started_at)
                self.contacts[call.number] = contact.id
                phones.append({"contact": contact.id, "e164": call.number})
        for rows in _pages(phones):
            Phone.insert_many(rows).execute()
            numbers = [row["e164"] for row in rows]
            search.keep("contact", [row["contact"] for row in rows])
            search.keep("phone", [p.id for p in Phone.select().where(Phone.e164 << numbers)])

    def _effects(self, call: Call) -> set[str]:
        missed = is_missed(call.direction, call.outcome)
        if call.outcome != "answered" and not missed:
            return set()
        key = ("missed" if missed else call.direction, False, call.did)
        if key not in self.rules:
            self.rules[key] = effects_for(*key)
        return self.rules[key]

    def _rang_last(self, report: CallReport) -> int | None:
        """Rule 5."""
        rang = [leg for leg in report.legs if leg.endpoint in self.users]
        last = max(rang, key=lambda leg: leg.rang_at or report.started_at, default=None)
        return self.users[last.endpoint].id if last else None

    def _add_legs(self) -> None:
        ids: dict[str, int] = {}
        for page in _pages([r.linkedid for r in self.reports]):
            found = Call.select(Call.linkedid, Call.id).where(Call.pbx == self.pbx)
            of_page: Any = found.where(Call.linkedid << page).tuples()
            ids |= dict(of_page)
        search.called(list(ids.values()))
        legs = []
        for report in self.reports:
            for leg in {leg.channel: leg for leg in report.legs}.values():
                user = self.users.get(leg.endpoint)
                legs.append(
                    {
                        "call": ids[report.linkedid],
                        "channel": leg.channel,
                        "user": user and user.id,
                        "endpoint": leg.endpoint,
                        "rang_at": leg.rang_at,
                        "answered_at": leg.answered_at,
                        "ended_at": leg.ended_at or report.ended_at,
                        "outcome": leg.outcome or "missed",
                    }
                )
        for rows in _pages(legs):
            Leg.insert_many(rows).execute()

    def _call_back(self) -> None:
        """T9: who was talked with after a missed call needs no call back any more."""
        for page in _pages(sorted({c.number for c in self.calls if c.number})):
            missed = list(Call.awaiting_call_back().where(Call.number << page))
            if not missed:
                continue
            talks: Any = Call.select(Call.number, Call.answered_at).where(
                Call.number << list({call.number for call in missed}),
                Call.answered_at.is_null(False),
                Call.direction != "internal",
            )
            moments: dict[str, list[datetime]] = {}
            for number, at in talks.order_by(Call.answered_at).tuples():
                moments.setdefault(number, []).append(at)
            for call in missed:
                later = (at for at in moments.get(call.number, ()) if at > call.started_at)
                if at := next(later, None):
                    Call.update(called_back_at=at).where(Call.id == call.id).execute()
                    call_backs.talked(call, at)


def _data(call: Call) -> dict[str, Any]:
    return {**call.__data__}


def _pages(rows: list[Any]) -> Iterable[list[Any]]:
    return (rows[at : at + CHUNK] for at in range(0, len(rows), CHUNK))
