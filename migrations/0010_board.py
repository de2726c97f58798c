"""Indexes for the board: what a column's head counts and sums, and which calls of its cards nobody
has returned."""

from typing import Any

INDEXES = (
    ("deals", ("stage_id", "currency", "amount")),
    ("calls", ("deal_id", "outcome")),
)


def _named(db: Any, table: str) -> dict[tuple[str, ...], str]:
    return {tuple(index.columns): index.name for index in db.get_indexes(table)}


def up(migrator: Any, db: Any) -> None:
    for table, columns in INDEXES:
        # MariaDB can't roll back: after a run that broke off some of them are there.
        if columns not in _named(db, table):
            migrator.migrate(migrator.add_index(table, columns, False))


def down(migrator: Any, db: Any) -> None:
    for table, columns in INDEXES:
        migrator.migrate(migrator.drop_index(table, _named(db, table)[columns]))
