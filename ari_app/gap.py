"""What is in doubt after connecting: the list of all that lives is one look at one moment, and
events from before that moment may still be on their way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ari_app.events import Bridged, Channel, Dialled, Event, Snapshot


@dataclass
class Gap:
    """``channels`` and ``bridges`` (ids) were known before the connection was made. ``events`` wait
    until all from before the list (``listed``) have come; those ``since`` came over it."""

    channels: set[str]
    bridges: set[str]
    events: list[Event] = field(default_factory=list)
    since: int = 0
    listed: Snapshot | None = None

    def again(self, channels: Iterable[str], bridges: Iterable[str]) -> Gap:
        """The connection was lost, or is made, while this still waits."""
        heard_of = {c.id for e in self.events for c in channels_of(e)}
        met_in = {e.bridge for e in self.events if isinstance(e, Bridged)}
        known = heard_of.union(channels), met_in.union(bridges)
        return Gap(*known, self.events, len(self.events))

    def foreseen(self, listed: Snapshot) -> Iterator[Channel]:
        """Every channel that there is something to be told of, as it was at first."""
        first: dict[str, Channel] = {}
        for event in self.events:
            for channel in channels_of(event):
                first.setdefault(channel.id, channel)
        for channel in listed.channels:
            first.setdefault(channel.id, channel)
        yield from first.values()

    def ended(self, listed: Snapshot) -> set[str]:
        """Channels from before, of which there is no sign of life after."""
        heard_of = {c.id for e in self.events[self.since :] for c in channels_of(e)}
        return self.channels - heard_of - {c.id for c in listed.channels}

    def told(self, listed: Snapshot) -> list[Event]:
        """All that happened, in its order. Bridges that only the list tells of have been so since
        before the first of the events; one from before that is in neither has ended."""
        fresh = {e.bridge for e in self.events[self.since :] if isinstance(e, Bridged)}
        lasting = [b for b in listed.bridges if b.bridge not in fresh]
        ended = sorted(self.bridges - fresh - {b.bridge for b in lasting})
        ends = (Bridged(listed.at, bridge, ()) for bridge in ended)
        return [*self.events[: self.since], *lasting, *self.events[self.since :], *ends]


def channels_of(event: Event) -> Iterator[Channel]:
    if isinstance(event, Dialled):
        yield from (event.caller, event.peer) if event.caller else (event.peer,)
    elif channel := getattr(event, "channel", None):
        yield channel
