"""What comes in over a websocket (RFC 6455), read in large pieces.

websocket-client asks the system three times for each frame, and makes an object of it: that takes
longer than to understand the event in it.
"""

from __future__ import annotations

from collections.abc import Callable

from websocket import (
    ABNF,
    WebSocketConnectionClosedException,
    WebSocketPayloadException,
    WebSocketProtocolException,
)

PIECE = 65_536
"""Bytes asked for at once; what has come is taken, however little it is."""
LARGEST = 64 * 1024 * 1024
"""Bytes of a frame or message, far beyond any event: else a broken length would take all memory."""
LARGEST_CONTROL = 125
CONTROL = (ABNF.OPCODE_CLOSE, ABNF.OPCODE_PING, ABNF.OPCODE_PONG)
BEGINS = (ABNF.OPCODE_TEXT, ABNF.OPCODE_BINARY)


class Frames:
    """Messages of a server, whole, and the control frames between them. ``receive(most)`` gives the
    next bytes, b'' at the end; what it raises comes out."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._data, self._at = b"", 0
        self._kind, self._parts = 0, list[bytes]()

    def next(self) -> tuple[int, bytes]:
        """Opcode and content. Raises websocket-client's errors for what is against the protocol,
        and at the end."""
        while True:
            is_last, opcode, content = self._frame()
            if opcode in CONTROL:
                if not is_last or len(content) > LARGEST_CONTROL:
                    raise WebSocketProtocolException("a control frame that is none")
                return opcode, content
            if (opcode == ABNF.OPCODE_CONT) != bool(self._kind) or opcode > ABNF.OPCODE_BINARY:
                raise WebSocketProtocolException(f"frame {opcode} where none may be")
            if is_last and not self._kind:
                return opcode, content
            self._kind = self._kind or opcode
            self._parts.append(content)
            if sum(map(len, self._parts)) > LARGEST:
                raise WebSocketPayloadException("a message without end")
            if is_last:
                whole = self._kind, b"".join(self._parts)
                self._kind, self._parts = 0, []
                return whole

    def _frame(self) -> tuple[bool, int, bytes]:
        """The next one: whether it is the last of its message, its opcode, what is in it."""
        self._need(2)
        first, size = self._data[self._at], self._data[self._at + 1]
        if first & 0x70 or size & 0x80:
            raise WebSocketProtocolException("a frame that is masked, or of an extension")
        self._at += 2
        if size > LARGEST_CONTROL:
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
        if size > LARGEST:
            raise WebSocketPayloadException(f"a frame of {size} bytes")
        return bool(first & 0x80), first & 0x0F, self._take(size)

    def _take(self, count: int) -> bytes:
        self._need(count)
        begin, self._at = self._at, self._at + count
        return self._data[begin : self._at]

    def _need(self, count: int) -> None:
        """Have so many bytes from ``_at`` on."""
        missing = count - (len(self._data) - self._at)
        if missing <= 0:
            return
        pieces = [self._data[self._at :]]
        while missing > 0:
            piece = self._receive(PIECE)
            if not piece:
                raise WebSocketConnectionClosedException("the other side has closed the line")
            pieces.append(piece)
            missing -= len(piece)
        self._data, self._at = b"".join(pieces), 0
