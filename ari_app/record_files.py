"""Asterisk's records in a file: Master.csv of cdr_csv, cdr_custom and cel_custom, line by line."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from ari_app.row import BadRow, Clock, Row, SourceError, Table, column_name, kind_of

_CDR_CSV = """
accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration
billsec disposition amaflags
"""
_CEL_CUSTOM = """
eventtype eventtime cid_name cid_num cid_ani cid_rdnis cid_dnid exten context channame appname
appdata amaflags accountcode uniqueid linkedid peer userfield userdeftype extra
"""
CDR_CSV, CEL_CUSTOM = _CDR_CSV.split(), _CEL_CUSTOM.split()
NEW_COLUMNS = ["peeraccount", "linkedid", "sequence"]
UNIQUEID = re.compile(r"(?:.*-)?\d+\.\d+")
CEL_KIND = re.compile("[A-Z]+(_[A-Z]+)*")
FIRST_STEP = 256 * 1024
"""Bytes from the end of a file at which to look for a moment; doubled until it is found."""
LONGEST_LINE = 64 * 1024

Read = Callable[[list[str]], Row]


def table(path: Path, clock: Clock, since: datetime | None) -> Table:
    """The rows of a file, known by their head line, else by how many there are and where the first
    says what happened. Raises SourceError."""
    try:
        with path.open("rb") as file:
            first = file.readline(LONGEST_LINE)
            size = path.stat().st_size
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error
    try:
        head = _cells(first) or []
    except ValueError:
        head = []
    names = [column_name(cell) for cell in head]
    if kind := kind_of(set(names)):
        return Table(kind, size, lambda: _lines(path, _named(names), clock, since, skip=1))
    if len(head) == len(CEL_CUSTOM) and CEL_KIND.fullmatch(head[0]):
        return Table("cel", size, lambda: _lines(path, _named(CEL_CUSTOM), clock, since))
    return Table("cdr", size, lambda: _lines(path, _of_cdr_csv, clock, since))


def _named(names: list[str]) -> Read:
    def read(cells: list[str]) -> Row:
        if len(cells) != len(names):
            raise ValueError(f"{len(cells)} columns instead of {len(names)}")
        return dict(zip(names, cells, strict=True))

    return read


def _of_cdr_csv(cells: list[str]) -> Row:
    """cdr.conf [csv] decides which columns follow the first sixteen."""
    more = len(cells) - len(CDR_CSV)
    if not 0 <= more <= 5:
        raise ValueError(f"{len(cells)} columns instead of 16 to 21")
    names = [*CDR_CSV]
    if more in (1, 4):
        is_unique = UNIQUEID.fullmatch(cells[len(CDR_CSV)])
        names.append("uniqueid" if is_unique else "userfield")
    elif more in (2, 5):
        names += ["uniqueid", "userfield"]
    return dict(zip(names + (NEW_COLUMNS if more >= 3 else []), cells, strict=True))


def _lines(
    path: Path, read: Read, clock: Clock, since: datetime | None, skip: int = 0
) -> Iterator[tuple[int, int, Row | BadRow]]:
    """Each line for itself, so that a quote that is never closed costs one row."""
    with path.open("rb") as file:
        line = _lines_before(file, read, clock, since) if since else 0
        place = file.tell()
        while raw := file.readline(LONGEST_LINE):
            line += 1
            rest = raw
            while len(rest) == LONGEST_LINE and not rest.endswith(b"\n"):
                rest = file.readline(LONGEST_LINE)
            place = file.tell()
            if line <= skip:
                continue
            try:
                if not raw.endswith(b"\n"):
                    raise ValueError("too long, or not whole yet")
                cells = _cells(raw)
                if cells:
                    yield line, place, read(cells)
            except ValueError as error:
                yield line, place, BadRow(line, str(error))


def _cells(raw: bytes) -> list[str] | None:
    """The columns of a line, None if it is empty. Raises ValueError."""
    text = raw.decode("utf-8", "replace").strip("\r\n")
    if not text or text.isspace():
        return None
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from error


def _lines_before(file: BinaryIO, read: Read, clock: Clock, since: datetime) -> int:
    """Go to the first line of a last part of the file that begins before ``since``; returns how
    many lines stand before it. Rows are in the order in which calls ended."""
    size, step = file.seek(0, 2), FIRST_STEP
    while step < size:
        file.seek(size - step)
        file.readline(LONGEST_LINE)
        begin = file.tell()
        moment = _first_moment(file, read, clock)
        if moment and moment < since:
            file.seek(0)
            before = 0
            while file.tell() < begin:
                before += file.read(min(FIRST_STEP, begin - file.tell())).count(b"\n")
            return before
        step *= 2
    file.seek(0)
    return 0


def _first_moment(file: BinaryIO, read: Read, clock: Clock) -> datetime | None:
    while raw := file.readline(LONGEST_LINE):
        try:
            row = read(_cells(raw) or [])
            return clock.read(row["start"] if "start" in row else row["eventtime"])
        except (ValueError, KeyError):
            continue
    return None
