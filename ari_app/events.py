"""Raw ARI JSON → small typed events; whatever is not understood is refused here, at the edge.

Source of the fields: the ARI event models that Asterisk describes itself at /ari/api-docs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ari_app.channels import BadEvent, Channel, channel, moment, text_in

SETTLED = "trichter-listed-"
"""Begins the name of the event that we have Asterisk send us, behind all that came before it."""


_NUMBER_SENT = re.compile(r"(?:.*/|(?=[^/]*@))(?:sips?:)?(\+?[0-9]{3,})(?:@.*)?")


@dataclass(frozen=True)
class Updated:
    """The channel exists, and is in this state."""

    at: datetime
    channel: Channel


@dataclass(frozen=True)
class Dialled:
    """Asterisk dials ``peer``. ``status``: '' at the start, then RINGING, ANSWER, BUSY …
    ``target``: the number that was sent out with it, '' if none was."""

    at: datetime
    caller: Channel | None
    peer: Channel
    status: str
    target: str = ""


@dataclass(frozen=True)
class Bridged:
    """``members`` (channel ids) hear each other now; ``channel`` has just come or gone. In a
    holding bridge (parking, queue) many may stand, and none hears another."""

    at: datetime
    bridge: str
    members: tuple[str, ...]
    channel: Channel | None = None


@dataclass(frozen=True)
class HungUp:
    """The channel is gone. ``cause``: Q.850."""

    at: datetime
    channel: Channel
    cause: int


@dataclass(frozen=True)
class Entered:
    """A call asks for a decision: it entered ``Stasis(app, args…)``."""

    at: datetime
    channel: Channel
    args: tuple[str, ...]


@dataclass(frozen=True)
class Connected:
    """The event stream is (again) connected: what was known may be out of date."""

    at: datetime


@dataclass(frozen=True)
class Snapshot:
    """Everything that lives in Asterisk, listed after ``Connected``. It may be newer than events
    that are not read yet; those have been when ``Settled`` with the same ``mark`` comes."""

    at: datetime
    channels: tuple[Channel, ...]
    bridges: tuple[Bridged, ...]
    mark: str = ""


@dataclass(frozen=True)
class Settled:
    """Every event that is older than the ``Snapshot`` of this ``mark`` has come."""

    at: datetime
    mark: str = ""


Event = Updated | Dialled | Bridged | HungUp | Entered | Connected | Snapshot | Settled


def parse(raw: Any) -> Event | None:
    """One message of the event stream; None for kinds that tell nothing about calls.

    Raises BadEvent.
    """
    if not isinstance(raw, dict):
        raise BadEvent("not an object")
    reader = _READERS.get(text_in(raw, "type"))
    return reader(raw, moment(raw.get("timestamp"))) if reader else None


def bridge(raw: Any, at: datetime, who: Channel | None = None) -> Bridged:
    """A bridge of an event or of ``GET /bridges``. Raises BadEvent."""
    if not isinstance(raw, dict) or not isinstance(raw.get("channels"), list):
        raise BadEvent("no bridge")
    holds = text_in(raw, "bridge_type") == "holding"
    members = tuple(c for c in raw["channels"] if isinstance(c, str) and not holds)
    return Bridged(at, text_in(raw, "id"), members, who)


def number_sent(dialstring: str) -> str:
    """The number in what Dial() dialled: ``0304@trunk``, ``trunk/0304``, ``trunk/sip:0304@host``
    and ``g1/0304`` are 0304; the name of a phone alone (``101``) is none."""
    found = _NUMBER_SENT.fullmatch(dialstring)
    return found[1] if found else ""


def _updated(raw: dict[str, Any], at: datetime) -> Event:
    return Updated(at, channel(raw.get("channel")))


def _dialled(raw: dict[str, Any], at: datetime) -> Event:
    caller = raw.get("caller")
    return Dialled(
        at,
        channel(caller) if caller else None,
        channel(raw.get("peer")),
        text_in(raw, "dialstatus"),
        number_sent(text_in(raw, "dialstring")),
    )


def _bridged(raw: dict[str, Any], at: datetime) -> Event:
    return bridge(raw.get("bridge"), at, channel(raw.get("channel")))


def _hung_up(raw: dict[str, Any], at: datetime) -> Event:
    cause = raw.get("cause")
    return HungUp(at, channel(raw.get("channel")), cause if isinstance(cause, int) else 0)


def _entered(raw: dict[str, Any], at: datetime) -> Event:
    args = raw.get("args")
    texts = tuple(a for a in args if isinstance(a, str)) if isinstance(args, list) else ()
    return Entered(at, channel(raw.get("channel")), texts)


def _settled(raw: dict[str, Any], at: datetime) -> Event | None:
    """Other people's user events are none of ours."""
    name = text_in(raw, "eventname")
    return Settled(at, name.removeprefix(SETTLED)) if name.startswith(SETTLED) else None


_READERS: dict[str, Callable[[dict[str, Any], datetime], Event | None]] = {
    "ChannelCreated": _updated,
    "ChannelStateChange": _updated,
    "Dial": _dialled,
    "ChannelEnteredBridge": _bridged,
    "ChannelLeftBridge": _bridged,
    "ChannelDestroyed": _hung_up,
    "StasisStart": _entered,
    "ChannelUserevent": _settled,
}
