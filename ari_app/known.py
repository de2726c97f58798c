"""What is known of one call: its sides, who hears whom, and the report of it all. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ari_app.sides import Side
from telephony.call_report import CallReport


@dataclass
class Known:
    """What is known of one call: its sides by channel id, and who is bridged with whom.
    ``is_customers``: a customer was in it before we began. ``is_partial``: it was there before we
    were connected, so that what it was until then may not be known."""

    pbx: str
    linkedid: str
    sides: dict[str, Side] = field(default_factory=dict)
    bridges: dict[str, frozenset[str]] = field(default_factory=dict)
    absorbed: tuple[str, ...] = ()
    guessed_at: datetime | None = None
    queue: str = ""
    recording: str = ""
    is_customers: bool = False
    is_partial: bool = False

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
        self.queue = self.queue or other.queue
        self.recording = self.recording or other.recording
        self.is_partial = self.is_partial or other.is_partial
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

    @property
    def end_is_guess(self) -> bool:
        """Nobody heard it end; or it ended without a conversation, as far as we were there."""
        ended_at = self.ended_at
        if ended_at is None:
            return False
        silent = not any(side.talks for side in self.sides.values())
        return ended_at == self.guessed_at or (self.is_partial and silent)

    def hear(self, at: datetime) -> None:
        """Begin and end talk spans after bridges or channels have changed."""
        internal = self.direction == "internal" and not self.is_customers
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
                # Asked by a colleague: reached, though that is no talk of this call.
                side.picked_up = side.picked_up or (side.inside and len(inside) > 1)

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
            end_is_guess=self.end_is_guess,
            queue=self.queue,
            recording=self.recording,
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
