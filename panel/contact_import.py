"""Contacts from a file (C1): chosen, looked at with what its columns are taken for, then entered.

Files wait in the memory of the one panel process, a few at a time and not for long. A large one
takes longer than an answer may, so it is entered by a thread, and a page tells how far it is.
"""

from __future__ import annotations

import csv
import io
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _

from database import database
from errors import Refused
from fields import clean
from formats import contact_file, exports
from formats.contact_file import Sheet
from models import User
from panel.auth import viewer
from panel.languages import sentence
from panel.urls import whole
from verbs import contact_import
from verbs.contact_import import Outcome
from verbs.import_rows import Plan

bp = Blueprint("contact_import", __name__)

FILE_BYTES = contact_file.MOST_BYTES + 64 * 1024
"""Of the form with the file in it."""
WAITING = 5
WAITS_SECONDS = 3600.0
SHOWN = 8
"""Rows of the preview."""


@dataclass
class Upload:
    """A file that somebody has chosen. ``state``: read, running, done or broken."""

    user: int
    name: str
    data: bytes
    since: float = field(default_factory=time.monotonic)
    state: str = "read"
    done: int = 0
    rows: int = 0
    columns: list[str] = field(default_factory=list)
    outcome: Outcome | None = None


_uploads: dict[str, Upload] = {}
_lock = threading.Lock()


def install(app: Flask) -> None:
    """Lets the form with the file be larger than others, for who is logged in."""

    def allow_file() -> None:
        if request.endpoint == "contact_import.upload" and "_user_id" in session:
            request.max_content_length = FILE_BYTES

    app.before_request(allow_file)


@bp.before_request
def _for_heads() -> None:
    if not viewer().sees_all:
        abort(404)


@bp.get("/contacts/import")
def index() -> str:
    return render_template("import.html", problem="")


@bp.post("/contacts/imports")
def upload() -> Any:
    chosen = request.files.get("file")
    if chosen is None or not chosen.filename:
        return render_template("import.html", problem=_("Choose a file first.")), 422
    data = chosen.stream.read(contact_file.MOST_BYTES + 1)
    try:
        contact_file.read(data)
    except Refused as refusal:
        return render_template("import.html", problem=sentence(refusal)), 422
    token = secrets.token_urlsafe(16)
    with _lock:
        _tidy()
        _uploads[token] = Upload(viewer().id, clean(chosen.filename, 80), data)
    return redirect(url_for("contact_import.preview", token=token), 303)


@bp.get("/contacts/imports/<token>")
def preview(token: str) -> Any:
    """What would become of the rows, with the columns as they are guessed or chosen (``m``)."""
    found = _the_upload(token)
    if found.state != "read":
        return redirect(url_for("contact_import.result", token=token), 303)
    sheet = contact_file.read(found.data)
    plan = _plan(sheet, request.args)
    first, outcome = contact_import.foretell(plan, zip(sheet.lines, sheet.rows, strict=True), SHOWN)
    people = User.select().where(User.active).order_by(User.name, User.id)
    return render_template(
        "import_preview.html",
        token=token,
        upload=found,
        sheet=sheet,
        plan=plan,
        first=first,
        outcome=outcome,
        people=list(people),
        fields=contact_file.FIELDS,
        sentence=sentence,
    )


@bp.post("/contacts/imports/<token>")
def run(token: str) -> Any:
    """Enter the rows. A second click finds that it goes on."""
    found = _the_upload(token)
    with _lock:
        data = found.data
    if not data:
        return redirect(url_for("contact_import.result", token=token), 303)
    sheet = contact_file.read(data)
    plan = _plan(sheet, request.form)
    if not any(plan.mapping):
        return redirect(url_for("contact_import.preview", token=token), 303)
    with _lock:
        begins = found.state == "read"
        if begins:
            found.state, found.data = "running", b""
    if begins:
        found.rows, found.columns = len(sheet.rows), sheet.columns
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        about = (app, found, sheet, plan, viewer())
        threading.Thread(target=_work, args=about, name="import", daemon=True).start()
    return redirect(url_for("contact_import.result", token=token), 303)


@bp.get("/contacts/imports/<token>/result")
def result(token: str) -> Any:
    """How far it is, by and by, and then what became of the rows."""
    found = _the_upload(token)
    if found.state == "read":
        return redirect(url_for("contact_import.preview", token=token), 303)
    response = current_app.make_response(
        render_template("import_result.html", token=token, upload=found)
    )
    if found.state == "running":
        response.headers["Refresh"] = "1"
    return response


@bp.get("/contacts/imports/<token>/refused.csv")
def refused(token: str) -> Response:
    """The rows that were refused, with the reason; once, as they are somebody's data."""
    found = _the_upload(token)
    if found.outcome is None or not found.outcome.refused:
        abort(404)
    lines, found.outcome.refused = found.outcome.refused, []
    out = io.StringIO(newline="")
    out.write("\ufeff")
    writer = csv.writer(out)
    names = [name or _("Column %(n)d", n=at) for at, name in enumerate(found.columns, 1)]
    writer.writerow([exports.cell(name) for name in (*names, _("Line"), _("Reason"))])
    for line in lines:
        reason = sentence(line.refusal) if line.refusal else ""
        writer.writerow([exports.cell(text) for text in (*line.cells, line.line, reason)])
    response = Response(out.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="refused.csv"'
    return response


def _work(app: Flask, found: Upload, sheet: Sheet, plan: Plan, by: User) -> None:
    def progress(done: int) -> None:
        found.done = done

    try:
        rows = zip(sheet.lines, sheet.rows, strict=True)
        found.outcome = contact_import.run(plan, rows, by, progress)
        found.state = "done"
    except Exception:
        # Whatever it is: the page must say that it broke off, and the log why.
        app.logger.exception("the import of contacts broke off after %d rows", found.done)
        found.state = "broken"
    finally:
        if not database.is_closed():
            database.close()


def _the_upload(token: str) -> Upload:
    with _lock:
        _tidy()
        found = _uploads.get(token)
    if found is None or found.user != viewer().id:
        abort(404)
    return found


def _tidy() -> None:
    """Forgets what is old, and the oldest of too many; not what is being entered."""
    limit = time.monotonic() - WAITS_SECONDS
    idle = {token: one for token, one in _uploads.items() if one.state != "running"}
    oldest = sorted(idle, key=lambda token: idle[token].since)
    surplus = oldest[: max(0, len(_uploads) - WAITING)]
    for token in {*surplus, *(token for token in oldest if idle[token].since < limit)}:
        del _uploads[token]


def _plan(sheet: Sheet, given: Any) -> Plan:
    """As the form says; the guess where it says nothing."""
    chosen = given.getlist("m")
    valid = len(chosen) == len(sheet.guess) and {*chosen} <= {"", *contact_file.FIELDS}
    owner = User.get_or_none(User.id == (whole(given.get("owner")) or 0), User.active)
    mapping = chosen if valid else sheet.guess
    return Plan(mapping, owner, given.get("known") == "overwrite")
