"""Windows that stay open while somebody else logs in in the same browser, as on a desk that two
share: what they show is one's, and must not be filled with what the other may see."""

from __future__ import annotations

from flask import Flask, Response, g, request
from flask_babel import gettext as _

from panel import errors


def install(app: Flask) -> None:
    """After auth, which finds out who is looking."""
    app.before_request(_refuse_anothers)


def _refuse_anothers() -> Response | None:
    """409 for a script of a page that was made for somebody else. Scripts say whose page theirs is;
    the address of a stream does, as no script writes its headers."""
    stream = request.args.get("viewer") if request.endpoint == "live.stream" else None
    made_for = request.headers.get("X-Viewer") or stream
    if not g.get("viewer") or not made_for or made_for == str(g.viewer.id):
        return None
    sentence = _("Somebody else is logged in in this browser now. Load the page again.")
    response = errors.page(409, sentence)
    response.headers["X-Other-Viewer"] = "1"
    return response
