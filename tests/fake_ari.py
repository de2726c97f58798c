"""A server that speaks HTTP and websocket just well enough to do it wrong on purpose."""

import base64
import contextlib
import hashlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Line:
    """One accepted connection."""

    def __init__(self, raw: socket.socket) -> None:
        self.raw = raw
        self._read = raw.makefile("rb")

    def request(self) -> tuple[str, dict[str, str], bytes]:
        """The next request: its first line, headers in lower case, body. EOFError at the end."""
        first = self._read.readline().decode("latin-1").strip()
        if not first:
            raise EOFError
        headers: dict[str, str] = {}
        while text := self._read.readline().decode("latin-1").strip():
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        return first, headers, self._read.read(int(headers.get("content-length", "0")))

    def answer(self, status: str = "200 OK", body: bytes = b"{}", extra: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        self.send(head.encode() + body)

    def upgrade(self, headers: dict[str, str]) -> None:
        """Agree to speak websocket."""
        key = headers["sec-websocket-key"].encode() + WEBSOCKET_GUID
        accept = base64.b64encode(hashlib.sha1(key, usedforsecurity=False).digest()).decode()
        self.send(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )

    def send(self, data: bytes) -> None:
        self.raw.sendall(data)

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """What the client sends, until it goes."""
        while len(head := self._read.read(2)) == 2:
            mask = self._read.read(4)
            masked = self._read.read(head[1] & 0x7F)
            yield head[0] & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))

    def wait_closed(self) -> None:
        """Say nothing until the other side goes."""
        while self._read.read(1):
            pass


def frame(payload: bytes, opcode: int = TEXT, last: bool = True) -> bytes:
    """An unmasked websocket frame."""
    size = len(payload)
    if size < 126:
        length = bytes([size])
    elif size < 65536:
        length = b"\x7e" + struct.pack(">H", size)
    else:
        length = b"\x7f" + struct.pack(">Q", size)
    return bytes([(0x80 if last else 0) | opcode]) + length + payload


class FakeAri:
    """Listens on 127.0.0.1 and hands each connection to `handler` in a thread of its own.

    `lines` counts connections, `at` has their times, `requests` all that `websocket()` and `http()`
    have read.
    """

    def __init__(self, handler: Callable[["FakeAri", Line, int], None]) -> None:
        self.handler = handler
        self.requests: list[str] = []
        self.at: list[float] = []
        self.more = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._lines: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        for raw in (self._listener, *self._lines):
            with contextlib.suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(30)
        self._listener.close()

    def wait_for_lines(self, count: int, timeout: float = 30) -> None:
        """Until so many connections have come. TimeoutError."""
        with self.more:
            if not self.more.wait_for(lambda: len(self.at) >= count, timeout):
                raise TimeoutError(f"{len(self.at)} of {count} connections")

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return  # closed at the end of the test
            self._lines.append(raw)
            thread = threading.Thread(target=self._handle, args=(raw, len(self.at)))
            self._threads.append(thread)
            with self.more:
                self.at.append(time.monotonic())
                self.more.notify_all()
            thread.start()

    def _handle(self, raw: socket.socket, number: int) -> None:
        line = Line(raw)
        try:
            self.handler(self, line, number)
        except (OSError, EOFError):
            pass  # the client has gone, which most of these tests provoke
        finally:
            line._read.close()
            raw.close()


def events(talk: Callable[[Line, int], None]) -> FakeAri:
    """A server whose websockets do `talk(line, number of the websocket)`; REST calls succeed."""
    numbers = iter(range(1000000))

    def handler(server: FakeAri, line: Line, _: int) -> None:
        while True:
            first, headers, _body = line.request()
            server.requests.append(first)
            if "upgrade" in headers:
                line.upgrade(headers)
                return talk(line, next(numbers))
            line.answer()

    return FakeAri(handler)
