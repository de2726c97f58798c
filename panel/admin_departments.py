"""/admin/departments: the groups that calls ring at, their called numbers, who belongs to them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for

from errors import Conflict, Refused
from models import Department, User
from panel.admin import admins_only, replaced
from panel.auth import viewer
from panel.languages import sentence
from panel.once import once
from verbs import departments as verbs

bp = Blueprint("admin_departments", __name__, url_prefix="/admin/departments")
bp.before_request(admins_only)


@bp.get("/")
def index() -> str:
    return _page()


@bp.post("/")
def create() -> Any:
    form = request.form
    try:
        made = once(lambda: verbs.add(form.get("name", ""), form.get("did", ""), by=viewer()))
    except Refused as refusal:
        return _page(0, {refusal.field: sentence(refusal)}), 422
    return _back(made)


@bp.post("/<int:department>")
def change(department: int) -> Any:
    found, form = _found(department), request.form
    was = (form.get("seen_name", ""), form.get("seen_did", ""))
    try:
        verbs.change(found, form.get("name", ""), form.get("did", ""), by=viewer(), seen=was)
    except Refused as refusal:
        return _page(department, {refusal.field: sentence(refusal)}), 422
    except Conflict:
        return _page(department, {"name": replaced()}), 409
    return _back(department)


@bp.post("/<int:department>/removal")
def remove(department: int) -> Any:
    """Gone already is just as well."""
    found = Department.get_or_none(Department.id == department)
    try:
        if found:
            verbs.remove(found, by=viewer())
    except Refused as refusal:
        return _page(department, {"": sentence(refusal)}), 422
    return redirect(url_for("admin_departments.index"), 303)


def _found(department: int) -> Department:
    return Department.get_or_none(Department.id == department) or abort(404)


def _back(department: int) -> Any:
    return redirect(url_for("admin_departments.index", _anchor=f"department-{department}"), 303)


def _page(at: int = -1, problems: dict[str, str] | None = None) -> str:
    """``at``: the department whose form has ``problems``, 0 for the one of a new one."""
    members: dict[int, list[User]] = {}
    for user in User.select().where(User.active).order_by(User.name, User.id):
        members.setdefault(user.department_id or 0, []).append(user)
    return render_template(
        "admin_departments.html",
        departments=list(Department.select().order_by(Department.name)),
        members=members,
        at=at,
        problems=problems or {},
        entered=request.form,
    )
