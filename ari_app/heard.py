"""What single events tell of calls. Pure.

A channel whose endpoint belongs to a user is *inside*, and so is a trunk's channel to or from a
user's mobile; any other is *outside*. Channels that are nobody's are neither, though ``Local`` ones
connect their two halves. A call is answered while an inside channel can be heard by an outside one,
through whatever bridges lie between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from ari_app.calls import Calls
from ari_app.channels import Channel
from ari_app.events import Bridged, Dialled, Entered, Event, HungUp, Updated
from ari_app.known import Known
from ari_app.sides import Side
from fields import earliest

RINGS = frozenset({"RINGING", "PROGRESS"})
GONE_REMEMBERED = 10_000
BEFORE_WE_LISTEN = timedelta(seconds=1)
"""A call that begins so soon after connecting may have begun before: clocks agree no better."""
BRIDGES_REMEMBERED = 10_000


class Heard(Calls):
    """All calls that are not finished, by what was heard of their channels. ``unlinked``: channels
    passed over because nothing tells which call they are of."""

    def __init__(self, pbx: str, is_inside: Callable[[str], bool]) -> None:
        super().__init__(pbx)
        self.is_inside = is_inside
        self.unlinked = 0
        self._gone: dict[str, None] = {}
        self._bridged_in: dict[str, frozenset[str]] = {}
        self._connected_at: datetime | None = None

    def _hear(self, event: Event) -> set[str]:
        match event:
            case Updated(at, channel) | Entered(at, channel):
                return self._seen(channel, at)
            case Dialled():
                return self._dialled(event)
            case Bridged():
                return self._bridged(event)
            case HungUp(at, channel, cause):
                return self._hung_up(channel, at, cause)
        return set()

    def _seen(self, channel: Channel, at: datetime) -> set[str]:
        side = self._side(channel)
        if side is None:
            return set()
        if channel.state == "Ringing" and side.dialled:
            side.rang_at = earliest(side.rang_at, at)
        return {self._call_of[channel.id]}

    def _side(self, channel: Channel) -> Side | None:
        """The side of a live channel; None for one that is known to be gone, or of no call."""
        if channel.id in self._gone or channel.listens:
            return None
        if not channel.linkedid and channel.id not in self._call_of:
            self.unlinked += 1
            return None
        linkedid = self._call_of.setdefault(channel.id, self._named(channel))
        if self._named(channel) != linkedid and self._named(channel) in self.calls:
            linkedid = self._become_one({linkedid, self._named(channel)})
        call = self.calls.get(linkedid)
        if call is None:
            call = self.calls[linkedid] = Known(self.pbx, linkedid)
            began, since = channel.created, self._connected_at
            call.is_partial = since is not None and began < since + BEFORE_WE_LISTEN
        side = call.sides.get(channel.id)
        if side is None:
            side = Side(channel.id, channel.label, channel.endpoint, channel.created)
            side.is_nobodys = channel.is_nobodys
            call.sides[channel.id] = side
        side.lives = side.lives or channel.state != "Down"
        side.number = side.number or channel.number
        side.name = side.name or channel.name
        side.exten = side.exten or channel.exten
        side.belong(self.is_inside)
        call.queue = channel.queue or call.queue
        call.recording = call.recording or channel.recording
        return side

    def _dialled(self, event: Dialled) -> set[str]:
        touched = self._seen(event.caller, event.at) if event.caller else set()
        side = self._side(event.peer)
        if side is None:
            return touched
        side.dialled = True
        side.target = side.target or event.target
        side.belong(self.is_inside)
        side.status = event.status or side.status
        if event.status in RINGS or event.peer.state == "Ringing":
            side.rang_at = earliest(side.rang_at, event.at)
        return touched | {self._call_of[event.peer.id]}

    def _bridged(self, event: Bridged) -> set[str]:
        touched: set[str] = set()
        if event.channel:
            self._seen(event.channel, event.at)
            if self._came_unseen(event):
                # Until now it was with those who stay.
                were = replace(event, members=(*event.members, event.channel.id))
                touched = self._joined(were)
        return touched | self._joined(event)

    def _came_unseen(self, event: Bridged) -> bool:
        """Whether somebody leaves a bridge whom nobody saw come into it."""
        who = event.channel
        if who is None or who.id in event.members or who.id not in self._call_of:
            return False
        return event.bridge not in self.calls[self._call_of[who.id]].sides[who.id].been

    def _joined(self, event: Bridged) -> set[str]:
        members = frozenset(m for m in event.members if m in self._call_of)
        self._meet(members)
        touched = {self._call_of[m] for m in members}
        if event.channel and event.channel.id in self._call_of:
            touched.add(self._call_of[event.channel.id])
        touched |= self._in_bridge(event.bridge)
        for linkedid in touched:
            call = self.calls[linkedid]
            call.bridges[event.bridge] = members
            for member in members & call.sides.keys():
                call.sides[member].been.add(event.bridge)
            if not members:
                del call.bridges[event.bridge]
            call.hear(event.at)
        self._note_bridge(event.bridge, touched if members else set())
        return touched

    def _in_bridge(self, bridge: str) -> set[str]:
        """The calls that have anybody in it."""
        named = (self._absorbed_by.get(i, i) for i in self._bridged_in.get(bridge, ()))
        return {i for i in named if i in self.calls and bridge in self.calls[i].bridges}

    def _note_bridge(self, bridge: str, calls: set[str]) -> None:
        self._bridged_in.pop(bridge, None)
        if calls:
            self._bridged_in[bridge] = frozenset(calls)
        if len(self._bridged_in) > BRIDGES_REMEMBERED:
            # Of some we have not heard the end.
            self._bridged_in = {b: c for b, c in self._bridged_in.items() if self._in_bridge(b)}

    def _hung_up(self, channel: Channel, at: datetime, cause: int) -> set[str]:
        side = self._side(channel)
        if side is None:
            return set()
        return self._end(channel.id, at, cause)

    def _end(self, channel_id: str, at: datetime, cause: int) -> set[str]:
        linkedid = self._call_of.pop(channel_id)
        call = self.calls[linkedid]
        side = call.sides[channel_id]
        side.gone_at, side.cause = at, cause
        side.talk(False, at)
        call.bridges = {b: m - {channel_id} for b, m in call.bridges.items() if m - {channel_id}}
        call.hear(at)
        self._gone[channel_id] = None
        while len(self._gone) > GONE_REMEMBERED:
            del self._gone[next(iter(self._gone))]
        return {linkedid}
