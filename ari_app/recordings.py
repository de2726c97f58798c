"""Recordings that a rule starts (T8): the customer's channel is snooped on, and what is heard there
of both sides goes into a file of Asterisk's until the call ends.

Nobody in the call notices, and nothing of it hangs on us: once begun, Asterisk goes on alone, also
while `trichter ari` is away. The name of the file follows from the call, so that there is one of
it, however often this begins anew.

With each new partner (a transfer) it does: what turns speech into samples for a snoop remembers
the number of the last RTP packet, and drops lower ones as late (ast_translate). Another phone
begins at a random one. When nothing hears the channel any more that is forgotten, so the snoop
ends, and a fresh one appends to the file.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ari_app.client import AriError, Client, Gone, Unreachable, WrongState
from ari_app.events import Channel
from ari_app.routing import OWN
from ari_app.seldom import Seldom
from ari_app.snoops import (
    WHAT,
    Snoop,
    call_of,
    channel_of,
    channels_in,
    customer_of,
    hear,
    id_among,
    leave,
    name_of,
    snoop_of,
)
from database import DATABASE_ERRORS, database, discard, explain
from models import Call
from settings import Settings
from verbs import phones, recordings

log = logging.getLogger("trichter.ari")

FORM = "wav"
LOOKS = (0.05, 0.2, 0.6, 2.0, 6.0, 20.0)
"""Seconds after two began to hear each other, at which to look whether the call is to be recorded:
its row is written by another thread, which may wait for the database."""
FAILED = 500
HINT = ": is Asterisk's folder 'recording' there, and may Asterisk write into it?"
SAY_EVERY, TRY_AGAIN = 30.0, 2.0
FORGETS = 0.06
"""Seconds in which a channel forgets a snoop that has ended: with its next packet."""


class RuleRecordings:
    """A companion of the recording of calls (see app.Companion), with one thread."""

    def __init__(self, settings: Settings) -> None:
        self._pbx = settings.pbx.name
        self._app = settings.ari.app
        self._client: Client | None = None
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._looks: list[float] = []
        self._begun: set[str | int] = set()
        self._waiting: set[int] = set()
        self._heard: dict[str, int] = {}  # customers' channels → numbers of their calls
        self._renewing: dict[int, str] = {}  # the other way round
        self._complaint = Seldom(SAY_EVERY, log)
        self._thread: threading.Thread | None = None

    def connected(self, client: Client, channels: tuple[Channel, ...]) -> None:
        """Calls that were answered while we were away are recorded from now on."""
        snoops = [s for live in channels if (s := snoop_of(live, self._app))]
        self._tasks.put(lambda: self._again(client, snoops))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recordings")
            self._thread.start()

    def heard(self, raw: dict[str, Any]) -> None:
        kind = raw.get("type")
        if kind == "ChannelEnteredBridge":
            members = list((raw.get("bridge") or {}).get("channels") or ())
            self._tasks.put(lambda: self._met(members))
        elif kind == "ChannelDestroyed":
            if over := call_of((raw.get("channel") or {}).get("id")):
                self._tasks.put(lambda: self._ended(over))
        elif kind == "StasisStart":
            args = raw.get("args")
            if isinstance(args, list) and args[:2] == [OWN, WHAT] and (call := id_among(args[2:])):
                self._tasks.put(lambda: self._record(call))

    def end(self) -> None:
        """What is being recorded goes on."""
        self._tasks.put(None)
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while True:
            task = self._next()
            if task is None:
                break
            self._do(task)
        discard()

    def _next(self) -> Callable[[], None] | None:
        """What is to be done now; None at the end."""
        wait = self._looks[0] - time.monotonic() if self._looks else None
        if wait is not None and wait <= 0:
            return self._look
        try:
            return self._tasks.get(timeout=wait)
        except queue.Empty:
            return self._look

    def _do(self, task: Callable[[], None]) -> None:
        """Whatever goes wrong: the next call may fare better."""
        try:
            task()
        except AriError as error:
            self._complaint.log(logging.ERROR, "not recorded: %s", error)
        except DATABASE_ERRORS as error:
            self._complaint.log(logging.ERROR, "not recorded yet: %s", explain(error))
            discard()
            self._looks = sorted([*self._looks, time.monotonic() + TRY_AGAIN])
        except Exception:
            log.exception("not recorded")
            discard()

    def _again(self, client: Client, snoops: list[Snoop]) -> None:
        self._client = client
        self._begun.clear()
        self._waiting.clear()
        self._renewing.clear()
        self._heard = {snoop.target: snoop.call for snoop in snoops}
        for snoop in snoops:
            self._do(lambda call=snoop.call: self._record(call))  # type: ignore[misc]
        self._look_soon()

    def _met(self, members: list[str]) -> None:
        """These hear each other now. A recorded customer among them may hear somebody new."""
        self._look_soon()
        client = self._client
        if client is None or len(members) < 2:
            return
        for channel in members:
            call = self._heard.get(channel)
            if call and call not in self._renewing:
                self._renewing[call] = channel
                leave(client, call)

    def _ended(self, call: int) -> None:
        """A snoop of ours is gone: with its call, or to be replaced."""
        self._heard = {channel: of for channel, of in self._heard.items() if of != call}
        channel = self._renewing.pop(call, None)
        if channel and self._client:
            time.sleep(FORGETS)
            self._hear(self._client, channel, call)

    def _look_soon(self) -> None:
        now = time.monotonic()
        self._looks = [*self._looks[:1], *(now + after for after in LOOKS)]

    def _look(self) -> None:
        now = time.monotonic()
        self._looks = [at for at in self._looks if at > now]
        client = self._client
        if client is None:
            return
        for number in list(self._waiting):
            self._do(lambda number=number: self._record(number))  # type: ignore[misc]
        with database.connection_context():
            # Nothing is asked of the calls while no rule records any.
            wanted = recordings.due(self._pbx) if recordings.are_wanted() else []
            self._begun &= {call.linkedid for call in wanted}
            begun = self._begun | set(self._heard.values())
            due = [call for call in wanted if not {call.linkedid, call.id} & begun]
            inside = phones.known_endpoints() if due else frozenset()
        if due:
            live = list(channels_in(client.request("GET", "/channels")))
            for call in due:
                self._do(lambda call=call: self._snoop(client, call, live, inside))  # type: ignore[misc]

    def _snoop(
        self, client: Client, call: Call, live: list[Channel], inside: frozenset[str]
    ) -> None:
        customer = customer_of(call, live, inside)
        if customer is None:
            return  # between two phones for the moment: the next look, or the next bridge
        self._begun.add(call.linkedid)
        self._hear(client, customer.id, call.id)

    def _hear(self, client: Client, channel: str, call: int) -> None:
        self._heard[channel] = call
        try:
            hear(client, self._app, channel, call)
        except Gone:
            log.info("call %d ended before it was recorded", call)

    def _record(self, number: int) -> None:
        """The snooping channel has come, or was there when we did."""
        client = self._client
        if client is None:
            return
        self._waiting.add(number)
        with database.connection_context():
            call = Call.get_or_none(Call.id == number)
            name = call and name_of(call)
            first = call is not None and call.recording is None
            wanted = bool(name) and recordings.begin(number, f"{name}.{FORM}")
        self._waiting.discard(number)
        if not wanted:
            leave(client, number)
            return
        with suppress(Gone):
            client.request("GET", "/recordings/live/{recordingName}", recordingName=name)
            return  # since before we came
        self._begin(client, number, str(name), first)

    def _begin(self, client: Client, number: int, name: str, first: bool) -> None:
        """``first``: nothing of the call is in the file yet."""
        try:
            client.request(
                "POST",
                "/channels/{channelId}/record",
                channelId=channel_of(number),
                name=name,
                format=FORM,
                ifExists="append",
            )
            log.info("call %d is recorded: %s.%s", number, name, FORM)
        except Gone:
            self._take_back(number, name, first)  # it ended before
        except WrongState:
            leave(client, number)  # it is being recorded into that file
        except Unreachable:
            raise  # nobody knows whether it was done; once we are connected again, we look
        except AriError as error:
            self._take_back(number, name, first)
            leave(client, number)
            raise AriError(f"{error}{HINT if error.status == FAILED else ''}") from error

    def _take_back(self, number: int, name: str, first: bool) -> None:
        if first:
            with database.connection_context():
                recordings.take_back(number, f"{name}.{FORM}")
