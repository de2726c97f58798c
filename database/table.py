"""The base of all tables."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

from peewee import OP, Expression, Model, Node

from database import database
from database.prepared import Prepared


def _plural(model: type[Model]) -> str:
    singular = re.sub(r"(?<!^)([A-Z])", r"_\1", model.__name__).lower()
    return re.sub("y$", "ie", singular) + "s"


class Table(Model):
    """Base of all tables: they are named in the plural (``users``, ``stage_changes``).

    A row found by its id, added or saved is so with SQL that is built once, for each set of columns
    that is saved: Peewee builds it anew each time, which takes longer than all else.
    """

    if TYPE_CHECKING:
        # Peewee makes these by itself: id, owner_id for owner, legs for Leg.call.
        id: Any
        DoesNotExist: Any

        def __getattr__(self, name: str) -> Any: ...

    class Meta:
        database = database
        table_function = _plural
        legacy_table_names = False

    def assign(self, **values: Any) -> None:
        """Assign what differs, so that a row without news is not written again."""
        for name, value in values.items():
            if getattr(self, name) != value:
                setattr(self, name, value)

    @classmethod
    def get(cls, *query: Any, **filters: Any) -> Any:
        """As Peewee's: the first row found. Raises DoesNotExist."""
        key = _key_in(cls, query) if not filters else None
        if key is None:
            return super().get(*query, **filters)
        for found in _by_key(cls).models(key):
            return found
        raise cls.DoesNotExist(f"no row {key} in {cls._meta.table_name}")

    def save(self, force_insert: bool = False, only: Iterable[Any] | None = None) -> Any:
        """As Peewee's: into a new row, or what of it is named by ``only``. Returns the rows
        changed."""
        meta = self._meta
        is_new = self.__data__.get("id") is None
        known = self.__data__ if only is None else self._prune_fields(self.__data__, only)
        data = {name: value for name, value in known.items() if name != "id"}
        self._populate_unsaved_relations(data)
        unusual = force_insert != is_new or (is_new and not _has_defaults(meta, data))
        if unusual or not data or not meta.auto_increment or _has_expressions(data):
            return super().save(force_insert=force_insert, only=only)
        values = [meta.fields[name].db_value(value) for name, value in data.items()]
        if is_new:
            self.__data__["id"], rows = _adding(type(self), tuple(data)).add(*values), 1
        else:
            rows = _saving(type(self), tuple(data)).change(*values, self.id)
        self._dirty.difference_update(data, ("id",) if is_new else ())
        return rows


def _key_in(table: type[Table], query: tuple[Any, ...]) -> int | None:
    """The id, if that is all that is asked for, as by a foreign key."""
    asked = query[0] if len(query) == 1 else None
    if not isinstance(asked, Expression) or not table._meta.auto_increment:
        return None
    by_key = asked.op == OP.EQ and asked.lhs is table._meta.primary_key
    return asked.rhs if by_key and type(asked.rhs) is int else None


def _has_defaults(meta: Any, data: dict[str, Any]) -> bool:
    """Else Peewee would put them in when the SQL is built: the same ones into every row."""
    return all(field.name in data for field in meta.defaults)


def _has_expressions(data: dict[str, Any]) -> bool:
    return any(isinstance(value, Node) for value in data.values())


@cache
def _by_key(table: type[Table]) -> Prepared:
    return Prepared(lambda key: table.select().where(table._meta.primary_key == key))


@cache
def _adding(table: type[Table], names: tuple[str, ...]) -> Prepared:
    return Prepared(lambda *values: table.insert(dict(zip(names, values, strict=True))))


@cache
def _saving(table: type[Table], names: tuple[str, ...]) -> Prepared:
    return Prepared(
        lambda *values: table.update(dict(zip(names, values[:-1], strict=True))).where(
            table._meta.primary_key == values[-1]
        )
    )
