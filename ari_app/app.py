"""The process ``trichter ari``: reader → queue → ledger → rows; and the router's decisions.

One thread only reads and enqueues, one applies what is queued and records it, a few decide where
calls go. A slow database delays rows and nothing else.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import peewee
from playhouse.pool import MaxConnectionsExceeded

import models
from ari_app import router
from ari_app.client import AriError, Client, EventStream, Gone, NotYet, WrongState
from ari_app.events import (
    BadEvent,
    Channel,
    Connected,
    Entered,
    Event,
    Snapshot,
    bridge,
    channel,
    parse,
)
from ari_app.ledger import Ledger
from call_report import CallReport
from database import database, discard, explain
from fields import utcnow
from models import Call, User
from settings import Settings

log = logging.getLogger("trichter.ari")

ROUTERS = 8
BATCH = 500
ENDPOINTS_GOOD_FOR = 2.0
RETRY_FIRST, RETRY_LAST = 0.1, 5.0

Found = TypeVar("Found")


class Insiders:
    """Which endpoints are users' phones: asked anew every two seconds. Keeps the last answer while
    the database is away."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._until = 0.0

    def __contains__(self, endpoint: str) -> bool:
        if time.monotonic() >= self._until:
            self._ask()
        return endpoint in self._known

    def _ask(self) -> None:
        try:
            self._known = User.endpoints()
            self._until = time.monotonic() + ENDPOINTS_GOOD_FOR
        except peewee.PeeweeException as error:
            log.error("%s; still using the phones known before", explain(error))
            self._until = time.monotonic() + RETRY_FIRST


def is_about_the_call(error: Exception) -> bool:
    """Whether writing this one call failed; else the database did, and all calls wait for it."""
    if isinstance(error, peewee.PeeweeException | MaxConnectionsExceeded):
        return isinstance(error, peewee.DataError | peewee.IntegrityError)
    return True


def _understood(read: Callable[[Any], Found], listed: Any) -> tuple[Found, ...]:
    """What can be read of a list that Asterisk gave; one odd entry must not hide the others."""
    found = []
    for raw in listed if isinstance(listed, list) else ():
        try:
            found.append(read(raw))
        except BadEvent as error:
            log.warning("listing: left out: %s", error)
    return tuple(found)


@dataclass
class Recorder:
    """Applies events to the ledger and records what they changed, many in one transaction.

    A call whose report could not be written stays due; as a report is the whole of what is known,
    nothing is lost when several wait.
    """

    ledger: Ledger
    due: dict[str, None] = field(default_factory=dict)
    check_unfinished: bool = False

    def take(self, batch: Iterable[Event]) -> None:
        for event in batch:
            try:
                touched = self.ledger.apply(event)
            except Exception:  # one odd event must not end the recording of all others
                log.exception("event not understood: %s", type(event).__name__)
                continue
            self.due.update(dict.fromkeys(touched))
            self.check_unfinished |= isinstance(event, Snapshot)

    def write(self) -> None:
        """Record what is due. Raises peewee's errors; everything is still due then."""
        reports = [self.ledger.report(i) for i in self.due if i in self.ledger.calls]
        with database.atomic():
            if self.check_unfinished:
                reports += self._lost()
            for report in reports:
                Call.record(report)
        for linkedid in self.due:
            self.ledger.forget_finished(linkedid)
        self.due.clear()
        self.check_unfinished = False

    def write_one_by_one(self) -> None:
        """After a refusal that is about one call: record the others, and say which it was."""
        for linkedid in list(self.due):
            try:
                if linkedid in self.ledger.calls:
                    Call.record(self.ledger.report(linkedid))
            except Exception as error:
                if not is_about_the_call(error):
                    raise
                log.exception("call not recorded: %r", self.ledger.report(linkedid))
            self.ledger.forget_finished(linkedid)
            del self.due[linkedid]

    def _lost(self) -> list[CallReport]:
        """Calls that were live when we last wrote, and are gone: ended while we were away."""
        now = utcnow()
        return [
            CallReport(call.pbx, call.linkedid, call.direction, call.started_at, ended_at=now)
            for call in Call.unfinished(self.ledger.pbx)
            if call.linkedid not in self.ledger.calls
        ]


