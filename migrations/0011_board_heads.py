"""Indexes that hold all that the heads of the board's columns count, of everybody's deals and of
one owner's, so that no deal has to be read for it."""

from typing import Any

ALL = ("stage_id", "currency", "amount", "stage_since", "next_due", "closed_at", "priority")
OWN = ("owner_id", "stage_id", "currency", "amount")
BEFORE = ("stage_id", "currency", "amount")


def _named(db: Any) -> dict[tuple[str, ...], str]:
    return {tuple(index.columns): index.name for index in db.get_indexes("deals")}


def up(migrator: Any, db: Any) -> None:
    # MariaDB can't roll back: after a run that broke off some of it is done.
    for columns in (ALL, OWN):
        if columns not in _named(db):
            migrator.migrate(migrator.add_index("deals", columns, False))
    if BEFORE in _named(db):
        migrator.migrate(migrator.drop_index("deals", _named(db)[BEFORE]))


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.add_index("deals", BEFORE, False))
    for columns in (ALL, OWN):
        migrator.migrate(migrator.drop_index("deals", _named(db)[columns]))
