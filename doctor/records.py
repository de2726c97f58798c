"""Where the calls are found that nobody heard."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import peewee

import database
from ari_app.records import opened
from ari_app.row import Clock, SourceError, shown
from doctor.check import FAULT, GOOD, NOTE, Check
from errors import Sentence, Words
from models import Call
from settings import Settings

SLOW = timedelta(minutes=10)
"""By which CDR may be late: it can be written in batches."""


def checks(settings: Settings) -> Iterator[Check]:
    subject, source = "calls.cdr", settings.calls.cdr
    if not source:
        fix = Words(
            "[calls] cdr: Asterisk's Master.csv or CDR database; see asterisk_conf/cdr.conf"
        )
        away = Words("not set: calls while Trichter is away are not entered")
        yield Check(NOTE, subject, away, fix)
        return
    try:
        with opened(source, Clock(settings.calls.cdr_timezone)) as tables:
            kinds = ", ".join(table.kind.upper() for table in tables)
    except SourceError as error:
        fix = Words(
            "name a file or database that this user may read; asterisk -rx 'cdr show status'"
        )
        yield Check(FAULT, subject, str(error), fix)
        return
    if "://" not in source and _has_stopped(Path(source)):
        fix = Words("asterisk -rx 'cdr show status' and 'cel show status'; is it the right file?")
        finding = Sentence("{source} does not grow, though there are calls", source=source)
        yield Check(FAULT, subject, finding, fix)
    else:
        finding = Sentence("{kinds} from {source}", kinds=kinds, source=shown(source))
        yield Check(GOOD, subject, finding)


def _has_stopped(file: Path) -> bool:
    """Whether calls have ended since it was last written."""
    written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    try:
        latest = Call.select(peewee.fn.MAX(Call.ended_at)).where(~Call.guessed_end).scalar()
    except database.DATABASE_ERRORS:
        return False  # said above
    return bool(latest) and latest - written > SLOW
