"""Ports of this machine that are free, and those of a private Asterisk."""

import os
import secrets
import socket
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace

LOOPBACK = "127.0.0.1"
RTP_PORTS = 400
# Processes of tests at once that have ports of their own: see _one_of.
WORKERS = 5
RECENT: deque[int] = deque(maxlen=200)
"""Ports handed out last: who got one may need a moment to bind it, and looks free until then."""


@dataclass(frozen=True)
class Ports:
    """Ports on 127.0.0.1; 0 = pick a free one. UDP but for http and agi (TCP).

    phone_101…: where Asterisk finds the seller's phone; customer: where calls to the outside go;
    rtp: first of 400 for speech.
    """

    sip: int = 0
    http: int = 0
    agi: int = 0
    rtp: int = 0
    phone_101: int = 0
    phone_102: int = 0
    phone_103: int = 0
    customer: int = 0

    def filled(self) -> "Ports":
        """The same with every 0 replaced by a port that is free now."""
        with ExitStack() as held:
            picked = {
                item.name: _free_rtp() if item.name == "rtp" else _free(held, item.name)
                for item in fields(self)
                if not getattr(self, item.name)
            }
        return replace(self, **picked)

    def check_free(self) -> None:
        """OSError that names the first port that Asterisk would not get."""
        for name, kind in (("sip", socket.SOCK_DGRAM), ("http", socket.SOCK_STREAM)):
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:  # as Asterisk does: old connections may linger
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((LOOPBACK, getattr(self, name)))
                except OSError as error:
                    port = getattr(self, name)
                    raise OSError(
                        f"port {port} ({name}) cannot be used: {error.strerror}"
                    ) from error

    def phone(self, number: str) -> int:
        """The port of a seller's phone: 101, 102 or 103."""
        return int(getattr(self, f"phone_{number}"))


def free_port(address: str = LOOPBACK) -> int:
    """A UDP port that is free now on `address`."""
    with _bound(socket.SOCK_DGRAM, address) as probe:
        return int(probe.getsockname()[1])


def free_tcp_port() -> int:
    """A TCP port that is free now on 127.0.0.1."""
    with _bound(socket.SOCK_STREAM, LOOPBACK) as probe:
        return int(probe.getsockname()[1])


def _one_of(many: int) -> int:
    """A random number below that. Tests that run in several processes at once have a share each: a
    port that is free now could be somebody else's by the time that it is used."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if not worker.isdigit():
        return secrets.randbelow(many)
    return secrets.randbelow(many // WORKERS) * WORKERS + int(worker) % WORKERS


def _free(held: ExitStack, name: str) -> int:
    kind = socket.SOCK_STREAM if name in ("http", "agi") else socket.SOCK_DGRAM
    listener = _bound(kind, LOOPBACK)
    held.callback(listener.close)
    return int(listener.getsockname()[1])


def _bound(kind: socket.SocketKind, address: str) -> socket.socket:
    """A socket at a port below those that the kernel hands out: any connection of another process
    could get one of these between now and its use. Above the ports for speech."""
    while True:
        port = 30000 + _one_of(2700)
        if port in RECENT:
            continue
        probe = socket.socket(socket.AF_INET, kind)
        try:
            probe.bind((address, port))
        except OSError:
            probe.close()
            continue
        RECENT.append(port)
        return probe


def _free_rtp() -> int:
    """The first of a stretch, picked at random below the ports that the kernel hands out."""
    while True:
        first = 10000 + _one_of(50) * RTP_PORTS
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((LOOPBACK, first))
            except OSError:
                continue
        return first
