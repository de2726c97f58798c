"""Answers are sent packed (gzip) to who unpacks them: pages each time, static files once."""

from __future__ import annotations

import secrets
import struct
import zlib
from functools import lru_cache

from flask import Flask, Response, request

PAGES = ("text/html",)
FILES = ("text/css", "text/javascript", "image/svg+xml")
WORTH_IT = 1000
"""Bytes below which packing saves nothing."""
PADDING = 100
"""Up to so many bytes differ in the length of the same page: that of a packed page which holds both
a secret and what was asked would tell about the secret (the attack called BREACH)."""
_PAGE_LEVEL, _FILE_LEVEL = 4, 9
_HEAD = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff"  # RFC 1952: deflate, with a file name, without a time


def install(app: Flask) -> None:
    app.after_request(_pack)


def _pack(response: Response) -> Response:
    is_file = request.endpoint == "static"
    if response.mimetype not in (FILES if is_file else PAGES):
        return response
    response.vary.add("Accept-Encoding")
    if response.status_code != 200 or request.method == "HEAD" or "Range" in request.headers:
        return response
    if not request.accept_encodings["gzip"]:
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) >= WORTH_IT:
        response.set_data(_packed_file(body) if is_file else _packed_page(body))
        response.content_encoding = "gzip"
        if etag := response.get_etag()[0]:
            # The same content, but no longer the same bytes.
            response.set_etag(etag, weak=True)
    return response


def _packed_page(body: bytes) -> bytes:
    length = secrets.randbelow(PADDING)
    return _gzip(body, _PAGE_LEVEL, secrets.token_hex(PADDING)[:length].encode())


@lru_cache(maxsize=256)
def _packed_file(body: bytes) -> bytes:
    return _gzip(body, _FILE_LEVEL)


def _gzip(body: bytes, level: int, name: bytes = b"") -> bytes:
    deflate = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflate.compress(body) + deflate.flush()
    ends = struct.pack("<LL", zlib.crc32(body), len(body) & 0xFFFFFFFF)
    return _HEAD + name + b"\0" + packed + ends
