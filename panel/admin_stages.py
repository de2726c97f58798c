"""/admin/stages: one stage of a funnel, and where its deals go when it is removed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _

from errors import Conflict, Refused
from models import REQUIRABLE, Deal, Funnel, Stage
from panel import admin_funnels
from panel.admin import admins_only, replaced, seen, seen_of
from panel.auth import viewer
from panel.languages import sentence
from panel.once import once
from panel.shown import DAY
from panel.urls import whole
from verbs import funnels as verbs
from verbs.stage_fields import BUYER_PHASES, COLOURS

bp = Blueprint("admin_stages", __name__, url_prefix="/admin")
bp.before_request(admins_only)

FIELDS = (
    "name", "buyer_phase", "advice", "probability", "stuck_after", "required_fields", "colour",
)  # fmt: skip


@bp.post("/funnels/<int:funnel>/stages")
def create(funnel: int) -> Any:
    found, form = Funnel.get_or_none(Funnel.id == funnel) or abort(404), request.form
    try:
        name, kind = form.get("name", ""), form.get("kind", "open")
        made = once(lambda: verbs.add_stage(found, by=viewer(), name=name, kind=kind))
    except Refused as refusal:
        return admin_funnels.page(found, {"stage": sentence(refusal)}), 422
    return redirect(url_for("admin_stages.show", stage=made), 303)


@bp.get("/stages/<int:stage>")
def show(stage: int) -> str:
    found = _found(stage)
    return _form(found, _values(found), {})


@bp.post("/stages/<int:stage>")
def change(stage: int) -> Any:
    found, (about, problems) = _found(stage), _read()
    if not problems:
        try:
            verbs.change_stage(found, viewer(), seen(FIELDS), **about)
            place = {"funnel": found.funnel_id, "_anchor": f"stage-{stage}"}
            return redirect(url_for("admin_funnels.show", **place), 303)
        except Refused as refusal:
            problems = {refusal.field: sentence(refusal)}
        except Conflict:
            return _form(_found(stage), _entered(), {"": replaced()}), 409
    return _form(_found(stage), _entered(), problems), 422


@bp.post("/stages/<int:stage>/removal")
def remove(stage: int) -> Any:
    """``target``: the stage that takes its deals."""
    found = _found(stage)
    wanted = whole(request.form.get("target"))
    target = Stage.get_or_none(Stage.id == wanted, ~Stage.archived) if wanted else None
    try:
        verbs.remove_stage(found, by=viewer(), target=target)
    except Refused as refusal:
        return _form(_found(stage), _values(found), {"target": sentence(refusal)}), 422
    return redirect(url_for("admin_funnels.show", funnel=found.funnel_id), 303)


def _found(stage: int) -> Stage:
    return Stage.get_or_none(Stage.id == stage, ~Stage.archived) or abort(404)


def _read() -> tuple[dict[str, Any], dict[str, str]]:
    """What the form says of the stage, and by field what of it can't be used."""
    form, problems = request.form, {}
    about: dict[str, Any] = {
        name: form.get(name, "") for name in ("name", "buyer_phase", "advice", "colour")
    }
    about["required_fields"] = [word for word in form.getlist("required") if word in REQUIRABLE]
    for name, most, unit in (("probability", 100, 1), ("stuck_after", 3650, DAY)):
        written = form.get(name, "").strip()
        if written and not (written.isascii() and written.isdigit() and int(written[:9]) <= most):
            problems[name] = _("Write a whole number, 0 to %(n)d.", n=most)
            continue
        about[name] = int(written) * unit if written else None
    # No days: never stuck; no probability is none at all.
    about["stuck_after"] = about.get("stuck_after") or None
    return about, problems


def _values(stage: Stage) -> dict[str, Any]:
    """What the fields of the form show: days, where the row has seconds."""
    days = "" if stage.stuck_after is None else max(1, stage.stuck_after // DAY)
    words = stage.required_fields.split()
    shown = {name: getattr(stage, name) for name in FIELDS}
    return {**shown, "stuck_after": days, "required": words}


def _entered() -> dict[str, Any]:
    return {**request.form.to_dict(), "required": request.form.getlist("required")}


def _form(stage: Stage, values: dict[str, Any], problems: dict[str, str]) -> str:
    return render_template(
        "admin_stage.html",
        stage=stage,
        values=values,
        problems=problems,
        seen=seen_of(stage, FIELDS),
        deals=Deal.select().where(Deal.stage == stage).count(),
        others=[other for other in stage.funnel.in_order() if other.id != stage.id],
        phases=BUYER_PHASES,
        colours=COLOURS,
        requirable=REQUIRABLE,
    )
