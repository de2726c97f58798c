"""A row of Asterisk's records, CDR or CEL, wherever it is kept; and the exchange's clock.

Names of columns as in Asterisk's documentation of cdr and cel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Row = dict[str, str]

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

OTHER_NAMES = {
    "calldate": "start", "eventname": "eventtype", "eventextra": "extra", "bridgepeer": "peer",
    "cidname": "cid_name", "cidnum": "cid_num", "channel_name": "channame",
}  # fmt: skip
CDR_NEEDS = {"start", "channel", "disposition"}
CEL_NEEDS = {"eventtype", "eventtime", "uniqueid"}


class SourceError(Exception):
    """A source that can't be read; the message says why, without passwords."""


def kind_of(columns: set[str]) -> str:
    """'cel' or 'cdr', by the names of a table's columns; '' for one that is neither."""
    return "cel" if columns >= CEL_NEEDS else "cdr" if columns >= CDR_NEEDS else ""


@dataclass(frozen=True)
class BadRow:
    """A row that was left out. ``line``: in the file, or its number in the table, from 1."""

    line: int
    why: str

    @classmethod
    def of(cls, line: int, error: Exception) -> BadRow:
        """For what reading it raised; a KeyError names the column that is not there."""
        return cls(line, f"no column {error}" if isinstance(error, KeyError) else str(error))


class Clock:
    """Asterisk's local times → UTC. ``zone``: a name such as Europe/Berlin; '' is the machine's."""

    def __init__(self, zone: str = "") -> None:
        try:
            self._zone = ZoneInfo(zone) if zone else None
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise SourceError(f"time zone {zone!r} is not known; for example Europe/Berlin") from (
                error
            )

    def read(self, text: str) -> datetime:
        """Date and time, with or without fractions and zone, or seconds since 1970.

        Raises ValueError.
        """
        try:
            moment = self._read(text)
        except (OverflowError, OSError) as error:
            raise ValueError(f"no time: {text[:40]!r}") from error
        if not EARLIEST <= moment < LATEST:
            raise ValueError(f"{text[:40]!r} is no time of a call")
        return moment

    def _read(self, text: str) -> datetime:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return datetime.fromtimestamp(float(text), UTC)
        if moment.tzinfo is None and self._zone:
            moment = moment.replace(tzinfo=self._zone)
        return moment.astimezone(UTC)

    def local(self, moment: datetime) -> datetime:
        """As Asterisk writes it, without the zone."""
        return moment.astimezone(self._zone).replace(tzinfo=None)


@dataclass(frozen=True)
class Table:
    """Rows of one kind. ``kind``: cdr or cel. ``size``: bytes or rows, for progress."""

    kind: str
    size: int
    rows: Callable[[], Iterator[tuple[int, int, Row | BadRow]]]

    def read(self) -> Iterator[tuple[int, int, Row | BadRow]]:
        """Line, how far it is read, and the row."""
        return self.rows()


def shown(source: str) -> str:
    """A source as it may be shown: an address without user and password."""
    if "://" not in source:
        return source
    scheme, _, rest = source.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def column_name(cell: str) -> str:
    """The name that we know a column by."""
    name = cell.strip().lstrip("\ufeff").lower()
    return OTHER_NAMES.get(name, name)
