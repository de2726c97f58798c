"""A phone that is switched off, and says so.

A desk phone without power is not registered, and Asterisk does not ring it. The phones of the
private Asterisk have fixed addresses instead: with nobody there Asterisk would repeat its INVITE
for half a minute, and the next phone at that port would get it.
"""

import re
import socket
import threading
from typing import Self

from ports import LOOPBACK

COPIED = (b"Via", b"From", b"To", b"Call-ID", b"CSeq")


class SwitchedOff:
    """Answers every INVITE at `port` of 127.0.0.1 with 480 until it is stopped; context manager."""

    def __init__(self, port: int) -> None:
        self.port = port

    def start(self) -> Self:
        """Bind the port. OSError if it is taken."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((LOOPBACK, self.port))
        except OSError:
            self._socket.close()
            raise
        self._thread = threading.Thread(target=self._answer, name=f"phone {self.port} off")
        self._thread.start()
        return self

    def stop(self) -> None:
        """Free the port; a second time does nothing. An empty datagram wakes the thread."""
        if self._socket.fileno() < 0:
            return
        self._socket.sendto(b"", (LOOPBACK, self.port))
        self._thread.join()
        self._socket.close()

    def _answer(self) -> None:
        while True:
            request, sender = self._socket.recvfrom(65535)
            if not request and sender[1] == self.port:
                return
            if request.startswith(b"INVITE "):
                self._socket.sendto(refusal(request), sender)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def refusal(request: bytes) -> bytes:
    """The answer 480 to a SIP request (RFC 3261, 8.2.6)."""
    lines = [b"SIP/2.0 480 Temporarily Unavailable"]
    for name in COPIED:
        for found in re.findall(rb"^" + name + rb"[ \t]*:[ \t]*(.*)\r$", request, re.M | re.I):
            tag = b";tag=off" if name == b"To" else b""
            lines.append(name + b": " + found + tag)
    return b"\r\n".join([*lines, b"Content-Length: 0", b"", b""])
