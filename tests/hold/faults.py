"""Ways in which things break: a dead line, a database that somebody holds, a full disk."""

from __future__ import annotations

import os
import resource
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Self
from unittest.mock import patch
from urllib.parse import urlsplit

from ports import LOOPBACK, free_tcp_port

from tests.server import Server

CHUNK = 65536
LARGEST_DISK = 64 * 2**20
SEVER_EVERY = 0.5
HOLDS = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
held.execute("ROLLBACK")
"""


class Line:
    """A TCP line between Trichter and ``url``, which can go dead without a word: what runs over it
    vanishes, no connection is closed, and none that was there then ever works again."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._there = (parts.hostname or LOOPBACK, parts.port or 80)
        self._port = free_tcp_port()
        self.url = f"{parts.scheme}://{LOOPBACK}:{self._port}"
        self._listener = socket.create_server((LOOPBACK, self._port))
        self._dead: set[int] = set()
        self._pairs: dict[int, tuple[socket.socket, socket.socket]] = {}
        self.is_cut = False
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for end in (self._listener, *(end for pair in self._pairs.values() for end in pair)):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join(5)

    def cut(self) -> None:
        """From now on everything vanishes."""
        self.is_cut = True
        self._dead |= set(self._pairs)

    def mend(self) -> None:
        """New connections work again."""
        self.is_cut = False

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed: the end
            for number in range(sys.maxsize):
                near, _ = self._listener.accept()
                if self.is_cut:
                    self._dead.add(number)
                far = socket.create_connection(self._there)
                self._pairs[number] = (near, far)
                self._start(self._pump, number, near, far)
                self._start(self._pump, number, far, near)

    def _pump(self, number: int, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if number not in self._dead:
                    target.sendall(data)
            if number not in self._dead:
                target.shutdown(socket.SHUT_WR)


@contextmanager
def held_database(file: str) -> Iterator[None]:
    """Another process has a transaction open in which it writes."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        yield
    finally:
        holder.stdin.close()
        holder.wait(30)
        holder.stdout.close()


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """A database server that is ended, with all its connections, and started again."""
    process = server._process
    assert process is not None
    process.send_signal(server.stop_signal)
    process.wait(60)
    yield
    with patch("tests.server.free_tcp_port", return_value=server.port):
        assert server._launched()


SESSIONS = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = '{}'",
    "mysql": "SELECT id FROM information_schema.processlist WHERE db = '{}'",
}
ENDING = {"postgresql": "SELECT pg_terminate_backend({})", "mysql": "KILL {}"}


@contextmanager
def severed(server: Server, name: str) -> Iterator[None]:
    """The sessions at a database are ended again and again, as a fail-over or an impatient
    administrator does it."""
    over = threading.Event()

    def sever() -> None:
        with closing(server.connect()) as connection, connection.cursor() as cursor:
            while not over.wait(SEVER_EVERY):
                cursor.execute(SESSIONS[server.scheme].format(name))
                for (number,) in cursor.fetchall():
                    with suppress(Exception):  # it has ended by itself
                        cursor.execute(ENDING[server.scheme].format(number))

    thread = threading.Thread(target=sever)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def no_more_room(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """The process can make no file any larger (EFBIG, which SQLite calls an I/O error)."""
    before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)


def _take_its_reserve(database: Path) -> None:
    """SQLite writes again into what its log has already been given: a log that was just begun anew
    has room for some hundred rows on a full disk. Raises AssertionError where it can't be cut."""
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not busy, f"somebody reads in {database} for ever"


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Not a byte is left on the disk that a folder is on, which has to be a small one."""
    room = os.statvfs(folder)
    assert room.f_blocks * room.f_frsize <= LARGEST_DISK, f"{folder} is no small disk"
    for database in folder.glob("*.db"):
        _take_its_reserve(database)
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    yield
    ballast.unlink()
