"""A running demonstration: a private Asterisk, all processes of Trichter, and calls over real SIP.

Everything runs on 127.0.0.1 and below one folder in /tmp, which goes at the end.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import story
from ports import free_tcp_port
from private_asterisk import PrivateAsterisk
from sip_parties import Caller, Phone

import database
import models
import settings as configuration
from commands import demo_data
from verbs import defaults

ROOT = Path(__file__).resolve().parent.parent
PHONES = {"anna": "101", "ben": "102"}
QUIET_PHONE = "103"
PATIENCE = 60.0
"""Seconds. It only costs where something fails, and the machine may be busy with other things."""


class DemoError(Exception):
    """The demonstration can't go on; one line that says why."""


@dataclass(frozen=True)
class Pace:
    """Seconds: until a phone is picked up, of talk, until a caller gives up, between calls."""

    rings: float
    talks: float
    waits: float
    pause: float


BRISK = Pace(rings=0.8, talks=1.5, waits=2.0, pause=0.2)
LIVELY = Pace(rings=7.0, talks=15.0, waits=9.0, pause=6.0)


class Demo:
    """The running system. ``place(scene)`` makes one call and waits for its end."""

    def __init__(self, stack: ExitStack, port: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="trichter-demo-", dir="/tmp"))
        stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.pbx = stack.enter_context(PrivateAsterisk(None))
        self.panel = f"127.0.0.1:{port}"
        self._configure()
        self.people = list(demo_data.load())
        self.log = self.folder / "trichter.log"
        stack.callback(self._stop)
        with self.log.open("wb") as log:
            self.processes = subprocess.Popen(
                [sys.executable, "-m", "trichter", "serve"],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                start_new_session=True,
            )
        self._wait_ready()

    def _configure(self) -> None:
        path = self.folder / "trichter.toml"
        path.touch(mode=0o600)
        path.write_text(
            f'[database]\nurl = "sqlite:///{self.folder}/trichter.db"\n'
            f'[ari]\nurl = "{self.pbx.ari_url}"\npassword = "{self.pbx.passwords.ari}"\n'
            f'[panel]\nbind = "{self.panel}"\npublic_url = "http://{self.panel}"\n'
            f'secret_key = "{secrets.token_hex(32)}"\n'
            f'[agi]\nbind = "127.0.0.1:{self.pbx.ports.agi}"\n'
            '[calls]\noutbound_context = "phones"\n'
            f'[recordings]\nfolders = ["{self.pbx.runtime}/spool/recording"]\n'
        )
        for name in [n for n in os.environ if n.startswith("TRICHTER_")]:
            del os.environ[name]
        os.environ["TRICHTER_CONFIG"] = str(path)
        models.connect(configuration.load())
        database.migrate()
        defaults.install()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not (self._panel_answers() and self._is_connected()):
            if self.processes.poll() is not None or time.monotonic() > deadline:
                raise DemoError(f"Trichter does not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.1)

    def _panel_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.panel}/healthz", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def _is_connected(self) -> bool:
        apps = self.pbx.cli("ari show apps")
        return "trichter" in apps

    def _stop(self) -> None:
        self.processes.send_signal(signal.SIGTERM)
        try:
            self.processes.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.processes.pid, signal.SIGKILL)
            self.processes.wait()

    def place(self, scene: story.Scene, pace: Pace) -> list[str]:
        """One call from its first ring to its last row; what is wrong with what it left."""
        before = story.deals_of(scene.number)
        with ExitStack() as stack:
            for login, phone in PHONES.items():
                behaviour = "answer" if login == scene.answers else "ring"
                port = self.pbx.ports.phone(phone)
                stack.enter_context(Phone(port, behaviour, pace.rings))
            stack.enter_context(Phone(self.pbx.ports.phone(QUIET_PHONE), "busy"))
            Caller(
                self.pbx,
                number=scene.number,
                name=scene.name or None,
                way=scene.way,
                hold=pace.talks if scene.answers else None,
                cancel_after=None if scene.answers else pace.waits,
            ).run()
        call = self._recorded(scene.number)
        return [f"{scene.title}: {fault}" for fault in story.faults(scene, call, before)]

    def _recorded(self, number: str) -> models.Call:
        """The row of the newest call of a number, once it says that the call has ended."""
        newest = models.Call.select().where(models.Call.number == number)
        deadline = time.monotonic() + PATIENCE
        while True:
            call = newest.order_by(models.Call.id.desc()).first()
            if call and call.ended_at:
                return call
            if time.monotonic() > deadline:
                raise DemoError(f"the call of {number} is not recorded; see {self.log.read_text()}")
            time.sleep(0.05)


def panel_port(wanted: int) -> int:
    """The port wanted for the panel, or another one if it is taken; 0: any. Raises DemoError."""
    for port in (wanted or free_tcp_port(), free_tcp_port()):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoError("no free port for the panel")
