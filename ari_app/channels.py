"""A channel, as the events and lists of ARI tell of it. What is not understood is refused here.

Source of the fields: the models that Asterisk describes itself at /ari/api-docs.
"""

from __future__ import annotations

import re
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

NOBODYS = frozenset(
    ("Local", "Message", "Announcer", "AudioSocket", "Bridge", "CBAnn", "CBRec", "MulticastRTP",
     "Recorder", "Snoop", "Surrogate", "UnicastRTP", "WebSocket")
)  # fmt: skip
"""Technologies of Asterisk's own: wires, announcements, recorders, and the queue of SIP messages,
whose channel never ends. Nobody's telephone."""

_QUOTED_PAIR = re.compile(r'\\(["\\])')


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


def channel(raw: Any) -> Channel:
    """A channel of an event or of ``GET /channels``. Raises BadEvent."""
    if not isinstance(raw, dict):
        raise BadEvent("no channel")
    name, uniqueid = text_in(raw, "name"), text_in(raw, "id")
    if not name or not uniqueid:
        raise BadEvent("a channel without name or id")
    caller, dialplan = raw.get("caller") or {}, raw.get("dialplan") or {}
    variables = raw.get("channelvars") or {}
    return Channel(
        id=uniqueid,
        linkedid=text_in(variables, LINKEDID),
        endpoint=name.rpartition("-")[0] or name,
        state=text_in(raw, "state"),
        number=text_in(caller, "number"),
        # Asterisk leaves RFC 3261's quoted pairs as they came.
        name=_QUOTED_PAIR.sub(r"\1", text_in(caller, "name")),
        exten=text_in(dialplan, "exten"),
        app=f"{text_in(dialplan, 'app_name')}({text_in(dialplan, 'app_data')})",
        created=moment(raw.get("creationtime")),
        label=name,
        recording=path_in(variables, RECORDING),
    )


def moment(text: Any) -> datetime:
    """Asterisk's ISO 8601 time → UTC. Raises BadEvent."""
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadEvent(f"no time: {str(text)[:40]!r}") from error
    raise BadEvent(f"a time without its zone: {text!r}")


def text_in(raw: Any, key: str) -> str:
    value = raw.get(key) if isinstance(raw, dict) else None
    return value[:LONGEST] if isinstance(value, str) else ""


def path_in(raw: Any, key: str) -> str:
    """A file's name is whole or none."""
    value = raw.get(key) if isinstance(raw, dict) else None
    if isinstance(value, str) and len(value) <= LONGEST_PATH and value.isprintable():
        return value
    return ""
