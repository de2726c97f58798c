"""Which deals the board shows and in which order: filters in its address, for the whole page and
for each piece of it that is asked for later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import abort, request
from peewee import Case

from fields import PRIORITIES, clean, number_or_none, utcnow
from models import Deal, Mention, Phone, Stage, User, Word
from panel.finding import contains, digits_of
from panel.urls import as_dict, whole
from spelling import words

SORTS = ("date", "amount", "next")
MOST_WORDS = 5
_LAST = "\U0010ffff"


class View:
    """The filters as they stand in the address. ``owner``: an id or none; ``department``: an id,
    both for heads only; ``priority``: out of PRIORITIES as text; ``stuck`` and ``idle`` (open,
    without a next task): '1' or ''; ``text``: words or a number; ``sort``: out of SORTS."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.owner = request.args.get("owner", "") if user.sees_all else ""
        if self.owner not in ("", "none") and not whole(self.owner):
            abort(404)
        self.department = request.args.get("department", "") if user.sees_all else ""
        if self.department and not whole(self.department):
            abort(404)
        self.priority = _one_of("priority", ("", *map(str, PRIORITIES)))
        self.stuck = _one_of("stuck", ("", "1"))
        self.idle = _one_of("idle", ("", "1"))
        self.text = clean(request.args.get("q"), 60)
        self.sort = _one_of("sort", SORTS, "date")

    @property
    def is_on(self) -> bool:
        """Whether it shows less than all."""
        return bool({*self.query_string()} - {"sort"})

    def query_string(self, **others: Any) -> dict[str, Any]:
        """For the address of another piece of the same view; others={"stuck": None} is without."""
        own = {
            "owner": self.owner or None,
            "department": self.department or None,
            "priority": self.priority or None,
            "stuck": self.stuck or None,
            "idle": self.idle or None,
            "q": self.text or None,
            "sort": self.sort if self.sort != "date" else None,
        }
        return as_dict(**{**own, **others})

    def deals(self, stages: list[Stage]) -> Any:
        """Those of these stages that the viewer may see and that pass the filters."""
        query = Deal.visible_to(self.user)
        for condition in self._conditions(stages):
            query = query.where(condition)
        return query

    def _conditions(self, stages: list[Stage]) -> list[Any]:
        found: list[Any] = []
        if self.owner:
            person = whole(self.owner)
            found.append(Deal.owner == person if person else Deal.owner.is_null())
        if self.department:
            people = User.select(User.id).where(User.department == whole(self.department))
            found.append(Deal.owner << people)
        if self.priority:
            found.append(Deal.priority == int(self.priority))
        if self.stuck:
            found.append(is_stuck(stages))
        if self.idle:
            found.append(is_idle())
        return [*found, *_fits(self.text)]


def is_stuck(stages: list[Stage]) -> Any:
    """Longer in one of these stages than it allows."""
    now = utcnow()
    limits = {
        stage.id: now - timedelta(seconds=stage.stuck_after)
        for stage in stages
        if stage.stuck_after is not None and not stage.is_closed
    }
    if not limits:
        return Deal.id < 0
    if len(stages) == 1:
        # As it stands in the index, which then ends there.
        return Deal.stage_since < limits[stages[0].id]
    before = [(stage, Deal.stage_since.db_value(limit)) for stage, limit in limits.items()]
    return (Deal.stage << list(limits)) & (Deal.stage_since < Case(Deal.stage, before, 0))


def is_idle() -> Any:
    """Open, and nothing is planned."""
    return Deal.next_due.is_null() & Deal.closed_at.is_null()


def _fits(text: str) -> list[Any]:
    """What is named so: all words, each as the begin of one; or the number of its contact."""
    digits = digits_of(text)
    if digits:
        fits = contains(Phone, Phone.e164, "phone", number_or_none(text), digits)
        return [Deal.contact << Phone.select(Phone.contact).where(fits)]
    asked = words(text)[:MOST_WORDS]
    if text and not asked:
        return [Deal.id < 0]
    return [Deal.id << _named(word) for word in asked]


def _named(word: str) -> Any:
    same = (Mention.kind == "deal") & Word.text.between(word, word + _LAST)
    return Mention.select(Mention.row).join(Word, on=(Word.id == Mention.word)).where(same)


def _one_of(name: str, known: tuple[str, ...], otherwise: str = "") -> str:
    value = request.args.get(name, otherwise)
    return value if value in known else abort(404)
