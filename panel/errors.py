"""Error pages: a sentence and a way on, never a traceback. Scripts get the sentence alone."""

from __future__ import annotations

from typing import Any

import peewee
from flask import (
    Flask,
    Response,
    current_app,
    g,
    make_response,
    render_template,
    render_template_string,
    request,
)
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from playhouse.pool import MaxConnectionsExceeded
from werkzeug.exceptions import HTTPException

from database import DatabaseTrouble, trouble
from errors import Conflict, Refused
from panel import kept
from panel.languages import sentence
from panel.urls import came_from, is_local, wants_fragment

UNUSABLE = (
    peewee.OperationalError,
    peewee.InterfaceError,
    peewee.InternalError,
    peewee.ProgrammingError,
    MaxConnectionsExceeded,
    DatabaseTrouble,
)

PLAIN = """<!doctype html><html lang="{{ page_language() }}">
<meta charset="utf-8"><title>{{ title }}</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<h1>{{ title }}</h1><p>{{ sentence }}</p>{% if advice %}<p lang="en">{{ advice }}</p>{% endif %}
<p><a href="/">Trichter</a></p></html>"""
"""The least that a page can be."""


def install(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(Refused, lambda error: page(422, sentence(error)))
    app.register_error_handler(Conflict, lambda error: page(409, sentence(error)))
    for kind in UNUSABLE:
        app.register_error_handler(kind, _no_database)


def is_database_trouble(error: Any) -> bool:
    return isinstance(error, UNUSABLE)


def page(status: int, sentence: str = "", advice: str = "") -> Response:
    """An error as a page, or to scripts as its one sentence in plain text."""
    title, usual = _wording(status)
    if status >= 500:
        # The frame of a page reads the database, which may be what is broken.
        g.viewer = None
    if wants_fragment():
        response = make_response(sentence or usual)
        response.mimetype = "text/plain"
    else:
        response = make_response(_written(status, title, sentence or usual, advice))
    response.status_code = status
    return response


def _written(status: int, title: str, sentence: str, advice: str) -> str:
    about = {"status": status, "title": title, "sentence": sentence, "advice": advice}
    form = kept.of_request() if status in (400, 401) else None
    try:
        return render_template("error.html", **about, back=came_from(""), again=_again(), kept=form)
    except Exception:
        # Even the page that says so can't be made: files are missing, or the database is, and the
        # frame asks it.
        current_app.logger.exception("The page of an error could not be made")
        return render_template_string(PLAIN, **about)


def _again() -> str:
    """The address that failed, to try it once more: only what surely stays on this site."""
    wanted = request.full_path.rstrip("?")
    return wanted if request.method == "GET" and is_local(wanted) else "/"


def _wording(status: int) -> tuple[str, str]:
    texts = {
        400: (_("That did not work"), _("The browser sent something that the panel can't read.")),
        401: (_("Please log in"), _("You are logged out. Log in and try again.")),
        403: (_("Not for you"), _("Your role does not allow this.")),
        404: (
            _("Nothing here"),
            _("There is no such page, or it belongs to somebody else."),
        ),
        405: (_("That did not work"), _("This address can't be used that way.")),
        409: (_("Somebody was faster"), _("This was changed in the meantime. Look at it again.")),
        413: (_("Too much at once"), _("The form is larger than the panel accepts.")),
        422: (_("That can't be done"), _("Some of what you entered can't be used.")),
        429: (_("Too many attempts"), _("Wait a few minutes, then try again.")),
        503: (
            _("The database can't be used right now"),
            _("Calls go on as usual. Try again in a moment."),
        ),
    }
    something = (
        _("Something went wrong"),
        _("The panel made a mistake, and it is in the log. Nothing of yours was lost."),
    )
    return texts.get(status, texts[400] if 400 <= status < 500 else something)


def _http(error: HTTPException) -> Any:
    if error.response is not None or not error.code or error.code < 400:
        return error
    response = page(error.code)
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    if error.code == 429:
        response.headers.setdefault("Retry-After", "300")
    return response


def _stale_form(error: CSRFError) -> Response:
    """No token, or that of a session which is over: mostly a page left open for long."""
    response = page(
        400,
        _("This page was open for too long, or cookies are off. Load it again, then try again."),
    )
    # Scripts fetch the token that is valid now, and try again with what was written.
    response.headers["X-Stale-Form"] = "1"
    return response


def _no_database(error: Exception) -> Response:
    """The whole message goes to the log: to people it would tell hosts and names of accounts."""
    found = trouble(error)
    current_app.logger.error("%s", found)
    response = page(503, advice=found.advice)
    response.headers["Retry-After"] = "5"
    return response
