"""The index of the search for a world that was written straight into SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spelling import codes, run_codes, words
from tests.world import release, use
from verbs import search


def add(path: Path) -> None:
    """What verbs/search.py keeps, all at once; raises RuntimeError if it finds something left."""
    rows = sqlite3.connect(path, isolation_level=None)
    rows.execute("PRAGMA synchronous = OFF")
    rows.execute("BEGIN")
    with _indexed_at_the_end(rows):
        _fill(rows)
    rows.execute("COMMIT")
    rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    rows.close()
    use(f"sqlite:///{path}")
    left = search.rebuild()
    release()
    if left:
        raise RuntimeError(f"the index of the search lacks {left} rows")


@contextmanager
def _indexed_at_the_end(rows: sqlite3.Connection) -> Iterator[None]:
    """Building an index once takes less than keeping it in step with a million rows."""
    kept = [
        (name, sql)
        for name, sql, table in rows.execute("SELECT name, sql, tbl_name FROM sqlite_master")
        if table in ("mentions", "grams") and sql and "INDEX" in sql
    ]
    for name, _ in kept:
        rows.execute(f'DROP INDEX "{name}"')
    yield
    for _, sql in kept:
        rows.execute(sql)


def _fill(rows: sqlite3.Connection) -> None:
    known: dict[str, int] = {}
    for kind, query in _TEXTS.items():
        found = [
            (known.setdefault(word, len(known) + 1) if word else search.NOTHING, kind, row)
            for row, *texts in rows.execute(query).fetchall()
            for word in words(" ".join(t for t in texts if t and not t.startswith("+"))) or [""]
        ]
        rows.executemany("INSERT INTO mentions (word, kind, row) VALUES (?, ?, ?)", found)
    rows.executemany("INSERT INTO words (text, id) VALUES (?, ?)", known.items())
    grams = "INSERT INTO grams (gram, kind, row) VALUES (?, ?, ?)"
    rows.executemany(grams, ((g, "word", n) for w, n in known.items() for g in sorted(codes(w))))
    for kind, query in _NUMBERS.items():
        numbers = rows.execute(query).fetchall()
        rows.executemany(grams, ((g, kind, n) for n, e in numbers for g in sorted(run_codes(e))))


_TEXTS = {
    "company": "SELECT id, name, website FROM companies",
    "contact": "SELECT t.id, t.name, t.email, t.position, t.tags, c.name FROM contacts t"
    " LEFT JOIN companies c ON c.id = t.company_id",
    "deal": "SELECT d.id, d.title, t.name, c.name FROM deals d"
    " LEFT JOIN contacts t ON t.id = d.contact_id LEFT JOIN companies c ON c.id = t.company_id",
}
_NUMBERS = {
    "phone": "SELECT id, e164 FROM phones",
    "call": "SELECT MIN(id), number FROM calls WHERE contact_id IS NULL GROUP BY number",
}
