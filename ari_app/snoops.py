"""The channels of a recording that a rule starts, and what it is called: see recordings.py."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ari_app.client import Client, Gone
from ari_app.events import BadEvent, Channel, channel
from ari_app.routing import OWN
from models import Call
from verbs.recordings import OURS

log = logging.getLogger("trichter.ari")

WHAT = "record"


@dataclass(frozen=True)
class Snoop:
    """A channel that hears channel ``target`` for the call of number ``call``."""

    call: int
    target: str


def channel_of(call: int) -> str:
    """The id of the snooping channel of a call."""
    return f"trichter-{WHAT}-{call}"


def call_of(channel_id: Any) -> int | None:
    """The call that a channel of this id snoops for; None of all others."""
    mark = channel_of(0)[:-1]
    return id_among([channel_id[len(mark) :]]) if str(channel_id).startswith(mark) else None


def hear(client: Client, app: str, target: str, call: int) -> None:
    """Let a channel of ours hear both sides of channel ``target``. Raises AriError's kinds."""
    client.request(
        "POST",
        "/channels/{channelId}/snoop/{snoopId}",
        channelId=target,
        snoopId=channel_of(call),
        spy="both",
        app=app,
        appArgs=f"{OWN},{WHAT},{call}",
    )


def leave(client: Client, call: int) -> None:
    """Hear no more of a call. Raises AriError's kinds."""
    with suppress(Gone):  # with its call
        client.request("DELETE", "/channels/{channelId}", channelId=channel_of(call))


def name_of(call: Call) -> str:
    """Of the file: the same at every time for a call, without what a path or a shell could read."""
    pbx = re.sub("[^A-Za-z0-9]", "-", call.pbx)
    return f"{OURS}{pbx}-{call.started_at:%Y%m%d-%H%M%S}-{call.id}"


def customer_of(call: Call, live: Iterable[Channel], inside: frozenset[str]) -> Channel | None:
    """The channel of the call that is the customer's: whoever of us speaks, it stays."""
    outside = [
        c
        for c in live
        if c.linkedid == call.linkedid
        and c.state == "Up"
        and not c.is_nobodys
        and c.endpoint not in inside
    ]
    # Asterisk names a call after the channel that began it.
    return min(outside, key=lambda c: (c.id != call.linkedid, c.created), default=None)


def channels_in(listed: Any) -> Iterable[Channel]:
    for raw in listed if isinstance(listed, list) else ():
        try:
            yield channel(raw)
        except BadEvent as error:
            log.warning("listing: left out: %s", error)


def snoop_of(live: Channel, ours: str) -> Snoop | None:
    """What a snooping channel of our application is for."""
    found = re.fullmatch(rf"Stasis\({re.escape(ours)},{OWN},{WHAT},([^,]*)\)", live.app)
    call = id_among([found[1]]) if found else None
    # Asterisk names it Snoop/TARGET-NUMBER.
    return Snoop(call, live.endpoint.partition("/")[2]) if call else None


def id_among(args: Any) -> int | None:
    """The id of a call among the arguments of Stasis."""
    first = args[0] if args and isinstance(args[0], str) else ""
    return int(first) if re.fullmatch("[1-9][0-9]{0,17}", first) else None
