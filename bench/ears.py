"""Holds streams of the panel open: python -m bench.ears. The first line of its input says where
(``address``), as whom (``cookies``, by turns) and how many (``count``).

It says when all are open, and then a line for each message of a moved deal: its id, and the time on
the monotonic clock. Small and alone, so that it takes little from what is measured.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from urllib.parse import urlsplit


def _listen() -> None:
    asked = json.loads(sys.stdin.readline())
    place = urlsplit(asked["address"])
    lines = selectors.DefaultSelector()
    for n in range(asked["count"]):
        cookie = asked["cookies"][n % len(asked["cookies"])]
        one = socket.create_connection((place.hostname, place.port))
        one.sendall(
            f"GET /live HTTP/1.1\r\nHost: {place.netloc}\r\nCookie: {cookie}\r\n"
            "Accept: text/event-stream\r\n\r\n".encode()
        )
        lines.register(one, selectors.EVENT_READ, bytearray())
    waiting = {key.fd for key in lines.get_map().values()}
    while True:
        for key, _ in lines.select():
            heard, now = key.data, time.monotonic()
            part = key.fileobj.recv(65536)  # type: ignore[union-attr]
            if not part:
                raise SystemExit("a stream has ended")
            heard += part
            if key.fd in waiting and b"retry:" in heard:
                waiting.discard(key.fd)
                if not waiting:
                    print("open", flush=True)
            _tell(heard, now)


def _tell(heard: bytearray, now: float) -> None:
    *whole, rest = bytes(heard).split(b"\n\n")
    for message in whole:
        if b"deal.moved" in message:
            data = message[message.index(b"{") : message.rindex(b"}") + 1]
            print(json.loads(data)["deal"], now, flush=True)
    heard[:] = rest


if __name__ == "__main__":
    _listen()
