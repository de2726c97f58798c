"""The ledger: typed events → what is known of each call, whole. Pure and replayable.

It holds no database and no clock: the same events give the same reports. What a report changes is
decided by ``verbs.calls.record_call``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ari_app.events import Connected, Event, Settled, Snapshot
from ari_app.gap import Gap
from ari_app.heard import Heard

DIALLED_APPS = ("AppDial", "AppQueue")
"""What a channel is said to do that Dial(), FollowMe() or Queue() has made."""
MOST_WAITING = 20_000
"""Events that wait for a list over several connections."""


class Ledger(Heard):
    """All calls that are not finished, of one PBX, over all connections. ``odd``: events that
    waited and could not be taken in."""

    def __init__(self, pbx: str, is_inside: Callable[[str], bool]) -> None:
        super().__init__(pbx, is_inside)
        self.odd: list[tuple[Event, Exception]] = []
        self._gap: Gap | None = None

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
        return self._hear(event)

    def _connected(self, at: datetime) -> set[str]:
        self._connected_at = at
        for call in self.calls.values():
            call.is_partial = call.is_partial or call.ended_at is None
        gap = self._gap or Gap(set(), set())
        touched: set[str] = set()
        if len(gap.events) > MOST_WAITING:
            # No list for a long time: better the smaller half of some calls than all of the memory.
            for waiting in gap.events:
                touched |= self._safely(waiting, self._hear, waiting)
            gap.events.clear()
        bridges = {b for c in self.calls.values() for b in c.bridges}
        self._gap = gap.again(self._call_of, bridges)
        return touched

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
            touched |= self._safely(waiting, self._hear, waiting)
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
