"""Requests to the exchange (T7, T11): made by a person, claimed once, and what becomes of them.

Each change of state is a conditional update, and the count of rows tells who made it: two processes
of one exchange, or one that was killed and started again, never dial twice.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import fields
from database import database, locked
from errors import Conflict, Refused
from fields import readable, utcnow
from models import OPEN_REQUESTS, Call, CallRequest, Contact, Deal, Device, Event, Leg, User
from telephony.call_report import OWN_CALL, OWN_EAR
from telephony.numbering import is_dear

LISTENING = ("listen", "whisper", "join")
WAITS = timedelta(seconds=10)
"""How long a request is worth anything to the person who made it, unless it is claimed."""
UNDER_WAY = OPEN_REQUESTS[1:]


# What people want --------------------------------------------------------------------------------


def call_out(by: User, number: str, pbx: str, deal: Deal | None = None) -> CallRequest:
    """T7: ring ``by``'s phone, then ``number`` (E.164); the call belongs on ``deal``. ``pbx``: the
    exchange, if it is not known where the phone is.

    Raises Refused for a number that must not be dialled by a click, Conflict if the phone is still
    busy with another request.
    """
    _must_be_harmless(by, number)
    return _place(by, pbx, kind="call", number=number, deal=deal, contact=deal and deal.contact)


def listen(by: User, call: Call, kind: str) -> CallRequest:
    """T11: ring ``by``'s phone and let it into a running call. Raises Refused or Conflict."""
    if not by.sees_all:
        raise Refused("Only a head can listen to a call.")
    if kind not in LISTENING:
        raise Refused("one of {listening}", field="kind", listening=", ".join(LISTENING))
    talks = talking(call)
    if talks is None:
        raise Refused("Nobody is talking in this call any more.")
    if Leg.select().where(Leg.call == call, Leg.user == by, Leg.ended_at.is_null()).exists():
        raise Refused("You are in this call yourself.")
    return _place(by, call.pbx, kind=kind, call=call)


def talking(call: Call | None) -> Leg | None:
    """The phone of the user who talks in a call now; of several, who came last."""
    live = (
        (Leg.call == (call and call.id)) & Leg.answered_at.is_null(False) & Leg.ended_at.is_null()
    )
    newest = (Leg.answered_at.desc(), Leg.id.desc())
    found: Leg | None = Leg.select(Leg, User).join(User).where(live).order_by(*newest).first()
    return found


def _must_be_harmless(by: User, number: str) -> None:
    """A number that a stranger showed as theirs must not cost money by being called back."""
    if is_dear(number):
        raise Refused(
            "{number} is a premium-rate number: dial it on the phone.", number=readable(number)
        )
    if number in fields.own or number == by.mobile:
        raise Refused("{number} is one of our own numbers.", number=readable(number))


def _place(by: User, pbx: str, kind: str, **about: Any) -> CallRequest:
    """One open request a user: a stuck key must not place fifty calls."""
    if not by.endpoint:
        raise Refused("You have no phone here: the administrator can give you one.")
    if "call" not in about:
        pbx = _exchange_of(by) or pbx
    prefix = OWN_CALL if kind == "call" else OWN_EAR
    # The numbers at its end read as those that Asterisk makes: when calls meet it compares them.
    channel = f"{prefix}{int(time.time())}.{secrets.randbelow(10**9)}"
    with database.atomic():
        locked(User.select().where(User.id == by.id)).get()
        for open_ in CallRequest.select().where(
            CallRequest.user == by, CallRequest.state << OPEN_REQUESTS
        ):
            if not expire(open_):
                raise Conflict("Your phone is still busy with the last call that you asked for.")
        request: CallRequest = CallRequest.create(
            user=by, pbx=pbx, kind=kind, channel=channel, **about
        )
        Event.add("call_request.new", request=request)
    return request


def _exchange_of(user: User) -> str | None:
    """Where the user's phone was seen last, among several exchanges."""
    there = (Device.endpoint == user.endpoint) & (Device.state == "online")
    found = Device.select().where(there).order_by(Device.at.desc()).first()
    return found and found.pbx


def cancel(request: CallRequest) -> bool:
    """Its user wants it over. Not claimed yet, it ends at once; else the ARI process ends it."""
    ended = {"reason": "cancelled", "ended_at": utcnow()}
    return _change(request, "failed", ("new",), **ended) or _change(
        request, "ending", ("claimed", "ringing", "talking")
    )


