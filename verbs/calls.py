"""The verb that records a call: what is known of it now → rows, and what the rules make of it.

Rules of call truth: an answer is never taken back, one call is one row and has one outcome; saying
the same again changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from peewee import Case, IntegrityError, fn

from database import database, locked
from database.prepared import Prepared
from fields import clean, earliest, normal_did, outside_number, seconds
from models import Call, CallRequest, Contact, Event, Leg
from telephony.call_report import OWN_CALL, CallReport, LegReport
from verbs import call_consequences
from verbs.customers import lock, open_deal_of
from verbs.ignored import makes_customers
from verbs.phones import users_at
from verbs.requests import adopt

_LOCKED = Prepared(
    lambda pbx, linkedid: locked(Call.select().where(Call.pbx == pbx, Call.linkedid == linkedid))
)
_LEGS = Prepared(lambda call: Leg.select().where(Leg.call == call))
_END_LEGS = Prepared(
    lambda call, at: Leg.update(
        ended_at=at,
        outcome=fn.COALESCE(
            Leg.outcome, Case(None, [(Leg.answered_at.is_null(False), "answered")], "missed")
        ),
    ).where(Leg.call == call, Leg.ended_at.is_null())
)


def record_call(report: CallReport) -> Call:
    """Enter what is known of a call now. Saying the same again, or less, changes nothing.

    An answer is never taken back (rule 6); the first report that says ended ends it, unless
    it knew of no conversation and a later one does, or the end was only a guess.
    """
    with database.atomic():
        call = _claim(report)
        if report.absorbed:
            _absorb(call, report.absorbed)
        if call.guessed_end and report.ended_at and not report.end_is_guess:
            _take_back_guess(call)
        if call.ended_at is None or (report.answered_at and call.talk is None):
            legs = _record_legs(call, report)
            _merge(call, report, legs)
    return call


def _claim(report: CallReport) -> Call:
    """The call's row, locked, so that reports of one call come one after the other."""
    known = _LOCKED.models(report.pbx, report.linkedid)
    if known:
        return known[0]
    try:
        call = _new(report)
    except IntegrityError:
        # Another process was faster.
        for made in _LOCKED.models(report.pbx, report.linkedid):
            return made
        raise
    adopt(call)
    return call


def _new(report: CallReport) -> Call:
    with database.atomic():
        made: Call = Call.create(**first_known(report))
    return made


def first_known(report: CallReport) -> dict[str, Any]:
    """What a new row holds of its call, by column, whether it is heard or read from records."""
    return {
        "pbx": report.pbx,
        "linkedid": report.linkedid,
        "direction": report.direction,
        "number": outside_number(report.number, report.direction),
        "number_text": clean(report.number, 40),
        "name": clean(report.name),
        "did": normal_did(report.did) or None,
        "started_at": report.started_at,
    }


def _take_back_guess(call: Call) -> None:
    """Its end and its phones' ends at that moment were guessed; what is known now decides."""
    guessed = (Leg.call == call) & (Leg.ended_at == call.ended_at)
    Leg.update(ended_at=None, outcome=None).where(guessed).execute()
    call.ended_at, call.guessed_end = None, False


def _absorb(call: Call, linkedids: Iterable[str]) -> None:
    """T6: calls that have turned out to be this one leave their phones and history to it."""
    same_pbx = Call.pbx == call.pbx
    for other in Call.select().where(same_pbx, Call.linkedid << list(linkedids)):
        if other.direction == "internal" != call.direction:
            # What colleagues say to each other first is no talk with the customer.
            spoke = (Leg.call == other) & Leg.answered_at.is_null(False)
            Leg.update(answered_at=None, outcome="answered").where(spoke).execute()
        known = {leg.channel for leg in call.legs}
        Leg.update(call=call).where(Leg.call == other, Leg.channel.not_in(known)).execute()
        Event.update(call=call).where(Event.call == other).execute()
        CallRequest.update(call=call).where(CallRequest.call == other).execute()
        call.assign(recording=call.recording or other.recording, queue=call.queue or other.queue)
        if call.deal_id is None and other.deal_id is not None:
            call.deal, call.contact = other.deal, call.contact or other.contact
            call.save(only=[Call.deal, Call.contact])
        other.delete_instance()


def _record_legs(call: Call, whole: CallReport) -> dict[str, Leg]:
    """Rows of the users' phones, by endpoint; those that newly ring are announced, and those
    that stop while the call goes on as it was."""
    reports = whole.legs
    goes_on = not whole.ended_at and bool(whole.answered_at) == bool(call.answered_at)
    known = {leg.channel: leg for leg in _LEGS.models(call.id)}
    fresh = [report.endpoint for report in reports if report.channel not in known]
    users = users_at(fresh) if fresh else {}
    for report in reports:
        leg = known.get(report.channel)
        if leg is None:
            user = users.get(report.endpoint)
            leg = Leg(call=call, channel=report.channel, endpoint=report.endpoint, user=user)
            known[report.channel] = leg
        _merge_leg(leg, report, goes_on)
    return {leg.endpoint: leg for leg in sorted(known.values(), key=lambda g: g.id)}


