"""The ledger: typed events → what is known of each call, whole. Pure and replayable.

It holds no database and no clock: the same events give the same reports. What a report changes is
decided by ``verbs.calls.record_call``.

A channel whose endpoint belongs to a user is *inside*, and so is a trunk's channel to or from a
user's mobile; any other is *outside*. Channels that are nobody's are neither, though ``Local`` ones
connect their two halves. A call is answered while an inside channel can be heard by an outside one,
through whatever bridges lie between.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ari_app.calls import Calls
from ari_app.events import (
    Bridged,
    Channel,
    Connected,
    Dialled,
    Entered,
    Event,
    HungUp,
    Settled,
    Snapshot,
    Updated,
)
from ari_app.gap import Gap
from ari_app.known import Known
from ari_app.sides import Side
from fields import earliest

RINGS = frozenset({"RINGING", "PROGRESS"})
DIALLED_APPS = ("AppDial", "AppQueue")
"""What a channel is said to do that Dial(), FollowMe() or Queue() has made."""
GONE_REMEMBERED = 10_000
BEFORE_WE_LISTEN = timedelta(seconds=1)
"""A call that begins so soon after connecting may have begun before: clocks agree no better."""
MOST_WAITING = 20_000
"""Events that wait for a list over several connections."""


class Ledger(Calls):
    """All calls that are not finished, of one PBX. ``unlinked``: channels passed over because
    nothing tells which call they are of. ``odd``: events that waited and could not be taken in."""

    def __init__(self, pbx: str, is_inside: Callable[[str], bool]) -> None:
        super().__init__(pbx)
        self.is_inside = is_inside
        self._gone: dict[str, None] = {}
        self.unlinked = 0
        self.odd: list[tuple[Event, Exception]] = []
        self._gap: Gap | None = None
        self._connected_at: datetime | None = None

    @property
    def is_settled(self) -> bool:
        """Not between connecting and the moment when both the list of all that lives and every
        event before it have been taken in."""
        return self._gap is None

    def apply(self, event: Event) -> set[str]:
        """Take in one event. Returns the linkedids of the calls it may have changed. Between
        connecting and ``Settled`` events wait: whose they are may only be known by later ones."""
        match event:
            case Connected(at):
                return self._connected(at)
            case Settled():
                return self._settled(event)
            case Snapshot():
                self._gap = self._gap or Gap(set(), set())
                self._gap.listed = event
                return set()
        if self._gap:
            self._gap.events.append(event)
            return set()
        return self._apply(event)

    def _connected(self, at: datetime) -> set[str]:
        self._connected_at = at
        for call in self.calls.values():
            call.is_partial = call.is_partial or call.ended_at is None
        gap = self._gap or Gap(set(), set())
        touched: set[str] = set()
        if len(gap.events) > MOST_WAITING:
            # No list for a long time: better the smaller half of some calls than all of the memory.
            for waiting in gap.events:
                touched |= self._safely(waiting, self._apply, waiting)
            gap.events.clear()
        bridges = {b for c in self.calls.values() for b in c.bridges}
        self._gap = gap.again(self._call_of, bridges)
        return touched

    def _apply(self, event: Event) -> set[str]:
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
        # Only live calls are asked: while the database is away, finished ones are many.
        live = set(self._call_of.values())
        touched |= {linkedid for linkedid in live if event.bridge in self.calls[linkedid].bridges}
        for linkedid in touched:
            call = self.calls[linkedid]
            call.bridges[event.bridge] = members
            for member in members & call.sides.keys():
                call.sides[member].been.add(event.bridge)
            if not members:
                del call.bridges[event.bridge]
            call.hear(event.at)
        return touched

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

    def _settled(self, event: Settled) -> set[str]:
        """All events from before the list have come. What only the list knows was in the gap, and
        what lived before the gap and is in neither has ended in it. When something began the list
        does not tell: it may be newer than the events."""
        gap = self._gap
        if gap is None or gap.listed is None or gap.listed.mark != event.mark:
            return set()
        self._gap, listed = None, gap.listed
        touched = self._safely(event, self._foresee, gap, listed)
        for waiting in gap.told(listed):
            touched |= self._safely(waiting, self._apply, waiting)
        touched |= self._safely(event, self._rings_since, listed)
        return touched | self._safely(event, self._end_lost, gap, listed)

    def _foresee(self, gap: Gap, listed: Snapshot) -> set[str]:
        for channel in gap.foreseen(listed):
            self._side(channel)
        touched: set[str] = set()
        for channel in listed.channels:
            side = self._side(channel)
            if side:
                side.dialled = side.dialled or channel.app.startswith(DIALLED_APPS)
                touched.add(self._call_of[channel.id])
        return touched

    def _safely(self, event: Event, act: Callable[..., set[str]], *about: Any) -> set[str]:
        """One odd event must not keep back what has waited with it."""
        try:
            return act(*about)
        except Exception as error:  # noqa: BLE001 - told to who applies
            self.odd.append((event, error))
            return set()

    def _end_lost(self, gap: Gap, listed: Snapshot) -> set[str]:
        touched: set[str] = set()
        for channel_id in gap.ended(listed) & self._call_of.keys():
            self.calls[self._call_of[channel_id]].guessed_at = listed.at
            touched |= self._end(channel_id, listed.at, cause=0)
        return touched

    def _rings_since(self, listed: Snapshot) -> set[str]:
        touched: set[str] = set()
        for channel in listed.channels:
            linkedid = self._call_of.get(channel.id)
            if linkedid and channel.state == "Ringing":
                side = self.calls[linkedid].sides[channel.id]
                if side.dialled and side.rang_at is None:
                    side.rang_at = listed.at
                    touched.add(linkedid)
        return touched
