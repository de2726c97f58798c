"""T13: the exchange in the background: which phones are reachable, and who stands in a queue.

Asterisk tells a Stasis application nothing about queues. But each channel carries the dialplan
application it is in (``Queue``, ``sales,tk,,,120``), and bridges tell who talks: a caller in
Queue() who shares a bridge with somebody is served, one who does not waits.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from ari_app.client import AriError, Client
from ari_app.events import Channel
from ari_app.floor import KINDS, Floor
from ari_app.seldom import Seldom
from database import DATABASE_ERRORS, database, discard, explain
from fields import utcnow
from verbs.exchange import BEAT, record_devices, record_queues, record_watching

log = logging.getLogger("trichter.ari")

TICK = 0.5
"""Seconds in which what happened is gathered, so that a burst of calls is one transaction."""
LOOK_EVERY = 2.0
"""Seconds between two lists of the channels. No event that is worth its cost tells that a call
comes into a queue or leaves it, so while somebody is alone on a line it is looked at."""
LOOK_SHARE, LOOK_AT_LEAST = 50.0, 10.0
"""The pause after a list is so many times as long as that took (with hundreds of channels, or no
processor to spare, it takes long here and in Asterisk), up to so many seconds."""
PHONES_EVERY = 60.0
"""Seconds between two lists of the phones: changes come as events, new ones with a reload."""
SAY_EVERY = 30.0


class Watch:
    """Companion of the recording: keeps the rows of devices and queues of one exchange.

    ``is_connected`` tells whether the stream of events is open: without it, nothing that was seen
    is sure any more, and the rows say so. All requests and writes are made in a thread of its own.
    """

    def __init__(self, pbx: str, is_connected: Callable[[], bool]) -> None:
        self.pbx = pbx
        self.floor = Floor()
        self._is_connected = is_connected
        self._heard: queue.SimpleQueue[dict[str, Any] | Client] = queue.SimpleQueue()
        self._client: Client | None = None
        self._written: dict[str, Any] = {}
        self._due: dict[str, float] = {}
        self._complaint = Seldom(SAY_EVERY, log)
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def connected(self, client: Client, channels: tuple[Channel, ...]) -> None:
        self._heard.put(client)
        with self._lock:
            if self._thread is None and not self._ending.is_set():
                self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
                self._thread.start()

    def heard(self, raw: dict[str, Any]) -> None:
        if raw.get("type") in KINDS:
            self._heard.put(raw)

    def end(self) -> None:
        self._ending.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._ending.wait(TICK):
            self.step()
        self.step()

    def step(self) -> None:
        """Take in what was heard, look where it is time to, write what differs."""
        try:
            self._take()
            if self._ending.is_set() or not self._is_connected():
                self._client = None
            if self._client is not None:
                self._look(self._client)
            self._write()
        except AriError as error:
            self._complaint.log(logging.WARNING, "phones and queues are not seen: %s", error)
        except DATABASE_ERRORS as error:
            self._complaint.log(logging.ERROR, "phones and queues: %s", explain(error))
            discard()
        except Exception:  # noqa: BLE001 - logged; the next look may do better
            self._complaint.log(logging.ERROR, "phones and queues are not seen", exc_info=True)
            discard()

    def _take(self) -> None:
        while True:
            try:
                told = self._heard.get_nowait()
            except queue.Empty:
                return
            if isinstance(told, dict):
                self.floor.hear(told, utcnow())
            else:
                self._client, self._due = told, {}
                self.floor.begin()

    def _look(self, client: Client) -> None:
        """Ask for what no event tells. Raises AriError's kinds; it is asked again soon."""
        if self._is_due("/bridges"):
            self.floor.list_bridges(client.request("GET", "/bridges"), utcnow())
            self._done("/bridges", float("inf"))
        if self._is_due("/endpoints"):
            self.floor.list_endpoints(client.request("GET", "/endpoints"))
            self._done("/endpoints", PHONES_EVERY)
        if self.floor.needs_look and self._is_due("/channels"):
            self._take()
            asked, begun = utcnow(), monotonic()
            listed = client.request("GET", "/channels")
            self._take()
            self.floor.list_channels(listed, asked)
            pause = max(LOOK_EVERY, LOOK_SHARE * (monotonic() - begun))
            self._done("/channels", min(pause, LOOK_AT_LEAST))

    def _is_due(self, what: str) -> bool:
        return monotonic() >= self._due.get(what, 0.0)

    def _done(self, what: str, seconds: float) -> None:
        self._due[what] = monotonic() + seconds

    def _write(self) -> None:
        """Rows for what differs from what was written last. Raises peewee's errors."""
        at = utcnow()
        if self._client is None:
            self._record("watching", None, lambda: record_watching(self.pbx, False, at))
            return
        queues, devices = self.floor.queues(), dict(self.floor.devices)
        # At each beat phones are compared anew: that of a new user has been there all along.
        beat = int(monotonic() / BEAT.total_seconds())
        self._record("devices", (beat, devices), lambda: record_devices(self.pbx, devices, at))
        self._record("queues", queues, lambda: record_queues(self.pbx, queues, at))
        self._record("watching", beat, lambda: record_watching(self.pbx, True, at))

    def _record(self, what: str, news: Any, record: Callable[[], None]) -> None:
        if what in self._written and self._written[what] == news:
            return
        with database.connection_context():
            record()
        self._written[what] = news
