"""/admin/funnels: the funnels, the order of their stages, and the reasons of loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from peewee import fn

from errors import Conflict, Refused
from models import Deal, Funnel, Stage
from panel.admin import admins_only, replaced, seen, seen_of
from panel.auth import viewer
from panel.languages import sentence
from panel.once import once
from panel.urls import wants_fragment, whole
from verbs import funnels as verbs
from verbs import reasons

bp = Blueprint("admin_funnels", __name__, url_prefix="/admin/funnels")
bp.before_request(admins_only)

MOST = 500
"""Ids that an order may have."""


@bp.get("/")
def index() -> str:
    return _page({})


@bp.post("/")
def create() -> Any:
    try:
        stages = (_("Unsorted"), _("Completed"), _("Lost"))
        name = request.form.get("name", "")
        made = once(lambda: verbs.add_funnel(name, by=viewer(), stages=stages))
    except Refused as refusal:
        return _page({"name": sentence(refusal)}), 422
    return redirect(url_for("admin_funnels.show", funnel=made), 303)


@bp.post("/order")
def order() -> Any:
    now = [f.id for f in Funnel.select().order_by(Funnel.archived, Funnel.position, Funnel.id)]
    verbs.order_funnels(wanted_order(now), by=viewer())
    return done(url_for("admin_funnels.index"))


@bp.get("/<int:funnel>")
def show(funnel: int) -> str:
    return page(_found(funnel), {})


@bp.post("/<int:funnel>")
def change(funnel: int) -> Any:
    found = _found(funnel)
    try:
        verbs.change_funnel(found, viewer(), seen(["name"]), name=request.form.get("name", ""))
    except Refused as refusal:
        return page(_found(funnel), {"funnel": sentence(refusal)}), 422
    except Conflict:
        return page(_found(funnel), {"funnel": replaced()}), 409
    return redirect(url_for("admin_funnels.show", funnel=funnel), 303)


@bp.post("/<int:funnel>/archive")
def archive(funnel: int) -> Any:
    """``archived`` yes: it is not offered any more; else it is again."""
    found = _found(funnel)
    try:
        verbs.change_funnel(found, viewer(), archived=request.form.get("archived") == "yes")
    except Refused as refusal:
        return page(_found(funnel), {"archive": sentence(refusal)}), 422
    return redirect(url_for("admin_funnels.index"), 303)


@bp.post("/<int:funnel>/order")
def order_stages(funnel: int) -> Any:
    found = _found(funnel)
    try:
        now = [stage.id for stage in found.in_order()]
        verbs.reorder(found, viewer(), wanted_order(now))
    except Refused as refusal:
        if wants_fragment():
            raise
        return page(found, {"order": sentence(refusal)}), 422
    return done(url_for("admin_funnels.show", funnel=funnel, _anchor="stages"))


@bp.post("/reasons")
def add_reason() -> Any:
    try:
        reasons.offer_reason(request.form.get("reason", ""), by=viewer())
    except Refused as refusal:
        return _page({"reason": sentence(refusal)}), 422
    return redirect(url_for("admin_funnels.index", _anchor="reasons"), 303)


@bp.post("/reasons/order")
def order_reasons() -> Any:
    names = {reason.id: reason.name for reason in reasons.offered()}
    wanted = [number for number in wanted_order(list(names)) if number in names]
    rest = [number for number in names if number not in wanted]
    reasons.set_reasons([names[number] for number in (*wanted, *rest)], by=viewer())
    return done(url_for("admin_funnels.index", _anchor="reasons"))


@bp.post("/reasons/<int:reason>/removal")
def remove_reason(reason: int) -> Any:
    """Not offered any more; deals that were lost for it keep it."""
    left = [offered.name for offered in reasons.offered() if offered.id != reason]
    reasons.set_reasons(left, by=viewer())
    return redirect(url_for("admin_funnels.index", _anchor="reasons"), 303)


def wanted_order(now: Sequence[int]) -> list[int]:
    """The order that a form wants: all ids in ``order``, or one (``item``) a place ``up`` or
    ``down`` from where it stands now."""
    form = request.form
    if "order" in form:
        ids = [whole(part) for part in form["order"].split(",")[:MOST]]
        return [number for number in ids if number is not None]
    item, wanted = whole(form.get("item")), list(now)
    if item not in wanted:
        return wanted
    place = wanted.index(item)
    to = place + (1 if form.get("way") == "down" else -1)
    wanted.insert(min(max(to, 0), len(wanted) - 1), wanted.pop(place))
    return wanted


def done(url: str) -> Any:
    """A script has put the row there already; without one the page is shown again."""
    return ("", 204) if wants_fragment() else redirect(url, 303)


def page(funnel: Funnel, problems: dict[str, str]) -> str:
    """The page of a funnel."""
    counted: Any = Deal.select(Deal.stage, fn.COUNT(Deal.id)).join(Stage)
    counts = counted.where(Stage.funnel == funnel).group_by(Deal.stage).tuples()
    return render_template(
        "admin_funnel.html",
        funnel=funnel,
        stages=funnel.in_order(),
        counts=dict(counts),
        problems=problems,
        entered=request.form,
        seen=seen_of(funnel, ["name"]),
    )


def _found(funnel: int) -> Funnel:
    return Funnel.get_or_none(Funnel.id == funnel) or abort(404)


def _page(problems: dict[str, str]) -> str:
    stages: dict[int, list[str]] = {}
    for stage in Stage.select().where(~Stage.archived).order_by(Stage.position, Stage.id):
        stages.setdefault(stage.funnel_id, []).append(stage.name)
    return render_template(
        "admin_funnels.html",
        funnels=list(Funnel.select().order_by(Funnel.archived, Funnel.position, Funnel.id)),
        stages=stages,
        reasons=reasons.offered(),
        problems=problems,
        entered=request.form,
    )
