"""The calls that are known, and which of them are one. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ari_app.events import Channel
from ari_app.known import Known
from telephony.call_report import CallReport


class Calls:
    """All calls of one PBX that are not finished, by linkedid. A call that has turned out to be
    another one goes by that one's name."""

    def __init__(self, pbx: str) -> None:
        self.pbx = pbx
        self.calls: dict[str, Known] = {}
        self._call_of: dict[str, str] = {}
        self._absorbed_by: dict[str, str] = {}

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

    def _named(self, channel: Channel) -> str:
        """The call that a channel says it belongs to, by the name that it goes by now."""
        return self._absorbed_by.get(channel.linkedid, channel.linkedid)

    def _become_one(self, linkedids: Iterable[str], name: str = "") -> str:
        """Calls that are one call go on under this name or that of the customer's, of the oldest if
        there are several or none. Returns it."""
        found = (self.calls[i] for i in linkedids)
        eldest, *others = sorted(
            found, key=lambda c: (c.linkedid != name, not c.has_outside, c.age)
        )
        for other in others:
            eldest.absorb(other)
            del self.calls[other.linkedid]
            for absorbed in (other.linkedid, *other.absorbed):
                self._absorbed_by[absorbed] = eldest.linkedid
            for channel_id in other.sides.keys() & self._call_of.keys():
                self._call_of[channel_id] = eldest.linkedid
        return eldest.linkedid

    def knows(self, linkedid: str) -> bool:
        """Whether it is, or is part of, a call that there is a report of."""
        return self.report(self._absorbed_by.get(linkedid, linkedid)) is not None

    def end_of(self, linkedid: str) -> datetime | None:
        """When its last channel went, if it is known by channels only that are nobody's."""
        known = self.calls.get(linkedid)
        return known.ended_at if known else None

    def unite(self, channel_id: str, linkedid: str, is_customers: bool) -> str | None:
        """A channel known here was of this call before we began. Returns what their call is named
        now if that is news, else None. A customer's call keeps its name, though only colleagues
        are left in it."""
        home = next((c.linkedid for c in self.calls.values() if channel_id in c.sides), None)
        before = self._absorbed_by.get(linkedid, linkedid)
        if home is None or home == before:
            return None
        if before in self.calls:
            return self._become_one({home, before})
        if is_customers and not self.calls[home].has_outside:
            sides = dict(self.calls[home].sides)
            for side in sides.values():
                side.talks.clear()
            self.calls[linkedid] = Known(self.pbx, linkedid, sides, is_customers=True)
            return self._become_one({home, linkedid}, linkedid)
        self.calls[home].absorbed += (linkedid,)
        self._absorbed_by[linkedid] = home
        return home

    def _meet(self, members: Iterable[str]) -> None:
        """Who hears each other is in one call. A linkedid moves only later, or (ConfBridge) never.
        Two customers in one room stay two calls, unless Asterisk itself makes them one."""
        calls = [self.calls[i] for i in {self._call_of[m] for m in members}]
        customers = sorted((c for c in calls if c.has_outside), key=lambda c: c.age)
        colleagues = [c for c in calls if not c.has_outside]
        if len(calls) > 1 and colleagues:
            self._become_one(c.linkedid for c in (*customers[:1], *colleagues))
