"""Verbs about the recordings of calls (T8). The files are Asterisk's; a call's row only names one,
as the exchange does. telephony/recorded.py finds it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from peewee import fn

from database import database, locked
from fields import utcnow
from models import Call, CallRule, Contact, Event, User
from verbs.ignored import makes_customers
from verbs.rule_choice import effects_for

RULE = "record"
"""The effect of a CallRule, and the mark on the Event of the answer that asks for a recording."""
OURS = "trichter-"
"""How the names of files begin that a rule has recorded."""
PAGE = 400


def are_wanted() -> bool:
    """Whether any rule records calls."""
    return CallRule.select().where(CallRule.effects.contains(RULE)).exists()


def is_wanted(call: Call) -> bool:
    """Whether the rules want a call recorded that is just being answered: to be asked before they
    make its contact, for a known number has rules of its own. A hidden number is unknown."""
    if call.direction == "internal" or (call.number and not makes_customers(call)):
        return False
    known = bool(call.contact_id or Contact.by_number(call.number))
    return RULE in effects_for(call.direction, known, call.did)


def due(pbx: str) -> list[Call]:
    """Answered calls of a PBX that go on, that a rule wants recorded, and that nobody else
    records."""
    answers = Event.of_kind("call.answered").where(Event.call == Call.id)
    wanted = answers.where(Event.payload.contains(f'"{RULE}":true')).select(Event.id)
    is_free = Call.recording.is_null() | Call.recording.startswith(OURS)
    answered = Call.unfinished(pbx).where(Call.answered_at.is_null(False), is_free)
    return list(answered.where(fn.EXISTS(wanted)).order_by(Call.id))


def begin(call_id: int, file: str) -> bool:
    """A live call is from now on recorded into ``file``; saying it again changes nothing. False:
    it has ended, or is recorded into another file."""
    with database.atomic():
        call = locked(Call.select().where(Call.id == call_id)).first()
        if call is None or call.ended_at or call.recording not in (None, file):
            return False
        if call.recording is None:
            _set(call, file)
            Event.add("recording.begun", call=call)
    return True


def take_back(call_id: int, file: str) -> None:
    """Nothing was recorded into ``file``."""
    Call.update(recording=None).where(Call.id == call_id, Call.recording == file).execute()


def add(pbx: str, found: Mapping[str, str]) -> int:
    """What the exchange wrote down later: files by the linkedid of calls that are here already.
    A call that has a recording keeps it. Returns how many were new."""
    added = 0
    linkedids = [linkedid for linkedid, file in found.items() if file]
    for at in range(0, len(linkedids), PAGE):
        here = Call.linkedid << linkedids[at : at + PAGE]
        for call in Call.select().where(Call.pbx == pbx, here, Call.recording.is_null()):
            added += _set(call, found[call.linkedid])
    return added


def _set(call: Call, file: str) -> int:
    mine: Any = Call.update(recording=file).where(Call.id == call.id, Call.recording.is_null())
    return mine.execute()


def played(call: Call, by: User) -> bool:
    """Somebody listens to it: in the audit trail once for each person and day (UTC). Says nothing
    to the live feed, and leaves the card untouched. False: it is there already."""
    now = utcnow()
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    kind, mine = "recording.played", (Event.call == call) & (Event.user == by)
    if Event.of_kind(kind).where(mine, Event.at >= today).exists():
        return False
    with database.atomic():
        # Players ask for several parts at once: the call's row lets one pass after the other.
        locked(Call.select().where(Call.id == call.id)).get()
        if Event.of_kind(kind).where(mine, Event.at >= today).exists():
            return False
        audience = json.dumps({"deal_for": [], "call_for": []}, separators=(",", ":"))
        Event.create(kind=kind, call=call, user=by, at=now, payload=audience)
    return True
