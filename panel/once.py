"""Forms that make something make it once: after a second click, a page that is loaded again, or an
answer that got lost on its way."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from flask import Flask, g, request

from database import database
from panel.auth import viewer
from verbs import sent_forms


def install(app: Flask) -> None:
    app.jinja_env.globals["form_key"] = form_key


def form_key() -> str:
    """What the forms of this page carry as ``form_key``: another one each time it is shown."""
    if "form_key" not in g:
        g.form_key = secrets.token_urlsafe(12)
    return str(g.form_key)


def once(make: Callable[[], Any]) -> int:
    """The id of the row that ``make`` makes of the form; if it was sent before, that of the row
    which it made then. Other entries under the same key are another form: who goes back to a page
    and writes something else means it."""
    given = request.form.get("form_key", "")
    if not given:
        with database.atomic():
            return int(make().id)
    entries = sorted((k, v) for k, v in request.form.items(multi=True) if k != "csrf_token")
    about = repr((viewer().id, request.path, entries))
    return sent_forms.once(hashlib.sha256(about.encode()).hexdigest(), make)
