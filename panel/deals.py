"""A deal: its page, its card, and what people do with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from peewee import JOIN
from werkzeug.datastructures import MultiDict

from database import database, locked
from errors import Conflict, Refused
from fields import BadNumber, clean, normalise
from models import Call, Contact, Deal, Funnel, Stage, StageChange, User
from panel import cards, errors
from panel.auth import viewer
from panel.languages import sentence
from panel.shown import BadAmount, read_amount
from panel.urls import came_from, wants_fragment, whole

bp = Blueprint("deals", __name__)

SHOWN = 100
"""Calls and moves that a deal's page lists, the newest first."""


def the_deal(number: int) -> Deal:
    """The deal with its stage, contact and owner; 404 if the viewer may not see it."""
    found = cards.with_people(Deal.visible_to(viewer()).where(Deal.id == number)).first()
    return found or abort(404)


@bp.get("/deals/<int:number>")
def deal(number: int) -> str:
    return _page(the_deal(number))


@bp.get("/deals/<int:number>/card")
def card(number: int) -> str:
    """The card alone; with ``owner`` or ``funnel`` 404 unless it belongs on that board."""
    deal = the_deal(number)
    owner, funnel = request.args.get("owner"), request.args.get("funnel")
    if owner and owner != str(deal.owner_id or "none"):
        abort(404)
    if funnel and funnel != str(deal.stage.funnel_id):
        abort(404)
    return render_template("_card.html", card=cards.card_of(deal))


@bp.post("/deals/<int:number>/moves")
def moves(number: int) -> Any:
    """F3: to another stage. ``from`` is the stage that the mover saw it in."""
    deal = the_deal(number)
    stage = _stage_of(deal, request.form.get("stage"))
    seen_in = whole(request.form.get("from")) or deal.stage_id
    if seen_in != deal.stage_id and stage.id != deal.stage_id:
        return errors.page(409, _who_moved(deal))
    try:
        deal.move_to(stage, by=viewer())
    except Conflict:
        return errors.page(409, _who_moved(the_deal(number)))
    return _changed(the_deal(number))


@bp.post("/deals/<int:number>/owner")
def owner(number: int) -> Any:
    """R2: heads give a deal to somebody else, or to nobody."""
    deal = the_deal(number)
    if not viewer().sees_all:
        abort(403)
    given = request.form.get("owner", "")
    person = User.get_or_none(User.id == whole(given)) if given else None
    if given and person is None:
        raise Refused(_("There is no such person."))
    deal.assign_to(person, by=viewer())
    return _changed(the_deal(number))


@bp.get("/deals/new")
def new() -> str:
    return _form(request.args, {})


@bp.post("/deals")
def create() -> Any:
    """A card by hand, or from the pop-up of a call (``call``)."""
    call = _call(request.form.get("call"))
    made = call and call.deal_for(viewer())
    if made:
        return _gone_to(made.id)
    try:
        values = _read(request.form, call)
        with database.atomic():
            deal = _made_meanwhile(call) or _open(call=call, **values)
    except Unusable as problem:
        return _form(request.form, problem.args[0]), 422
    except Refused as refusal:
        return _form(request.form, _by_field(refusal)), 422
    return _gone_to(deal.id)


def _made_meanwhile(call: Call | None) -> Deal | None:
    """The row of the call is locked, so that two clicks at once make one deal."""
    if call is None:
        return None
    now: Call = locked(Call.select().where(Call.id == call.id)).get()
    return now.deal_for(viewer())


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
        contact = Contact.of_number(number, name, user)
    elif name:
        contact = Contact.add(name, user)
    title = title or (contact.name if contact else "")
    deal = Deal.open(title, user, user, contact=contact, stage=stage, amount=amount, call=call)
    if call:
        call.attach(deal, by=user)
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


def _changed(deal: Deal) -> Any:
    if wants_fragment():
        return render_template("_card.html", card=cards.card_of(deal))
    return redirect(came_from(url_for("deals.deal", number=deal.id)), 303)


def _stage_of(deal: Deal, text: str | None) -> Stage:
    """The stage of a form; another funnel's is refused by the verb."""
    stage = Stage.get_or_none(Stage.id == whole(text))
    if stage is None:
        raise Refused(_("Choose one of the stages."))
    return stage


def _who_moved(deal: Deal) -> str:
    last = _history(deal).first()
    name = last.actor.name if last and last.actor else None
    if last and last.actor_id == viewer().id:
        return _("You moved this deal to “%(stage)s” in another window.", stage=deal.stage.name)
    if name:
        return _("%(name)s moved this deal to “%(stage)s”.", name=name, stage=deal.stage.name)
    return _("This deal was moved to “%(stage)s”.", stage=deal.stage.name)


def _page(deal: Deal) -> str:
    user = viewer()
    calls = (
        Call.visible_to(user)
        .select(Call, User)
        .join(User, JOIN.LEFT_OUTER, on=(Call.agent == User.id), attr="agent")
        .where(Call.deal == deal)
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(SHOWN)
    )
    people = User.select().where(User.active).order_by(User.name, User.id)
    return render_template(
        "deal.html",
        deal=deal,
        card=cards.card_of(deal),
        stages=deal.stage.funnel.in_order(),
        phones=list(deal.contact.phones) if deal.contact else [],
        calls=list(calls),
        changes=list(_history(deal).limit(SHOWN)),
        people=list(people) if user.sees_all else [],
    )


def _history(deal: Deal) -> Any:
    was, now = Stage.alias(), Stage.alias()
    return (
        StageChange.select(StageChange, was, now, User)
        .join(was, JOIN.LEFT_OUTER, on=(StageChange.from_stage == was.id), attr="from_stage")
        .join_from(StageChange, now, on=(StageChange.to_stage == now.id), attr="to_stage")
        .join_from(
            StageChange, User, JOIN.LEFT_OUTER, on=(StageChange.actor == User.id), attr="actor"
        )
        .where(StageChange.deal == deal)
        .order_by(StageChange.at.desc(), StageChange.id.desc())
    )
