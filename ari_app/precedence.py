"""Which calls are recorded first. Pure.

Those that ended first: should the process die in between, what is missing is later than what is
there, and so it is looked for. Where not all are recorded now, up to half of them are calls that
nobody has been told of yet: for whose phone rings wants to know who it is.
"""

from __future__ import annotations

from collections.abc import Collection
from heapq import nsmallest
from itertools import islice
from math import inf

from ari_app.ledger import Ledger

PART = 200
"""Calls in one transaction, in whatever order: other processes wait for it, so it must be short."""
PORTIONS = 50
"""In so many at most, what is due is recorded that was not all recorded at once: not ever fewer of
ever more, as all of them are looked at to find those."""


def in_order(
    ledger: Ledger, due: Collection[str], recorded: Collection[str], most: int | None = None
) -> list[str]:
    """The linkedids that are ``due``, or about ``most`` of them; ``recorded``: those that were so
    before, in part."""
    count = len(due) if most is None else max(most, len(due) // PORTIONS)
    if len(due) <= min(count, PART):
        return list(due)

    def ended(linkedid: str) -> float:
        known = ledger.calls.get(linkedid)
        return known.ended_at.timestamp() if known and known.ended_at else inf

    told = count // 2 if count < len(due) else 0
    new = dict.fromkeys(islice((i for i in due if i not in recorded and ended(i) == inf), told))
    others = (i for i in due if i not in new)
    return [*nsmallest(count - len(new), others, key=ended), *new]
