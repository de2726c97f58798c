"""What a pop-up tells of who calls: each question one query, whoever it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from peewee import JOIN, fn

from fields import utcnow
from models import Call, Company, Contact, Deal, Leg, Note, Stage, Task, User

DEALS_SHOWN = 3
TALKS_SHOWN = 3
TASKS_SHOWN = 3


def own_leg(call: Call, user: User) -> Leg | None:
    """Of several phones the one that talks; after a transfer the call may ring here again. None if
    it has stopped since the call was read."""
    open_legs = (Leg.call == call) & (Leg.user == user) & Leg.ended_at.is_null()
    talking_first = (Leg.answered_at.is_null(), Leg.id.desc())
    return Leg.select().where(open_legs).order_by(*talking_first).first()


def contact_of(call: Call, user: User) -> Contact | None:
    """R1: only one that this user may see, hence correct; with the company."""
    if call.contact_id is None:
        return None
    seen = Contact.visible_to(user).where(Contact.id == call.contact_id)
    return seen.select(Contact, Company).join(Company, JOIN.LEFT_OUTER).first()


def deals(call: Call, user: User) -> list[Deal]:
    """The caller's open deals that the user may see."""
    of_caller = Deal.contact == call.contact_id if call.contact_id else Deal.id == call.deal_id
    this_first = (Deal.id == (call.deal_id or 0)).desc()
    return list(
        Deal.visible_to(user)
        .select(Deal, Stage)
        .join(Stage, on=(Deal.stage == Stage.id), attr="stage")
        .where(of_caller, Deal.closed_at.is_null())
        .order_by(this_first, Deal.created_at.desc(), Deal.id.desc())
        .limit(DEALS_SHOWN)
    )


def earlier(call: Call, user: User) -> Any:
    """Other calls with the same number that the user may know of; none for a hidden number."""
    same = Call.number == call.number if call.number else Call.id < 0
    return Call.visible_to(user).where(same, Call.id != call.id)


def talks(before: Any) -> list[Call]:
    return list(
        before.select(Call, User)
        .join(User, JOIN.LEFT_OUTER, on=(Call.agent == User.id), attr="agent")
        .where(Call.outcome == "answered")
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(TALKS_SHOWN)
    )


def missed(before: Any) -> tuple[int, datetime | None]:
    """From the few calls of one number to those that wait: the other way round, the database would
    read all that were ever missed."""
    return (
        Call.awaiting_call_back()
        .select(fn.COUNT(Call.id), fn.MAX(Call.started_at))
        .where(Call.id << before.select(Call.id))
        .order_by()
        .tuples()
        .get()
    )


def overdue(call: Call, user: User) -> list[Task]:
    """T1: what should have been done for the caller by now."""
    late = Task.visible_to(user).where(
        Task.contact == (call.contact_id or 0), Task.done_at.is_null(), Task.due_at < utcnow()
    )
    return list(late.order_by(Task.due_at, Task.id).limit(TASKS_SHOWN))


def last_note(call: Call, user: User) -> Note | None:
    """Of the caller, on a card that the user may see, or on none and then of a contact that the
    user may see."""
    cards = Deal.visible_to(user).select(Deal.id).where(Deal.contact == call.contact_id)
    seen = Contact.visible_to(user).select(Contact.id).where(Contact.id == call.contact_id)
    about = (Note.deal << cards) | (Note.deal.is_null() & (Note.contact << seen))
    return (
        Note.select(Note, User)
        .join(User, JOIN.LEFT_OUTER, on=(Note.author == User.id), attr="author")
        .where(Note.contact == (call.contact_id or 0), about)
        .order_by(Note.at.desc(), Note.id.desc())
        .first()
    )


def planned(call: Call, user: User) -> Task | None:
    """The next step that the user has set down after this call."""
    mine = (Task.call == call) & (Task.owner == user) & Task.done_at.is_null()
    return Task.select().where(mine, Task.due_at > utcnow()).order_by(Task.id.desc()).first()
