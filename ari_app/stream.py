"""The event stream of ARI: a websocket that always comes back."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from ari_app import subscription
from ari_app.http_request import authorization, base_of
from ari_app.link import SHOWN, Link
from ari_app.rest import AriError
from ari_app.seldom import Seldom

if TYPE_CHECKING:
    from ari_app.client import Client

log = logging.getLogger(__name__)

# More than half of all events; none of them tells anything about a call that others don't.
QUIET_EVENTS = (
    "ChannelVarset",
    "ChannelDialplan",
    "ChannelConnectedLine",
    "ChannelCallerId",
    "DeviceStateChanged",
    "ChannelHangupRequest",
    "BridgeCreated",
)

SAY_EVERY = 10.0  # seconds between two lines about frames that are junk
SAY_AGAIN = 300.0  # seconds after which a lasting fault is logged once more


class EventStream:
    """Receives events for one Stasis application, and reconnects for ever.

    `run()` works in the caller's thread until `stop()`. Each event goes as a dict to
    `on_event(event)`, in the order of arrival, in that thread; it must be quick (put it on a
    queue), since Asterisk drops a websocket whose reader is slow (websocket_write_timeout in
    ari.conf). An exception of it is logged, and the next event follows.

    After each connection a thread of its own sets the event filter and calls `on_connect(client)`,
    which may take its time over REST calls: events are delivered meanwhile. If it raises, the
    connection is given up and made again. `on_disconnect(reason)` follows every connection that
    was open, in the thread of `run()`.

    To look at from outside: `connected`, `last_event_at` (UTC, None before the first) and `reason`
    (why it is not connected, '' if it is).

    Intervals are in seconds. A ping goes out every `ping_every`; without a whole frame for
    `silent_after`, pongs included, the connection counts as dead. Pauses between attempts double
    from `first_pause` to `longest_pause`, and begin anew after a connection that outlived
    `ping_every`. After another process took the application, the pause is `replaced_pause`.
    """

    def __init__(
        self,
        url: str,
        username: str,
        password: str,
        app: str,
        *,
        on_event: Callable[[dict[str, Any]], None],
        on_connect: Callable[[Client], None] | None = None,
        on_disconnect: Callable[[str], None] | None = None,
        ping_every: float = 5.0,
        silent_after: float = 15.0,
        timeout: float = 2.0,
        first_pause: float = 0.2,
        longest_pause: float = 30.0,
        replaced_pause: float = 30.0,
        subscribe_all: bool = True,
        disallowed: tuple[str, ...] = QUIET_EVENTS,
    ) -> None:
        from ari_app.client import Client  # here, since that module imports this one

        self.client = Client(url, username, password, timeout)
        self.app = app
        self.on_event, self.on_connect, self.on_disconnect = on_event, on_connect, on_disconnect
        self.ping_every, self.silent_after, self.timeout = ping_every, silent_after, timeout
        self.first_pause, self.longest_pause = first_pause, longest_pause
        self.replaced_pause = replaced_pause
        self.disallowed = disallowed
        self.last_event_at: datetime | None = None
        self.reason = "not connected yet"
        query = {"app": app, "subscribeAll": "true" if subscribe_all else "false"}
        self._base = base_of(url)
        self._address = f"ws{self._base.removeprefix('http')}/events?{urlencode(query)}"
        self._authorization = authorization(username, password)
        self._stop = threading.Event()
        self._link: Link | None = None
        self._greeter: threading.Thread | None = None
        self._junk, self._failed_callback = Seldom(SAY_EVERY, log), Seldom(SAY_EVERY, log)
        self._said, self._said_at = "", 0.0

    @property
    def connected(self) -> bool:
        """Whether the websocket is open."""
        link = self._link
        return link is not None and link.is_open and not link.cut_reason

    def run(self) -> None:
        """Receive until `stop()`. Comes back only then, whatever breaks."""
        watchdog = threading.Thread(target=self._watch, name="ari-watchdog", daemon=True)
        watchdog.start()
        failures = 0
        try:
            while not self._stop.is_set():
                link = self._link = Link(self._base)
                self._session(link)
                lasted = time.monotonic() - link.made_at if link.is_open else 0.0
                failures += 1
                if lasted > self.ping_every:
                    failures, self._said = 0, ""
                self._stop.wait(link.pause or self._pause(failures))
        finally:
            self._stop.set()
            watchdog.join()
            if self._greeter is not None:
                self._greeter.join(self.timeout)
            self.client.close()

    def stop(self) -> None:
        """End `run()` from another thread, or before it begins; it cannot be run again."""
        self._stop.set()
        if link := self._link:
            link.cut("stopped")

    def _pause(self, failures: int) -> float:
        doubled = self.first_pause * 2.0 ** min(max(failures - 1, 0), 16)
        # Jitter, so that several PBXs' processes do not come back in step. No secret.
        return min(self.longest_pause, doubled * random.uniform(0.75, 1.25))  # noqa: S311

    def _session(self, link: Link) -> None:
        """One connection from dialling to its end."""
        try:
            if not self._stop.is_set():
                link.open(self._address, self._authorization, self.timeout, self.silent_after)
                self._opened(link)
            while not self._stop.is_set():
                self._deliver(link, link.receive())
            self.reason = "stopped"
        except AriError as error:
            self.reason = "stopped" if self._stop.is_set() else str(error)
        except Exception as error:
            # A fault of ours or of the library, on one connection: the next may be better.
            log.exception("the ARI event stream failed")
            self.reason = f"{type(error).__name__}: {error}"[:SHOWN]
        self._link = None
        link.close()
        self._tell(link, self.reason)

    def _opened(self, link: Link) -> None:
        self.reason = ""
        log.info("receiving the events of %s for application %s", self._base, self.app)
        self._greeter = threading.Thread(
            target=self._greet, args=(link, self._greeter), name="ari-on-connect", daemon=True
        )
        self._greeter.start()

    def _greet(self, link: Link, previous: threading.Thread | None) -> None:
        if previous is not None:
            previous.join()  # on_connect of the last connection may still be at its REST calls
        try:
            if self._link is link:
                subscription.narrow(self.client, self.app.split(","), self.disallowed)
            if self._link is link and self.on_connect is not None:
                self.on_connect(self.client)
        except AriError as error:
            link.cut(f"set-up after connecting failed: {error}")
        except Exception as error:
            log.exception("on_connect failed")
            link.cut(f"set-up after connecting failed: {error!r}"[:SHOWN])

    def _deliver(self, link: Link, data: bytes) -> None:
        event = parsed(data)
        if event is None:
            shown = repr(data[:SHOWN])[:SHOWN]
            self._junk.log(logging.WARNING, "not an ARI event, passed over: %s", shown)
            return
        self.last_event_at = datetime.now(UTC)
        if event["type"] == "ApplicationReplaced":
            # Asterisk leaves this socket open and sends nothing on it any more.
            link.pause = self.replaced_pause
            link.cut(
                f"another process has taken the Stasis application {self.app!r}: "
                "run one 'trichter ari' for a PBX, or give each its own [ari] app and [pbx] name"
            )
        elif event["type"] not in self.disallowed:
            self._call(link, event)

    def _call(self, link: Link, event: dict[str, Any]) -> None:
        link.in_callback = True  # silence while our own side is busy says nothing about the line
        try:
            self.on_event(event)
        except Exception:  # noqa: BLE001 - logged, and the next event may do better
            self._failed_callback.log(logging.ERROR, "on_event failed", exc_info=True)
        finally:
            link.heard_at = time.monotonic()
            link.in_callback = False

    def _watch(self) -> None:
        tick = max(min(self.ping_every, self.silent_after, self.timeout) / 4, 0.02)
        while not self._stop.wait(tick):
            if link := self._link:
                self._look_after(link, time.monotonic())

    def _look_after(self, link: Link, now: float) -> None:
        if not link.is_open:
            if now - link.made_at > 2 * self.timeout:
                link.cut(f"no answer from {self._base} within {2 * self.timeout:g} s")
        elif link.in_callback or link.cut_reason:
            return
        elif now - link.heard_at > self.silent_after:
            link.cut(link.silence())
        elif now - link.pinged_at >= self.ping_every:
            link.ping()

    def _tell(self, link: Link, reason: str) -> None:
        late = time.monotonic() - self._said_at > SAY_AGAIN
        if not self._stop.is_set() and (reason != self._said or late):
            log.warning("no ARI events: %s. Trying again.", reason)
            self._said, self._said_at = reason, time.monotonic()
        if link.is_open and self.on_disconnect is not None:
            try:
                self.on_disconnect(reason)
            except Exception:
                log.exception("on_disconnect failed")


def parsed(data: bytes) -> dict[str, Any] | None:
    """The event in a message, or None if it is none. Bytes that are no UTF-8 become U+FFFD."""
    try:
        event = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("type"), str) else None
