"""The sockets and timers of one softphone, served by one thread.

Everything that changes a phone or its calls happens under `lock`, in this thread or in the one of
the test; whoever waits is woken after each datagram and timer.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import threading
import time
import traceback
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Peer = tuple[str, int]

LAST_MESSAGES = 40
LARGEST = 65535


class SoftphoneError(AssertionError):
    """What a test waited for did not happen, or cannot; with the SIP messages so far."""


class Timer:
    """Something to do later, unless it is cancelled before."""

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class Wire:
    """SIP at address:port (0 = a free one) and RTP at a free port of the same address."""

    def __init__(self, name: str, address: str, port: int) -> None:
        self.name = name
        self.lock = threading.Condition(threading.RLock())
        self.on_sip: Callable[[bytes, Peer], None] = lambda _data, _sender: None
        self.on_rtp: Callable[[bytes, Peer], None] = lambda _data, _sender: None
        self._sip = _bound(address, port)
        self._rtp = _bound(address, 0)
        self.sip_port = int(self._sip.getsockname()[1])
        self.rtp_port = int(self._rtp.getsockname()[1])
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._messages: list[str] = []
        self._began = time.monotonic()
        self.broken = ""
        self._closing = False
        self._wake, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"softphone {name}", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------ out

    def send_sip(self, data: bytes, peer: Peer) -> None:
        self._note(">", data, peer)
        self._sip.sendto(data, peer)

    def send_rtp(self, data: bytes, peer: Peer) -> None:
        self._rtp.sendto(data, peer)

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Do something in `seconds`, in the thread of the wire."""
        timer = Timer(action)
        with self.lock:
            when = time.monotonic() + seconds
            heapq.heappush(self._timers, (when, next(self._order), timer))
            if self._timers[0][2] is timer and threading.current_thread() is not self._thread:
                self._wake.send(b"!")
        return timer

    # ------------------------------------------------------------ waiting

    def wait(self, found: Callable[[], T | None], what: str, timeout: float) -> T:
        """The first true result of `found`. SoftphoneError after `timeout` seconds."""
        result: T | None = None

        def look() -> bool:
            nonlocal result
            result = None if self.broken else found()
            return bool(self.broken or result)

        with self.lock:
            self.lock.wait_for(look, timeout)
            if self.broken:
                raise SoftphoneError(f"{self.name} broke down: {self.broken}\n{self.trace()}")
            if not result:
                raise self.error(f"{what}: not within {timeout} s")
            return result

    def error(self, what: str) -> SoftphoneError:
        """An error that tells what the phone has seen."""
        return SoftphoneError(f"phone {self.name}: {what}\n{self.trace()}")

    def trace(self) -> str:
        """The last SIP messages, with seconds since the phone was switched on."""
        with self.lock:
            return "\n".join(self._messages[-LAST_MESSAGES:]) or "(no SIP message)"

    def _note(self, arrow: str, data: bytes, peer: Peer) -> None:
        text = data.decode("utf-8", "replace").replace("\r\n", "\n").strip()
        since = time.monotonic() - self._began
        self._messages.append(f"--- {since:.3f} {arrow} {peer[0]}:{peer[1]}\n{text}")

    # ------------------------------------------------------------ thread

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for readable in (self._sip, self._rtp, self._woken):
                selector.register(readable, selectors.EVENT_READ)
            while not self._closing:
                ready = selector.select(self._next())
                with self.lock:
                    try:
                        self._turn({key.fileobj for key, _ in ready})
                    except Exception:  # noqa: BLE001  (the test that waits gets to see it)
                        self.broken = self.broken or traceback.format_exc()
                    self.lock.notify_all()

    def _turn(self, ready: set[object]) -> None:
        if self._woken in ready:
            self._woken.recv(LARGEST)
        if self._sip in ready:
            data, sender = self._sip.recvfrom(LARGEST)
            self._note("<", data, sender)
            self.on_sip(data, sender)
        if self._rtp in ready:
            self.on_rtp(*self._rtp.recvfrom(LARGEST))
        while self._timers and self._timers[0][0] <= time.monotonic():
            timer = heapq.heappop(self._timers)[2]
            if timer.action:
                timer.action()

    def _next(self) -> float | None:
        with self.lock:
            while self._timers and not self._timers[0][2].action:
                heapq.heappop(self._timers)
            return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def close(self) -> None:
        """Free the ports; SoftphoneError if the thread broke down before."""
        self._closing = True
        self._wake.send(b"!")
        self._thread.join()
        for opened in (self._sip, self._rtp, self._wake, self._woken):
            opened.close()
        if self.broken:
            raise SoftphoneError(f"{self.name} broke down: {self.broken}\n{self.trace()}")


def _bound(address: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.bind((address, port))
    except OSError:
        opened.close()
        raise
    return opened
