"""/account: what everybody sets for themselves: language, password, where they are logged in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.blueprints import BlueprintSetupState
from flask_babel import gettext as _
from flask_login import logout_user

from errors import Refused
from panel import auth
from panel.auth import viewer
from panel.languages import sentence
from verbs import users as verbs

bp = Blueprint("account", __name__, url_prefix="/account")

TOLD = ("language", "password")


@bp.get("/")
def index() -> str:
    return _page({})


@bp.post("/language")
def language() -> Any:
    try:
        verbs.change(viewer(), by=viewer(), locale=request.form.get("language", ""))
    except Refused as refusal:
        return _page({"language": sentence(refusal)}), 422
    return redirect(url_for("account.index", saved="language"), 303)


def password() -> Any:
    """The old one is asked, as a desk may be left unlocked. All other browsers are logged out."""
    form, user = request.form, viewer()
    if not user.check_password(form.get("old", "")[: auth.PASSWORD_LENGTH + 1]):
        return _page({"old": _("This is not your password.")}), 422
    if form.get("new") != form.get("again"):
        return _page({"again": _("This is not the same as above.")}), 422
    try:
        verbs.set_password(user, form.get("new", ""), by=user)
    except Refused as refusal:
        return _page({"new": sentence(refusal)}), 422
    auth.begin(user)
    return redirect(url_for("account.index", saved="password"), 303)


@bp.post("/log-outs")
def log_out_everywhere() -> Any:
    verbs.end_all_sessions(viewer(), by=viewer())
    logout_user()
    session.clear()
    return redirect(url_for("auth.login"), 303)


@bp.record
def _limit_guesses(state: BlueprintSetupState) -> None:
    """As at the log-in: whoever finds an unlocked desk can't try passwords for long."""
    limited = state.app.extensions["limited"](password)
    state.add_url_rule("/password", "password", limited, methods=["POST"])


def _page(problems: dict[str, str]) -> str:
    saved = request.args.get("saved", "")
    return render_template("account.html", problems=problems, saved=saved if saved in TOLD else "")
