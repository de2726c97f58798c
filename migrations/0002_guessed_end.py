"""Calls whose end was guessed: what the exchange wrote down meanwhile may replace it."""

from typing import Any

from peewee import BooleanField


def up(migrator: Any, db: Any) -> None:
    if "guessed_end" not in {column.name for column in db.get_columns("calls")}:
        migrator.migrate(migrator.add_column("calls", "guessed_end", BooleanField(default=False)))


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.drop_column("calls", "guessed_end"))