class Telephony:
    """All of ``trichter ari``. ``run()`` blocks until ``stop()``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self.recorder = Recorder(Ledger(settings.pbx.name, Insiders().__contains__))
        self.routers = ThreadPoolExecutor(ROUTERS, "router")
        self.client: Client | None = None
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
        )

    def run(self) -> None:
        recording = threading.Thread(target=self._record, name="ledger")
        recording.start()
        try:
            self.stream.run()
        finally:
            self.events.put(None)
            recording.join()
            self.routers.shutdown()

    def stop(self) -> None:
        self.stream.stop()

    def on_event(self, raw: dict[str, Any]) -> None:
        """In the reader's thread: parse and enqueue, nothing else."""
        try:
            event = parse(raw)
        except BadEvent as error:
            log.warning("event refused: %s", error)
            return
        if event:
            self.events.put(event)
        if isinstance(event, Entered):
            self._route(event)

    def on_connect(self, client: Client) -> None:
        """List what lives, and rescue calls that wait in our Stasis since before the gap."""
        self.client = client
        self.events.put(Connected(utcnow()))
        at = utcnow()
        channels = _understood(channel, client.request("GET", "/channels"))
        bridges = _understood(lambda raw: bridge(raw, at), client.request("GET", "/bridges"))
        self.events.put(Snapshot(at, channels, bridges))
        app = self.settings.ari.app
        for waiting in channels:
            if waiting.app.startswith((f"Stasis({app},", f"Stasis({app})")):
                args = waiting.app.removeprefix("Stasis(").removesuffix(")").split(",")[1:]
                self._route(Entered(at, waiting, tuple(args)))

    # Recording

    def _record(self) -> None:
        wait = RETRY_FIRST
        while True:
            batch, ends = self._next(None if not self.recorder.due else wait)
            self.recorder.take(batch)
            try:
                self._write()
                wait = RETRY_FIRST
            except (peewee.PeeweeException, MaxConnectionsExceeded) as error:
                waiting = len(self.recorder.due)
                log.error("%s; %d calls wait to be recorded", explain(error), waiting)
                discard()
                wait = min(wait * 2, RETRY_LAST)
            if ends:
                database.close()
                return

    def _write(self) -> None:
        if not self.recorder.due and not self.recorder.check_unfinished:
            return
        database.connect(reuse_if_open=True)
        try:
            self.recorder.write()
        except Exception as error:
            if not is_about_the_call(error):
                raise
            self.recorder.write_one_by_one()

    def _next(self, timeout: float | None) -> tuple[list[Event], bool]:
        """All that is queued, after waiting for the first; and whether it is time to end."""
        batch: list[Event] = []
        try:
            event = self.events.get(timeout=timeout)
            while event is not None:
                batch.append(event)
                if len(batch) == BATCH:
                    return batch, False
                event = self.events.get_nowait()
        except queue.Empty:
            return batch, False
        return batch, True

    # Routing

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
        except (AriError, peewee.PeeweeException, models.TrichterError) as error:
            log.error("call %s goes to the fallback: %s", entered.channel.id, error)
        except Exception:
            log.exception("call %s goes to the fallback", entered.channel.id)
        finally:
            self._continue(entered.channel)
            with self._lock:
                self._routing.discard(entered.channel.id)

    def _set_variables(self, entered: Entered) -> None:
        did = entered.args[1] if len(entered.args) > 1 else entered.channel.exten
        with database.connection_context():
            route = router.decide(entered.channel.number, did, self.settings)
        for name, value in router.variables(route).items():
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
        if self.client is None:
            raise AriError("not connected to Asterisk yet")
        return self.client.request(method, path, **parameters)
