"""The process ``trichter ari``: reader → queue → ledger → rows; and the router's decisions.

One thread only reads and enqueues, one applies what is queued and records it, a few decide where
calls go. A slow database delays rows and nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import uuid4

from ari_app import router
from ari_app.catchup import CatchUp
from ari_app.client import (
    AriError,
    Client,
    EventStream,
    Gone,
    NotYet,
    Unreachable,
    WrongState,
)
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
from ari_app.seldom import Seldom
from ari_app.settling import Settling
from ari_app.tape import Tape
from ari_app.watch import Watch
from ari_app.writer import Recording
from database import DATABASE_ERRORS, kept_connection
from errors import TrichterError
from fields import utcnow
from settings import Settings

log = logging.getLogger("trichter.ari")

ROUTERS = 8
OWN = "own"
"""First argument of Stasis for channels that Trichter made itself: they are not routed."""
SAY_EVERY = 10.0
HALF_A_SECOND, CLOCKS_AGREE = timedelta(seconds=0.5), timedelta(seconds=2)
FAULTS: tuple[type[Exception], ...] = (AriError, TrichterError, *DATABASE_ERRORS)

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
    answer = client.request("GET", "/asterisk/variable", variable="EPOCH")
    now, told = utcnow(), str((answer or {}).get("value", ""))
    if not told.isdigit():
        return now
    theirs = datetime.fromtimestamp(int(told), UTC) + HALF_A_SECOND
    if abs(theirs - now) < CLOCKS_AGREE:
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
        self.routers = ThreadPoolExecutor(ROUTERS, "router")
        self._refused = Seldom(SAY_EVERY, log)
        self._routing: set[str] = set()
        self._lock = threading.Lock()
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
            self.routers.shutdown()

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
        if isinstance(event, Entered) and event.args[:1] != (OWN,):
            self._route(event)
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
        app = self.settings.ari.app
        for waiting in channels:
            if waiting.app.startswith(f"Stasis({app},{OWN},"):
                continue
            if waiting.app.startswith((f"Stasis({app},", f"Stasis({app})")):
                args = waiting.app.removeprefix("Stasis(").removesuffix(")").split(",")[1:]
                self._route(Entered(at, waiting, tuple(args)))

    def on_disconnect(self, _reason: str) -> None:
        """What comes first over the next connection comes before its list, too."""
        self.recording.put(Connected(utcnow()))

    def _route(self, entered: Entered) -> None:
        with self._lock:
            if entered.channel.id in self._routing:
                return
            self._routing.add(entered.channel.id)
        self.routers.submit(self._decide, entered)

    def _decide(self, entered: Entered) -> None:
        """Decide, and give the call back to the dialplan, whatever happens in between."""
        try:
            self._set_variables(entered)
        except (Gone, WrongState, NotYet):
            log.info("call %s went before it was routed", entered.channel.id)
        except FAULTS as error:
            log.error("call %s goes to the fallback: %s", entered.channel.id, error)
        except Exception:
            log.exception("call %s goes to the fallback", entered.channel.id)
        finally:
            # In this order: once it is given back, it may come again before we hear of it.
            with self._lock:
                self._routing.discard(entered.channel.id)
            self._continue(entered.channel)

    def _set_variables(self, entered: Entered) -> None:
        did = entered.args[1] if len(entered.args) > 1 else entered.channel.exten
        with kept_connection():
            route = router.decide(entered.channel.number, did, self.settings)
        for name, value in router.in_one_go(router.variables(route)).items():
            self._request(
                "POST",
                "/channels/{channelId}/variable",
                channelId=entered.channel.id,
                variable=name,
                value=value,
            )

    def _continue(self, waiting: Channel) -> None:
        try:
            self._request("POST", "/channels/{channelId}/continue", channelId=waiting.id)
        except (Gone, WrongState, NotYet):
            pass  # hung up, or the dialplan's time limit took it back: normal
        except AriError as error:
            log.error("call %s not given back, its time limit will: %s", waiting.id, error)

    def _request(self, method: str, path: str, **parameters: Any) -> Any:
        return self.stream.client.request(method, path, **parameters)
