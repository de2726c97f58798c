"""What people change on a card besides its stage and its owner."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from database import database, locked
from errors import Conflict, Refused
from fields import check_amount, checked_priority, deal_title, utcnow
from models import (
    Call,
    Contact,
    Deal,
    Event,
    Stage,
    StageChange,
    Task,
    User,
)
from verbs import search

UNDONE = "undone"
"""The reason that a move carries which only takes another back; so is a reassigning marked."""


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
    never left, with the amount that it had. Returns that stage. Raises Refused, or Conflict if
    somebody moved it since."""
    deal._may_change(by)
    last, entered = _last_moves(deal)
    if last is None or last.from_stage is None or last.actor_id != by.id or last.reason == UNDONE:
        raise Refused("There is no move of yours to take back.")
    stage, since = last.from_stage, entered.at if entered else deal.created_at
    with database.atomic():
        stage.keep()
        back = deal._conditional(
            (Deal.stage == last.to_stage_id) & deal._same_owner(),
            stage=stage,
            stage_since=since,
            closed_at=since if stage.is_closed else None,
            lost_in_stage=entered.from_stage if entered and stage.kind == "lost" else None,
            lost_reason=entered.reason if entered and stage.kind == "lost" else None,
            amount=_amount_before(deal),
        )
        if not back:
            raise Conflict("Somebody else moved this deal just now.")
        change = deal._changed_stage(last.to_stage, stage, by, utcnow(), UNDONE)
        Event.add("deal.moved", deal=deal, by=by, payload=deal.moved(change, by))
    return stage


def _amount_before(deal: Deal) -> Decimal | None:
    """That before the last move; what somebody has written since stays."""
    now = locked(Deal.select().where(Deal.id == deal.id)).get().amount
    moves = Event.of_kind("deal.moved").where(Event.deal == deal)
    moved = moves.order_by(Event.id.desc()).first()
    if moved is None or "amount" not in moved.content:
        return now
    before, after = (one and Decimal(one) for one in moved.content["amount"])
    return before if now == after else now


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


def assign(deal: Deal, owner: User | None, by: User | None) -> bool:
    """R2: another owner. False: owns it already. Raises Refused or Conflict."""
    if by is not None and not by.sees_all:
        raise Refused("Only a head can reassign a deal.")
    if owner is not None and not owner.active:
        raise Refused("{login} is disabled", field="owner", login=owner.login)
    if deal.owner_id == (owner and owner.id):
        return False
    _give(deal, owner, by, Task.id > 0)
    return True


def _give(deal: Deal, owner: User | None, by: User | None, which: Any, **about: Any) -> None:
    """The deal, and what the one before has still to do about it, as far as ``which`` holds.
    The event tells which tasks those were, for taking it back. Raises Conflict."""
    was = deal.owner_id
    with database.atomic():
        if not deal._conditional(deal._same_owner(), owner=owner):
            raise Conflict("Somebody else reassigned this deal just now.")
        theirs = (Task.deal == deal) & (Task.owner == was) & Task.done_at.is_null() & which
        handed = [task.id for task in Task.select(Task.id).where(theirs).order_by(Task.id)]
        Task.update(owner=owner).where(Task.id << handed).execute()
        told_of = {"was": was, "tasks": handed, **about}
        Event.add("deal.assigned", deal=deal, by=by, also=[was], payload=told_of)


def take_back_owner(deal: Deal, by: User) -> User | None:
    """Undo the last reassigning, if it was this head's: the deal is again with the one who had it,
    or with nobody, and so are the tasks that went with it or came since. Returns that person.
    Raises Refused, or Conflict if somebody reassigned it since ``deal`` was read."""
    of_deal = Event.of_kind("deal.assigned").where(Event.deal == deal)
    given = of_deal.order_by(Event.id.desc()).first()
    if given is None or given.user_id != by.id or given.content.get(UNDONE) or not by.sees_all:
        raise Refused("There is nothing of yours to take back.")
    before = User.get_or_none(User.id == given.content["was"])
    if before is not None and not before.active:
        raise Refused("{login} is disabled", field="owner", login=before.login)
    # What the present owner had to do about it already stays with them.
    went = (Task.id << given.content.get("tasks", [])) | (Task.created_at >= given.at)
    _give(deal, before, by, went, **{UNDONE: True})
    return before


def _amount(amount: Decimal | None) -> Decimal | None:
    check_amount(amount)
    return amount


def _contact(contact: Contact | None) -> Contact | None:
    return contact


READERS: dict[str, Any] = {
    "title": deal_title,
    "amount": _amount,
    "priority": checked_priority,
    "contact": _contact,
}
"""What can be changed on a card, and what makes a column's value of it or raises Refused."""
