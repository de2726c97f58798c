"""The pop-up card (T1): who calls, while the viewer's phone rings and as long as they talk; then
for a moment what comes next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from peewee import JOIN

from database import database
from errors import Refused
from fields import readable, utcnow
from models import Call, Contact, Deal, Leg, Note, Stage, Task
from panel import callers, due, freshness
from panel.audience import card_of, popping_up_for
from panel.auth import viewer
from panel.notes import done
from panel.once import once
from panel.shown import numbers
from verbs import contacts, notes, tasks
from verbs.phones import department_for

bp = Blueprint("popups", __name__)

AFTER = timedelta(hours=1)
"""For how long after a talk its pop-up can be had: nobody leaves a page for longer with a note
half written."""
DUES = ("hour", "tomorrow", "days3", "week")
NEXT = ("call", "meeting", "offer")
ASKED = ("name", "company", "email")


@dataclass(frozen=True)
class Popup:
    """A call with what the viewer may know about the caller.

    ``leg``: the viewer's own phone in it. ``deals``: the caller's open ones, that of the call
    first. ``talks``: the last conversations with this number. ``missed``: how many calls of
    theirs nobody returned, the last one at ``missed_at``. ``contact``: where the viewer may see it.
    ``planned``: the next step that was set down. ``is_over``: the viewer does not talk any more.
    """

    call: Call
    leg: Leg
    deals: list[Deal]
    talks: list[Call]
    missed: int
    missed_at: datetime | None
    department: str
    contact: Contact | None = None
    overdue: list[Task] = field(default_factory=list)
    note: Note | None = None
    stages: list[Stage] = field(default_factory=list)
    planned: Task | None = None
    is_over: bool = False

    @property
    def state(self) -> str:
        """rings (at this user's phone), calls (the user dials), talks, or ended."""
        if self.is_over:
            return "ended"
        if self.leg.answered_at:
            return "talks"
        return "calls" if self.call.direction == "outgoing" else "rings"

    @property
    def since(self) -> datetime:
        return self.leg.answered_at or self.leg.rang_at or self.call.started_at

    @property
    def lasted(self) -> float:
        """Seconds."""
        until = self.leg.ended_at or self.call.ended_at or utcnow()
        return (until - self.since).total_seconds()

    @property
    def deal(self) -> Deal | None:
        """The one that is worked on: where notes go."""
        return self.deals[0] if self.deals else None

    @property
    def can_note(self) -> bool:
        return self.state != "rings" and (self.deal or self.contact) is not None

    @property
    def asks(self) -> list[str]:
        """C2: what is missing of the contact; not while it rings."""
        talks = self.contact is not None and self.state != "rings"
        return freshness.missing(self.contact) if talks and self.contact else []

    @property
    def is_old(self) -> bool:
        known = self.contact is not None and self.state != "rings" and not self.asks
        return known and self.contact is not None and freshness.is_old(self.contact)


@bp.get("/popups")
def index() -> str:
    """All pop-ups of the viewer now, the latest call first."""
    newest_first = _calls().order_by(Call.started_at.desc(), Call.id.desc())
    return _shown([popup for call in newest_first if (popup := _popup(call))])


@bp.get("/popups/<int:number>")
def show(number: int) -> str:
    """One pop-up; 404 when the call is over, somebody else's, or taken by somebody else."""
    call = _calls().where(Call.id == number).first() or abort(404)
    return _shown([_popup(call) or abort(404)])


@bp.get("/popups/<int:number>/after")
def after(number: int) -> str:
    """What comes next, once the viewer has hung up; 404 if they did not talk, or long ago."""
    call = _own_call(number)
    if _calls().where(Call.id == number).exists():
        abort(404)
    return _shown([_popup(call, _last_leg(call) or abort(404)) or abort(404)])


@bp.post("/popups/<int:number>/notes")
def note(number: int) -> Any:
    """On the card of the call, else of the contact; the note knows the call."""
    call = _own_call(number)
    deal, contact = _about(call)
    text = request.form.get("text", "")
    about: dict[str, Any] = {"deal": deal, "contact": contact, "call": call}
    once(lambda: notes.add(text, by=viewer(), **about))
    return _done()


@bp.post("/popups/<int:number>/contact")
def contact(number: int) -> Any:
    """C2: what was missing, or that all is right."""
    call = _own_call(number)
    found = callers.contact_of(call, viewer()) or abort(404)
    entered: dict[str, Any] = {k: request.form[k] for k in ASKED if request.form.get(k, "").strip()}
    with database.atomic():
        contacts.change(found, viewer(), **entered)
        if "right" in request.form:
            contacts.check(found, viewer())
    return _done()


@bp.post("/popups/<int:number>/tasks")
def plan(number: int) -> Any:
    """K1: the next step. ``kind`` and ``due`` are two clicks, the title says with whom."""
    call = _own_call(number)
    kind, when = request.form.get("kind", ""), request.form.get("due", "")
    if kind not in NEXT or when not in DUES:
        raise Refused(_("Choose what is next, and when."))
    deal, contact = _about(call)
    title = tasks.OF_CALLS[kind].format(name=_who(call))
    me = viewer()
    about: dict[str, Any] = {"deal": deal, "contact": contact, "call": call}
    once(lambda: tasks.add(title, due.chosen(when), me, me, kind, **about))
    return _done()


def _done() -> Any:
    return done(url_for("board.board"))


def _who(call: Call) -> str:
    name = call.contact.name if call.contact else call.name
    return numbers(name) or readable(call.number) or tasks.HIDDEN


def _about(call: Call) -> tuple[Deal | None, Contact | None]:
    """The viewer's card for a call, and the contact, as far as they may be seen."""
    deal = next(iter(callers.deals(call, viewer())), None) or card_of(call, viewer())
    return deal, callers.contact_of(call, viewer()) or (deal.contact if deal else None)


def _shown(popups: list[Popup]) -> str:
    return render_template("_popups.html", popups=popups, dues=DUES)


def _with_contact(query: Any) -> Any:
    return query.select(Call, Contact).join(Contact, JOIN.LEFT_OUTER)


def _calls() -> Any:
    """Calls between two desks bring no customer and stay quiet."""
    return _with_contact(popping_up_for(viewer())).where(Call.direction != "internal")


def _own_call(number: int) -> Call:
    """A call that the viewer talks in, or has talked in a moment ago; else 404."""
    talked = Leg.select(Leg.call).where(Leg.user == viewer(), Leg.answered_at.is_null(False))
    tried = (Call.direction == "outgoing") & (Call.agent == viewer())
    lately = Call.ended_at.is_null() | (Call.ended_at > utcnow() - AFTER)
    query = _with_contact(Call.visible_to(viewer())).where(
        Call.id == number, Call.direction != "internal", (Call.id << talked) | tried, lately
    )
    return query.first() or abort(404)


def _last_leg(call: Call) -> Leg | None:
    mine = (Leg.call == call) & (Leg.user == viewer())
    return Leg.select().where(mine).order_by(Leg.answered_at.is_null(), Leg.id.desc()).first()


def _popup(call: Call, over: Leg | None = None) -> Popup | None:
    """None where the call has left the viewer's phone since it was read: as if it had not been."""
    user = viewer()
    leg = over or callers.own_leg(call, user)
    if leg is None:
        return None
    before = callers.earlier(call, user)
    count, latest = callers.missed(before)
    open_deals = callers.deals(call, user)
    return Popup(
        call=call,
        leg=leg,
        deals=open_deals,
        talks=callers.talks(before),
        missed=count,
        missed_at=latest,
        department=_department(call),
        contact=callers.contact_of(call, user),
        overdue=callers.overdue(call, user) if call.contact_id else [],
        note=callers.last_note(call, user) if call.contact_id else None,
        stages=_stages(open_deals[0]) if leg.answered_at and open_deals else [],
        planned=callers.planned(call, user) if over else None,
        is_over=over is not None,
    )


def _department(call: Call) -> str:
    found = department_for(call.did) if call.did else None
    return found.name if found else ""


def _stages(deal: Deal) -> list[Stage]:
    here = Stage.select().where(Stage.funnel == deal.stage.funnel_id, ~Stage.archived)
    return list(here.order_by(Stage.position, Stage.id))
