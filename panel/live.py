"""Live updates: a stream of server-sent events for each open page.

It carries ids only, and only those that the user may see; the page then fetches the fragments, and
where many listen takes its time over it (``spread``, in milliseconds). Of a move it also tells to
where, so that a page can show it before. The
SSE id is an Event id up to which everything was sent, so a browser that comes back continues there.
No database connection is held while a stream waits.
"""

from __future__ import annotations

import json
import logging
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request, session, url_for
from flask_login import current_user, user_logged_out
from peewee import fn

from database import DATABASE_ERRORS, explain
from fields import utcnow
from models import Event
from panel import audience
from panel.auth import session_user, viewer
from panel.crowd import spread
from panel.doors import Doors
from panel.tail import RETRY_SECONDS, TOO_MANY, Listener, hub

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
CHECK_SECONDS = 2.0
MOST_MISSED = 500
RETRY_MS = 2000
RELOADING = 4
"""How much longer than another question it takes to load a page anew."""
RENDERING = timedelta(seconds=2)
"""Events this much older than a page may not be in it: its rows are read before its address of the
stream is."""

doors = Doors()

bp = Blueprint("live", __name__)


@bp.get("/live")
def stream() -> Response:
    """The stream of the user who is logged in; ``Last-Event-ID`` or ``?last=`` resumes it."""
    listener = Listener(viewer(), _browser(), _cutter(request.environ))
    with ExitStack() as unless_served:
        unless_served.callback(hub.leave, listener)
        hub.join(listener)
        # Only now: between what was missed and what the tail brings there must be no gap.
        missed = _missed(request.headers.get("Last-Event-ID") or request.args.get("last"))
        frames = Stream(listener, current_user.get_id(), missed).frames()
        response = Response(frames, mimetype="text/event-stream")
        response.call_on_close(unless_served.pop_all().close)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def watch(alive: Callable[[], bool]) -> None:
    """Streams end as soon as ``alive`` says that the server stops, instead of holding it up."""
    hub.alive = alive


@bp.app_template_global("live_url")
def live_url() -> str:
    """Where a page that is rendered now listens, continuing from what it shows."""
    shown = (
        Event.select(Event.id)
        .where(Event.at < utcnow() - RENDERING)
        .order_by(Event.at.desc(), Event.id.desc())
        .limit(1)
        .scalar()
    )
    return url_for("live.stream", last=shown or 0)


@user_logged_out.connect
def _logged_out(*_args: Any, **_details: Any) -> None:
    """Ends the streams of this browser in all its windows; other browsers of the user stay."""
    if _browser():
        hub.end_all("logged out", _browser())


def _browser() -> str:
    """Tells this browser's session from all others: its secret against forged forms."""
    return session.get("csrf_token", "")


def _cutter(environ: dict[str, Any]) -> Callable[[], None] | None:
    """Cuts the connection to a browser that does not read: it would hold a thread for hours."""
    connection: socket.socket | None = environ.get("gunicorn.socket")
    if connection is None:
        return None

    def cut() -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    return cut


def _missed(last: str | None) -> list[Event] | None:
    """The rows since ``last``, or None if the page has to be loaded anew."""
    if last is None:
        return []
    if not (last.isascii() and last.isdigit() and len(last) < 19):
        return None
    since = int(last)
    rows = list(Event.select().where(Event.id > since).order_by(Event.id).limit(MOST_MISSED + 1))
    newest = rows[-1].id if rows else Event.select(fn.MAX(Event.id)).scalar() or 0
    return None if since > newest or len(rows) > MOST_MISSED else rows


def pause(windows: int, times: int = 1) -> dict[str, int]:
    """What is told to windows, so many of them, that are not to ask all at once."""
    return {"spread": spread(windows) * times} if spread(windows) else {}


def frame(name: str, data: dict[str, Any], mark: int | None = None) -> str:
    position = "" if mark is None else f"id: {mark}\n"
    return f"{position}event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def _retry() -> str:
    """After a restart of the server all come back: each at another moment, if they are many."""
    return f"retry: {RETRY_MS + secrets.randbelow(2 * spread(hub.streams) + 1)}\n"


class Stream:
    """The frames of one stream. ``missed`` None: the page is too far behind to catch up."""

    def __init__(self, listener: Listener, session_id: str, missed: list[Event] | None):
        self.listener = listener
        self.session_id = session_id
        self.missed = missed
        self.caught_up = {event.id for event in missed or ()}
        self.checked = time.monotonic()

    def frames(self) -> Iterator[str]:
        yield f"{_retry()}\n"
        yield from self._catch_up()
        while not self.listener.ended:
            at_once = self.listener.wait(HEARTBEAT_SECONDS)
            welcome = self._welcome(at_once)
            if welcome is False:
                return
            if welcome is None:
                # Nothing goes out unchecked; it waits until the database answers again.
                self.listener.pause(RETRY_SECONDS)
                yield ":\n\n"
            elif not self.listener.ended:
                yield self._next()
        if self.listener.ended == TOO_MANY:
            yield frame("closed", {})

    def _catch_up(self) -> Iterator[str]:
        if self.missed is None:
            yield frame("reload", pause(hub.streams, RELOADING), self.listener.mark)
        elif not self.missed:
            yield self._heartbeat()
        for event in self.missed or ():
            yield self._frames_of(event, min(event.id, self.listener.mark))

    def _next(self) -> str:
        taken = self.listener.take()
        if taken is None:
            return self._heartbeat()
        event, mark = taken
        if event.id in self.caught_up:
            return self._heartbeat()
        return self._frames_of(event, mark)

    def _frames_of(self, event: Event, mark: int) -> str:
        """The last one carries the id: a browser cut off before it gets all of them again."""
        user = self.listener.user
        found = audience.messages(event, user)
        last = len(found) - 1
        late = {} if audience.is_own(event, user) else pause(hub.crowd)
        return "".join(
            frame(name, {**data, **late}, mark if number == last else None)
            for number, (name, data) in enumerate(found)
        )

    def _heartbeat(self) -> str:
        """Keeps the connection open, moves the position on, and lets the page know that the line is
        not dead: a message without a name. Its data is over how many milliseconds all windows are
        to spread what they ask for after a gap, nothing if they are few."""
        return f"{_retry()}id: {self.listener.mark}\ndata: {spread(hub.streams) or ''}\n\n"

    def _welcome(self, at_once: bool) -> bool | None:
        """Whether the user is still active and this log-in valid; None: can't tell right now."""
        if not at_once and time.monotonic() - self.checked < CHECK_SECONDS:
            return True
        within = 0.0 if at_once else CHECK_SECONDS
        try:
            user, at = doors.seen(self.session_id, session_user, within)
        except DATABASE_ERRORS as error:
            log.warning("A live stream waits for the %s", explain(error))
            return None
        if user is None:
            return False
        self.listener.user, self.checked = user, at
        return True
