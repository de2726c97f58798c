"""Lists of tasks: whose, in which order, and what their rows show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import abort, request
from peewee import JOIN, fn

from fields import EPOCH, utcnow
from models import Call, Contact, Deal, Department, Phone, Task, User
from panel.auth import viewer
from panel.due import Days, today_began
from panel.shown import ms
from panel.urls import as_dict, whole

PAGE = 100
"""Open tasks that are shown at a time, and finished ones of today."""
COUNTED = 99
"""The badge counts as far as this, and then says that there are more."""


@dataclass(frozen=True)
class Row:
    """A task as a list shows it. ``deal`` and ``contact``: only if the viewer may see them.
    ``number``: whom to call, in E.164; ``dialled``: the deal or call that lets the viewer."""

    task: Task
    group: str
    deal: Deal | None = None
    contact: Contact | None = None
    number: str | None = None
    dialled: Deal | Call | None = None

    @property
    def is_mine(self) -> bool:
        return self.task.owner_id == viewer().id


@dataclass
class Page:
    """Open tasks by group (GROUPS, those that have some), what was finished today, and where the
    next page begins."""

    groups: dict[str, list[Row]] = field(default_factory=dict)
    done: list[Row] = field(default_factory=list)
    more: str | None = None

    @property
    def is_empty(self) -> bool:
        return not self.groups and not self.done


class View:
    """Whose tasks the page shows: the viewer's, for heads also ``of`` all, nobody (none), a person
    (person-5) or a department (department-2)."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.of = request.args.get("of", "") if user.sees_all else ""
        kind, _dash, number = self.of.partition("-")
        self.number = whole(number)
        if self.of not in ("", "all", "none"):
            known: dict[str, Any] = {"person": User, "department": Department}
            table = known.get(kind) or abort(404)
            _there = table.get_or_none(table.id == (self.number or 0)) or abort(404)
        self.after = request.args.get("after", "")
        self.departments = (
            list(Department.select().order_by(Department.name)) if user.sees_all else []
        )
        self.people = people()

    def query_string(self, **others: Any) -> dict[str, Any]:
        return as_dict(of=self.of or None, **others)

    def tasks(self) -> Any:
        if not self.of:
            return of_user(self.user)
        query = Task.visible_to(self.user)
        if self.of == "none":
            return query.where(Task.owner.is_null())
        if self.of.startswith("person"):
            return query.where(Task.owner == self.number)
        if self.of.startswith("department"):
            members = User.select(User.id).where(User.department == self.number)
            return query.where(Task.owner << members)
        return query

    def page(self) -> Page:
        page, days = Page(), Days.around(utcnow())
        open_ones = self.tasks().where(Task.done_at.is_null(), _after(self.after))
        # Those without a time come last, on every kind of database.
        order = (Task.due_at.is_null(), Task.due_at, Task.id)
        found = list(_joined(open_ones).order_by(*order).limit(PAGE + 1))
        done: list[Task] = []
        if not self.after:
            today = self.tasks().where(Task.done_at >= today_began(days.now))
            done = list(_joined(today).order_by(Task.done_at.desc(), Task.id.desc()).limit(PAGE))
        shown = found[:PAGE]
        rows = _rows([*shown, *done], days)
        for row in rows[: len(shown)]:
            page.groups.setdefault(row.group, []).append(row)
        page.done = rows[len(shown) :]
        page.more = _position(shown[-1]) if len(found) > PAGE else None
        return page


def of_user(user: User) -> Any:
    """A user's tasks: given to this user, or to nobody on one of this user's deals."""
    own_deal = fn.EXISTS(Deal.select(Deal.id).where(Deal.id == Task.deal, Deal.owner == user))
    mine = (Task.owner == user) | (Task.owner.is_null() & own_deal)
    return Task.select().where(mine)


def of_deal(deal: Deal) -> list[Row]:
    """The open tasks of a deal that the viewer sees, those due first in front."""
    open_ones = Task.select().where(Task.deal == deal, Task.done_at.is_null())
    order = (Task.due_at.is_null(), Task.due_at, Task.id)
    return _rows(list(_joined(open_ones).order_by(*order).limit(PAGE)), Days.around(utcnow()))


