"""When tasks are due: how that is said, chosen and read.

Times stand on the clock of the panel's machine, as everywhere in the panel (see shown.moment): the
office and its exchange are where it is. The database has UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from babel.dates import format_time
from flask_babel import get_locale
from flask_babel import gettext as _

from fields import utcnow
from models import Task
from panel.shown import HOUR, MINUTE, length_of, numbers, on_day
from verbs import call_backs, tasks

MORNING = time(9)
"""At which tasks are due that are for a day."""
DAY = timedelta(days=1)
FIRST_YEAR, LAST_YEAR = 2000, 2199
GROUPS = ("overdue", "today", "tomorrow", "week", "later", "without")


class BadTime(ValueError):
    """Not a time that can be used; the message is for the person who entered it."""


def install(app: Any) -> None:
    app.jinja_env.globals["next_morning"] = lambda: entry(chosen("tomorrow"))
    app.jinja_env.filters.update(
        due=due, late=late, entry=entry, task_title=title_of, task_result=result_of
    )


@dataclass(frozen=True)
class Days:
    """The days around now: when each group of tasks ends."""

    now: datetime
    today_ends: datetime
    tomorrow_ends: datetime
    week_ends: datetime

    @classmethod
    def around(cls, now: datetime) -> Days:
        today = now.astimezone().date()
        week = today + timedelta(days=7 - today.weekday())
        after = today + 2 * DAY
        return cls(now, _at(today + DAY), _at(after), max(_at(week), _at(after)))

    def group(self, when: datetime | None) -> str:
        """Out of GROUPS."""
        if when is None:
            return "without"
        ends = (self.now, self.today_ends, self.tomorrow_ends, self.week_ends)
        return next((g for g, end in zip(GROUPS, ends, strict=False) if when < end), "later")


def today_began(now: datetime) -> datetime:
    return _at(now.astimezone().date())


def _at(day: date, clock: time = time.min) -> datetime:
    """A time of a day, on the clock of the panel's machine."""
    return datetime.combine(day, clock).astimezone()


def chosen(preset: str, written: str = "", was: datetime | None = None) -> datetime:
    """When a task is due by what somebody chose (hour: in an hour; tomorrow: at nine; days3: in
    three days; week: on Monday of next week), or else wrote as 2026-01-31T14:30. ``was`` stays if
    that is the same minute. Raises BadTime."""
    now = utcnow()
    today = now.astimezone().date()
    if preset == "hour":
        return now + timedelta(hours=1)
    days = {"tomorrow": 1, "days3": 3, "week": 7 - today.weekday()}.get(preset)
    if days:
        return _at(today + days * DAY, MORNING)
    if not written.strip():
        raise BadTime(_("Choose when it is due."))
    try:
        entered = datetime.fromisoformat(written.strip())
    except ValueError:
        entered = None
    if not entered or not FIRST_YEAR <= entered.year <= LAST_YEAR or entered.tzinfo:
        raise BadTime(_("Write the time as 2026-01-31 14:30."))
    if was and entry(was) == entered.strftime("%Y-%m-%dT%H:%M"):
        return was
    return entered.astimezone()


def entry(when: datetime | None) -> str:
    """As a field for a time has it."""
    return when.astimezone().strftime("%Y-%m-%dT%H:%M") if when else ""


def due(when: datetime | None) -> str:
    """When, in words: today, 14:00; tomorrow, 09:00; Fri 27 Nov, 09:00."""
    if when is None:
        return _("no time set")
    local, today = when.astimezone(), utcnow().astimezone()
    clock = format_time(local, "HH:mm", locale=get_locale())
    days = (local.date() - today.date()).days
    near = {
        -1: _("yesterday, %(time)s", time=clock),
        0: _("today, %(time)s", time=clock),
        1: _("tomorrow, %(time)s", time=clock),
    }
    if days in near:
        return near[days]
    return on_day(local, weekday=local.year == today.year)


def late(when: datetime | None) -> str:
    """By how much it is late: 2 hours; '' if it is not."""
    passed = (utcnow() - when).total_seconds() if when else 0
    if passed < MINUTE:
        return _("now") if passed > 0 else ""
    return length_of(passed if passed >= HOUR else passed // MINUTE * MINUTE)


def title_of(task: Task) -> str:
    """Those that the system made are said in the language of who reads them."""
    title = str(task.title)
    words = {
        "call": _("Call back %(name)s"),
        "meeting": _("Meeting with %(name)s"),
        "offer": _("Offer for %(name)s"),
    }
    for kind, stored in tasks.OF_CALLS.items() if task.call_id else ():
        before = stored.format(name="")
        if title.startswith(before):
            name = numbers(title.removeprefix(before))
            return words[kind] % {"name": _("a hidden number") if name == tasks.HIDDEN else name}
    return title


def result_of(task: Task) -> str:
    """What came of it, as ``title_of`` says what it is."""
    return _("talked") if task.result == call_backs.TALKED else str(task.result)
