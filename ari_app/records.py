"""Where Asterisk writes down what its calls were: a file, or a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import peewee

from ari_app import record_files, record_tables
from ari_app.row import Clock, SourceError, Table, shown

BEGUN_WITHIN = timedelta(hours=12)
"""How long before a moment a call may have begun that goes on after it."""


@contextmanager
def opened(source: str, clock: Clock, since: datetime | None = None) -> Iterator[list[Table]]:
    """The tables of a source: a file, or the address of a database. CEL comes before CDR, which
    knows less. Rows of calls that ended before ``since`` may be left out. Raises SourceError."""
    since = since and since - BEGUN_WITHIN
    if "://" not in source:
        yield [record_files.table(Path(source), clock, since)]
        return
    other = record_tables.connect(source)
    try:
        other.connect()
        tables = record_tables.tables(other, clock, since)
    except peewee.PeeweeException as error:
        other.close()
        raise SourceError(f"{shown(source)}: {' '.join(str(error).split())[:200]}") from error
    try:
        yield tables
    finally:
        other.close()
