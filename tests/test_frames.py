"""Frames of a websocket, however the bytes come. Over a real line: test_client_faults.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from websocket import WebSocketConnectionClosedException, WebSocketException

from ari_app.frames import Frames
from tests.fake_ari import BINARY, CLOSE, PING, TEXT, frame


def in_pieces(data: bytes, size: int) -> Callable[[int], bytes]:
    pieces: Iterator[bytes] = iter([data[at : at + size] for at in range(0, len(data), size)])
    return lambda _most: next(pieces, b"")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000, 1_000_000])
def test_messages_and_what_stands_between_them(size: int) -> None:
    long = bytes(range(256)) * 300
    sent = [(TEXT, b"a"), (BINARY, b""), (PING, b"x" * 125), (TEXT, b"b" * 126), (BINARY, long)]
    data = b"".join(frame(content, opcode) for opcode, content in sent)
    data += frame(b"in ", TEXT, last=False) + frame(b"between", PING)
    data += frame(b"many ", 0, last=False) + frame(b"parts", 0) + frame(b"\x03\xe8", CLOSE)
    frames = Frames(in_pieces(data, size))
    expected = [*sent, (PING, b"between"), (TEXT, b"in many parts"), (CLOSE, b"\x03\xe8")]
    assert [frames.next() for _ in expected] == expected
    with pytest.raises(WebSocketConnectionClosedException):
        frames.next()


@pytest.mark.parametrize(
    "data",
    [
        frame(b"goes on", 0),
        frame(b"begun", TEXT, last=False) + frame(b"begun again", TEXT),
        frame(b"of no kind", 3),
        frame(b"in parts", PING, last=False),
        frame(b"x" * 126, PING),
        b"\xc1\x01x",
        b"\x81\x81mask" + b"x",  # masked, as only a client may
        b"\x82\x7f" + b"\x7f" * 8,
    ],
)
def test_what_is_against_the_protocol(data: bytes) -> None:
    frames = Frames(in_pieces(data, 1000))
    with pytest.raises(WebSocketException):
        list(iter(frames.next, None))
