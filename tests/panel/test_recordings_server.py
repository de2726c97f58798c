"""Recordings under the real server: slow listeners hold up no page, and get all."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import urllib3
from ports import free_tcp_port

from models import Call
from panel.recordings import EACH_AT_ONCE
from tests.office import until
from tests.panel.test_server import SERVE, is_up, log_in, start
from tests.world import Story, World

SIZE = 24 * 1024 * 1024
"""More than all buffers between the panel and a listener hold."""
PAUSE_AFTER = 4 * 1024 * 1024
HURRIED = "from panel import worker; worker.ANSWER_SECONDS = 0.5; worker.LOOK_SECONDS = 0.1; "


@dataclass(frozen=True)
class Line:
    """The way to the recording of a call."""

    port: int
    cookie: str
    path: str

    def ask(self, stack: ExitStack) -> socket.socket:
        """A listener who has asked for all of it, and reads nothing yet."""
        slow = stack.enter_context(socket.socket())
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)
        slow.settimeout(20)
        slow.connect(("127.0.0.1", self.port))
        head = f"GET {self.path} HTTP/1.1\r\nHost: x\r\nCookie: {self.cookie}\r\n\r\n"
        slow.sendall(head.encode())
        return slow

    def status(self) -> int:
        headers = {"Cookie": self.cookie, "Range": "bytes=0-9"}
        url = f"http://127.0.0.1:{self.port}{self.path}"
        return urllib3.request("GET", url, headers=headers, retries=False).status


@pytest.fixture
def line(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    monkeypatch.setenv("TRICHTER_RECORDINGS_FOLDERS", str(tmp_path))
    (tmp_path / "long.wav").write_bytes(os.urandom(SIZE))
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101").ended()
    Call.update(recording="long.wav").execute()
    number = free_tcp_port()
    process: subprocess.Popen[str] = start(world, number, HURRIED + SERVE)
    try:
        until(lambda: is_up(number), "the panel")
        cookie = log_in(f"http://127.0.0.1:{number}")
        yield Line(number, cookie, f"/calls/{story.call.id}/recording")
    finally:
        process.terminate()
        _out, errors = process.communicate(timeout=20)
    assert "Traceback" not in errors


def test_a_slow_listener_gets_all_of_it(line: Line) -> None:
    """It takes several times as long as any other answer may."""
    with ExitStack() as stack:
        slow, got, begun = line.ask(stack), 0, time.monotonic()
        while got < SIZE:
            chunk = slow.recv(256 * 1024)
            assert chunk, f"cut off after {got} bytes and {time.monotonic() - begun:.1f} s"
            if got // PAUSE_AFTER < (got + len(chunk)) // PAUSE_AFTER:
                time.sleep(0.3)  # what makes it slow: the panel can't send meanwhile
            got += len(chunk)
        assert time.monotonic() - begun > 1


def test_slow_listeners_leave_the_threads_to_pages(line: Line) -> None:
    with ExitStack() as stack:
        waiting = [line.ask(stack) for _ in range(EACH_AT_ONCE)]
        heads = [slow.recv(12) for slow in waiting]
        assert heads == [b"HTTP/1.1 200"] * EACH_AT_ONCE
        assert line.status() == 503
        begun = time.monotonic()
        for _ in range(20):
            assert is_up(line.port)
        assert time.monotonic() - begun < 5
    until(lambda: line.status() == 206, "turns given back when the listeners have gone")
