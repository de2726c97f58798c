"""/admin/doctor: what ``trichter doctor`` finds, run when an administrator asks for it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, redirect, render_template, url_for

from panel.admin import admins_only
from panel.checkup import Checkup

bp = Blueprint("admin_doctor", __name__, url_prefix="/admin/doctor")
bp.before_request(admins_only)

PATIENCE = 8.0
"""Seconds that the answer waits for the checks; those that take longer are shown later."""


@bp.get("/")
def index() -> str:
    return render_template("admin_doctor.html", state=_checkup().state())


@bp.post("/")
def run() -> Any:
    """Checks run in a thread of their own, one round at a time: nobody else waits for them."""
    _checkup().begin()
    _checkup().wait(PATIENCE)
    return redirect(url_for("admin_doctor.index"), 303)


def _checkup() -> Checkup:
    found: Checkup = current_app.extensions["checkup"]
    return found
