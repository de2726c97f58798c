"""K1: what people have to do. A deal carries when its next task is due, for the board."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from peewee import fn

from database import database, locked
from errors import Conflict, Refused
from fields import clean, utcnow
from models import TASK_KINDS, Call, Contact, Deal, Event, Task, User

LONGEST_TITLE, LONGEST_RESULT = 120, 500
OF_CALLS = {
    "call": "Call back {name}",
    "meeting": "Meeting with {name}",
    "offer": "Offer for {name}",
}
"""Titles by kind of what is to be done because of a call, as they are stored: each reader has them
in the own language. ``HIDDEN``: the name of who has shown none."""
HIDDEN = "a hidden number"


def add(
    title: str,
    due_at: datetime,
    owner: User | None,
    by: User | None,
    kind: str = "todo",
    deal: Deal | None = None,
    contact: Contact | None = None,
    call: Call | None = None,
) -> Task:
    """A new task. Sellers make them for themselves, heads for everybody. Raises Refused."""
    _may_give(owner, by)
    values = {"title": _title(title), "kind": _kind(kind), "due_at": due_at, "owner": owner}
    with database.atomic():
        task = Task.create(
            **values, deal=deal, contact=contact or (deal and deal.contact), call=call
        )
        _tell("task.added", task, by)
    return task


def finish(task: Task, by: User | None, result: str = "", at: datetime | None = None) -> bool:
    """It is done, and this came of it. False: it was done already. Raises Refused."""
    _may_change(task, by)
    at = at or utcnow()
    with database.atomic():
        still_open = (Task.id == task.id) & Task.done_at.is_null()
        said = clean(result, LONGEST_RESULT)
        if not Task.update(done_at=at, result=said).where(still_open).execute():
            return False
        task.done_at, task.result = at, said
        _tell("task.done", task, by)
    return True


def reopen(task: Task, by: User | None) -> bool:
    """It is not done after all. False: it was open. Raises Refused."""
    _may_change(task, by)
    with database.atomic():
        done = (Task.id == task.id) & Task.done_at.is_null(False)
        if not Task.update(done_at=None, result="").where(done).execute():
            return False
        task.done_at, task.result = None, ""
        _tell("task.reopened", task, by)
    return True


def change(task: Task, by: User | None, seen: dict[str, Any] | None = None, **about: Any) -> bool:
    """Another title, kind, due_at or owner. False: nothing differs.

    ``seen``: columns, and whether it was ``done``, as the person saw them; Conflict if somebody
    else has changed one of them since. Raises Refused.
    """
    checks = {"title": _title, "kind": _kind}
    if "owner" in about:
        _may_give(about["owner"], by)
    values = {k: checks[k](v) if k in checks else v for k, v in about.items()}
    with database.atomic():
        task = locked(Task.select().where(Task.id == task.id)).get()
        _may_change(task, by)
        _check_seen(task, seen or {}, values)
        was = task.owner_id
        task.assign(**values)
        if not task.dirty_fields:
            return False
        if Task.due_at in task.dirty_fields:
            # Put off: it is told of again when that time comes.
            task.reminded_at = None
        task.save(only=task.dirty_fields)
        _tell("task.changed", task, by, also=[was])
    return True


def remind(at: datetime) -> int:
    """Announce the open tasks that are due at ``at``, each once. Returns how many."""
    due = Task.select().where(Task.done_at.is_null(), Task.due_at <= at, Task.reminded_at.is_null())
    told = 0
    for task in due:
        with database.atomic():
            mine = (Task.id == task.id) & Task.reminded_at.is_null()
            if Task.update(reminded_at=at).where(mine).execute():
                _tell("task.due", task, None)
                told += 1
    return told


def renew_next(deal_id: int | None) -> None:
    """Write on the deal when its next open task is due."""
    if deal_id:
        open_ones = Task.select(fn.MIN(Task.due_at)).where(
            Task.deal == deal_id, Task.done_at.is_null()
        )
        Deal.update(next_due=open_ones.scalar()).where(Deal.id == deal_id).execute()


def _title(title: str) -> str:
    if not clean(title, LONGEST_TITLE):
        raise Refused("must not be empty", field="title")
    return clean(title, LONGEST_TITLE)


def _kind(kind: str) -> str:
    if kind not in TASK_KINDS:
        raise Refused("one of {task_kinds}", field="kind", task_kinds=", ".join(TASK_KINDS))
    return kind


def _may_give(owner: User | None, by: User | None) -> None:
    if by is not None and not by.sees_all and (owner is None or owner.id != by.id):
        raise Refused("Only a head gives tasks to others.")
    if owner is not None and not owner.active:
        raise Refused("{login} is disabled", field="owner", login=owner.login)


def _may_change(task: Task, by: User | None) -> None:
    if by is None or by.sees_all or task.owner_id == by.id:
        return
    if task.deal is None or task.deal.owner_id != by.id:
        raise Refused("This task belongs to somebody else.")


def _check_seen(now: Task, seen: dict[str, Any], wanted: dict[str, Any]) -> None:
    """What both want the same is no conflict."""
    holds = {**now.__data__, "done": now.done_at is not None}
    for key, value in seen.items():
        if holds[key] != value and not (key in wanted and getattr(now, key) == wanted[key]):
            raise Conflict("Somebody else changed this just now. Look at it again.")


def _tell(kind: str, task: Task, by: User | None, also: Iterable[int | None] = ()) -> None:
    renew_next(task.deal_id)
    # Nobody's is for whose deal it is about.
    whose = task.owner_id or (task.deal and task.deal.owner_id)
    people = sorted({user for user in (whose, *also) if user})
    Event.add(kind, deal=task.deal, by=by, payload={"task": task.id, "task_for": people})
