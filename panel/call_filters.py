"""Which calls a page shows: filters in its address, the same for the list and the statistics."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import abort, request
from flask_babel import gettext as _
from peewee import Node, fn

from fields import clean, normal_did, number_or_none
from models import Call, Leg, User
from panel.urls import as_dict, whole
from verbs import ignored

DIRECTIONS = ("incoming", "outgoing", "internal")
OUTCOMES = ("answered", "missed", "busy", "failed")
FIRST_YEAR, LAST_YEAR = 1980, 2199


class Filters:
    """The filters as they stand in the address, and as conditions. ``start`` and ``end`` are the
    first and last day, on the clock of the panel's machine; ``problems`` says by field what of it
    can't be used."""

    def __init__(self, user: User) -> None:
        self.problems: dict[str, str] = {}
        self.direction = _one_of("direction", DIRECTIONS)
        self.outcome = _one_of("outcome", OUTCOMES)
        self.waiting = _one_of("waiting", ("1",))
        self.seller = request.args.get("seller", "") if user.sees_all else ""
        if self.seller and not whole(self.seller):
            abort(404)
        self.did = clean(request.args.get("did"), 40)
        self.written = clean(request.args.get("number"), 60)
        self.number = number_or_none(self.written)
        if self.written and not self.number:
            self.problems["number"] = _("This is not a telephone number.")
        self.start: date | None = self._day("from")
        self.end: date | None = self._day("to")

    def _day(self, name: str) -> date | None:
        text = request.args.get(name, "").strip()
        if not text:
            return None
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
        if FIRST_YEAR <= day.year <= LAST_YEAR:
            return day
        self.problems[name] = _("Write the day as 2026-01-31.")
        return None

    @property
    def is_on(self) -> bool:
        return bool(self.query_string())

    def query_string(self, **others: Any) -> dict[str, Any]:
        return as_dict(
            **{
                "direction": self.direction or None,
                "outcome": self.outcome or None,
                "waiting": self.waiting or None,
                "seller": self.seller or None,
                "did": self.did or None,
                "number": self.written or None,
                "from": self.start and self.start.isoformat(),
                "to": self.end and self.end.isoformat(),
                **others,
            }
        )

    def of(self, query: Any) -> Any:
        """The calls of ``query`` that pass all filters but that of the seller."""
        conditions = [
            self.direction and Call.direction == self.direction,
            self.outcome and Call.outcome == self.outcome,
            self.waiting and waits(),
            self.did and Call.did == normal_did(self.did),
            self.number and Call.number == self.number,
            self.start and Call.started_at >= midnight(self.start),
            self.end and Call.started_at < midnight(self.end + timedelta(days=1)),
            # What was meant can't be known, and all calls it is not.
            self.problems and Call.id < 0,
        ]
        for condition in conditions:
            query = query.where(condition) if isinstance(condition, Node) else query
        return query

    def of_seller(self, query: Any) -> Any:
        """Those that the seller talked in, or that rang at the seller's phone."""
        if not self.seller:
            return query
        person = whole(self.seller)
        rang = fn.EXISTS(Leg.select(Leg.id).where(Leg.call == Call.id, Leg.user == person))
        return query.where((Call.agent == person) | rang)


def waits() -> Any:
    """T9 as a condition: missed, and nobody has talked with that number since. A hidden or
    ignored number can't be called back, and would wait for ever."""
    condition = Call.were_missed() & Call.called_back_at.is_null() & Call.number.is_null(False)
    return condition & ignored.spares(Call.number)


def midnight(day: date) -> datetime:
    """The moment at which a day begins on the clock of the panel's machine."""
    return datetime.combine(day, time.min).astimezone()


def _one_of(name: str, known: tuple[str, ...]) -> str:
    value = request.args.get(name, "")
    return value if value in ("", *known) else abort(404)
