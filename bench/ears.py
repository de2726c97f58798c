"""Holds streams of the panel open: python -m bench.ears. The first line of its input says where
(``address``), as whom (``cookies``, by turns) and how many (``count``), and what of the board a
window asks for after news of a card (``path``).

It says when all are open; then a line for each message of a moved deal: its id, and the time on
the monotonic clock; and a line for each answer to what its window asked for, as
panel/static/js/board.js does (at random within the time that the server says, and about all that
came meanwhile together): ``asked``, the seconds it took, and the status. Small and alone, so that
it takes little from what is measured.
"""

from __future__ import annotations

import heapq
import json
import random
import selectors
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

GATHER = 0.02
"""Seconds; see panel/static/js/shared/soon.js."""


@dataclass
class Window:
    """An open page: ``heard`` of its stream, and the deals it has to ask for."""

    cookie: str
    heard: bytearray = field(default_factory=bytearray)
    deals: set[int] = field(default_factory=set)
    is_open: bool = False


@dataclass
class Question:
    """One that is on its way, since ``begun`` on the monotonic clock."""

    begun: float
    answer: bytearray = field(default_factory=bytearray)


class Ears:
    """All windows, in one thread."""

    def __init__(self, asked: dict[str, Any]) -> None:
        self.asked, self.place = asked, urlsplit(asked["address"])
        self.lines = selectors.DefaultSelector()
        self.due: list[tuple[float, int, Window]] = []
        self.dice = random.Random(3)
        self.closed = asked["count"]

    def request(self, path: str, cookie: str, accept: str) -> socket.socket:
        one = socket.create_connection((self.place.hostname, self.place.port))
        one.sendall(
            f"GET {path} HTTP/1.1\r\nHost: {self.place.netloc}\r\nCookie: {cookie}\r\n"
            f"Accept: {accept}\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n".encode()
        )
        return one

    def listen(self) -> None:
        for n in range(self.asked["count"]):
            window = Window(self.asked["cookies"][n % len(self.asked["cookies"])])
            stream = self.request("/live", window.cookie, "text/event-stream")
            self.lines.register(stream, selectors.EVENT_READ, window)
        while True:
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else None
            for key, _ in self.lines.select(wait):
                part, now = key.fileobj.recv(65536), time.monotonic()  # type: ignore[union-attr]
                if isinstance(key.data, Window):
                    self.told(key.data, part, now)
                else:
                    self.answered(key, part, now)
            while self.due and self.due[0][0] <= time.monotonic():
                self.ask(heapq.heappop(self.due)[2])

    def told(self, window: Window, part: bytes, now: float) -> None:
        if not part:
            raise SystemExit("a stream has ended")
        window.heard += part
        if not window.is_open and b"retry:" in window.heard:
            window.is_open = True
            self.closed -= 1
            if not self.closed:
                print("open", flush=True)
        *whole, rest = bytes(window.heard).split(b"\n\n")
        window.heard[:] = rest
        for message in whole:
            if b"deal.moved" in message:
                self.news(window, json.loads(message[message.index(b"{") :]), now)

    def news(self, window: Window, data: dict[str, Any], now: float) -> None:
        print(data["deal"], now, flush=True)
        if not window.deals:
            spread = self.dice.random() * data.get("spread", 0) / 1000
            heapq.heappush(self.due, (now + GATHER + spread, id(window), window))
        window.deals.add(data["deal"])

    def ask(self, window: Window) -> None:
        deals, begun = ",".join(map(str, window.deals)), time.monotonic()
        window.deals.clear()
        path = f"{self.asked['path']}&deals={deals}"
        one = self.request(path, window.cookie, "text/html-partial")
        self.lines.register(one, selectors.EVENT_READ, Question(begun))

    def answered(self, key: Any, part: bytes, now: float) -> None:
        key.data.answer += part
        if part:
            return
        self.lines.unregister(key.fileobj)
        key.fileobj.close()
        status = bytes(key.data.answer[:12]).decode().rpartition(" ")[2]
        print("asked", now - key.data.begun, status, flush=True)


if __name__ == "__main__":
    Ears(json.loads(sys.stdin.readline())).listen()
