"""Moving deals: to another stage (F3, F5), back again, and to another owner (R2)."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from peewee import JOIN

from database import database
from errors import Conflict, Incomplete, Refused
from models import Deal, Stage, StageChange, User
from panel import cards, completion, errors
from panel.auth import viewer
from panel.board_filters import View
from panel.cards import the_deal
from panel.shown import numbers
from panel.urls import came_from, is_local, wants_fragment, whole
from verbs import deals as verbs
from verbs.deals import assign

bp = Blueprint("moves", __name__)


@bp.post("/deals/<int:number>/moves")
def create(number: int) -> Any:
    """F3: to another stage. ``from`` is the stage that the mover saw it in. What the stage asks to
    be filled in first is asked for (422), and comes with the second try (``asked``)."""
    deal = the_deal(number)
    stage = stage_named(request.form.get("stage"))
    seen_in = whole(request.form.get("from")) or deal.stage_id
    if seen_in != deal.stage_id and stage.id != deal.stage_id:
        return errors.page(409, who_moved(deal))
    asked = completion.asked(request.form)
    if _is_won_now(deal, stage) and "amount" not in {*asked, *request.form}:
        words = deal.missing_for(stage, "", None)
        return completion.ask(deal, stage, words, [], _back(deal)), 422
    try:
        # Either all of it or nothing: what was filled in, and the move.
        with database.atomic() if asked else nullcontext():
            moved = _move(deal, stage, asked)
    except Incomplete as lack:
        return completion.ask(deal, stage, _all_missing(lack), asked, _back(deal)), 422
    except completion.Unusable as problem:
        return completion.ask(deal, stage, asked, asked, _back(deal), problem.args[0]), 422
    except Conflict:
        return errors.page(409, who_moved(the_deal(number)))
    return _changed(number, moved)


def _is_won_now(deal: Deal, stage: Stage) -> bool:
    """F5: then it is asked for how much, also where something was hoped for."""
    return stage.kind == "won" and stage.id != deal.stage_id


def _move(deal: Deal, stage: Stage, asked: list[str]) -> bool:
    if asked:
        stage.keep()
    entered = completion.fill(deal, asked, request.form)
    if asked:
        was, deal = deal.stage_id, the_deal(deal.id)
        if deal.stage_id != was:
            raise Conflict("Somebody else moved this deal just now.")
    return deal.move_to(stage, by=viewer(), **entered)


def _all_missing(lack: Incomplete) -> list[str]:
    """Also what was asked for before: it was rolled back with the move."""
    before = completion.asked(request.form)
    return [word for word in completion.WORDS if word in {*before, *lack.missing}]


@bp.post("/deals/<int:number>/undo")
def undo(number: int) -> Any:
    """Takes the viewer's own last move back."""
    deal = the_deal(number)
    try:
        verbs.take_back_move(deal, by=viewer())
    except Conflict:
        return errors.page(409, who_moved(the_deal(number)))
    return _changed(number)


@bp.post("/deals/<int:number>/owner")
def owner(number: int) -> Any:
    """R2: heads give a deal to somebody else, or to nobody."""
    deal = the_deal(number)
    if not viewer().sees_all:
        abort(403)
    given = assign(deal, person_named(request.form.get("owner", "")), by=viewer())
    return _changed(number, given=given)


@bp.post("/deals/<int:number>/owner/undo")
def give_back(number: int) -> Any:
    """R2: to who had it before the viewer gave it away."""
    deal = the_deal(number)
    if not viewer().sees_all:
        abort(403)
    verbs.take_back_owner(deal, by=viewer())
    return _changed(number)


def person_named(given: str) -> User | None:
    """The one a form names; None for ''. Raises Refused for nobody that there is."""
    person = User.get_or_none(User.id == whole(given)) if given else None
    if given and person is None:
        raise Refused(_("There is no such person."))
    return person


def stage_named(text: str | None) -> Stage:
    """The stage of a form; another funnel's is refused by the verb."""
    stage = Stage.get_or_none(Stage.id == whole(text))
    if stage is None:
        raise Refused(_("Choose one of the stages."))
    return stage


def who_moved(deal: Deal) -> str:
    last = (
        StageChange.select(StageChange, User)
        .join(User, JOIN.LEFT_OUTER, on=(StageChange.actor == User.id), attr="actor")
        .where(StageChange.deal == deal)
        .order_by(StageChange.at.desc(), StageChange.id.desc())
        .first()
    )
    name = last.actor.name if last and last.actor else None
    if last and last.actor_id == viewer().id:
        return _("You moved this deal to “%(stage)s” in another window.", stage=deal.stage.name)
    if name:
        return _("%(name)s moved this deal to “%(stage)s”.", name=name, stage=deal.stage.name)
    return _("This deal was moved to “%(stage)s”.", stage=deal.stage.name)


def _changed(number: int, moved: bool = False, given: bool = False) -> Any:
    """The card for scripts, with the way back from another owner; else back to the page, which
    offers to take back what was done."""
    deal = the_deal(number)
    if wants_fragment():
        card = render_template("_card.html", card=cards.card_of(deal), view=View(viewer()))
        return card + render_template("_given.html", deal=deal, sentence=_given(deal)) * given
    if moved:
        names = {"deal": numbers(deal.title), "stage": deal.stage.name}
        sentence = _("“%(deal)s” moved to “%(stage)s”.", **names)
        flash(f"{deal.id} {sentence}", "move")
    if given:
        flash(f"{deal.id} {_given(deal)}", "owner")
    return redirect(_back(deal), 303)


def _given(deal: Deal) -> str:
    names = {"deal": numbers(deal.title), "name": deal.owner and deal.owner.name}
    if deal.owner:
        return _("“%(deal)s” given to %(name)s.", **names)
    return _("“%(deal)s” is nobody’s now.", **names)


def _back(deal: Deal) -> str:
    """The page on which the move began: a form in between says which it was."""
    given = request.form.get("back")
    if given and is_local(given):
        return given
    return came_from(url_for("deals.deal", number=deal.id))
