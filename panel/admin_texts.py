"""/admin/texts: what the company says of itself in the panel."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for

from errors import Conflict, Refused
from panel.admin import admins_only, replaced
from panel.auth import viewer
from panel.languages import sentence
from panel.said import Said
from verbs import wordings as verbs

bp = Blueprint("admin_texts", __name__, url_prefix="/admin/texts")
bp.before_request(admins_only)


@bp.get("/")
def index() -> str:
    return _form(verbs.texts(), {})


@bp.post("/")
def change() -> Any:
    wanted = {name: request.form.get(name, "") for name in verbs.LENGTHS}
    was = {name: request.form.get(f"seen_{name}", "") for name in verbs.LENGTHS}
    try:
        verbs.change(wanted, by=viewer(), seen=was)
    except Refused as refusal:
        return _form(wanted, {refusal.field: sentence(refusal)}), 422
    except Conflict:
        return _form(wanted, {"": replaced()}), 409
    said(current_app).forget()
    return redirect(url_for("admin_texts.index", saved=1), 303)


def said(app: Flask) -> Said:
    found: Said = app.extensions["said"]
    return found


def _form(values: dict[str, str], problems: dict[str, str]) -> str:
    return render_template(
        "admin_texts.html",
        values=values,
        now_says=verbs.texts(),
        problems=problems,
        lengths=verbs.LENGTHS,
        is_saved="saved" in request.args,
    )