def listen_as(request: CallRequest, kind: str) -> bool:
    """Listen, whisper or join from now on. False: it is so already, or over. Raises Refused."""
    if kind not in LISTENING or request.kind not in LISTENING:
        raise Refused("one of {listening}", field="kind", listening=", ".join(LISTENING))
    same = CallRequest.kind == request.kind
    if kind == request.kind or request.state not in ("new", *UNDER_WAY):
        return False
    return _change(request, request.state, (request.state,), same, kind=kind)


def may_go_on(request: CallRequest) -> bool:
    """False for one of a user who was disabled since, or who listens and is a head no more."""
    user = request.user
    return user.active and (request.kind == "call" or user.sees_all)


def revoke(request: CallRequest) -> bool:
    """Its user may not any more: nothing begins, and nobody goes on listening. A call that is under
    way already is left alone."""
    if request.kind != "call":
        return cancel(request)
    ended = {"reason": "forbidden", "ended_at": utcnow()}
    return _change(request, "failed", ("new",), **ended)


# What becomes of them ----------------------------------------------------------------------------


def open_at(pbx: str) -> list[CallRequest]:
    """Those of one exchange that are not over, the oldest first, with their users."""
    query = CallRequest.select(CallRequest, User).join(User)
    here = (CallRequest.pbx == pbx) & (CallRequest.state << OPEN_REQUESTS)
    return list(query.where(here).order_by(CallRequest.id))


def of_channel(channel: str) -> CallRequest | None:
    """The open request whose phone has this channel."""
    found: CallRequest | None = CallRequest.get_or_none(CallRequest.channel == channel)
    return found if found and found.is_open else None


def claim(request: CallRequest) -> bool:
    """True for one process only, and never for a request that has waited too long: nobody expects
    any more that a phone rings."""
    fresh = CallRequest.created_at > utcnow() - WAITS
    return _change(request, "claimed", ("new",), fresh, claimed_at=utcnow())


def expire(request: CallRequest) -> bool:
    """End it if nobody has claimed it in time."""
    late = CallRequest.created_at <= utcnow() - WAITS
    return _change(request, "failed", ("new",), late, reason="expired", ended_at=utcnow())


def rings(request: CallRequest) -> bool:
    return _change(request, "ringing", ("claimed",))


def picked_up(request: CallRequest) -> bool:
    return _change(request, "talking", ("claimed", "ringing"))


def over(request: CallRequest) -> bool:
    """The phone was picked up, and has hung up."""
    return _change(request, "done", UNDER_WAY, ended_at=utcnow())


def fail(request: CallRequest, reason: str) -> bool:
    """It came to nothing. What its user had ended before counts as cancelled."""
    at = utcnow()
    return _change(request, "failed", ("ending",), reason="cancelled", ended_at=at) or _change(
        request, "failed", OPEN_REQUESTS, reason=reason, ended_at=at
    )


def _change(
    request: CallRequest, state: str, since: Iterable[str], *conditions: Any, **values: Any
) -> bool:
    """To ``state`` if it still is in one of those before."""
    found = (CallRequest.id == request.id, CallRequest.state << list(since), *conditions)
    with database.atomic():
        if not CallRequest.update(state=state, **values).where(*found).execute():
            return False
        now = CallRequest.get_by_id(request.id)
        request.assign(state=now.state, kind=now.kind, reason=now.reason)
        request.assign(claimed_at=now.claimed_at, ended_at=now.ended_at)
        request.dirty_fields.clear()
        Event.add(f"call_request.{state}", request=request)
    return True


def adopt(call: Call) -> None:
    """A call that was just recorded for the first time: if it was asked for here, it is outgoing,
    to the number asked for, on the card that it was started from, as if put there by hand."""
    if not call.linkedid.startswith(OWN_CALL):
        return
    request = CallRequest.get_or_none(
        CallRequest.channel == call.linkedid, CallRequest.pbx == call.pbx
    )
    if request is None:
        return
    call.assign(direction="outgoing", number=request.number, number_text=request.number)
    if request.deal:
        contact = Contact.by_number(request.number) or request.deal.contact
        call.assign(contact=contact, deal=request.deal)
    call.save(only=call.dirty_fields)
    CallRequest.update(call=call).where(CallRequest.id == request.id).execute()
    if request.deal_id:
        Event.add("call.attached", call=call, deal=request.deal, by=request.user)
    Event.add(f"call_request.{request.state}", request=request)


def noted(request: CallRequest, what: str, whom: User | None) -> None:
    """Listening was ``started``, ``changed`` or ``ended``: for the heads' audit trail, and never
    for the seller who is listened to."""
    about = {"mode": request.kind, "whom": whom.id if whom else None}
    Event.add(f"listen.{what}", call=request.call, by=request.user, payload=about, only_heads=True)
