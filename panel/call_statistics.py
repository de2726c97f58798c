"""Call statistics for heads (T13): by seller, hour of the day, called number and queue."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from peewee import Case, Expression, SqliteDatabase, fn

from database import database
from fields import EPOCH, utcnow
from formats import exports
from models import Call, Leg, User
from panel.auth import viewer
from panel.call_filters import DIRECTIONS, Filters, midnight
from panel.calls import people
from panel.urls import whole

bp = Blueprint("call_statistics", __name__)

DAYS = 30
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
COLUMNS = ["by", "key", "calls", "answered", "missed", "busy", "answer_rate", "median_wait", "talk"]


@dataclass(frozen=True)
class Line:
    """Calls that have something in common. ``wait``: half of the answered ones waited no longer,
    in seconds; ``talk``: all their talk, in seconds. What failed counts as missed."""

    key: Any = None
    calls: int = 0
    answered: int = 0
    busy: int = 0
    wait: float | None = None
    talk: int = 0

    @property
    def missed(self) -> int:
        return self.calls - self.answered - self.busy

    @property
    def rate(self) -> float | None:
        """The answered of all, 0 to 1; None of nothing."""
        return self.answered / self.calls if self.calls else None


@dataclass(frozen=True)
class Statistics:
    total: Line
    sellers: list[tuple[str, Line]]
    hours: list[Line]
    dids: list[Line]
    queues: list[Line]


@dataclass
class Tally:
    """Calls that are being counted. ``waits``: how many were answered after so many seconds."""

    calls: int = 0
    answered: int = 0
    busy: int = 0
    talk: int = 0
    waits: Counter[int] = field(default_factory=Counter)

    def add(self, outcome: str | None, wait: int | None, calls: int, talk: int) -> None:
        self.calls += calls
        self.talk += talk
        self.busy += calls if outcome == "busy" else 0
        if outcome == "answered":
            self.answered += calls
            self.waits[wait or 0] += calls

    def line(self, key: Any = None) -> Line:
        return Line(key, self.calls, self.answered, self.busy, median(self.waits), self.talk)


@bp.get("/calls/statistics")
def index() -> str:
    filters = _period()
    return render_template(
        "call_statistics.html",
        filters=filters,
        statistics=_statistics(filters),
        directions=DIRECTIONS,
        people=people(),
    )


@bp.get("/calls/statistics.csv")
def download() -> Response:
    """P5: the same numbers; durations in seconds, the rate 0 to 1."""
    filters = _period()
    out = io.StringIO()
    exports.write_csv(COLUMNS, _csv_rows(_statistics(filters)), out)
    name = f"calls-{filters.start}-{filters.end}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(out.getvalue(), mimetype="text/csv", headers=headers)


class Period(Filters):
    """The filters of the address; where it names none, incoming calls of the last 30 days."""

    start: date
    end: date

    def __init__(self, user: User) -> None:
        super().__init__(user)
        if "direction" not in request.args:
            self.direction = "incoming"
        self.end = self.end or utcnow().astimezone().date()
        self.start = self.start or self.end - timedelta(days=DAYS - 1)


def _period() -> Period:
    """For sellers there is no such page."""
    return Period(viewer()) if viewer().sees_all else abort(404)


def _statistics(filters: Period) -> Statistics:
    """Four queries, however many calls: the database counts those that are alike."""
    base = filters.of(Call.visible_to(viewer())).where(Call.ended_at.is_null(False))
    if filters.seller:
        base = base.where(_seller() == whole(filters.seller))
    names = {user.id: user.name for user in User.select(User.id, User.name)}
    total, dids, queues = _counted(base, Call.did, Call.queue)
    _, sellers = _counted(base, _seller())
    _, hours = _counted(base, _hour(filters.start, filters.end))
    by_hour = {int(key) // HOUR_MS: tally for key, tally in hours.items()}
    by_seller = [(names.get(key, ""), tally.line(key)) for key, tally in sellers.items()]
    return Statistics(
        total=total[None].line() if total else Line(),
        sellers=sorted(by_seller, key=lambda pair: (not pair[0], pair[0])),
        hours=[by_hour.get(hour, Tally()).line() for hour in range(24)],
        dids=_most_first(dids),
        queues=_most_first(queues) if queues.keys() - {None} else [],
    )


def _counted(base: Any, *keys: Any) -> list[dict[Any, Tally]]:
    """The calls of ``base``: all of them (under None), and by each of ``keys``."""
    named = [key.alias(f"key{number}") for number, key in enumerate(keys)]
    talk = fn.COALESCE(Call.talk, 0).alias("talk")
    # The keys are counted from a query of their own: PostgreSQL knows no expression with
    # parameters again when it stands in GROUP BY.
    inner = base.select(*named, Call.outcome, Call.wait, talk)
    columns = [getattr(inner.c, column.name) for column in named]
    alike = (*columns, inner.c.outcome, inner.c.wait)
    counted: Any = Call.select(*alike, fn.COUNT(inner.c.talk), fn.SUM(inner.c.talk))
    found: list[dict[Any, Tally]] = [defaultdict(Tally) for _ in (None, *keys)]
    for *values, outcome, wait, calls, talked in counted.from_(inner).group_by(*alike).tuples():
        for tallies, value in zip(found, (None, *values), strict=True):
            tallies[value].add(outcome, wait, calls, int(talked))
    return found


def _most_first(tallies: dict[Any, Tally]) -> list[Line]:
    lines = [tally.line(key) for key, tally in tallies.items()]
    return sorted(lines, key=lambda line: (-line.calls, line.key or ""))


def median(counts: Mapping[int, int]) -> float | None:
    """The value in the middle, or between the two that are, of values that occur so often."""
    among = sum(counts.values())
    if not among:
        return None
    ends = accumulate(counts[value] for value in sorted(counts))
    places = list(zip(ends, sorted(counts), strict=True))
    low, high = (next(v for end, v in places if end > at) for at in ((among - 1) // 2, among // 2))
    return (low + high) / 2


def _seller() -> Any:
    """Whose call it was: who spoke last, else (rule 5) whose phone rang last."""
    rang_last = (
        Leg.select(Leg.user)
        .where(Leg.call == Call.id, Leg.user.is_null(False))
        .order_by(fn.COALESCE(Leg.rang_at, 0).desc(), Leg.id.desc())
        .limit(1)
    )
    return fn.COALESCE(Call.agent, rang_last)


def _hour(start: date, end: date) -> Any:
    """The hour in which a call began on the clock of the panel's machine, in ms since midnight."""
    shifts = _shifts(midnight(start), midnight(end + timedelta(days=1)))
    offset: Any = shifts[-1][1]
    until = [(Call.started_at < then, was) for (_, was), (then, _) in pairwise(shifts)]
    if until:
        offset = Case(None, until, offset)
    in_day = _rest(Call.started_at + offset, DAY_MS)
    return in_day - _rest(in_day, HOUR_MS)


