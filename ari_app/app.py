"""The process ``trichter ari``: reader → queue → ledger → rows; and the router's decisions.

One thread only reads and enqueues, one applies what is queued and records it, a few decide where
calls go. A slow database delays rows and nothing else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ari_app import router
from ari_app.client import AriError, Client, EventStream, Gone, NotYet, WrongState
from ari_app.events import (
    BadEvent,
    Channel,
    Connected,
    Entered,
    Snapshot,
    bridge,
    channel,
    parse,
)
from ari_app.recorder import Recording
from ari_app.seldom import Seldom
from database import DATABASE_ERRORS, database
from fields import utcnow
from models import TrichterError
from settings import Settings

log = logging.getLogger("trichter.ari")

ROUTERS = 8
SAY_EVERY = 10.0
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


class Telephony:
    """All of ``trichter ari``. ``run()`` blocks until ``stop()``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.recording = Recording(settings.pbx.name)
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
            self.recording.end()
            self.routers.shutdown()

    def stop(self) -> None:
        self.stream.stop()

    def on_event(self, raw: dict[str, Any]) -> None:
        """In the reader's thread: parse and enqueue, nothing else."""
        try:
            event = parse(raw)
        except BadEvent as error:
            self._refused.log(logging.WARNING, "event refused: %s", error)
            return
        if event:
            self.recording.put(event)
        if isinstance(event, Entered):
            self._route(event)

    def on_connect(self, client: Client) -> None:
        """List what lives, and rescue calls that wait in our Stasis since before the gap."""
        self.recording.put(Connected(utcnow()))
        at = utcnow()
        channels = _understood(channel, client.request("GET", "/channels"))
        bridges = _understood(lambda raw: bridge(raw, at), client.request("GET", "/bridges"))
        self.recording.put(Snapshot(at, channels, bridges))
        app = self.settings.ari.app
        for waiting in channels:
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
        return self.stream.client.request(method, path, **parameters)
