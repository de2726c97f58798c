"""What happened on a card, in one line: calls, notes, moves, changes, finished tasks, and for heads
who listened. The newest first, a page at a time, in a constant number of queries.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from flask_babel import gettext as _
from peewee import JOIN

from models import Call, Deal, Event, Note, Stage, StageChange, Task, User
from panel.cursor import Cursor
from panel.shown import ms
from verbs.deals import UNDONE

PAGE = 30
SHOWS = ("all", "calls", "notes")
LISTENS = ("listen.started", "listen.changed", "listen.ended")
EDITS = (
    "deal.assigned", "deal.changed", "contact.changed", "contact.checked", "contact.number_added",
    "contact.number_removed", "contact.merged", "contact.parted",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One thing that happened. ``kind``: call, note, move, edit, task or listen; ``row``: the row
    that tells of it; ``rank``: the place of the kind among what happened in one moment."""

    at: datetime
    rank: int
    kind: str
    row: Any
    stayed: timedelta | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.row.id}"

    @property
    def cursor(self) -> str:
        """Where the next page begins, if this is the last of one."""
        return str(Cursor(int(ms(self.at)), self.rank, self.row.id))

    @property
    def order(self) -> tuple[float, int, int]:
        return (-self.at.timestamp(), self.rank, -self.row.id)


@dataclass(frozen=True)
class Timeline:
    """A page of entries; ``older``: the cursor of the next one, or ''. ``names``: of users."""

    entries: list[Entry]
    older: str
    show: str
    names: dict[int, str]


@dataclass(frozen=True)
class Source:
    """``rows``: a query of one kind of entries. ``at``: the column with its moment."""

    kind: str
    rows: Any
    at: Any


def of_deal(deal: Deal, user: User, show: str = "all", before: str = "") -> Timeline:
    """The page after the cursor ``before``, or the first for one that can't be read."""
    show = show if show in SHOWS else "all"
    after = Cursor.read(before)
    entries: list[Entry] = []
    for rank, (shows, make) in enumerate(SOURCES):
        if show in shows and (make is not _listens or user.sees_all):
            entries += _entries(make(deal, user), rank, after)
    entries.sort(key=lambda entry: entry.order)
    older = entries[PAGE - 1].cursor if len(entries) > PAGE else ""
    return Timeline(entries[:PAGE], older, show, _names())


def _entries(source: Source, rank: int, after: Cursor | None) -> list[Entry]:
    rows, at = source.rows, source.at
    if after:
        rows = rows.where(after.older(at, rank))
    # One more than a page: it tells that there are more, and how long a stage before lasted.
    found = list(rows.order_by(at.desc(), at.model.id.desc()).limit(PAGE + 1))
    moments = [getattr(row, at.name) for row in found]
    stays: list[timedelta | None] = [None] * len(found)
    if source.kind == "move":
        stays[:-1] = [now - was for now, was in pairwise(moments)]
    return [
        Entry(moment, rank, source.kind, row, stayed)
        for moment, row, stayed in zip(moments, found, stays, strict=True)
    ]


def _names() -> dict[int, str]:
    names: Any = User.select(User.id, User.name).tuples()
    return dict(names)


def _calls(deal: Deal, user: User) -> Source:
    rows = (
        Call.visible_to(user)
        .select(Call, User)
        .join(User, JOIN.LEFT_OUTER, on=(Call.agent == User.id), attr="agent")
        .where(Call.deal == deal)
    )
    return Source("call", rows, Call.started_at)


def _notes(deal: Deal, user: User) -> Source:
    """Those of the card, and those that were written of its contact and no card."""
    here = Note.deal == deal
    if deal.contact_id:
        here |= Note.deal.is_null() & (Note.contact == deal.contact_id)
    rows = (
        Note.select(Note, User)
        .join(User, JOIN.LEFT_OUTER, on=(Note.author == User.id), attr="author")
        .where(here)
    )
    return Source("note", rows, Note.at)


def _moves(deal: Deal, user: User) -> Source:
    was, now = Stage.alias(), Stage.alias()
    rows = (
        StageChange.select(StageChange, was, now, User)
        .join(was, JOIN.LEFT_OUTER, on=(StageChange.from_stage == was.id), attr="from_stage")
        .join_from(StageChange, now, on=(StageChange.to_stage == now.id), attr="to_stage")
        .join_from(
            StageChange, User, JOIN.LEFT_OUTER, on=(StageChange.actor == User.id), attr="actor"
        )
        .where(StageChange.deal == deal)
    )
    return Source("move", rows, StageChange.at)


def _edits(deal: Deal, user: User) -> Source:
    return Source("edit", Event.select().where(Event.deal == deal, Event.kind << EDITS), Event.at)


def _tasks(deal: Deal, user: User) -> Source:
    done = Task.visible_to(user).where(Task.deal == deal, Task.done_at.is_null(False))
    return Source("task", done, Task.done_at)


def _listens(deal: Deal, user: User) -> Source:
    """T11: for heads only."""
    rows = Event.select(Event).join(Call, on=(Event.call == Call.id))
    return Source("listen", rows.where(Call.deal == deal, Event.kind << LISTENS), Event.at)


SOURCES: tuple[tuple[tuple[str, ...], Callable[[Deal, User], Source]], ...] = (
    (("all", "calls"), _calls),
    (("all", "notes"), _notes),
    (("all",), _moves),
    (("all",), _edits),
    (("all",), _tasks),
    (("all", "calls"), _listens),
)
"""What is read, and in which views it shows."""


def told(event: Event, names: dict[int, str]) -> str:
    """A change in words, to be put behind the name of who made it."""
    about = event.content
    if event.kind == "deal.assigned":
        given = next((one for one in about["deal_for"] if one != about.get("was")), None)
        if given is None:
            return _("took the deal from %(name)s", name=names.get(about.get("was") or 0, "–"))
        return _("gave the deal to %(name)s", name=names.get(given, "–"))
    if event.kind in ("deal.changed", "contact.changed"):
        words = ", ".join(_fields().get(name, name) for name in about.get("changed", ()))
        return _("changed: %(fields)s", fields=words)
    return {
        "contact.checked": _("checked the contact"),
        "contact.number_added": _("added a number"),
        "contact.number_removed": _("removed a number"),
        "contact.merged": _("merged another contact into this one"),
    }.get(event.kind, _("parted two contacts again"))


def _fields() -> dict[str, str]:
    return {
        "title": _("title"),
        "amount": _("amount"),
        "priority": _("priority"),
        "contact": _("contact"),
        "name": _("name of the contact"),
        "company": _("company"),
        "position": _("position"),
        "email": _("email"),
        "tags": _("tags"),
        "owner": _("owner of the contact"),
        "currency": _("currency"),
    }


def is_undone(change: StageChange) -> bool:
    """A move that only takes another back."""
    return change.reason == UNDONE
