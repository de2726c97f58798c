"""Ids and addresses that come from the network."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from flask import request
from werkzeug.routing import BaseConverter

_ID = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_UNSAFE = re.compile(r"[\\\x00-\x20\x7f]")


class Id(BaseConverter):
    """Replaces Flask's ``int`` in paths: what no database row can have as its id is just no
    page, instead of an overflow in the database driver."""

    regex = _ID.pattern

    def to_python(self, value: str) -> int:
        return int(value)


def whole(text: str | None) -> int | None:
    """An id in a form or query, or None for anything that can't be one."""
    return int(text) if text and _ID.fullmatch(text) else None


def is_local(target: str | None) -> bool:
    """Whether a browser that is sent to ``target`` stays on this site: a path, and nothing that
    browsers read as a host (``//host``, ``/\\host``, tabs and line ends that they drop)."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return False
    if _UNSAFE.search(target):
        return False
    parts = urlsplit(target)
    return not parts.scheme and not parts.netloc


def came_from(default: str) -> str:
    """The page of this site that a form or link was on, else ``default``."""
    referrer = urlsplit(request.referrer or "")
    path = referrer.path + (f"?{referrer.query}" if referrer.query else "")
    return path if referrer.netloc == request.host and is_local(path) else default


def wants_fragment() -> bool:
    """Whether a script asked (htmx or fetch), which puts pieces into the page, not pages."""
    return "HX-Request" in request.headers or "text/html-partial" in request.headers.get(
        "Accept", ""
    )


def as_dict(**values: Any) -> dict[str, Any]:
    """The values that are there: for query strings."""
    return {name: value for name, value in values.items() if value is not None}
