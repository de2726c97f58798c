"""/admin/users: who logs in, with which role and phone."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from peewee import JOIN

from errors import Conflict, Refused
from models import ROLES, Department, User
from panel.admin import admins_only, replaced, seen, seen_of
from panel.auth import viewer
from panel.languages import sentence
from panel.urls import whole
from verbs import users as verbs

bp = Blueprint("admin_users", __name__, url_prefix="/admin/users")
bp.before_request(admins_only)

FIELDS = ("name", "role", "endpoint", "mobile", "department", "locale")
KEEP = "keep"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Of passwords made here: none that is taken for another when it is read out."""


@bp.get("/")
def index() -> str:
    return render_template("admin_users.html", groups=_people())


@bp.get("/new")
def new() -> str:
    return _form(None, {"role": "seller", "locale": viewer().locale}, {})


@bp.post("/")
def create() -> Any:
    form, password = request.form, request.form.get("password", "")
    made = password or _new_password()
    about = {name: form.get(name, "") for name in FIELDS}
    try:
        user = verbs.add(form.get("login", "").strip(), password=made, by=viewer(), **about)
    except Refused as refusal:
        return _form(None, form, _problem(refusal)), 422
    told = _("%(name)s can log in now.", name=user.name)
    return _form(user, _values(user), {}, told, "" if password else made)


@bp.get("/<int:user>")
def show(user: int) -> str:
    found = _found(user)
    return _form(found, _values(found), {})


@bp.post("/<int:user>")
def change(user: int) -> Any:
    found, form = _found(user), request.form
    about = {name: form.get(name, "") for name in FIELDS}
    try:
        verbs.change(found, by=viewer(), seen=seen(FIELDS), **about)
    except Refused as refusal:
        return _form(_found(user), form, _problem(refusal)), 422
    except Conflict:
        return _form(_found(user), form, {"": replaced()}), 409
    return redirect(url_for("admin_users.index", _anchor=f"user-{user}"), 303)


@bp.post("/<int:user>/password")
def password(user: int) -> Any:
    """As typed, or one that is made here and shown this one time."""
    found, typed = _found(user), request.form.get("password", "")
    made = typed or _new_password()
    try:
        verbs.set_password(found, made, by=viewer())
    except Refused as refusal:
        return _form(found, _values(found), {"password": sentence(refusal)}), 422
    told = _("The password is changed, and %(name)s is logged out everywhere.", name=found.name)
    return _form(found, _values(found), {}, told, "" if typed else made)


@bp.post("/<int:user>/disabling")
def disable(user: int) -> Any:
    """No log-in any more; in the same step, who gets the open work. Also later, for the rest."""
    found = _found(user)
    heir = _heir(found)
    if heir is None and any(verbs.open_work(found)) and request.form.get("heir") != KEEP:
        problem = _("Say who gets the open work.")
        return _form(found, _values(found), {"heir": problem}), 422
    try:
        if found.active:
            verbs.disable(found, by=viewer())
    except Refused as refusal:
        return _form(found, _values(found), {"heir": sentence(refusal)}), 422
    told = _("%(name)s can't log in any more.", name=found.name)
    if heir:
        given = verbs.hand_over(found, heir, by=viewer())
        name = heir.name
        told += " " + ngettext(
            "%(num)d deal went to %(heir)s.", "%(num)d deals went to %(heir)s.", given, heir=name
        )
    return _form(found, _values(found), {}, told)


@bp.post("/<int:user>/enabling")
def enable(user: int) -> Any:
    found = _found(user)
    verbs.change(found, by=viewer(), active=True)
    told = _("%(name)s can log in again. The phone has to be entered anew.", name=found.name)
    return _form(found, _values(found), {}, told)


def _found(user: int) -> User:
    return User.get_or_none(User.id == user) or abort(404)


def _heir(user: User) -> User | None:
    wanted = whole(request.form.get("heir"))
    if wanted is None:
        return None
    return User.get_or_none(User.id == wanted, User.active, User.id != user.id) or abort(404)


def _people() -> list[tuple[bool, list[User]]]:
    """The active ones, and the others."""
    query = User.select(User, Department).join(Department, JOIN.LEFT_OUTER)
    people = list(query.order_by(User.name, User.id))
    groups = [(state, [u for u in people if u.active is state]) for state in (True, False)]
    return [group for group in groups if group[1]]


def _values(user: User) -> dict[str, Any]:
    department = user.department.name if user.department else ""
    return {**{name: getattr(user, name) or "" for name in FIELDS}, "department": department}


def _problem(refusal: Refused) -> dict[str, str]:
    return {refusal.field: sentence(refusal)}


def _new_password() -> str:
    """12 letters and digits in three groups: 59 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def _form(
    user: User | None, values: Any, problems: dict[str, str], told: str = "", made: str = ""
) -> str:
    work = verbs.open_work(user) if user else (0, 0)
    return render_template(
        "admin_user.html",
        user=user,
        values=values,
        problems=problems,
        told=told,
        made=made,
        seen=seen_of(user, FIELDS) if user else "",
        work=work,
        heirs=_heirs(user) if user and (any(work) or user.active) else [],
        roles=ROLES,
        departments=list(Department.select().order_by(Department.name)),
    )


def _heirs(user: User) -> list[User]:
    others = User.select().where(User.active, User.id != user.id)
    return list(others.order_by(User.name, User.id))
