"""Where a page of what has happened ends, and the next one goes on: a history is read from several
tables, so a moment alone does not tell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fields import EPOCH

_WRITTEN = re.compile(r"([0-9]{1,13})-([0-9])-([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True)
class Cursor:
    """The last entry of a page: its moment in milliseconds since 1970, the rank of its kind among
    what happened in one moment, and the id of its row."""

    at: int
    rank: int
    row: int

    def __str__(self) -> str:
        return f"{self.at}-{self.rank}-{self.row}"

    @classmethod
    def read(cls, text: str) -> Cursor | None:
        """None for one that can't be read."""
        found = _WRITTEN.fullmatch(text)
        return cls(int(found[1]), int(found[2]), int(found[3])) if found else None

    def older(self, column: Any, rank: int) -> Any:
        """As a condition on the column with the moment of a kind of this rank: what comes after the
        entry, the newest first."""
        moment = EPOCH + timedelta(milliseconds=self.at)
        if rank > self.rank:
            return column <= moment
        if rank == self.rank:
            return (column < moment) | ((column == moment) & (column.model.id < self.row))
        return column < moment
