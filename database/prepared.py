"""Queries whose SQL is built once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import peewee

from database import database


class Prepared:
    """A query for what is asked on every call: its SQL is built once and then only filled in, since
    building takes several times as long as the database needs to answer.

    ``build`` gets as many values as it has parameters, and puts them where constants would stand;
    they must be given as the database holds them (numbers in E.164, times in milliseconds).
    """

    def __init__(self, build: Callable[..., Any]) -> None:
        self._build = build
        self._built: tuple[Any, str, list[Any], Any] = (None, "", [], None)

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """The rows, as tuples of what the database holds. Raises peewee's errors."""
        cursor = self._carried_out(values)
        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def models(self, *values: Any) -> list[Any]:
        """The rows as objects, where the query selects one table with all its columns."""
        table = self._current(len(values))[3]
        columns = [(field.name, field.python_value) for field in table._meta.sorted_fields]
        found = []
        for row in self.rows(*values):
            pairs = zip(columns, row, strict=True)
            one = table(__no_default__=True)
            one.__data__.update((name, read(value)) for (name, read), value in pairs)
            found.append(one)
        return found

    def change(self, *values: Any) -> int:
        """Carry out a query that gives no rows. Returns how many it has changed. Raises peewee's
        errors."""
        return int(database.rows_affected(self._carried_out(values)))

    def add(self, *values: Any) -> int:
        """Carry out the insertion of one row. Returns its id. Raises peewee's errors."""
        cursor = self._carried_out(values)
        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            if database.returning_clause:
                return int(cursor.fetchone()[0])
            return int(cursor.lastrowid)

    def _carried_out(self, values: tuple[Any, ...]) -> Any:
        _, sql, parameters, _ = self._current(len(values))
        filled = [values[p] if isinstance(p, _Slot) else p for p in parameters]
        return database.execute_sql(sql, filled)

    def _current(self, count: int) -> tuple[Any, str, list[Any], Any]:
        if self._built[0] is not database.obj:  # each kind of database has its own SQL
            slots = [peewee.Value(_Slot(place), converter=False) for place in range(count)]
            query = self._build(*slots)
            self._built = (database.obj, *query.sql(), query.model)
        return self._built


class _Slot(int):
    """Which value comes here."""
