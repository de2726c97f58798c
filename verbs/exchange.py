"""The verbs that say what an exchange shows of itself: is it watched, its phones, its queues (T13).

None of this is history: a row is written when something differs, and no Event is added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from database import database
from fields import clean
from models import Device, QueueState
from verbs.phones import known_endpoints

EXCHANGE = ""
"""In place of an endpoint: the row that tells whether the exchange itself is watched."""
BEAT = timedelta(seconds=5)
"""How often it is said that an exchange is watched."""
SILENT = timedelta(seconds=16)
"""Who has not said so for this long was ended without a word."""
STATES = ("online", "offline", "unknown")


@dataclass(frozen=True)
class QueueReport:
    """A queue now: callers ``waiting``, the first of them since ``longest_since`` (UTC), and those
    ``talking`` with a member."""

    name: str
    waiting: int
    talking: int
    longest_since: datetime | None = None


def record_watching(pbx: str, connected: bool, at: datetime) -> None:
    """The exchange ``pbx`` is watched at this moment, or from now on it is not."""
    _set_device(pbx, EXCHANGE, _device(pbx, EXCHANGE), "online" if connected else "offline", at)


def record_devices(pbx: str, states: Mapping[str, str], at: datetime) -> None:
    """The phones as the exchange sees them, by endpoint: online, offline or unknown.

    Only users' phones are kept. One that the exchange does not name is not its own, and one that
    has no user any more is forgotten.
    """
    with database.atomic():
        known = {device.endpoint: device for device in Device.select().where(Device.pbx == pbx)}
        users = known_endpoints()
        for endpoint in users & states.keys():
            state = states[endpoint] if states[endpoint] in STATES else "unknown"
            if endpoint not in known or known[endpoint].state != state:
                _set_device(pbx, endpoint, known.get(endpoint), state, at)
        gone = [known[e].id for e in known if e != EXCHANGE and not (e in users and e in states)]
        if gone:
            Device.delete().where(Device.id << gone).execute()


def record_queues(pbx: str, queues: Iterable[QueueReport], at: datetime) -> None:
    """All queues of an exchange in which anybody stands; in the others nobody does."""
    now = {name: queue for queue in queues if (name := clean(queue.name))}
    with database.atomic():
        known = {row.name: row for row in QueueState.select().where(QueueState.pbx == pbx)}
        for name in {*now, *known}:
            queue = now.get(name, QueueReport(name, 0, 0))
            values: dict[str, Any] = {
                "waiting": queue.waiting,
                "talking": queue.talking,
                "longest_since": queue.longest_since,
            }
            row = known.get(name)
            if row is None:
                row = QueueState.get_or_create(pbx=pbx, name=name, defaults={**values, "at": at})[0]
            row.assign(**values)
            if row.dirty_fields:
                row.at = at
                row.save(only=row.dirty_fields)


def _device(pbx: str, endpoint: str) -> Device | None:
    return Device.get_or_none(Device.pbx == pbx, Device.endpoint == endpoint)


def _set_device(pbx: str, endpoint: str, known: Device | None, state: str, at: datetime) -> None:
    if known is None:
        first = {"state": state, "at": at}
        Device.get_or_create(pbx=pbx, endpoint=endpoint, defaults=first)
    else:
        Device.update(state=state, at=at).where(Device.id == known.id).execute()
