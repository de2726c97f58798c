"""Call statistics for heads (T13): by seller, hour of the day and called number."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from peewee import Case, Expression, SqliteDatabase, fn

import exports
from database import database
from fields import EPOCH, utcnow
from models import Call, Leg, User
from panel.auth import viewer
from panel.call_filters import DIRECTIONS, Filters, midnight
from panel.calls import in_the_middle, people
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
    """Five queries, however many calls: the numbers are counted in the database."""
    base = filters.of(Call.visible_to(viewer())).where(Call.ended_at.is_null(False))
    if filters.seller:
        base = base.where(_seller() == whole(filters.seller))
    total = _lines(base, Call.id * 0)
    names = {user.id: user.name for user in User.select(User.id, User.name)}
    by_seller = [(names.get(line.key, ""), line) for line in _lines(base, _seller())]
    by_hour = {
        int(line.key) // HOUR_MS: line for line in _lines(base, _hour(filters.start, filters.end))
    }
    return Statistics(
        total=total[0] if total else Line(),
        sellers=sorted(by_seller, key=lambda pair: (not pair[0], pair[0])),
        hours=[by_hour.get(hour, Line()) for hour in range(24)],
        dids=sorted(_lines(base, Call.did), key=lambda line: (-line.calls, line.key or "")),
    )


def _lines(base: Any, key: Any) -> list[Line]:
    """The calls of ``base`` counted by ``key``."""
    answered = Case(None, [(Call.outcome == "answered", 1)], 0)
    alike = {"partition_by": [key, answered]}
    calls = base.select(
        key.alias("key"),
        answered.alias("answered"),
        Case(None, [(Call.outcome == "busy", 1)], 0).alias("busy"),
        Call.wait.alias("wait"),
        fn.COALESCE(Call.talk, 0).alias("talk"),
        fn.ROW_NUMBER().over(order_by=[Call.wait, Call.id], **alike).alias("place"),
        fn.COUNT(Call.id).over(**alike).alias("among"),
    )
    c = calls.c
    half = fn.AVG(Case(None, [((c.answered == 1) & in_the_middle(c.place, c.among), c.wait)]))
    sums = (fn.COUNT(c.place), fn.SUM(c.answered), fn.SUM(c.busy), half, fn.SUM(c.talk))
    counted: Any = Call.select(c.key, *sums).from_(calls).group_by(c.key)
    return [
        Line(key, int(n), int(yes), int(busy), None if wait is None else float(wait), int(talk))
        for key, n, yes, busy, wait, talk in counted.tuples()
    ]


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
    found: list[tuple[datetime, int]] = []
    at = start
    while at <= end:
        offset = _offset(at)
        if found and found[-1][1] != offset:
            low, high = at - timedelta(days=1), at
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) / 2
                low, high = (low, middle) if _offset(middle) == offset else (middle, high)
            found.append((high.replace(microsecond=0), offset))
        elif not found:
            found.append((at, offset))
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


def _csv_row(by: str, key: Any, line: Line) -> exports.Row:
    rate = None if line.rate is None else round(line.rate, 4)
    numbers = (line.calls, line.answered, line.missed, line.busy, rate, line.wait, line.talk)
    return dict(zip(COLUMNS, (by, key, *numbers), strict=True))
