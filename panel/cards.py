"""Cards with all they show, in a constant number of queries however many they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from flask import abort
from peewee import JOIN, fn

from fields import utcnow
from models import (
    Call,
    Company,
    Contact,
    Deal,
    Phone,
    Stage,
    StageChange,
    Task,
    User,
)
from panel.auth import viewer
from panel.shown import next_age


@dataclass(frozen=True)
class Card:
    """A deal as it stands on the board. ``number`` in E.164; ``live``: a call that goes on now;
    ``missed``: the last call that nobody has returned; ``task``: what is to be done next."""

    deal: Deal
    number: str | None = None
    live: Call | None = None
    missed: Call | None = None
    task: Task | None = None

    @property
    def is_stuck(self) -> bool:
        """Longer in its stage than the stage allows."""
        limit = self.deal.stage.stuck_after
        passed = (utcnow() - self.deal.stage_since).total_seconds()
        return limit is not None and not self.deal.stage.is_closed and passed > limit

    @property
    def is_late(self) -> bool:
        """What is to be done next should have been done."""
        due = self.deal.next_due
        return due is not None and due < utcnow()

    @property
    def stale_at(self) -> datetime:
        """When the card is going to look different by the passing of time alone."""
        since, limit = self.deal.stage_since, self.deal.stage.stuck_after
        moments = [next_age(since)]
        if limit is not None and not self.deal.stage.is_closed and not self.is_stuck:
            moments.append(since + timedelta(seconds=limit))
        if self.deal.next_due is not None:
            # At midnight 'today' is 'yesterday'.
            tomorrow = utcnow().astimezone().date() + timedelta(days=1)
            moments.append(datetime.combine(tomorrow, time.min).astimezone())
            moments += [] if self.is_late else [self.deal.next_due]
        return min(moments)

    @property
    def change(self) -> int:
        """The last of its moves that it shows: scripts know older news by it, and pass them by."""
        return getattr(self.deal, "change", None) or 0

    @property
    def is_talking(self) -> bool:
        return self.live is not None and self.live.answered_at is not None


def the_deal(number: int) -> Deal:
    """The deal with its stage, contact and owner; 404 if the viewer may not see it."""
    found = with_people(Deal.visible_to(viewer()).where(Deal.id == number)).first()
    return found or abort(404)


SHOWN = (
    Deal, Stage.id, Stage.name, Stage.kind, Stage.stuck_after, Contact.id, Contact.name, Company.id,
    Company.name, User.id, User.name, Phone.id, Phone.e164, Task.id, Task.title, Task.call,
)  # fmt: skip
"""What of them a card shows: reading the rest for a board full of cards takes long."""


def with_people(query: Any, columns: tuple[Any, ...] = ()) -> Any:
    """A query of deals (``Deal.visible_to``), with all that a card shows but calls in the same
    rows: stage, contact, company, owner, the first of the contact's numbers as
    ``first_number``, the next task as ``next_task``, and the id of its last move as ``change``."""
    later = Phone.alias()
    number = later.select(fn.MIN(later.id)).where(later.contact == Deal.contact)
    return (
        query.select(*(columns or (Deal, Stage, Contact, Company, User, Phone, Task)), _change())
        .join(Stage, on=(Deal.stage == Stage.id), attr="stage")
        .join_from(Deal, Contact, JOIN.LEFT_OUTER)
        .join_from(Contact, Company, JOIN.LEFT_OUTER)
        .join_from(Deal, User, JOIN.LEFT_OUTER, on=(Deal.owner == User.id), attr="owner")
        .join_from(Deal, Phone, JOIN.LEFT_OUTER, on=(Phone.id == number), attr="first_number")
        .join_from(Deal, Task, JOIN.LEFT_OUTER, on=(Task.id == _next_task()), attr="next_task")
    )


def _change() -> Any:
    one = StageChange.alias()
    return one.select(fn.MAX(one.id)).where(one.deal == Deal.id).alias("change")


def _next_task() -> Any:
    """As ``Deal.next_due`` has it: the open one that is due first."""
    one = Task.alias()
    return (
        one.select(one.id)
        .where(one.deal == Deal.id, one.done_at.is_null())
        .order_by(one.due_at, one.id)
        .limit(1)
    )


def of_deals(deals: Iterable[Deal]) -> list[Card]:
    """Cards of deals that were read by ``with_people``. Two queries."""
    deals = list(deals)
    ids = [deal.id for deal in deals]
    if not ids:
        return []
    live = {call.deal_id: call for call in _live(ids)}
    missed = {call.deal_id: call for call in _missed(ids)}
    return [
        Card(deal, _number(deal), live.get(deal.id), missed.get(deal.id), _task(deal))
        for deal in deals
    ]


def card_of(deal: Deal) -> Card:
    return of_deals([deal])[0]


def _number(deal: Deal) -> str | None:
    phone = getattr(deal, "first_number", None)
    return phone.e164 if phone else None


def _task(deal: Deal) -> Task | None:
    task = getattr(deal, "next_task", None)
    return task if deal.next_due and task else None


def _live(ids: list[int]) -> Any:
    """The sum keeps the databases from going through all calls of all these deals: few go on."""
    return Call.select().where(Call.ended_at.is_null(), (Call.deal + 0) << ids)


def _missed(ids: list[int]) -> list[Call]:
    """``Call.needs_call_back`` of these deals, the latest last. COALESCE keeps the databases from
    going through all that wait to be called back, which may be many."""
    waits = fn.COALESCE(Call.called_back_at, 0) == 0
    found = Call.select().where(Call.deal << ids, Call.were_missed(), waits)
    return sorted(found, key=lambda call: call.started_at)
