"""What other pages cost where there is much of everything, and two acts on a customer."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bench.panel_pages import Measured
from bench.sales_rows import KNOWN
from bench.visitor import Visitor

NAMES = {
    "contacts_head": "contacts, first page, all",
    "contacts_seller": "contacts, first page, a seller's",
    "calls_head": "calls, first page, all",
    "calls_seller": "calls, first page, a seller's",
    "missed_head": "calls to be returned, all",
    "statistics_head": "call statistics of a week",
    "deal_head": "deal of a customer with many calls",
    "contact_head": "contact with many calls",
    "tasks_head": "tasks, all",
    "tasks_busy": "tasks, a seller with very many",
    "merge": "two contacts become one",
    "erasure": "a contact is erased",
}
_PAGES = {
    "contacts_head": "/contacts",
    "contacts_seller": "/contacts",
    "calls_head": "/calls",
    "calls_seller": "/calls",
    "missed_head": "/calls/missed",
    "statistics_head": "/calls/statistics",
    "deal_head": f"/deals/{KNOWN}",
    "contact_head": f"/contacts/{KNOWN}",
    "tasks_head": "/tasks?of=all",
    "tasks_busy": "/tasks",
}


def figures(people: Sequence[Visitor], times: int, database: Path) -> dict[str, float]:
    """``people``: a head, a seller, and one with very many tasks."""
    roles = dict(zip(("head", "seller", "busy"), people, strict=True))
    found = {name: Measured() for name in NAMES}
    for _ in range(times):
        for name, path in _PAGES.items():
            found[name].add(roles[name.split("_")[1]].ask(path))
    for one, other, name in _customers(database, times):
        both = {"other": other, "keep": one}
        found["merge"].add(people[0].ask(f"/contacts/{one}/merges", both, wanted=303))
        typed = {"name": name}
        found["erasure"].add(people[0].ask(f"/contacts/{one}/erasure", typed, wanted=303))
    return {
        f"{name}_p{percent}_ms": one.ms(percent)
        for name, one in found.items()
        for percent in (50, 95)
    }


def _customers(database: Path, count: int) -> list[tuple[int, int, str]]:
    """Pairs of contacts with deals and calls, and what the first of each is called."""
    with closing(sqlite3.connect(database)) as rows:
        found = rows.execute(
            "SELECT DISTINCT c.id, c.name FROM contacts c JOIN deals d ON d.contact_id = c.id"
            " WHERE c.id != ? AND c.name NOT GLOB '+*' ORDER BY c.id DESC LIMIT ?",
            (KNOWN, 2 * count),
        ).fetchall()
    return [
        (one, other, name) for (one, name), (other, _) in zip(found[::2], found[1::2], strict=True)
    ]
