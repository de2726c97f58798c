"""pytest plugin: an office on the real Asterisk. The people of the world at the sample's phones, a
`trichter ari` of its own, and callers over SIP.

What the office waits for are rows that another process writes: `until` asks for them again.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from ports import free_tcp_port
from private_asterisk import PrivateAsterisk
from sip_parties import Caller, Phone

from models import Call, Deal, Event
from tests.world import World, populate, release, use

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 40.0
"""Seconds. It only costs where something fails, and the machine may be busy with other tests."""
LOOK_EVERY = 0.02
PHONES = ("101", "102", "103")

T = TypeVar("T")


def until(found: Callable[[], T | None], what: str, timeout: float = PATIENCE) -> T:
    """The first true result of ``found``; AssertionError after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        result = found()
        if result:
            return result
        assert time.monotonic() < deadline, f"{what}: not within {timeout} s"
        time.sleep(LOOK_EVERY)


class Office:
    """``world`` and its database, the exchange ``pbx``, and the processes started."""

    def __init__(self, pbx: PrivateAsterisk, folder: Path) -> None:
        self.pbx = pbx
        self.folder = folder
        self.url = f"sqlite:///{folder}/trichter.db"
        self.settings = use(self.url)
        self.world: World = populate()
        self.processes: list[subprocess.Popen[bytes]] = []

    def environment(self, **changed: str) -> dict[str, str]:
        """For a `trichter` process of this office."""
        return {
            **os.environ,
            "TRICHTER_DATABASE_URL": self.url,
            "TRICHTER_ARI_URL": self.pbx.ari_url,
            "TRICHTER_ARI_PASSWORD": self.pbx.passwords.ari,
            "TRICHTER_AGI_BIND": f"127.0.0.1:{self.pbx.ports.agi}",
            **changed,
        }

    def run(self, *command: str, **changed: str) -> subprocess.Popen[bytes]:
        """Start `trichter COMMAND`; its log is in the office's folder."""
        with self.log(command[0]).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "trichter", *command],
                cwd=ROOT,
                env=self.environment(**changed),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes.append(process)
        return process

    def log(self, command: str) -> Path:
        return self.folder / f"{command}.log"

    def said(self, command: str, text: str) -> bool:
        """Whether a process has logged a text."""
        log = self.log(command)
        return log.exists() and text in log.read_text(errors="replace")

    def listen(self, **changed: str) -> subprocess.Popen[bytes]:
        """Start `trichter ari` with changed settings, and return when Asterisk has it."""
        connections = self._connections()
        process = self.run("ari", **changed)
        until(lambda: self._connections() > connections, f"trichter ari: {self.log('ari')}")
        return process

    def _connections(self) -> int:
        log = self.log("ari")
        return log.read_text().count(" channels live") if log.exists() else 0

    def open_panel(self) -> str:
        """Start `trichter panel` on a free port; its address, when it answers."""
        place = f"127.0.0.1:{free_tcp_port()}"
        self.run("panel", TRICHTER_PANEL_BIND=place, TRICHTER_PANEL_PUBLIC_URL=f"http://{place}")

        def answers() -> bool:
            try:
                with urllib.request.urlopen(f"http://{place}/healthz", timeout=10) as reply:
                    return bool(reply.status == 200)
            except OSError:
                return False

        until(answers, f"the panel: {self.log('panel')}")
        return f"http://{place}"

    @contextmanager
    def phones(self, ring_seconds: float = 0.3, **behaviours: str) -> Iterator[dict[str, Phone]]:
        """The three phones: p101="answer" and so on; those left out ring and are not picked up."""
        with ExitStack() as stack:
            yield {
                number: stack.enter_context(
                    Phone(
                        self.pbx.ports.phone(number),
                        behaviours.get(f"p{number}", "ring"),
                        ring_seconds,
                    )
                )
                for number in PHONES
            }

    def caller(self, number: str | bytes | None, **options: Any) -> Caller:
        return Caller(self.pbx, number=number or "", **options)

    def ended(self, number: str | None = None, count: int = 1) -> list[Call]:
        """The calls (of a number, or all), when ``count`` of them are recorded to their end."""
        query = Call.select().order_by(Call.id)
        if number:
            query = query.where(Call.number == number)

        def all_ended() -> list[Call] | None:
            calls = list(query.clone())  # a query keeps the rows it once had
            return calls if len(calls) >= count and all(c.ended_at for c in calls) else None

        calls = until(all_ended, f"{count} ended calls of {number}")
        assert len(calls) == count, [c.__data__ for c in calls]
        return calls

    def event(self, kind: str) -> Event:
        """The first event of a kind, as soon as there is one."""
        return until(lambda: Event.of_kind(kind).first(), f"an event {kind}")

    def deals(self) -> list[Deal]:
        return list(Deal.select().order_by(Deal.id))

    def close(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        release()


@pytest.fixture
def office(asterisk: PrivateAsterisk, tmp_path: Path) -> Iterator[Office]:
    """The office without any process of Trichter: see ``Office.listen``."""
    opened = Office(asterisk, tmp_path)
    yield opened
    opened.close()
    idle = "0 active channels"
    until(lambda: idle in asterisk.cli("core show channels count"), "the end of all calls")


@pytest.fixture
def listening(office: Office) -> Office:
    """The office with `trichter ari` connected."""
    office.listen()
    return office
