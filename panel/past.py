"""What has happened with a contact, in one timeline: calls, deals, tasks that are done, notes. The
newest first, a page at a time, in one query for each kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import JOIN

from models import Call, Contact, Deal, Note, Phone, Stage, Task, User
from panel.cursor import Cursor
from panel.shown import ms

PAGE = 30


@dataclass(frozen=True)
class Entry:
    """``rank``: the place of the kind among what happened at one moment."""

    at: datetime
    rank: int
    kind: str
    row: Any

    @property
    def cursor(self) -> str:
        return str(Cursor(int(ms(self.at)), self.rank, self.row.id))


@dataclass(frozen=True)
class Past:
    """A page of entries; ``older``: where the next one begins, or ''."""

    entries: list[Entry]
    older: str
    is_first: bool


def of_contact(contact: Contact, user: User, before: str) -> Past:
    """The page after the cursor ``before``; the first for one that can't be read."""
    after = Cursor.read(before)
    entries = [
        Entry(getattr(row, at.name), rank, kind, row)
        for rank, (kind, query, at) in enumerate(_sources(contact, user))
        for row in _rows(query, at, rank, after)
    ]
    entries.sort(key=lambda entry: (-entry.at.timestamp(), entry.rank, -entry.row.id))
    older = entries[PAGE - 1].cursor if len(entries) > PAGE else ""
    return Past(entries[:PAGE], older, after is None)


def _rows(query: Any, at: Any, rank: int, after: Cursor | None) -> list[Any]:
    if after:
        query = query.where(after.older(at, rank))
    return list(query.order_by(at.desc(), at.model.id.desc()).limit(PAGE + 1))


def _sources(contact: Contact, user: User) -> Iterator[tuple[str, Any, Any]]:
    """R1 holds for each kind: a contact may be seen by who may not see all that was said."""
    numbers = Phone.select(Phone.e164).where(Phone.contact == contact)
    nobodys = Call.contact.is_null() & (Call.number << numbers)
    calls = (
        Call.visible_to(user)
        .select(Call, User)
        .join(User, JOIN.LEFT_OUTER, on=(Call.agent == User.id), attr="agent")
        .where((Call.contact == contact) | nobodys)
    )
    yield "call", calls, Call.started_at
    deals = (
        Deal.visible_to(user)
        .select(Deal, Stage, User)
        .join(Stage, on=(Deal.stage == Stage.id), attr="stage")
        .join_from(Deal, User, JOIN.LEFT_OUTER, on=(Deal.owner == User.id), attr="owner")
        .where(Deal.contact == contact)
    )
    yield "deal", deals, Deal.created_at
    done = Task.done_at.is_null(False)
    tasks = Task.visible_to(user).select(Task, User).join(User, JOIN.LEFT_OUTER, attr="owner")
    yield "task", tasks.where(Task.contact == contact, done), Task.done_at
    seen = Note.deal.is_null() | (Note.deal << Deal.visible_to(user).select(Deal.id))
    notes = Note.select(Note, User).join(
        User, JOIN.LEFT_OUTER, on=(Note.author == User.id), attr="author"
    )
    yield "note", notes.where(Note.contact == contact, seen), Note.at
