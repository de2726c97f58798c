"""The recording of a call, for players: in parts, to those who may see its deal and to nobody else.

A player that asks for all from a place on gets the next megabyte (RFC 9110, 15.3.7 allows it), and
asks again when it has played that: no thread of the panel waits until somebody has listened to the
end.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from flask import Blueprint, Response, abort, current_app, request
from flask_babel import gettext as _
from werkzeug.datastructures import Range
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import FileWrapper

from models import Call
from panel import errors
from panel.audience import audible_to
from panel.auth import viewer
from telephony import recorded
from verbs import recordings

bp = Blueprint("recordings", __name__)

PART = 1024 * 1024
"""Bytes of an answer to a player that asks for all the rest."""
CHUNK = 64 * 1024
AT_ONCE = 40
"""Recordings that are sent at the same moment: of the panel's threads most stay for pages."""
EACH_AT_ONCE = 6
"""Of them to one user: somebody who takes many and reads slowly leaves turns for the others."""


class Turns:
    """Who is sent recordings now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: Counter[int] = Counter()

    def take(self, user: int) -> bool:
        """False: too many are being sent, at all or to this user."""
        with self._lock:
            if self._taken.total() >= AT_ONCE or self._taken[user] >= EACH_AT_ONCE:
                return False
            self._taken[user] += 1
        return True

    def give_back(self, user: int) -> None:
        with self._lock:
            self._taken[user] -= 1
            self._taken += Counter()  # those with none are dropped


_turns = Turns()


class Sent(FileWrapper):
    """A file on its way, which holds a turn of ``user`` until it is closed. The server closes what
    it sends, and not the response around it."""

    def __init__(self, file: BinaryIO, user: int) -> None:
        super().__init__(file, CHUNK)
        self._file, self._user = file, user

    def close(self) -> None:
        if not self._file.closed:
            self._file.close()
            _turns.give_back(self._user)


_said: set[int] = set()
"""Calls whose recording is known not to be there: each is logged once."""
MOST_SAID = 10_000


@bp.get("/calls/<int:number>/recording")
def recording(number: int) -> Any:
    """200, 206, 304 or 416 as the request asks; 404 where the viewer may not hear it, where there
    is none, and where the file is gone."""
    call = audible_to(viewer()).where(Call.id == number).first() or abort(404)
    file, kind = _opened(call)
    if not _turns.take(viewer().id):
        file.close()
        return _busy()
    sent = Sent(file, viewer().id)
    try:
        return _answer(sent, os.fstat(file.fileno()), kind, call)
    except BaseException:
        sent.close()
        raise


def _opened(call: Call) -> tuple[BinaryIO, str]:
    if not call.recording or not call.ended_at:
        abort(404)
    folders = current_app.config["RECORDING_FOLDERS"]
    try:
        return recorded.opened(folders, call.recording, call.started_at)
    except recorded.NotThere as error:
        if call.id not in _said and len(_said) < MOST_SAID:
            _said.add(call.id)
            current_app.logger.warning("recording of call %d: %s", call.id, error)
        abort(404)


def _answer(sent: Sent, state: os.stat_result, kind: str, call: Call) -> Response:
    response = current_app.response_class(sent, mimetype=kind, direct_passthrough=True)
    response.content_length = state.st_size
    response.last_modified = datetime.fromtimestamp(int(state.st_mtime), UTC)
    response.set_etag(f"{call.id}-{state.st_size:x}-{state.st_mtime_ns:x}")
    # The browser may keep it for one who listens twice, and asks each time whether it still may.
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Disposition"] = f'inline; filename="call-{call.id}{_end(call)}"'
    _limit(state.st_size)
    try:
        response.make_conditional(request, accept_ranges=True, complete_length=state.st_size)
    except RequestedRangeNotSatisfiable:
        sent.close()
        return _not_satisfiable(state.st_size)
    if request.method == "HEAD" or response.status_code == 304:
        # What is not sent is not closed by anybody else.
        sent.close()
        response.response = []
    else:
        recordings.played(call, viewer())
    return response


def _end(call: Call) -> str:
    """The end of the name, if it is a known one."""
    end = Path(call.recording or "").suffix
    return end if end in recorded.TYPES else ""


def _limit(size: int) -> None:
    """'All from here on', or more than a part, becomes 'the next part'."""
    wanted = request.range
    if wanted is None or wanted.units != "bytes" or len(wanted.ranges) != 1:
        return
    begin, end = wanted.ranges[0]
    if begin >= 0 and begin + PART < min(size, size if end is None else end):
        part = Range("bytes", [(begin, begin + PART)])
        request.environ["HTTP_RANGE"] = part.to_header()


def _not_satisfiable(size: int) -> Response:
    response = errors.page(416, _("The recording has no such part."))
    response.headers["Content-Range"] = f"bytes */{size}"
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _busy() -> Response:
    response = errors.page(503, _("Too many recordings are being played. Try again in a moment."))
    response.headers["Retry-After"] = "2"
    return response