def _merge(call: Call, report: CallReport, legs: dict[str, Leg]) -> None:
    before = (call.answered_at, call.agent_id, call.outcome)
    _identify(call, report)
    newly_attached = _attach(call, is_decided=bool(report.answered_at or report.ended_at))
    speaker = legs.get(report.speaker or "")
    if speaker and speaker.user_id and speaker.user_id != call.agent_id:
        call.agent = speaker.user
    call.assign(answered_at=earliest(call.answered_at, report.answered_at))
    if call.answered_at:
        call.assign(wait=seconds(call.answered_at - call.started_at))
        call.assign(outcome=call.outcome and "answered")
    if report.ended_at:
        _end(call, report)
    if call.dirty_fields:
        call.save(only=call.dirty_fields)
    call_consequences.follow(call, before, newly_attached)


def _identify(call: Call, report: CallReport) -> None:
    """Fill in what was not known before."""
    if call.direction == "internal" and report.direction != "internal":
        # What was seen first was one leg: the outside party came into view later.
        call.direction, call.number, call.number_text = report.direction, None, ""
        call.name, call.did = "", None
    if not call.number_text and report.number:
        call.number = outside_number(report.number, call.direction)
        call.number_text = clean(report.number, 40)
    if not call.name and report.name:
        call.name = clean(report.name)
    if not call.did and report.did:
        call.did = normal_did(report.did) or None
    if report.queue:
        call.assign(queue=clean(report.queue))
    if report.recording and not call.recording:
        call.recording = report.recording


def _attach(call: Call, is_decided: bool) -> bool:
    """To the customer who is known by the number; True if a deal takes the call now.
    ``is_decided``: the rules will be asked what it makes."""
    if call.contact_id or not makes_customers(call):
        return False
    contact = Contact.by_number(call.number)
    if contact is None:
        return False
    if is_decided:
        # The rules will lock it. Once the rows of two calls name it, neither could do so any more.
        lock(contact)
    call.contact = contact
    if call.deal_id is None:
        call.deal = open_deal_of(contact)
    return call.deal_id is not None


def _end(call: Call, report: CallReport) -> None:
    call.ended_at, call.talk = report.ended_at, report.talk
    call.assign(guessed_end=report.end_is_guess)
    if report.talk is not None and call.answered_at and report.answered_at:
        # The answer was seen before a restart: the talk went on in between.
        call.talk = report.talk + seconds(report.answered_at - call.answered_at)
    if call.answered_at and report.talk is None:
        call.talk = _talk_of_legs(call)
    # Phones that were reached before a restart may have no later report of their own.
    _END_LEGS.change(call.id, Leg.ended_at.db_value(report.ended_at))
    if call.answered_at:
        call.outcome = "answered"
    else:
        call.outcome = report.outcome or "missed"
        if call.linkedid.startswith(OWN_CALL) and report.direction == "internal":
            # Nobody picked up the phone of who asked for it: the customer was never rung.
            call.outcome = "failed"
        call.wait = seconds(call.ended_at - call.started_at)


def _talk_of_legs(call: Call) -> int | None:
    """Another process heard the talk, and it was over when this one began: it lasted until the
    last phone that spoke was gone. None if that is not known."""
    spoke: Any = Leg.select(Leg.ended_at).where(Leg.call == call, Leg.answered_at.is_null(False))
    ends = [end for (end,) in spoke.tuples()]
    return seconds(max(ends) - call.answered_at) if ends and None not in ends else None


def _merge_leg(leg: Leg, report: LegReport, call_goes_on: bool) -> None:
    rings_now = report.rang_at and not leg.rang_at
    stops_now = leg.id and report.ended_at and not leg.ended_at
    leg.assign(
        rang_at=earliest(leg.rang_at, report.rang_at),
        answered_at=earliest(leg.answered_at, report.answered_at),
        ended_at=leg.ended_at or report.ended_at,
    )
    if report.outcome and leg.outcome != "answered":
        # Who told of the answer may have been another process.
        leg.assign(outcome="answered" if leg.answered_at else report.outcome)
    fresh = not leg.id
    if fresh or leg.dirty_fields:
        leg.save(force_insert=fresh, only=None if fresh else leg.dirty_fields)
    if rings_now and not report.ended_at and leg.user_id:
        Event.add("call.ringing", call=leg.call, payload={"user": leg.user_id})
    if stops_now and call_goes_on and leg.user_id:
        Event.add("call.stopped", call=leg.call, payload={"user": leg.user_id})