def row_of(task: Task) -> Row:
    found = _joined(Task.select().where(Task.id == task.id)).get()
    return _rows([found], Days.around(utcnow()))[0]


def counts() -> tuple[int, int, int]:
    """Of the viewer's tasks: how many are late or due today, how many of these are late, and as far
    as it was counted."""
    now = utcnow()
    waiting = Task.done_at.is_null(), Task.due_at < Days.around(now).today_ends
    due = of_user(viewer()).where(*waiting).select(Task.due_at).order_by(Task.due_at)
    times = [task.due_at for task in due.limit(COUNTED + 1)]
    return len(times), sum(time < now for time in times), COUNTED


def people() -> list[User]:
    """To whom the viewer may give tasks; only heads may."""
    if not viewer().sees_all:
        return []
    return list(User.select().where(User.active).order_by(User.name, User.id))


def _joined(query: Any) -> Any:
    """With deal, contact, call and owner in the same rows."""
    return (
        query.select(Task, Deal, Contact, Call, User)
        .join(Deal, JOIN.LEFT_OUTER, on=(Task.deal == Deal.id), attr="deal")
        .join_from(Task, Contact, JOIN.LEFT_OUTER, on=(Task.contact == Contact.id), attr="contact")
        .join_from(Task, Call, JOIN.LEFT_OUTER, on=(Task.call == Call.id), attr="call")
        .join_from(Task, User, JOIN.LEFT_OUTER, on=(Task.owner == User.id), attr="owner")
    )


def _rows(tasks: list[Task], days: Days) -> list[Row]:
    seen = _Seen(tasks)
    return [seen.row(task, days) for task in tasks]


class _Seen:
    """What the viewer may see of what some tasks are about. Three queries at most."""

    def __init__(self, tasks: list[Task]) -> None:
        self.user = viewer()
        calls = [task for task in tasks if task.kind == "call"]
        self.numbers = _numbers(task.contact_id for task in calls)
        self.calls = {task.call_id for task in calls if task.call_id}
        self.contacts = {task.contact_id for task in tasks if task.contact_id}
        if not self.user.sees_all:
            self.calls = _ids(Call, Call.visible_to(self.user), self.calls)
            self.contacts = _ids(Contact, Contact.visible_to(self.user), self.contacts)

    def row(self, task: Task, days: Days) -> Row:
        is_own = task.deal and (self.user.sees_all or task.deal.owner_id == self.user.id)
        deal = task.deal if is_own else None
        contact = task.contact if task.contact_id in self.contacts else None
        call = task.call if task.call_id in self.calls else None
        first = self.numbers.get(task.contact_id) if contact and task.kind == "call" else None
        number = call.number if call else first
        # Through the deal, the call is put on its card.
        on_card = number and deal and self.numbers.get(deal.contact_id) == number
        return Row(
            task=task,
            group=days.group(task.due_at),
            deal=deal,
            contact=contact,
            number=number,
            dialled=deal if on_card else call,
        )


def _ids(table: Any, visible: Any, wanted: set[int]) -> set[int]:
    """Those of the wanted rows that are visible."""
    if not wanted:
        return set()
    return {row.id for row in visible.select(table.id).where(table.id << wanted)}


def _numbers(contacts: Iterable[int | None]) -> dict[int | None, str]:
    """The first number of each contact."""
    ids = sorted({contact for contact in contacts if contact})
    phones = Phone.select().where(Phone.contact << ids).order_by(Phone.id.desc()) if ids else ()
    return {phone.contact_id: phone.e164 for phone in phones}


def _position(task: Task) -> str:
    """Where a task stands in the list: its time in milliseconds (or 'none') and its id."""
    return f"{ms(task.due_at) or 'none'}.{task.id}"


def _after(position: str) -> Any:
    if not position:
        return Task.id > 0
    time, _dot, number = position.partition(".")
    task, since = whole(number), whole(time)
    if task is None or (since is None and time != "none") or (since or 0) > 10**14:
        abort(404)
    if since is None:
        return Task.due_at.is_null() & (Task.id > task)
    at = EPOCH + timedelta(milliseconds=since)
    same = (Task.due_at == at) & (Task.id > task)
    return Task.due_at.is_null() | (Task.due_at > at) | same
