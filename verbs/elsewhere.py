"""C3: where else somebody is named who is to be erased: in what was written of others, in the audit
trail, in merges that could be undone. It is looked for before anything is locked, as all texts
are read through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from fields import readable
from models import (
    Call,
    Company,
    Contact,
    Deal,
    Event,
    Merge,
    Note,
    StageChange,
    Task,
    User,
)
from verbs import search

GONE = "…"
"""What stands where a name or number stood."""
TEXTS: tuple[tuple[Any, str], ...] = (
    (Note, "text"),
    (Task, "title"),
    (Task, "result"),
    (Deal, "title"),
    (Deal, "lost_reason"),
    (StageChange, "reason"),
    (Company, "notes"),
    (Event, "payload"),
)
AS_JSON = {Event, Merge}


@dataclass(frozen=True)
class Mentions:
    """Rows by table and column, and what in them is to go."""

    words: tuple[str, ...]
    rows: tuple[tuple[Any, str, int], ...]
    merges: tuple[int, ...]
    calls: tuple[int, ...]

    def erase(self) -> int:
        """In the caller's transaction. Returns in how many rows something was."""
        for table, column, row in self.rows:
            found = table.get_or_none(table.id == row)
            if found is not None:
                fresh = _without(getattr(found, column), _as_in(table, self.words))
                table.update(**{column: fresh}).where(table.id == row).execute()
        search.keep("deal", [row for table, _, row in self.rows if table is Deal])
        for merge in self.merges:
            Merge.delete().where(Merge.id == merge).execute()
        for call in self.calls:
            Call.update(name="").where(Call.id == call).execute()
        return len(self.rows) + len(self.merges) + len(self.calls)


def mentions(name: str, email: str, numbers: Iterable[str]) -> Mentions:
    """A name only if it is one of several words that no other contact and no user has."""
    written = [number for e164 in numbers for number in _notations(e164)]
    whole = name if _is_only(name) else ""
    words = tuple(dict.fromkeys(word for word in (*written, email, whole) if word))
    if not words:
        return Mentions((), (), (), ())
    rows = tuple(
        (table, column, row) for table, column in TEXTS for row in _with(table, column, words)
    )
    merges = tuple(_with(Merge, "before", words))
    # Rings from a number that is not known as this person's, but under the name.
    named: Any = Call.select(Call.id).where(Call.name == whole, Call.contact.is_null())
    calls = tuple(row for (row,) in named.tuples()) if whole else ()
    return Mentions(words, rows, merges, calls)


def folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _notations(e164: str) -> list[str]:
    return [e164, readable(e164), e164[1:]]


def _is_only(name: str) -> bool:
    if len(name.split()) < 2:
        return False
    others = Contact.select().where(Contact.name == name).count() > 1
    return not others and not User.select().where(User.name == name).exists()


def _with(table: Any, column: str, words: tuple[str, ...]) -> list[int]:
    field = getattr(table, column)
    some = reduce(or_, (field.contains(word) for word in _as_in(table, words)))
    return [row for (row,) in table.select(table.id).where(some).tuples()]


def _as_in(table: Any, words: tuple[str, ...]) -> tuple[str, ...]:
    if table not in AS_JSON:
        return words
    return tuple(json.dumps(word)[1:-1] for word in words)


def _without(text: str | None, words: tuple[str, ...]) -> str | None:
    for word in sorted(words, key=len, reverse=True):
        text = re.sub(re.escape(word), GONE, text, flags=re.IGNORECASE) if text else text
    return text
