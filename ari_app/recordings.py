"""Recordings that a rule starts (T8): the customer's channel is snooped on, and what is heard there
of both sides goes into a file of Asterisk's until the call ends.

Nobody in the call notices, and nothing of it hangs on us: once begun, Asterisk goes on alone, also
while `trichter ari` is away. The name of the file follows from the call, so that it is recorded
once, however often this begins anew.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from ari_app.client import AriError, Client, Gone, Unreachable, WrongState
from ari_app.events import BadEvent, Channel, channel
from ari_app.seldom import Seldom
from database import DATABASE_ERRORS, database, discard, explain
from models import Call, User
from settings import Settings
from verbs import recordings

log = logging.getLogger("trichter.ari")

OWN, WHAT = "own", "record"
FORM = "wav"
LOOKS = (0.05, 0.2, 0.6, 2.0, 6.0, 20.0)
"""Seconds after two began to hear each other, at which to look whether the call is to be recorded:
its row is written by another thread, which may wait for the database."""
FAILED = 500
HINT = ": is Asterisk's folder 'recording' there, and may Asterisk write into it?"
SAY_EVERY, TRY_AGAIN = 30.0, 2.0


class RuleRecordings:
    """A companion of the recording of calls (see app.Companion), with one thread."""

    def __init__(self, settings: Settings) -> None:
        self._pbx = settings.pbx.name
        self._app = settings.ari.app
        self._client: Client | None = None
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._looks: list[float] = []
        self._begun: set[str] = set()
        self._waiting: set[int] = set()
        self._complaint = Seldom(SAY_EVERY, log)
        self._thread: threading.Thread | None = None

    def connected(self, client: Client, channels: tuple[Channel, ...]) -> None:
        """Calls that were answered while we were away are recorded from now on."""
        snoops = [s for live in channels if (s := _snoop_of(live.app, self._app)) is not None]
        self._tasks.put(lambda: self._again(client, snoops))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="recordings")
            self._thread.start()

    def heard(self, raw: dict[str, Any]) -> None:
        kind = raw.get("type")
        if kind == "ChannelEnteredBridge":
            self._tasks.put(self._look_soon)
        elif kind == "StasisStart":
            args = raw.get("args")
            if isinstance(args, list) and args[:2] == [OWN, WHAT] and (number := _id(args[2:])):
                self._tasks.put(lambda: self._record(number))

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

    def _again(self, client: Client, snoops: list[int]) -> None:
        self._client = client
        self._begun.clear()
        self._waiting.clear()
        for call in snoops:
            self._do(lambda call=call: self._record(call))  # type: ignore[misc]
        self._look_soon()

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
            due = [call for call in wanted if call.linkedid not in self._begun]
            inside = User.endpoints() if due else frozenset()
        if due:
            live = list(_channels(client.request("GET", "/channels")))
            for call in due:
                self._do(lambda call=call: self._snoop(client, call, live, inside))  # type: ignore[misc]

    def _snoop(
        self, client: Client, call: Call, live: list[Channel], inside: frozenset[str]
    ) -> None:
        customer = _customer(call, live, inside)
        if customer is None:
            return  # between two phones for the moment: the next look, or the next bridge
        self._begun.add(call.linkedid)
        try:
            client.request(
                "POST",
                "/channels/{channelId}/snoop/{snoopId}",
                channelId=customer.id,
                snoopId=f"trichter-{WHAT}-{call.id}",
                spy="both",
                app=self._app,
                appArgs=f"{OWN},{WHAT},{call.id}",
            )
        except Gone:
            log.info("call %s ended before it was recorded", call.linkedid)

    def _record(self, number: int) -> None:
        """The snooping channel has come, or was there when we did."""
        client = self._client
        if client is None:
            return
        self._waiting.add(number)
        with database.connection_context():
            call = Call.get_or_none(Call.id == number)
            name = call and name_of(call)
            wanted = bool(name) and recordings.begin(number, f"{name}.{FORM}")
        self._waiting.discard(number)
        if not wanted:
            self._leave(client, number)
            return
        try:
            client.request("GET", "/recordings/live/{recordingName}", recordingName=name)
            return  # since before we came
        except Gone:
            pass
        self._begin(client, number, str(name))

    def _begin(self, client: Client, number: int, name: str) -> None:
        try:
            client.request(
                "POST",
                "/channels/{channelId}/record",
                channelId=f"trichter-{WHAT}-{number}",
                name=name,
                format=FORM,
                ifExists="fail",
            )
            log.info("call %d is recorded: %s.%s", number, name, FORM)
        except Gone:
            self._take_back(number, name)  # it ended before
        except WrongState:
            # There is such a file: what was recorded of this call before stays as it is.
            self._leave(client, number)
        except Unreachable:
            raise  # nobody knows whether it was done; once we are connected again, we look
        except AriError as error:
            self._take_back(number, name)
            self._leave(client, number)
            raise AriError(f"{error}{HINT if error.status == FAILED else ''}") from error

    def _take_back(self, number: int, name: str) -> None:
        with database.connection_context():
            recordings.take_back(number, f"{name}.{FORM}")

    def _leave(self, client: Client, number: int) -> None:
        with suppress(Gone):  # with its call
            client.request("DELETE", "/channels/{channelId}", channelId=f"trichter-{WHAT}-{number}")


def name_of(call: Call) -> str:
    """Of the file: the same at every time for a call, without what a path or a shell could read."""
    pbx = re.sub("[^A-Za-z0-9]", "-", call.pbx)
    return f"trichter-{pbx}-{call.started_at:%Y%m%d-%H%M%S}-{call.id}"


def _customer(call: Call, live: Iterable[Channel], inside: frozenset[str]) -> Channel | None:
    """The channel of the call that is the customer's: whoever of us speaks, it stays."""
    outside = [
        c
        for c in live
        if c.linkedid == call.linkedid
        and c.state == "Up"
        and not c.is_nobodys
        and c.endpoint not in inside
    ]
    # Asterisk names a call after the channel that began it.
    return min(outside, key=lambda c: (c.id != call.linkedid, c.created), default=None)


def _channels(listed: Any) -> Iterable[Channel]:
    for raw in listed if isinstance(listed, list) else ():
        try:
            yield channel(raw)
        except BadEvent as error:
            log.warning("listing: left out: %s", error)


def _snoop_of(app: str, ours: str) -> int | None:
    """The call that a snooping channel of ours is for, by the application that it is in."""
    found = re.fullmatch(rf"Stasis\({re.escape(ours)},{OWN},{WHAT},([^,]*)\)", app)
    return _id([found[1]]) if found else None


def _id(args: Any) -> int | None:
    """The id of a call among the arguments of Stasis."""
    first = args[0] if args and isinstance(args[0], str) else ""
    return int(first) if re.fullmatch("[1-9][0-9]{0,17}", first) else None
