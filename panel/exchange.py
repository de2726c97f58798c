"""The exchange now (T13), for heads: who talks, rings, is free or away; queues; what is going on.

Calls are what the ledger wrote, phones and queues what ``trichter ari`` sees; while that does not
run, or is cut off from the exchange, the page says since when nothing is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, render_template
from peewee import JOIN, fn

from fields import utcnow
from models import Call, Contact, Deal, Department, Device, Leg, User
from panel.auth import viewer
from panel.call_filters import waits
from panel.queues import FORGOTTEN, SOON, last_midnight, queues_of
from verbs.exchange import EXCHANGE, SILENT

bp = Blueprint("exchange", __name__)

ORDER = ("talks", "calls", "rings")


@dataclass(frozen=True)
class Exchange:
    """One Asterisk. ``seen_at``: when its ``trichter ari`` last said that it is connected, or went;
    ``calls``: live now."""

    name: str
    is_live: bool
    seen_at: datetime
    calls: int


@dataclass(frozen=True)
class Line:
    """A user's phone in a live call. ``state``: talks, calls (they dial) or rings; ``others``:
    colleagues in the same call."""

    leg: Leg
    state: str
    others: list[str]

    @property
    def call(self) -> Call:
        return self.leg.call

    @property
    def since(self) -> datetime:
        return self.leg.answered_at or self.leg.rang_at or self.call.started_at


@dataclass(frozen=True)
class Person:
    """``state``: talks, calls, rings, free, away (the phone can't be reached), unnamed (the
    exchange knows no such phone) or unknown. ``since``: of away and unknown."""

    user: User
    state: str
    lines: list[Line]
    since: datetime | None = None


@bp.get("/exchange")
def index() -> str:
    return render_template("exchange.html", **_now())


@bp.get("/exchange/now")
def now() -> str:
    """What changes of the page; it asks for this every few seconds."""
    return render_template("_exchange.html", **_now())


def _now() -> dict[str, Any]:
    """All that the page shows, in seven queries. For sellers there is no such page."""
    if not viewer().sees_all:
        abort(404)
    devices = list(Device.select())
    exchanges = _exchanges(devices)
    live = {exchange.name for exchange in exchanges if exchange.is_live}
    queues = queues_of(live)
    return {
        "exchanges": exchanges,
        "any_live": bool(live),
        "groups": _groups(devices, exchanges),
        "queues": queues,
        "waiting": sum(queue.now.waiting for queue in queues),
        "calls": sum(exchange.calls for exchange in exchanges if exchange.is_live),
        "missed": _missed_today(),
        "soon": SOON,
    }


def _exchanges(devices: Iterable[Device]) -> list[Exchange]:
    counted: Any = Call.select(Call.pbx, fn.COUNT(Call.id)).where(Call.ended_at.is_null())
    calls: dict[str, int] = dict(counted.group_by(Call.pbx).tuples())
    found = [
        Exchange(
            device.pbx,
            device.state == "online" and utcnow() - device.at < SILENT,
            device.at,
            calls.get(device.pbx, 0),
        )
        for device in devices
        if device.endpoint == EXCHANGE
    ]
    recent = [exchange for exchange in found if utcnow() - exchange.seen_at < FORGOTTEN]
    return sorted(recent or found, key=lambda exchange: exchange.name)


# Who does what -----------------------------------------------------------------------------------


def _groups(devices: Iterable[Device], exchanges: list[Exchange]) -> list[tuple[str, list[Person]]]:
    """Users with a phone, and those in a call, by department; those without one come last."""
    phones: dict[str, list[Device]] = defaultdict(list)
    for device in devices:
        phones[device.endpoint].append(device)
    query = User.select(User, Department).join(Department, JOIN.LEFT_OUTER).where(User.active)
    users = list(query.order_by(User.name, User.id))
    names = {user.id: user.name for user in users}
    lines = _lines({exchange.name for exchange in exchanges if exchange.is_live}, names)
    groups: dict[str, list[Person]] = defaultdict(list)
    for user in users:
        if user.endpoint or lines[user.id]:
            person = _person(user, lines[user.id], phones[user.endpoint or ""], exchanges)
            groups[user.department.name if user.department else ""].append(person)
    return sorted(groups.items(), key=lambda group: (not group[0], group[0].casefold()))


def _lines(live: set[str], names: dict[int, str]) -> dict[int, list[Line]]:
    """What users' phones do in the live calls of these exchanges, by user."""
    legs = list(
        Leg.select(Leg, Call, Contact, Deal)
        .join(Call)
        .join_from(Call, Contact, JOIN.LEFT_OUTER)
        .join_from(Call, Deal, JOIN.LEFT_OUTER)
        .where(Call.ended_at.is_null(), Leg.ended_at.is_null(), Call.pbx << live)
        .order_by(Call.started_at, Leg.id)
    )
    in_call: dict[int, list[Leg]] = defaultdict(list)
    for leg in legs:
        in_call[leg.call_id].append(leg)
    lines: dict[int, list[Line]] = defaultdict(list)
    for leg in legs:
        state = _state(leg, in_call[leg.call_id][0])
        if leg.user_id and state:
            lines[leg.user_id].append(Line(leg, state, _others(leg, in_call[leg.call_id], names)))
    for own in lines.values():
        own.sort(key=lambda line: ORDER.index(line.state))
    return lines


def _state(leg: Leg, first: Leg) -> str | None:
    """None: the exchange dials this phone, and has not heard from it."""
    if leg.answered_at:
        return "talks"
    if leg.rang_at:
        return "rings"
    dials = leg.call.direction == "outgoing" or leg.call.direction == "internal"
    return "calls" if dials and leg.id == first.id else None


def _others(leg: Leg, legs: list[Leg], names: dict[int, str]) -> list[str]:
    """Those who talk with this phone; between colleagues those who ring, too."""
    internal = leg.call.direction == "internal"
    found = [
        names[other.user_id]
        for other in legs
        if other.user_id in names.keys() - {leg.user_id} and (other.answered_at or internal)
    ]
    return list(dict.fromkeys(found))


def _person(
    user: User, lines: list[Line], phones: list[Device], exchanges: list[Exchange]
) -> Person:
    if lines:
        return Person(user, lines[0].state, lines)
    by_pbx = {device.pbx: device for device in phones}
    home = [e for e in exchanges if e.name in by_pbx] or exchanges
    live = [e for e in home if e.is_live]
    if not live:
        return Person(user, "unknown", [], max((e.seen_at for e in home), default=None))
    known = [by_pbx[e.name] for e in live if e.name in by_pbx]
    if not known:
        return Person(user, "unnamed", [])
    states = {device.state for device in known}
    if "online" in states:
        return Person(user, "free", [])
    gone = "away" if "offline" in states else "unknown"
    return Person(user, gone, [], max(device.at for device in known))


def _missed_today() -> int:
    today = Call.started_at >= last_midnight()
    return int(Call.visible_to(viewer()).where(waits(), today).count())
