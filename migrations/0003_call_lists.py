"""Indexes for the lists of calls: whose they are, who waits for a call back, one called number."""

from typing import Any

INDEXES = (
    ("calls", ("agent_id", "started_at")),
    ("calls", ("did", "started_at")),
    ("calls", ("called_back_at", "outcome", "direction", "started_at")),
    ("legs", ("user_id", "call_id")),
)


def up(migrator: Any, db: Any) -> None:
    for table, columns in INDEXES:
        # MariaDB can't roll back: after a run that broke off some of them are there.
        if columns not in _named(db, table):
            migrator.migrate(migrator.add_index(table, columns, False))


def down(migrator: Any, db: Any) -> None:
    for table, columns in INDEXES:
        migrator.migrate(migrator.drop_index(table, _named(db, table)[columns]))


def _named(db: Any, table: str) -> dict[tuple[str, ...], str]:
    return {tuple(index.columns): index.name for index in db.get_indexes(table)}
