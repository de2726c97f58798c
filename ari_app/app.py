"""The process ``trichter ari``: reader → queue → ledger → rows; and the router's decisions.

One thread only reads and enqueues, one applies what is queued and records it, a few decide where
calls go. A slow database delays rows and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from ari_app.catchup import CatchUp
from ari_app.client import Client, EventStream, Unreachable
from ari_app.events import (
    BadEvent,
    Channel,
    Connected,
    Entered,
    Settled,
    Snapshot,
    bridge,
    channel,
    parse,
)
from ari_app.recorder import RecordsRead
from ari_app.recordings import RuleRecordings
from ari_app.requested import Requested
from ari_app.routing import Routing
from ari_app.seldom import Seldom
from ari_app.settling import Settling
from ari_app.tape import Tape
from ari_app.watch import Watch
from ari_app.writer import Recording
from fields import utcnow
from settings import Settings

log = logging.getLogger("trichter.ari")

SAY_EVERY = 10.0
HALF_A_SECOND, CLOCKS_AGREE = timedelta(seconds=0.5), timedelta(seconds=2)

Found = TypeVar("Found")


def _understood(read: Callable[[Any], Found], listed: Any) -> tuple[Found, ...]:
    """What can be read of a list that Asterisk gave; one odd entry must not hide the others."""
    found = []
    for raw in listed if isinstance(listed, list) else ():
        try:
            found.append(read(raw))
        except BadEvent as error:
            log.warning("listing: left out: %s", error)
    return tuple(found)


def _asked(client: Client, path: str) -> Any:
    """Twice, if need be: this process may have been stopped for longer than the time-out, and the
    events that came meanwhile would be lost with the connection. Raises AriError's kinds."""
    try:
        return client.request("GET", path)
    except Unreachable:
        return client.request("GET", path)


def clock_of(client: Client) -> datetime:
    """Now, by Asterisk's clock: what is listed is compared with events that carry its time.

    It tells whole seconds only, so a difference of less than two is taken for none. Raises
    AriError's kinds.
    """
    asked_at = utcnow()
    answer = client.request("GET", "/asterisk/variable", variable="EPOCH")
    now, told = utcnow(), str((answer or {}).get("value", ""))
    if not told.isdigit():
        return now
    theirs = datetime.fromtimestamp(int(told), UTC) + HALF_A_SECOND
    # The answer may have taken long.
    if asked_at - CLOCKS_AGREE < theirs < now + CLOCKS_AGREE:
        return now
    log.warning("Asterisk's clock is %+.0f s from ours", (theirs - now).total_seconds())
    return theirs


class Companion(Protocol):
    """What works beside the recording of calls, each in threads of its own: none of these waits.

    ``connected``: the stream is (again) connected, and this lives in Asterisk. ``heard``: one raw
    event, in the reader's thread. ``end``: no more; returns when its threads have ended.
    """

    def connected(self, client: Client, channels: tuple[Channel, ...]) -> None: ...

    def heard(self, raw: dict[str, Any]) -> None: ...

    def end(self) -> None: ...


class Telephony:
    """All of ``trichter ari``. ``run()`` blocks until ``stop()``."""

    def __init__(self, settings: Settings, tape: Tape | None = None) -> None:
        self.settings = settings
        self._tape = tape
        self.recording = Recording(
            settings.pbx.name,
            has_records=bool(settings.calls.cdr),
            on_forgotten=lambda until, known: self.catch_up.begin(until, known),
        )
        self.settling = Settling(settings.ari.app, self.recording.put)
        self.catch_up = CatchUp(settings, lambda: self.recording.put(RecordsRead()))
        self.companions: tuple[Companion, ...] = (
            RuleRecordings(settings),
            Watch(settings.pbx.name, lambda: self.stream.connected),
            Requested(settings, lambda: self.stream.connected),
        )
        self.routing = Routing(settings, lambda: self.stream.client)
        self._refused = Seldom(SAY_EVERY, log)
        ari = settings.ari
        self.stream = EventStream(
            ari.url,
            ari.username,
            ari.password,
            ari.app,
            on_event=self.on_event,
            on_connect=self.on_connect,
            on_disconnect=self.on_disconnect,
        )

    def run(self) -> None:
        self.recording.put(Connected(utcnow()))
        self.recording.start()
        try:
            self.stream.run()
        finally:
            for companion in self.companions:
                companion.end()
            self.settling.end()
            self.catch_up.end()
            self.recording.end()
            self.routing.end()

    def stop(self) -> None:
        self.stream.stop()

    def on_event(self, raw: dict[str, Any]) -> None:
        """In the reader's thread: parse and enqueue, nothing else."""
        for companion in self.companions:
            try:
                companion.heard(raw)
            except Exception:  # noqa: BLE001 - logged; the call is recorded and routed all the same
                self._refused.log(logging.ERROR, "an event was not taken in", exc_info=True)
        try:
            event = parse(raw)
        except BadEvent as error:
            self._refused.log(logging.WARNING, "event refused: %s", error)
            return
        if event:
            self.recording.put(event)
        if isinstance(event, Entered):
            self.routing.begin(event)
        if event and not isinstance(event, Settled):
            self._keep(raw)

    def _keep(self, raw: dict[str, Any]) -> None:
        """On the tape, if there is one; calls matter more than a tape that can't be written."""
        if self._tape:
            try:
                self._tape.write(raw)
            except OSError as error:
                log.error("no more is recorded to the file: %s", error.strerror)
                self._tape = None

    def on_connect(self, client: Client) -> None:
        """List what lives, and rescue calls that wait in our Stasis since before the gap."""
        at, mark = clock_of(client), uuid4().hex
        self.recording.put(Connected(at))
        channels = _understood(channel, _asked(client, "/channels"))
        bridges = _understood(lambda raw: bridge(raw, at), _asked(client, "/bridges"))
        self.recording.put(Snapshot(at, channels, bridges, mark))
        self.settling.begin(client, mark)
        log.info("%d channels live", len(channels))
        self.catch_up.begin(at, frozenset(live.linkedid for live in channels))
        for companion in self.companions:
            companion.connected(client, channels)
        self.routing.rescue(channels, at)

    def on_disconnect(self, _reason: str) -> None:
        """What comes first over the next connection comes before its list, too."""
        self.recording.put(Connected(utcnow()))
