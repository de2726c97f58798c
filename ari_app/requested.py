"""What people ask of the exchange in the panel is a row: here it is claimed, done, and followed.

One thread waits for changes of the database, another does one thing after the other: what was asked
for, and what Asterisk tells of the channels that came of it. Calls and their recording wait for
neither.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from queue import SimpleQueue
from typing import Any

from ari_app import callout
from ari_app.client import AriError, Client, Gone, Unauthorized, Unreachable
from ari_app.events import Channel
from ari_app.listening import Listening
from ari_app.seldom import Seldom
from database import DATABASE_ERRORS, database, discard, explain
from database.changes import Changes
from fields import utcnow
from models import CallRequest
from settings import Settings
from telephony.call_report import OWN_CALL, OWN_EAR
from verbs import requests

log = logging.getLogger("trichter.ari")

LOOK_EVERY, CHECK_EVERY, RETRY = 0.5, 5.0, 1.0
SAY_EVERY = 30.0
SETTLED = timedelta(seconds=5)
"""After which a request's channel is there, or never will be."""
REASONS = {"BUSY": "busy", "CHANUNAVAIL": "no phone", "CONGESTION": "refused"}
CAUSES = {17: "busy", 18: "no phone", 20: "no phone", 21: "refused"}
"""Q.850."""


