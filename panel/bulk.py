"""Many deals at once: entered in a column with one line each, and moved or given to somebody else
by heads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _

from errors import Incomplete, Refused, TrichterError
from fields import clean, number_or_none
from models import Contact, Deal, Stage
from panel import cards, completion
from panel.auth import viewer
from panel.board_filters import View
from panel.entered import contact_with
from panel.languages import sentence
from panel.moves import person_named, stage_named
from panel.once import once
from panel.urls import came_from, is_local, wants_fragment, whole
from verbs import deals as verbs
from verbs import reasons
from verbs.deals import assign

bp = Blueprint("bulk", __name__)

MOST = 200
"""Deals that are changed by one request."""


@dataclass
class Result:
    """``done``: the deals that were changed; ``failed``: the others by name, with what kept them
    from it."""

    done: list[Deal] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    gone: int = 0


@bp.post("/board/stages/<int:stage>/deals")
def enter(stage: int) -> Any:
    """A card in a column from one line: what it is about, or the number of whom it is about. What
    the stage asks to be filled in is asked for (422), and comes with the second try (``asked``)."""
    target = Stage.get_or_none(Stage.id == stage, ~Stage.archived) or abort(404)
    if not takes_entries(target):
        raise Refused(_("Deals can't be entered in this column."))
    line = clean(request.form.get("line") or request.form.get("title"), 120)
    if not line:
        raise Refused(_("Say what it is about, or who it is."))
    return _enter(line, target, completion.asked(request.form), _back(target))


def _enter(line: str, target: Stage, asked: list[str], back: str) -> Any:
    # Until all is there it is on paper only; whoever is at a number has a contact.
    deal = Deal(title=line, stage=target, contact=Contact() if number_or_none(line) else None)
    try:
        number = once(lambda: _entered(line, target, asked))
    except Incomplete as lack:
        words = [word for word in completion.WORDS if word in {*asked, *lack.missing}]
        return completion.ask(deal, target, words, asked, back, line=line), 422
    except completion.Unusable as problem:
        problems = problem.args[0]
        return completion.ask(deal, target, asked, asked, back, problems, line=line), 422
    if wants_fragment():
        card = cards.card_of(cards.the_deal(number))
        return render_template("_card.html", card=card, view=View(viewer()))
    return redirect(back, 303)


def _entered(line: str, target: Stage, asked: list[str]) -> Deal:
    """The deal, with what was filled in for its stage. Raises Incomplete, Refused or Unusable."""
    user, number = viewer(), number_or_none(line)
    contact = contact_with(number) if number else None
    title = contact.name if contact else line
    made = Deal.open(title, user, user, contact=contact, stage=target)
    entered = completion.fill(made, asked, request.form)
    if entered.get("amount") is not None:
        verbs.change(made, user, amount=entered["amount"])
    deal = cards.the_deal(made.id)
    missing = deal.missing_for(target, "", deal.amount)
    if missing:
        raise Incomplete(missing)
    return deal


def _back(target: Stage) -> str:
    """The board as it was: a form in between says how."""
    given = request.form.get("back")
    if given and is_local(given):
        return given
    return came_from(url_for("board.board", funnel=target.funnel_id))


@bp.app_template_test("open_to_entries")
def takes_entries(stage: Stage) -> bool:
    """Not where deals end."""
    return not stage.is_closed


@bp.post("/board/moves")
def move() -> Any:
    """The deals ``deals`` (ids with commas) to a stage; for those that are lost one reason."""
    _only_heads()
    stage = stage_named(request.form.get("stage"))
    reason = clean(request.form.get("reason_text")) or clean(request.form.get("reason"))
    if stage.kind == "lost" and not reason:
        return _ask_reason(stage), 422
    result = _each(lambda deal: deal.move_to(stage, by=viewer(), reason=reason))
    return render_template("_bulk_moved.html", result=result, stage=stage)


@bp.post("/board/owners")
def give() -> Any:
    """R2: the deals ``deals`` to one owner, or to nobody."""
    _only_heads()
    owner = person_named(request.form.get("owner", ""))
    result = _each(lambda deal: assign(deal, owner, by=viewer()))
    return render_template("_bulk_given.html", result=result, owner=owner)


@bp.post("/board/undo")
def undo() -> Any:
    """Takes the viewer's own last moves of the deals ``deals`` back."""
    _only_heads()

    def take_back(deal: Deal) -> bool:
        return bool(verbs.take_back_move(deal, by=viewer()))

    return render_template("_bulk_undone.html", result=_each(take_back), given=False)


@bp.post("/board/owners/undo")
def give_back() -> Any:
    """R2: the deals ``deals`` to who had them before the viewer gave them away."""
    _only_heads()

    def give_back_one(deal: Deal) -> bool:
        verbs.take_back_owner(deal, by=viewer())
        return True

    return render_template("_bulk_undone.html", result=_each(give_back_one), given=True)


def _only_heads() -> None:
    if not viewer().sees_all:
        abort(403)


def _ask_reason(stage: Stage) -> str:
    return render_template(
        "_bulk_reason.html",
        stage=stage,
        deals=request.form.get("deals", ""),
        reasons=[reason.name for reason in reasons.offered()],
        problem=_("Please fill this in.") if "again" in request.form else "",
    )


def _each(act: Callable[[Deal], bool]) -> Result:
    """Does it with each of the deals that the viewer sees; what is refused does not keep the others
    from it."""
    result, wanted = Result(), _wanted()
    found = {deal.id: deal for deal in cards.with_people(_visible(wanted))}
    result.gone = len(wanted) - len(found)
    for deal in (found[number] for number in wanted if number in found):
        try:
            if act(deal):
                result.done.append(deal)
        except TrichterError as error:
            result.failed.append((deal.title, _why(error)))
    return result


def _visible(ids: Sequence[int]) -> Any:
    return Deal.visible_to(viewer()).where(Deal.id << list(ids))


def _wanted() -> list[int]:
    ids = [whole(text) for text in request.form.get("deals", "").split(",")]
    known = list(dict.fromkeys(number for number in ids if number))
    if not known:
        raise Refused(_("Choose the deals first."))
    if len(known) > MOST:
        raise Refused(_("Choose at most %(most)d deals at a time.", most=MOST))
    return known


def _why(error: TrichterError) -> str:
    if isinstance(error, Incomplete):
        return _("something has to be filled in first")
    return sentence(error)
