"""/admin: what an administrator has to set up, how far that is, and the way to each part of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from peewee import fn

from fields import utcnow
from models import Call, Deal, Department, Device, Funnel, Table, User
from panel.auth import viewer
from verbs import wordings
from verbs.exchange import EXCHANGE, SILENT

bp = Blueprint("admin", __name__, url_prefix="/admin")


@dataclass(frozen=True)
class Step:
    """What an empty system still needs. ``command``: what to type, where it is not done here."""

    title: str
    about: str
    done: bool
    url: str = ""
    link: str = ""
    command: str = ""


def admins_only() -> None:
    """R3: for the others it does not exist. For ``before_request`` of each blueprint."""
    if viewer().role != "admin":
        abort(404)


bp.before_request(admins_only)


@bp.get("/")
def index() -> str:
    steps = first_steps()
    return render_template(
        "admin.html", steps=steps, is_ready=all(step.done for step in steps), figures=_figures()
    )


@bp.app_template_global("first_steps")
def first_steps() -> list[Step]:
    """From an empty system to one that works, in the order in which it is best done."""
    return [_exchange(), _phones(), _first_call(), _company()]


def _exchange() -> Step:
    seen = list(Device.select().where(Device.endpoint == EXCHANGE))
    live = any(device.state == "online" and utcnow() - device.at < SILENT for device in seen)
    lost = _("It was connected, and is not now: is “trichter ari” running, and Asterisk?")
    never = _("Enter address, name and password of ARI into trichter.toml, and start it.")
    return Step(
        _("Connect the exchange"),
        _("Calls are heard.") if live else lost if seen else never,
        live,
        url_for("admin_doctor.index"),
        _("Check everything"),
        "" if live else "trichter serve",
    )


def _phones() -> Step:
    count = User.select().where(User.active, User.endpoint.is_null(False)).count()
    needed = _("A call is a customer's when one of your phones is in it: give users their phones.")
    done = _("Users have phones.")
    return Step(
        _("Add the people and their phones"),
        done if count else needed,
        bool(count),
        url_for("admin_users.index"),
        _("To the users"),
    )


def _first_call() -> Step:
    done = Call.select(Call.id).limit(1).exists()
    wait = _("Ring in from outside, and pick up on one of these phones: a card appears.")
    return Step(
        _("Take the first call"),
        _("Calls are recorded.") if done else wait,
        done,
        url_for("rules.index"),
        _("What calls make"),
    )


def _company() -> Step:
    named = bool(wordings.texts()["company"])
    return Step(
        _("Make it yours"),
        _("The name of your company stands beside the brand.")
        if named
        else _("Enter the name of your company, and look through the stages of the funnel."),
        named,
        url_for("admin_texts.index"),
        _("To the texts"),
    )


def _figures() -> dict[str, int]:
    """How much there is of each part."""
    return {
        "users": User.select().where(User.active).count(),
        "disabled": User.select().where(~User.active).count(),
        "departments": Department.select().count(),
        "funnels": Funnel.select().where(~Funnel.archived).count(),
        "deals": Deal.select(fn.COUNT(Deal.id)).where(Deal.closed_at.is_null()).scalar(),
    }


def seen_of(row: Table, columns: Iterable[str]) -> str:
    """What a form shows of a row: carried along, to tell if somebody else changed it since."""
    return json.dumps({name: row.__data__[name] for name in columns})


def seen(columns: Iterable[str]) -> dict[str, Any]:
    """What ``seen_of`` said when the form was made. Anything else makes a conflict."""
    try:
        values = json.loads(request.form.get("seen", ""))
    except (ValueError, RecursionError):
        values = None
    known = values if isinstance(values, dict) else {}
    return {name: known.get(name) for name in columns}


def replaced() -> str:
    """Said where somebody else was faster; the form then carries what holds now."""
    return _("Somebody else changed this just now. Save again to replace what it says now.")
