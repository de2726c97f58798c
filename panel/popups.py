"""The pop-up card (T1): who calls, while the viewer's phone rings and as long as they talk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, render_template
from peewee import JOIN, fn

from models import Call, Contact, Deal, Department, Leg, Stage, User
from panel.auth import viewer

bp = Blueprint("popups", __name__)

DEALS_SHOWN = 3
TALKS_SHOWN = 3


@dataclass(frozen=True)
class Popup:
    """A call with what the viewer may know about the caller.

    ``leg``: the viewer's own phone in it. ``deals``: the caller's open ones, that of the call
    first. ``talks``: the last conversations with this number. ``missed``: how many calls of
    theirs nobody returned, the last one at ``missed_at``.
    """

    call: Call
    leg: Leg
    deals: list[Deal]
    talks: list[Call]
    missed: int
    missed_at: datetime | None
    department: str

    @property
    def state(self) -> str:
        """rings (at this user's phone), calls (the user dials) or talks."""
        if self.leg.answered_at:
            return "talks"
        return "calls" if self.call.direction == "outgoing" else "rings"

    @property
    def since(self) -> datetime:
        return self.leg.answered_at or self.leg.rang_at or self.call.started_at


@bp.get("/popups")
def index() -> str:
    """All pop-ups of the viewer now, the latest call first."""
    newest_first = _calls().order_by(Call.started_at.desc(), Call.id.desc())
    return render_template("_popups.html", popups=[_popup(call) for call in newest_first])


@bp.get("/popups/<int:number>")
def show(number: int) -> str:
    """One pop-up; 404 when the call is over, somebody else's, or taken by somebody else."""
    call = _calls().where(Call.id == number).first() or abort(404)
    return render_template("_popups.html", popups=[_popup(call)])


def _calls() -> Any:
    """Calls between two desks bring no customer and stay quiet."""
    return (
        Call.popping_up_for(viewer())
        .select(Call, Contact)
        .join(Contact, JOIN.LEFT_OUTER)
        .where(Call.direction != "internal")
    )


def _popup(call: Call) -> Popup:
    earlier = _earlier(call)
    missed, missed_at = _missed(earlier)
    department = Department.answering(call.did) if call.did else None
    return Popup(
        call=call,
        leg=_own_leg(call),
        deals=_deals(call),
        talks=_talks(earlier),
        missed=missed,
        missed_at=missed_at,
        department=department.name if department else "",
    )


def _own_leg(call: Call) -> Leg:
    """Of several phones the one that talks; after a transfer the call may ring here again.

    It may have stopped since the call was read: then as if it rang.
    """
    open_legs = (Leg.call == call) & (Leg.user == viewer()) & Leg.ended_at.is_null()
    talking_first = (Leg.answered_at.is_null(), Leg.id.desc())
    return Leg.select().where(open_legs).order_by(*talking_first).first() or Leg()


def _deals(call: Call) -> list[Deal]:
    """The caller's open deals that the viewer may see."""
    of_caller = Deal.contact == call.contact_id if call.contact_id else Deal.id == call.deal_id
    this_first = (Deal.id == (call.deal_id or 0)).desc()
    return list(
        Deal.visible_to(viewer())
        .select(Deal, Stage)
        .join(Stage, on=(Deal.stage == Stage.id), attr="stage")
        .where(of_caller, Deal.closed_at.is_null())
        .order_by(this_first, Deal.created_at.desc(), Deal.id.desc())
        .limit(DEALS_SHOWN)
    )


def _earlier(call: Call) -> Any:
    """Other calls with the same number that the viewer may know of; none for a hidden number."""
    same = Call.number == call.number if call.number else Call.id < 0
    return Call.visible_to(viewer()).where(same, Call.id != call.id)


def _talks(earlier: Any) -> list[Call]:
    return list(
        earlier.select(Call, User)
        .join(User, JOIN.LEFT_OUTER, on=(Call.agent == User.id), attr="agent")
        .where(Call.outcome == "answered")
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(TALKS_SHOWN)
    )


def _missed(earlier: Any) -> tuple[int, datetime | None]:
    """From the few calls of one number to those that wait: the other way round, the database would
    read all that were ever missed."""
    return (
        Call.awaiting_call_back()
        .select(fn.COUNT(Call.id), fn.MAX(Call.started_at))
        .where(Call.id << earlier.select(Call.id))
        .order_by()
        .tuples()
        .get()
    )
