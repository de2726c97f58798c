"""What people change on a card besides its stage and its owner."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from database import database
from errors import Conflict, Refused
from fields import clean, utcnow
from models import (
    PRIORITIES,
    Call,
    Contact,
    Deal,
    Event,
    Stage,
    StageChange,
    User,
    check_amount,
    told,
)
from verbs import search

UNDONE = "undone"
"""The reason that a move carries which only takes another back."""


def change(deal: Deal, by: User | None, seen: dict[str, Any] | None = None, **about: Any) -> bool:
    """Some of title, amount, priority and contact. False: nothing differs.

    ``seen``: the values that the person saw when writing the new ones; Conflict if another has
    changed one of them since. Raises Refused.
    """
    deal._may_change(by)
    values = {key: READERS[key](value) for key, value in about.items()}
    with database.atomic():
        now: Deal = Deal.get_by_id(deal.id)
        for key, value in (seen or {}).items():
            if now.__data__[key] not in (value, values.get(key)):
                raise Conflict("Somebody else changed this just now. Look at it again.")
        now.assign(**values)
        changed = [field.name for field in now.dirty_fields]
        if not changed:
            return False
        now.save(only=now.dirty_fields)
        if {"title", "contact"} & {*changed}:
            search.keep("deal", [now.id])
        if "contact" in changed:
            Call.update(contact=now.contact).where(Call.deal == now).execute()
        Event.add("deal.changed", deal=now, by=by, payload={"changed": changed})
    return True


def take_back_move(deal: Deal, by: User) -> Stage:
    """Undo the last move, if it was this person's: the deal stands in the stage before as if it had
    never left. Returns that stage. Raises Refused, or Conflict if somebody moved it since."""
    deal._may_change(by)
    last, entered = _last_moves(deal)
    if last is None or last.from_stage is None or last.actor_id != by.id or last.reason == UNDONE:
        raise Refused("There is no move of yours to take back.")
    stage, since = last.from_stage, entered.at if entered else deal.created_at
    if stage.archived:
        raise Refused("The stages were changed in the meantime. Look at them again.")
    with database.atomic():
        back = deal._conditional(
            (Deal.stage == last.to_stage_id) & deal._same_owner(),
            stage=stage,
            stage_since=since,
            closed_at=since if stage.is_closed else None,
            lost_in_stage=entered.from_stage if entered and stage.kind == "lost" else None,
            lost_reason=entered.reason if entered and stage.kind == "lost" else None,
        )
        if not back:
            raise Conflict("Somebody else moved this deal just now.")
        deal._changed_stage(last.to_stage, stage, by, utcnow(), UNDONE)
        Event.add("deal.moved", deal=deal, by=by, payload={"from": last.to_stage_id, **told(by)})
    return stage


def _last_moves(deal: Deal) -> tuple[StageChange | None, StageChange | None]:
    """The last one, and the one by which the deal had entered the stage that it then left."""
    moves = StageChange.select().where(StageChange.deal == deal)
    newest = list(moves.order_by(StageChange.at.desc(), StageChange.id.desc()).limit(20))
    last = newest[0] if newest else None
    entered = (
        change
        for change in newest[1:]
        if last and change.to_stage_id == last.from_stage_id and change.reason != UNDONE
    )
    return last, next(entered, None)


def _title(title: str) -> str:
    if not clean(title, 120):
        raise Refused("must not be empty", field="title")
    return clean(title, 120)


def _amount(amount: Decimal | None) -> Decimal | None:
    check_amount(amount)
    return amount


def _priority(priority: int) -> int:
    if priority not in PRIORITIES:
        raise Refused("-1, 0 or 1", field="priority")
    return priority


def _contact(contact: Contact | None) -> Contact | None:
    return contact


READERS: dict[str, Any] = {
    "title": _title,
    "amount": _amount,
    "priority": _priority,
    "contact": _contact,
}
"""What can be changed on a card, and what makes a column's value of it or raises Refused."""
