"""Raw ARI JSON → small typed events; whatever is not understood is refused here, at the edge.

Source of the fields: the ARI event models that Asterisk describes itself at /ari/api-docs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from telephony.call_report import NO_CALL

LINKEDID = "CHANNEL(linkedid)"
"""ari.conf must name it in ``channelvars``: it tells which legs are one call."""

RECORDING = "MIXMONITOR_FILENAME"
"""With it in ``channelvars`` too, Asterisk tells the file that a call is recorded to."""

LONGEST = 200
"""Characters kept of any text: caller names can be 10 kB long."""
LONGEST_PATH = 255
SETTLED = "trichter-listed-"
"""Begins the name of the event that we have Asterisk send us, behind all that came before it."""


NOBODYS = frozenset(
    ("Local", "Message", "Announcer", "AudioSocket", "Bridge", "CBAnn", "CBRec", "MulticastRTP",
     "Recorder", "Snoop", "Surrogate", "UnicastRTP", "WebSocket")
)  # fmt: skip
"""Technologies of Asterisk's own: wires, announcements, recorders, and the queue of SIP messages,
whose channel never ends. Nobody's telephone."""

_QUOTED_PAIR = re.compile(r'\\(["\\])')
_NUMBER_SENT = re.compile(r"(?:.*/|(?=[^/]*@))(?:sips?:)?(\+?[0-9]{3,})(?:@.*)?")


class BadEvent(ValueError):
    """A message of a kind we know that lacks what its kind must have."""


@dataclass(frozen=True)
class Channel:
    """A channel as it was at the moment of an event. ``endpoint``: PJSIP/101; ``exten``: where it
    stood in the dialplan; ``app``: the dialplan application it is in, with its arguments;
    ``linkedid``: '' where ari.conf does not ask for it. ``recording``: the file that MixMonitor
    writes, as the exchange names it."""

    id: str
    linkedid: str
    endpoint: str
    state: str
    number: str
    name: str
    exten: str
    app: str
    created: datetime
    label: str = ""
    recording: str = ""

    @property
    def queue(self) -> str:
        """The queue that it waits in, or ''."""
        name, _, arguments = self.app.partition("(")
        return arguments.removesuffix(")").partition(",")[0].strip() if name == "Queue" else ""

    @property
    def listens(self) -> bool:
        """Somebody's who listens to a call, and takes no part in it; or the doctor's probe."""
        return self.id.startswith(NO_CALL)

    @property
    def is_local(self) -> bool:
        """One half of a wire within Asterisk: ``Local/…;1`` or ``;2``."""
        return self.endpoint.startswith("Local/")

    @property
    def is_nobodys(self) -> bool:
        """Made by Asterisk for itself: no telephone and no trunk is behind it."""
        return self.endpoint.partition("/")[0] in NOBODYS


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
    reader = _READERS.get(_text(raw, "type"))
    return reader(raw, moment(raw.get("timestamp"))) if reader else None


def channel(raw: Any) -> Channel:
    """A channel of an event or of ``GET /channels``. Raises BadEvent."""
    if not isinstance(raw, dict):
        raise BadEvent("no channel")
    name, uniqueid = _text(raw, "name"), _text(raw, "id")
    if not name or not uniqueid:
        raise BadEvent("a channel without name or id")
    caller, dialplan = raw.get("caller") or {}, raw.get("dialplan") or {}
    variables = raw.get("channelvars") or {}
    return Channel(
        id=uniqueid,
        linkedid=_text(variables, LINKEDID),
        endpoint=name.rpartition("-")[0] or name,
        state=_text(raw, "state"),
        number=_text(caller, "number"),
        # Asterisk leaves RFC 3261's quoted pairs as they came.
        name=_QUOTED_PAIR.sub(r"\1", _text(caller, "name")),
        exten=_text(dialplan, "exten"),
        app=f"{_text(dialplan, 'app_name')}({_text(dialplan, 'app_data')})",
        created=moment(raw.get("creationtime")),
        label=name,
        recording=_path(variables, RECORDING),
    )


def bridge(raw: Any, at: datetime, who: Channel | None = None) -> Bridged:
    """A bridge of an event or of ``GET /bridges``. Raises BadEvent."""
    if not isinstance(raw, dict) or not isinstance(raw.get("channels"), list):
        raise BadEvent("no bridge")
    holds = _text(raw, "bridge_type") == "holding"
    members = tuple(c for c in raw["channels"] if isinstance(c, str) and not holds)
    return Bridged(at, _text(raw, "id"), members, who)


def moment(text: Any) -> datetime:
    """Asterisk's ISO 8601 time → UTC. Raises BadEvent."""
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadEvent(f"no time: {str(text)[:40]!r}") from error
    raise BadEvent(f"a time without its zone: {text!r}")


def number_sent(dialstring: str) -> str:
    """The number in what Dial() dialled: ``0304@trunk``, ``trunk/0304``, ``trunk/sip:0304@host``
    and ``g1/0304`` are 0304; the name of a phone alone (``101``) is none."""
    found = _NUMBER_SENT.fullmatch(dialstring)
    return found[1] if found else ""


def _text(raw: Any, key: str) -> str:
    value = raw.get(key) if isinstance(raw, dict) else None
    return value[:LONGEST] if isinstance(value, str) else ""


def _path(raw: Any, key: str) -> str:
    """A file's name is whole or none."""
    value = raw.get(key) if isinstance(raw, dict) else None
    if isinstance(value, str) and len(value) <= LONGEST_PATH and value.isprintable():
        return value
    return ""


def _updated(raw: dict[str, Any], at: datetime) -> Event:
    return Updated(at, channel(raw.get("channel")))


def _dialled(raw: dict[str, Any], at: datetime) -> Event:
    caller = raw.get("caller")
    return Dialled(
        at,
        channel(caller) if caller else None,
        channel(raw.get("peer")),
        _text(raw, "dialstatus"),
        number_sent(_text(raw, "dialstring")),
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
    name = _text(raw, "eventname")
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
