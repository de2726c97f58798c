"""A deal: its page, its card, and what people do with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from database import locked
from errors import Incomplete, Refused
from fields import BadNumber, clean, normalise
from models import Call, Contact, Deal, Funnel, Phone, Stage, User
from panel import cards, timeline
from panel.audience import card_of
from panel.auth import viewer
from panel.cards import the_deal
from panel.entered import contact_with
from panel.finding import LONGEST, find
from panel.freshness import is_old
from panel.languages import sentence
from panel.once import once
from panel.shown import BadAmount, read_amount
from panel.urls import wants_fragment, whole
from verbs.call_cards import attach

bp = Blueprint("deals", __name__)

FOUND = 5
"""Contacts that are offered to a card without one."""

bp.app_template_filter("told")(timeline.told)
bp.app_template_test("undone")(timeline.is_undone)


@bp.get("/deals/<int:number>")
def deal(number: int) -> str:
    return _page(the_deal(number))


@bp.get("/deals/new")
def new() -> str:
    return _form(request.args, {})


@bp.post("/deals")
def create() -> Any:
    """A card by hand, or from the pop-up of a call (``call``)."""
    call = _call(request.form.get("call"))
    made = call and card_of(call, viewer())
    if made:
        return _gone_to(made.id)
    try:
        values = _read(request.form, call)
        number = once(lambda: _made_meanwhile(call) or _open(call=call, **values))
    except Unusable as problem:
        return _form(request.form, problem.args[0]), 422
    except Refused as refusal:
        return _form(request.form, _by_field(refusal)), 422
    return _gone_to(number)


def _made_meanwhile(call: Call | None) -> Deal | None:
    """The row of the call is locked, so that two clicks at once make one deal."""
    if call is None:
        return None
    now: Call = locked(Call.select().where(Call.id == call.id)).get()
    return card_of(now, viewer())


class Unusable(ValueError):
    """Entries that can't be used; the argument says what is wrong with which field."""


def _read(form: MultiDict[str, str], call: Call | None) -> dict[str, Any]:
    """The form's entries as values. Raises Unusable with all that is wrong at once."""
    problems: dict[str, str] = {}
    number, amount = None, None
    written = clean(form.get("number"), 80)
    try:
        number = call.number if call else normalise(written) if written else None
    except BadNumber:
        problems["number"] = _("This is not a telephone number, for example 030 4470 1182.")
    try:
        amount = read_amount(form.get("amount", ""))
    except BadAmount as error:
        problems["amount"] = str(error)
    stage = None
    if form.get("stage"):
        stage = Stage.get_or_none(Stage.id == whole(form.get("stage")))
        if stage is None or stage.is_closed:
            problems["stage"] = _("Choose one of the stages.")
    name, title = clean(form.get("name")), clean(form.get("title"), 120)
    if not (title or name or number or written):
        problems["title"] = _("Say what it is about, or who it is.")
    if problems:
        raise Unusable(problems)
    return {"title": title, "name": name, "number": number, "amount": amount, "stage": stage}


def _open(
    title: str, name: str, number: str | None, amount: Any, stage: Any, call: Call | None
) -> Deal:
    user = viewer()
    contact = None
    if number:
        # Whoever is called by a customer may know of them; a number that is typed proves nothing.
        contact = Contact.of_number(number, name, user) if call else contact_with(number, name)
    elif name:
        contact = Contact.add(name, user)
    title = title or (contact.name if contact else "")
    deal = Deal.open(title, user, user, contact=contact, stage=stage, amount=amount, call=call)
    if stage and (missing := deal.missing_for(stage, "", amount)):
        # F1: else whoever can't move a deal there would make a new one there.
        raise Incomplete(missing)
    if call:
        attach(call, deal, by=user)
    return deal


def _call(text: str | None) -> Call | None:
    """The call that a pop-up names; 404 if the viewer may not see it."""
    if not text:
        return None
    return Call.visible_to(viewer()).where(Call.id == whole(text)).first() or abort(404)


def _by_field(refusal: Refused) -> dict[str, str]:
    return {refusal.field: sentence(refusal)}


def _form(values: Any, problems: dict[str, str]) -> str:
    call = _call(values.get("call"))
    stages = [stage for stage in Funnel.default().in_order() if not stage.is_closed]
    return render_template(
        "new_deal.html", values=values, problems=problems, stages=stages, call=call
    )


def _gone_to(number: int) -> Response:
    """To the deal's page; htmx follows the header, as a fragment can't be a whole page."""
    target = url_for("deals.deal", number=number)
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": target})
    return redirect(target, 303)  # type: ignore[return-value]


def _page(deal: Deal) -> str:
    user = viewer()
    # Whoever has it stands in the list, even if they have left.
    known = User.active | (User.id == deal.owner_id)
    people = User.select().where(known).order_by(User.name, User.id)
    contact = deal.contact
    wanted = clean(request.args.get("find"), LONGEST) if contact is None else ""
    return render_template(
        "deal.html",
        deal=deal,
        card=cards.card_of(deal),
        stages=deal.stage.funnel.in_order(),
        phones=list(contact.phones.order_by(Phone.id)) if contact else [],
        is_old=contact is not None and is_old(contact),
        people=list(people) if user.sees_all else [],
        timeline=_timeline(deal),
        wanted=wanted,
        found=find(user, wanted, FOUND).contacts if wanted else [],
    )


@bp.get("/deals/<int:number>/timeline")
def entries(number: int) -> Any:
    """The entries alone, for scripts; others get the page."""
    deal = the_deal(number)
    if not wants_fragment():
        show, before = request.args.get("show"), request.args.get("before")
        return redirect(url_for("deals.deal", number=number, show=show, before=before))
    return render_template("_timeline.html", deal=deal, timeline=_timeline(deal))


def _timeline(deal: Deal) -> timeline.Timeline:
    """``show``: all, calls or notes; ``before``: what is older than an entry."""
    wanted = request.args.get
    return timeline.of_deal(deal, viewer(), wanted("show", ""), wanted("before", ""))