class Requested:
    """A companion of Telephony. ``is_connected``: whether Asterisk's events come in now."""

    def __init__(self, settings: Settings, is_connected: Callable[[], bool]) -> None:
        self.settings = settings
        self.is_connected = is_connected
        self.listening = Listening(settings.ari.app, settings.calls)
        self._client: Client | None = None
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._look_queued = False
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._statuses: dict[str, str] = {}
        self._hung_up: set[int] = set()
        self._next_check = 0.0
        self._trouble = Seldom(SAY_EVERY, log)

    # As a companion ------------------------------------------------------------------------------

    def connected(self, client: Client, channels: tuple[Channel, ...]) -> None:
        self._client = client
        self._tasks.put(self._reconcile)
        if not self._threads:
            for work in (self._work, self._watch):
                thread = threading.Thread(target=work, name="requests")
                self._threads.append(thread)
                thread.start()

    def heard(self, raw: dict[str, Any]) -> None:
        """Of all events only those about channels that were made here."""
        who = raw.get("peer" if raw.get("type") == "Dial" else "channel")
        channel = who.get("id") if isinstance(who, dict) else None
        if isinstance(channel, str) and channel.startswith((OWN_CALL, OWN_EAR)):
            self._tasks.put(partial(self._follow, raw, channel))

    def end(self) -> None:
        self._stop.set()
        self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    # Threads -------------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                changes = Changes()
                while not self._stop.is_set():
                    if not self._look_queued:
                        self._look_queued = True
                        self._tasks.put(self._look)
                    changes.wait(self._stop, LOOK_EVERY)
            except DATABASE_ERRORS as error:
                self._trouble.log(logging.ERROR, "requests wait: %s", explain(error))
                self._stop.wait(RETRY)
            finally:
                Changes.close()

    def _work(self) -> None:
        for task in iter(self._tasks.get, None):
            # Also of a look that fails at once: the next one must come.
            self._look_queued = False
            try:
                database.connect(reuse_if_open=True)
                task()
            except AriError as error:
                self._trouble.log(logging.WARNING, "requests: %s", error)
            except DATABASE_ERRORS as error:
                self._trouble.log(logging.ERROR, "requests wait: %s", explain(error))
                discard()
            except Exception:
                log.exception("a request failed")
        self._leave()
        discard()

    def _leave(self) -> None:
        """The stream's client is closed already; nobody shall go on listening unseen."""
        ari = self.settings.ari
        if self.listening.sessions:
            try:
                with closing(Client(ari.url, ari.username, ari.password)) as client:
                    self.listening.end(client)
            except AriError as error:
                log.warning("listening in goes on: %s", error)

    # What is asked for ---------------------------------------------------------------------------

    def _look(self) -> None:
        if self._client is None or not self.is_connected():
            return
        open_ = requests.open_at(self.settings.pbx.name)
        for request in open_:
            if not requests.may_go_on(request):
                requests.revoke(request)
            if request.state == "new":
                if not requests.expire(request) and requests.claim(request):
                    self._begin(self._client, request)
            elif request.state == "ending":
                self._hang_up(self._client, request)
            elif request.channel in self.listening.sessions:
                self.listening.as_wanted(self._client, request)
        if open_ and time.monotonic() >= self._next_check:
            self._check(self._client)

    def _begin(self, client: Client, request: CallRequest) -> None:
        try:
            if request.kind == "call":
                callout.start(client, request, self.settings.calls)
            else:
                self.listening.start(client, request)
        except Unreachable as error:
            # Nobody knows whether it rings: asked again it could ring twice. See _check.
            log.warning("request %d: %s", request.id, error)
        except AriError as error:
            log.warning("request %d: %s rings not: %s", request.id, request.user.endpoint, error)
            forbidden = isinstance(error, Unauthorized)
            requests.fail(request, "forbidden" if forbidden else "no phone")
            self.listening.sessions.pop(request.channel, None)

    def _hang_up(self, client: Client, request: CallRequest) -> None:
        if request.id in self._hung_up:
            return
        self._hung_up.add(request.id)
        try:
            client.request("DELETE", "/channels/{channelId}", channelId=request.channel)
        except Gone:
            requests.fail(request, "cancelled")
        except AriError:
            self._hung_up.discard(request.id)  # the next look tries again
            raise

    # What becomes of it --------------------------------------------------------------------------

    def _follow(self, raw: dict[str, Any], channel: str) -> None:
        kind, client = raw.get("type"), self._client
        state = (raw.get("channel") or {}).get("state")
        if kind == "StasisStart" and client:
            self.listening.entered(client, channel)
        elif kind == "Dial" and raw.get("dialstatus"):
            self._statuses[channel] = str(raw["dialstatus"])
        elif kind == "ChannelDestroyed" and client:
            self._destroyed(client, channel, state == "Up", raw.get("cause"))
        elif kind == "ChannelStateChange" and (request := requests.of_channel(channel)):
            if state == "Ringing":
                requests.rings(request)
            elif state == "Up" and request.kind == "call":
                requests.picked_up(request)

    def _destroyed(self, client: Client, channel: str, was_up: bool, cause: Any) -> None:
        status = self._statuses.pop(channel, "")
        session = self.listening.gone(client, channel)
        request = requests.of_channel(channel)
        if request is None:
            return
        self._hung_up.discard(request.id)
        begun = session.begun if session else request.state == "talking"
        if not was_up or (session and not begun):
            # 480 of a phone that is switched off is told as no answer; but it has not rung.
            silent = "no answer" if request.state == "ringing" else "no phone"
            reason = REASONS.get(status) or CAUSES.get(cause) or silent
            requests.fail(request, "over" if was_up else reason)
        elif requests.over(request) and request.kind != "call" and begun:
            requests.noted(request, "ended", session.whom if session else None)

    def _reconcile(self) -> None:
        """After a gap in the events."""
        if self._client is None:
            return
        channels = self._client.request("GET", "/channels") or []
        open_ = requests.open_at(self.settings.pbx.name)
        ears = {request.channel for request in open_ if request.kind != "call"}
        self._hung_up.clear()
        self.listening.clean(self._client, channels, ears)
        self._compare(open_, {c["id"]: c for c in channels if c["id"] not in ears})

    def _check(self, client: Client) -> None:
        """What was not told, for whatever reason, is seen."""
        self._next_check = time.monotonic() + CHECK_EVERY
        channels = client.request("GET", "/channels") or []
        # Read after the list: what began meanwhile is not older than it.
        self._compare(requests.open_at(self.settings.pbx.name), {c["id"]: c for c in channels})

    def _compare(self, open_: list[CallRequest], live: dict[str, Any]) -> None:
        for request in open_:
            channel = live.get(request.channel)
            young = request.claimed_at is None or request.claimed_at > utcnow() - SETTLED
            if channel and request.kind == "call" and channel.get("state") == "Up":
                requests.picked_up(request)
            elif channel or request.state == "new" or (young and request.state == "claimed"):
                continue
            elif request.state == "talking":
                if requests.over(request) and request.kind != "call":
                    requests.noted(request, "ended", None)
            else:
                requests.fail(request, "exchange" if request.state == "claimed" else "lost")
