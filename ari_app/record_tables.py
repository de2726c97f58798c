"""Asterisk's records in a database: the tables cdr and cel, as FreePBX, cdr_adaptive_odbc and
cdr_sqlite3 make them, on a connection of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import peewee
from playhouse import db_url

from ari_app.row import BadRow, Clock, Row, SourceError, Table, column_name, kind_of, shown

CONNECT_SECONDS = 5
USUAL = {"cdr": ("cdr", "cdrs"), "cel": ("cel", "cels")}


def connect(source: str) -> Any:
    """A second database, beside Trichter's own."""
    url = re.sub("^mariadb:", "mysql:", source)
    try:
        options = db_url.parse(url, unquote_user=True, unquote_password=True)
        name = options.pop("database")
        if url.startswith("postgres"):
            options |= {"prefer_psycopg3": True, "connect_timeout": CONNECT_SECONDS}
            return peewee.PostgresqlDatabase(name, **options)
        if url.startswith("mysql"):
            options["password"] = options.pop("passwd", None) or options.pop("password", "")
            options.setdefault("connect_timeout", CONNECT_SECONDS)
            return peewee.MySQLDatabase(name, **options)
        if not url.startswith("sqlite:") or not Path(name).is_file():
            raise SourceError(f"{shown(source)}: there is no such database")
        return peewee.SqliteDatabase(name)
    except (ValueError, TypeError, KeyError, RuntimeError, peewee.ImproperlyConfigured) as error:
        raise SourceError(f"{shown(source)}: not an address of a database") from error


def tables(database: Any, clock: Clock, since: datetime | None) -> list[Table]:
    found = []
    for name in database.get_tables():
        columns = [column.name for column in database.get_columns(name)]
        kind = kind_of({column_name(column) for column in columns})
        if kind and name.lower() in (kind, *USUAL[kind]):
            table = peewee.Table(name).bind(database)
            found.append(_counted(kind, table, columns, clock, since))
    if not found:
        raise SourceError("the database has no table with the columns of cdr or cel")
    return sorted(found, key=lambda table: table.kind != "cel")


def _counted(
    kind: str, table: Any, columns: list[str], clock: Clock, since: datetime | None
) -> Table:
    time = getattr(table.c, next(c for c in columns if column_name(c) in ("start", "eventtime")))
    first = table.select(peewee.fn.MIN(time), peewee.fn.MAX(time)).tuples().first()
    size = table.select(peewee.fn.COUNT(time)).scalar()
    return Table(kind, size, lambda: _days(table, columns, time, first, clock, since))


def _days(
    table: Any, columns: list[str], time: Any, span: Any, clock: Clock, since: datetime | None
) -> Iterator[tuple[int, int, Row | BadRow]]:
    """Day by day, so that the table need not fit into memory, nor the database be held for long."""
    names, line = [column_name(column) for column in columns], 0
    own_id = next((getattr(table.c, c) for c in columns if c.lower() in ("id", "acctid")), None)
    for where in _windows(time, span, clock, since):
        order = [time] if own_id is None else [time, own_id]
        for cells in table.select(*_columns(table, columns)).where(where).order_by(*order).tuples():
            line += 1
            yield line, line, {n: _text(c) for n, c in zip(names, cells, strict=True)}


def _columns(table: Any, columns: list[str]) -> list[Any]:
    return [getattr(table.c, column) for column in columns]


def _windows(time: Any, span: Any, clock: Clock, since: datetime | None) -> Iterator[Any]:
    first, last = span
    if first is None:
        return
    try:
        begin = first if isinstance(first, datetime) else datetime.fromisoformat(first)
        end = last if isinstance(last, datetime) else datetime.fromisoformat(last)
    except (TypeError, ValueError):  # seconds since 1970, or rows without a time among them
        yield time.is_null(False)
        return
    if since:
        begin = max(begin, since if begin.tzinfo else clock.local(since))
    as_stored = (lambda moment: moment) if isinstance(first, datetime) else str
    while begin <= end:
        until = begin + timedelta(days=1)
        yield (time >= as_stored(begin)) & (time < as_stored(until))
        begin = until


def _text(value: Any) -> str:
    return (
        ""
        if value is None
        else value.decode("utf-8", "replace")
        if isinstance(value, bytes)
        else str(value)
    )
