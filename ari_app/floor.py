"""What goes on in an exchange besides single calls: phones reachable, callers in queues. Pure."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ari_app.events import BadEvent, Channel, bridge, channel
from verbs.exchange import QueueReport

PHONES = frozenset({"EndpointStateChange", "PeerStatusChange", "ContactStatusChange"})
CALLS = frozenset(
    ("BridgeDestroyed", "ChannelCreated", "ChannelDestroyed", "ChannelEnteredBridge",
     "ChannelLeftBridge", "ChannelStateChange", "Dial")
)  # fmt: skip
KINDS = PHONES | CALLS
"""The events that tell something here."""
IN_QUEUE = "Queue("


@dataclass
class Standing:
    """A live channel: the ``queue`` it stands in, '' for none, and ``since`` when. ``is_served``:
    somebody has talked with it there, so that it does not wait any more once they hang up."""

    queue: str
    since: datetime
    is_served: bool = False


class Floor:
    """From events and lists, in any order that Asterisk sends them: ``devices`` (endpoint → online,
    offline or unknown) and ``queues()``."""

    def __init__(self) -> None:
        self.devices: dict[str, str] = {}
        self._standing: dict[str, Standing] = {}
        self._bridges: dict[str, tuple[str, ...]] = {}
        self._is_listed = False

    def begin(self) -> None:
        """The connection is new: whatever was known may have changed meanwhile."""
        self._bridges.clear()
        self._is_listed = False

    def hear(self, raw: dict[str, Any], at: datetime) -> None:
        """Take in one event of KINDS; what is odd in it is passed over: the recording of calls
        reads the same events, and logs it."""
        with suppress(BadEvent):
            if raw["type"] in PHONES:
                self._endpoint(raw.get("endpoint"))
            elif raw["type"] == "BridgeDestroyed":
                self._bridges.pop(bridge(raw.get("bridge"), at).bridge, None)
            elif raw["type"] == "ChannelDestroyed":
                self._standing.pop(channel(raw.get("channel")).id, None)
            else:
                self._moved(raw, at)

    def _moved(self, raw: dict[str, Any], at: datetime) -> None:
        who = raw.get("caller" if raw["type"] == "Dial" else "channel")
        if who is not None:
            self._see(channel(who), at)
        if raw.get("bridge"):
            self._join(raw["bridge"], at)

    def list_channels(self, listed: Any, at: datetime) -> None:
        """All that live. Of callers who were there before, it is not known when they came into
        the queue: they are taken to wait since they called."""
        living = set()
        for raw in listed if isinstance(listed, list) else ():
            with suppress(BadEvent):
                seen = channel(raw)
                living.add(seen.id)
                self._see(seen, at if self._is_listed else min(at, seen.created))
        for gone in self._standing.keys() - living:
            del self._standing[gone]
        self._is_listed = True

    def list_bridges(self, listed: Any, at: datetime) -> None:
        self._bridges.clear()
        for raw in listed if isinstance(listed, list) else ():
            with suppress(BadEvent):
                self._join(raw, at)

    def list_endpoints(self, listed: Any) -> None:
        self.devices.clear()
        for raw in listed if isinstance(listed, list) else ():
            self._endpoint(raw)

    @property
    def needs_look(self) -> bool:
        """Whether somebody may come into a queue, or leave one, without an event that tells."""
        talking = self._talking()
        return not self._is_listed or any(c not in talking for c in self._standing)

    def queues(self) -> list[QueueReport]:
        """The queues in which anybody stands, by name."""
        talking = self._talking()
        waiting: dict[str, list[datetime]] = defaultdict(list)
        served: dict[str, int] = defaultdict(int)
        for number, stands in self._standing.items():
            if not stands.queue:
                continue
            if number in talking:
                served[stands.queue] += 1
            elif not stands.is_served:
                waiting[stands.queue].append(stands.since)
        return [
            QueueReport(name, len(waiting[name]), served[name], min(waiting[name], default=None))
            for name in sorted({*waiting, *served})
        ]

    def _talking(self) -> set[str]:
        return {one for members in self._bridges.values() if len(members) > 1 for one in members}

    def _see(self, seen: Channel, at: datetime) -> None:
        # Asterisk's own channels wait for nobody, and some never end; a wire may lead to a queue.
        if seen.is_nobodys and not seen.is_local:
            return
        stands = self._standing.get(seen.id)
        name = seen.app[len(IN_QUEUE) : -1].split(",")[0] if seen.app.startswith(IN_QUEUE) else ""
        if stands is None or stands.queue != name:
            self._standing[seen.id] = Standing(name, at)

    def _join(self, raw: Any, at: datetime) -> None:
        joined = bridge(raw, at)
        self._bridges[joined.bridge] = joined.members
        if not joined.members:
            del self._bridges[joined.bridge]
        for member in joined.members if len(joined.members) > 1 else ():
            if member in self._standing:
                self._standing[member].is_served = True

    def _endpoint(self, raw: Any) -> None:
        if isinstance(raw, dict) and raw.get("technology") and raw.get("resource"):
            name = f"{raw['technology']}/{raw['resource']}"
            self.devices[name] = str(raw.get("state") or "unknown")
