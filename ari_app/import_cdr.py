"""``trichter import-cdr``: months of records, with progress, as often as one likes."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from ari_app.catchup import Import
from ari_app.records import opened
from ari_app.row import BadRow, Clock, SourceError, Table, shown
from database import database
from errors import TrichterError
from settings import Settings
from verbs.phones import known_endpoints

MOST_NAMED = 20
"""Bad rows that are named; all are counted."""


def run(
    settings: Settings,
    source: str,
    since: str | None = None,
    timezone: str | None = None,
    pbx: str | None = None,
    deals: bool = False,
) -> None:
    """Enter what ``source`` has. Raises TrichterError, click.UsageError, the database's errors."""
    if not source:
        raise click.UsageError("name a SOURCE, or set [calls] cdr")
    if pbx is not None and not 1 <= len(pbx) <= 64:
        raise click.UsageError("--pbx: 1 to 64 characters")
    clock = _clock(settings.calls.cdr_timezone if timezone is None else timezone)
    bad: list[BadRow] = []
    try:
        with database.connection_context():
            phones = known_endpoints()
            if not phones:
                raise TrichterError("no user has a phone yet; 'trichter user add' comes first")
            reading = Import(
                pbx or settings.pbx.name, clock, phones.__contains__, _moment(since, clock),
                deals=deals, on_bad=lambda row: _name(bad, row),
            )  # fmt: skip
            _read(reading, source)
    except SourceError as error:
        raise TrichterError(str(error)) from error
    click.echo(f"{reading.calls} calls entered from {shown(source)}, {reading.bad} rows left out")
    if reading.bad and not reading.found:
        raise TrichterError("no row can be used; is it CDR or CEL?", field=shown(source))


def _clock(timezone: str) -> Clock:
    try:
        return Clock(timezone)
    except SourceError as error:
        raise click.UsageError(f"--timezone: {error}") from error


def _moment(since: str | None, clock: Clock) -> datetime | None:
    try:
        return clock.read(since) if since else None
    except ValueError as error:
        raise click.UsageError("--since: write 2026-01-31, or 2026-01-31T08:00") from error


def _name(named: list[BadRow], row: BadRow) -> None:
    named.append(row)
    if len(named) <= MOST_NAMED:
        click.echo(f"line {row.line}: {row.why}"[:300], err=True)


def _read(reading: Import, source: str) -> None:
    with opened(source, reading.clock, reading.since) as tables:
        for table in tables:
            _show(reading, table)


def _show(reading: Import, table: Table) -> None:
    with click.progressbar(length=table.size, label=table.kind.upper(), file=sys.stderr) as bar:
        for place in reading.read(table):
            bar.update(place - bar.pos)
