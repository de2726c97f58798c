"""The ledger: typed events → what is known of each call, whole. Pure and replayable.

It holds no database and no clock: the same events give the same reports. What a report changes is
decided by ``verbs.calls.record_call``.

A channel whose endpoint belongs to a user is *inside*, any other is *outside*; channels that are
nobody's are neither, though ``Local`` ones connect their two halves. A call is answered while an
inside channel can be heard by an outside one, through whatever bridges lie between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ari_app.events import (
    Bridged,
    Channel,
    Connected,
    Dialled,
    Entered,
    Event,
    HungUp,
    Snapshot,
    Updated,
)
from call_report import CallReport, LegReport
from fields import earliest

RINGS = frozenset({"RINGING", "PROGRESS"})
BUSY_CAUSE = 17
"""Q.850: user busy."""
GAVE_UP_CAUSES = frozenset({0, 16, 18, 19, 21, 23, 26, 127})
"""Q.850: cleared, no response, no answer, rejected, redirected, answered elsewhere: reachable."""
FAILED_STATUSES = frozenset({"CHANUNAVAIL", "CONGESTION"})
GONE_REMEMBERED = 10_000


@dataclass
class Side:
    """One channel of a call. ``talks``: spans in which it could be heard by the other side.
    ``target``: the number sent out with it. ``lives``: it has been more than just made.
    """

    id: str
    label: str
    endpoint: str
    created: datetime
    number: str = ""
    name: str = ""
    exten: str = ""
    is_nobodys: bool = False
    inside: bool = False
    dialled: bool = False
    lives: bool = False
    target: str = ""
    rang_at: datetime | None = None
    gone_at: datetime | None = None
    status: str = ""
    cause: int = 0
    talks: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    picked_up: bool = False

    @property
    def is_local(self) -> bool:
        return self.endpoint.startswith("Local/")

    @property
    def is_outside(self) -> bool:
        return not self.inside and not self.is_nobodys

    @property
    def is_party(self) -> bool:
        """Somebody's, and it is clear whether it calls or is called: a trunk's channel that was
        just made may be a customer's call, or the way out of a call of ours."""
        return self.inside or (self.is_outside and (self.dialled or self.lives))

    @property
    def is_talking(self) -> bool:
        return bool(self.talks) and self.talks[-1][1] is None

    def talk(self, on: bool, at: datetime) -> None:
        """Begin or end a span; no change if it is so already."""
        self.picked_up = self.picked_up or on
        if on and not self.is_talking:
            self.talks.append((at, None))
        elif not on and self.is_talking:
            begun = self.talks[-1][0]
            self.talks[-1] = (begun, max(begun, at))

    @property
    def outcome(self) -> str | None:
        if self.gone_at is None:
            return None
        if self.picked_up:
            return "answered"
        if self.status == "BUSY" or self.cause == BUSY_CAUSE:
            return "busy"
        failed = self.status in FAILED_STATUSES or self.cause not in GAVE_UP_CAUSES
        return "failed" if failed and self.rang_at is None else "missed"

    def leg(self) -> LegReport:
        return LegReport(
            channel=self.id,
            endpoint=self.endpoint,
            rang_at=self.rang_at,
            answered_at=self.talks[0][0] if self.talks else None,
            ended_at=self.gone_at,
            outcome=self.outcome,
        )