def _rest(value: Any, divisor: int) -> Any:
    """What a division leaves. Python's sign for it is LIKE to Peewee; to the drivers of the servers
    a single one would begin a parameter."""
    sign = "%" if isinstance(database.obj, SqliteDatabase) else "%%"
    return Expression(value, sign, divisor)


def _shifts(start: datetime, end: datetime) -> list[tuple[datetime, int]]:
    """From when which offset to UTC holds in a period, in ms: summer time begins and ends."""
    found = [(start, _offset(start))]
    at = start + timedelta(days=1)
    while at <= end:
        offset = _offset(at)
        if found[-1][1] != offset:
            low, high = at - timedelta(days=1), at
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                low, high = (low, middle) if _offset(middle) == offset else (middle, high)
            found.append((high.replace(microsecond=0), offset))
        at += timedelta(days=1)
    return found


def _offset(at: datetime) -> int:
    local = (EPOCH + (at - EPOCH)).astimezone()
    return int((local.utcoffset() or timedelta()).total_seconds() * 1000)


def _csv_rows(statistics: Statistics) -> Iterator[exports.Row]:
    yield _csv_row("total", None, statistics.total)
    for name, line in statistics.sellers:
        yield _csv_row("seller", name or None, line)
    for hour, line in enumerate(statistics.hours):
        yield _csv_row("hour", hour, line)
    for line in statistics.dids:
        yield _csv_row("did", line.key, line)
    for line in statistics.queues:
        yield _csv_row("queue", line.key, line)


def _csv_row(by: str, key: Any, line: Line) -> exports.Row:
    rate = None if line.rate is None else round(line.rate, 4)
    numbers = (line.calls, line.answered, line.missed, line.busy, rate, line.wait, line.talk)
    return dict(zip(COLUMNS, (by, key, *numbers), strict=True))
