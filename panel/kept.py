"""A form that was refused because its page was open for too long, or its log-in is over: what was
written in it is shown, and can be sent again, so that nobody writes it twice."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import request

from panel.urls import is_local, whole

CARRIED = ("csrf_token", "form_key", "seen", "next", "back")
"""Fields that people do not fill in, as are those that begin with seen_."""
MOST = 50_000
"""Characters. What is longer is not kept: the page would be as large again."""


@dataclass(frozen=True)
class Kept:
    """``fields`` go along when it is sent again; ``written``: what of them people wrote, for the
    page to show. ``can_send``: all of it is there. Passwords and files never are."""

    action: str
    fields: list[tuple[str, str]]
    written: list[str]
    can_send: bool


def of_request() -> Kept | None:
    """What the form of this request said; None if it is from another site, which would have
    somebody press its button, or if there is nothing to keep."""
    action = request.full_path.rstrip("?")
    if request.method != "POST" or not is_local(action) or not _is_ours():
        return None
    given = [pair for pair in request.form.items(multi=True) if pair[0] != "csrf_token"]
    fields = [(name, text) for name, text in given if "password" not in name]
    if not fields or sum(len(text) for _, text in fields) > MOST:
        return None
    written = [text for name, text in fields if _is_written(name, text)]
    is_whole = len(fields) == len(given) and not request.files
    return Kept(action, fields, list(dict.fromkeys(written)), is_whole)


def _is_ours() -> bool:
    origin = urlsplit(request.headers.get("Origin") or request.referrer or "")
    return origin.netloc == request.host


def _is_written(name: str, text: str) -> bool:
    """Neither an id nor one of a few words to choose from, which says nothing by itself."""
    if name in CARRIED or name.startswith("seen_") or whole(text):
        return False
    return bool(text.strip()) and (len(text) > 12 or " " in text or not text.isascii())