@dataclass
class Known:
    """What is known of one call: its sides by channel id, and who is bridged with whom."""

    pbx: str
    linkedid: str
    sides: dict[str, Side] = field(default_factory=dict)
    bridges: dict[str, frozenset[str]] = field(default_factory=dict)
    absorbed: tuple[str, ...] = ()
    guessed_at: datetime | None = None

    @property
    def age(self) -> tuple[datetime, str]:
        """Orders calls by when they began."""
        return min(s.created for s in self.sides.values()), self.linkedid

    @property
    def has_outside(self) -> bool:
        return any(s.is_outside for s in self.sides.values())

    def absorb(self, other: Known) -> None:
        """Take in a call that has turned out to be this one. What colleagues said to each other
        before the customer was with them is no talk with the customer."""
        if self.has_outside and not other.has_outside:
            for side in other.sides.values():
                side.talks.clear()
        self.sides |= other.sides
        for bridge, members in other.bridges.items():
            self.bridges[bridge] = self.bridges.get(bridge, frozenset()) | members
        self.absorbed += (other.linkedid, *other.absorbed)

    @property
    def origin(self) -> Side:
        """The side that began the call: Asterisk names the call after its channel."""
        return min(self.parties, key=lambda s: (s.id != self.linkedid, s.created, s.id))

    @property
    def parties(self) -> list[Side]:
        """Those whose call it is; none as long as Asterisk only talks to itself."""
        return [s for s in self.sides.values() if s.is_party]

    @property
    def direction(self) -> str:
        if not self.parties:
            return "internal"
        if not self.origin.inside:
            # Somebody outside who was dialled first: a dialler, or a click in another program.
            return "outgoing" if self.origin.dialled else "incoming"
        return "outgoing" if any(s.is_outside for s in self.parties) else "internal"

    @property
    def ended_at(self) -> datetime | None:
        gone = [s.gone_at for s in self.sides.values()]
        return None if None in gone else max(g for g in gone if g)

    def hear(self, at: datetime) -> None:
        """Begin and end talk spans after bridges or channels have changed."""
        internal = self.direction == "internal"
        for group in self._groups():
            sides = [self.sides[c] for c in group]
            inside = [s for s in sides if s.inside]
            outside = [s for s in sides if s.is_outside]
            talking = len(inside) > 1 if internal else bool(inside and outside)
            # Passed on to a telephone outside: somebody's mobile picks up for the company.
            passed_on = not inside and len(outside) > 1
            for side in sides:
                speaks = (talking and side.inside) or (passed_on and side.dialled)
                side.talk(speaks and not side.is_nobodys, at)

    def _groups(self) -> list[set[str]]:
        """Channels that hear each other: in one bridge, or the two halves of a Local channel."""
        links = [set(members) & set(self.sides) for members in self.bridges.values()]
        halves: dict[str, set[str]] = {}
        for side in self.sides.values():
            if side.is_local:
                halves.setdefault(side.label.rpartition(";")[0], set()).add(side.id)
        groups: list[set[str]] = [{c} for c in self.sides]
        for link in [*links, *halves.values()]:
            touched = [g for g in groups if g & link]
            if len(touched) > 1:
                groups = [g for g in groups if not g & link] + [set().union(*touched)]
        return groups

    def report(self) -> CallReport:
        origin, direction = self.origin, self.direction
        sides = sorted(self.sides.values(), key=lambda s: (s.created, s.id))
        legs = [s for s in sides if s.inside]
        voices = [s for s in legs if s.talks] or [s for s in sides if s.talks]
        begun = [s.talks[0][0] for s in voices]
        ended_at = self.ended_at
        return CallReport(
            pbx=self.pbx,
            linkedid=self.linkedid,
            direction=direction,
            started_at=origin.created,
            number=origin.number if direction == "incoming" else self._called(origin),
            name=origin.name if direction == "incoming" else "",
            did=_extension(origin) if direction == "incoming" else "",
            answered_at=min(begun) if begun else None,
            ended_at=ended_at,
            talk=self._talk(voices) if ended_at and begun else None,
            speaker=self._speaker(legs),
            outcome=self._outcome(direction, legs) if ended_at else None,
            legs=tuple(s.leg() for s in legs),
            absorbed=self.absorbed,
            end_is_guess=ended_at is not None and ended_at == self.guessed_at,
        )

    def _called(self, origin: Side) -> str:
        """The number called, as it was sent out: what was typed on the phone may begin with the
        digit that gets a line, and a call that a program began was not typed at all."""
        out = sorted((s for s in self.parties if s.is_outside), key=lambda s: (s.created, s.id))
        sent, shown = [s.target for s in out], [s.number for s in out]
        typed = [_extension(origin)]
        likely = [*sent, *shown, *typed] if origin.dialled else [*sent, *typed, *shown]
        return next(filter(None, likely), "")

    @staticmethod
    def _talk(voices: Iterable[Side]) -> int:
        """Seconds in which anybody of the company could be heard, each counted once."""
        spans = sorted((b, e) for s in voices for b, e in s.talks if e)
        total, until = 0.0, None
        for begin, end in spans:
            begin = max(begin, until) if until else begin
            total += max(0.0, (end - begin).total_seconds())
            until = max(until, end) if until else end
        return round(total)

    @staticmethod
    def _speaker(legs: Iterable[Side]) -> str | None:
        """Who spoke last: still talking before others, then by when the last span began."""
        spoke = [s for s in legs if s.talks]
        last = max(
            spoke, key=lambda s: (s.is_talking, s.talks[-1][0], s.created, s.id), default=None
        )
        return last.endpoint if last else None

    def _outcome(self, direction: str, legs: list[Side]) -> str:
        if any(s.talks for s in self.sides.values()):
            return "answered"
        reached = [s for s in self.sides.values() if s.dialled and not s.is_nobodys]
        # A phone that is nobody's counts too: one that rang makes it a call that was not picked up.
        results = {s.outcome for s in (*legs, *reached) if s.dialled or direction == "incoming"}
        if results == {"busy"}:
            return "busy"
        return "failed" if direction != "incoming" and results == {"failed"} else "missed"


