"""The base of all tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from peewee import Model

from database import database


def _plural(model: type[Model]) -> str:
    singular = re.sub(r"(?<!^)([A-Z])", r"_\1", model.__name__).lower()
    return re.sub("y$", "ie", singular) + "s"


class Table(Model):
    """Base of all tables: they are named in the plural (``users``, ``stage_changes``)."""

    if TYPE_CHECKING:
        # Peewee makes these by itself: id, owner_id for owner, legs for Leg.call.
        id: Any

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
