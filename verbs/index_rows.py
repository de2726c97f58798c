"""Rows of the index of the search, asked for and added with SQL that is built once: a call of
somebody new adds some."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from database.prepared import Prepared

PAGE = 400
"""Rows in one statement: SQLite takes 32,766 values."""
FEW = 40
"""Rows up to which the SQL is kept, for each number of them."""
Build = Callable[[list[int]], Any]


def of_rows(build: Build, ids: list[int]) -> Iterable[tuple[Any, ...]]:
    """What the query for some rows finds. Of one, as calls make them, its SQL is built once."""
    found: Iterable[tuple[Any, ...]]
    found = _of_one(build).rows(*ids) if len(ids) == 1 else build(ids).tuples()
    return found


def insert(first: Any, rows: Iterable[tuple[Any, str, int]]) -> None:
    """Rows that may be there already. ``first``: the field in front of kind and row. The table has
    no defaults: what one gives would be kept with the SQL."""
    new = list(rows)
    for at in range(0, len(new), PAGE):
        page = new[at : at + PAGE]
        if len(page) > FEW:
            _insertion(first, page).execute()
        else:
            _inserting(first, len(page)).change(*(value for row in page for value in row))


def _insertion(first: Any, rows: list[Any]) -> Any:
    table = first.model
    return table.insert_many(rows, [first, table.kind, table.row]).on_conflict_ignore()


@cache
def _inserting(first: Any, count: int) -> Prepared:
    return Prepared(
        lambda *values: _insertion(first, [values[3 * n : 3 * n + 3] for n in range(count)])
    )


@cache
def _of_one(build: Build) -> Prepared:
    return Prepared(lambda row: build([row]))