def _extension(side: Side) -> str:
    """Where it entered the dialplan; ``s`` is where calls without a called number enter."""
    return "" if side.exten == "s" else side.exten


class Ledger:
    """All calls that are not finished, of one PBX. ``unlinked``: channels passed over because
    nothing tells which call they are of."""

    def __init__(self, pbx: str, is_inside: Callable[[str], bool]) -> None:
        self.pbx = pbx
        self.is_inside = is_inside
        self.calls: dict[str, Known] = {}
        self._call_of: dict[str, str] = {}
        self._gone: dict[str, None] = {}
        self._absorbed_by: dict[str, str] = {}
        self.unlinked = 0
        self._stale: set[str] = set()
        self._stale_bridges: set[str] = set()
        self._fresh_bridges: dict[str, Bridged] | None = None

    def apply(self, event: Event) -> set[str]:
        """Take in one event. Returns the linkedids of the calls it may have changed."""
        match event:
            case Updated(at, channel) | Entered(at, channel):
                return self._seen(channel, at)
            case Dialled():
                return self._dialled(event)
            case Bridged():
                return self._bridged(event)
            case HungUp(at, channel, cause):
                return self._hung_up(channel, at, cause)
            case Connected():
                self._stale = set(self._call_of)
                self._stale_bridges = {b for c in self.calls.values() for b in c.bridges}
                self._fresh_bridges = {}
                return set()
            case Snapshot():
                return self._listed(event)

    def report(self, linkedid: str) -> CallReport | None:
        """What is known of a call; None if it is no call, or none yet: nobody takes part in it."""
        known = self.calls.get(linkedid)
        return known.report() if known and known.parties else None

    def forget_finished(self, linkedid: str) -> None:
        """Drop a call that has ended and is recorded."""
        known = self.calls.get(linkedid)
        if known and known.ended_at:
            del self.calls[linkedid]
            for absorbed in known.absorbed:
                self._absorbed_by.pop(absorbed, None)

    def _seen(self, channel: Channel, at: datetime) -> set[str]:
        side = self._side(channel)
        if side is None:
            return set()
        if channel.state == "Ringing" and side.dialled:
            side.rang_at = earliest(side.rang_at, at)
        return {self._call_of[channel.id]}

    def _side(self, channel: Channel) -> Side | None:
        """The side of a live channel; None for one that is known to be gone, or of no call."""
        if channel.id in self._gone:
            return None
        if not channel.linkedid and channel.id not in self._call_of:
            self.unlinked += 1
            return None
        self._stale.discard(channel.id)
        linkedid = self._call_of.setdefault(channel.id, self._named(channel))
        if self._named(channel) != linkedid and self._named(channel) in self.calls:
            linkedid = self._become_one({linkedid, self._named(channel)})
        call = self.calls.setdefault(linkedid, Known(self.pbx, linkedid))
        side = call.sides.get(channel.id)
        if side is None:
            side = Side(channel.id, channel.label, channel.endpoint, channel.created)
            side.is_nobodys = channel.is_nobodys
            call.sides[channel.id] = side
        # Asked until it is so: the users may not be known yet when a call begins.
        side.inside = side.inside or (not side.is_nobodys and self.is_inside(channel.endpoint))
        side.lives = side.lives or channel.state != "Down"
        side.number = side.number or channel.number
        side.name = side.name or channel.name
        side.exten = side.exten or channel.exten
        return side

    def _named(self, channel: Channel) -> str:
        """The call that a channel says it belongs to, by the name that it goes by now."""
        return self._absorbed_by.get(channel.linkedid, channel.linkedid)

    def _become_one(self, linkedids: Iterable[str]) -> str:
        """Calls that are one call go on under the name of the customer's, of the oldest if there
        are several or none. Returns it."""
        found = (self.calls[i] for i in linkedids)
        eldest, *others = sorted(found, key=lambda c: (not c.has_outside, c.age))
        for other in others:
            eldest.absorb(other)
            del self.calls[other.linkedid]
            for absorbed in (other.linkedid, *other.absorbed):
                self._absorbed_by[absorbed] = eldest.linkedid
            for channel_id in other.sides.keys() & self._call_of.keys():
                self._call_of[channel_id] = eldest.linkedid
        return eldest.linkedid

    def _meet(self, members: Iterable[str]) -> None:
        """Who hears each other is in one call. A linkedid moves only later, or (ConfBridge) never.
        Two customers in one room stay two calls, unless Asterisk itself makes them one."""
        calls = [self.calls[i] for i in {self._call_of[m] for m in members}]
        customers = sorted((c for c in calls if c.has_outside), key=lambda c: c.age)
        colleagues = [c for c in calls if not c.has_outside]
        if len(calls) > 1 and colleagues:
            self._become_one(c.linkedid for c in (*customers[:1], *colleagues))

    def _dialled(self, event: Dialled) -> set[str]:
        touched = self._seen(event.caller, event.at) if event.caller else set()
        side = self._side(event.peer)
        if side is None:
            return touched
        side.dialled = True
        side.target = side.target or event.target
        side.status = event.status or side.status
        if event.status in RINGS or event.peer.state == "Ringing":
            side.rang_at = earliest(side.rang_at, event.at)
        return touched | {self._call_of[event.peer.id]}

    def _bridged(self, event: Bridged) -> set[str]:
        self._stale_bridges.discard(event.bridge)
        if self._fresh_bridges is not None:
            self._fresh_bridges[event.bridge] = event
        if event.channel:
            self._seen(event.channel, event.at)
        members = frozenset(m for m in event.members if m in self._call_of)
        self._meet(members)
        touched = {self._call_of[m] for m in members}
        if event.channel and event.channel.id in self._call_of:
            touched.add(self._call_of[event.channel.id])
        touched |= {c.linkedid for c in self.calls.values() if event.bridge in c.bridges}
        for linkedid in touched:
            call = self.calls[linkedid]
            call.bridges[event.bridge] = members
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

    def _listed(self, event: Snapshot) -> set[str]:
        """After a gap: take in what lives, and end what lived before and is not there any more."""
        touched: set[str] = set()
        for channel in event.channels:
            side = self._side(channel)
            if side:
                side.dialled = side.dialled or channel.app.startswith("AppDial")
                touched |= self._seen(channel, event.at)
        # What came since the connection was made may be newer than the list, and is as whole.
        fresh, self._fresh_bridges = self._fresh_bridges or {}, None
        for bridge in ({b.bridge: b for b in event.bridges} | fresh).values():
            touched |= self._bridged(bridge)
        for channel_id in self._stale & set(self._call_of):
            self.calls[self._call_of[channel_id]].guessed_at = event.at
            touched |= self._end(channel_id, event.at, cause=0)
        for bridge_id in sorted(self._stale_bridges):
            touched |= self._bridged(Bridged(event.at, bridge_id, ()))
        self._stale.clear()
        return touched
