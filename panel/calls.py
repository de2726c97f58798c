"""Calls: the list with its filters, and the missed ones that nobody has called back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request
from peewee import JOIN, Case, Window, fn

from fields import EPOCH, utcnow
from models import Call, Contact, Deal, Leg, User
from panel.auth import viewer
from panel.call_filters import DIRECTIONS, OUTCOMES, Filters, waits
from panel.shown import ms
from panel.urls import whole

bp = Blueprint("calls", __name__)

PAGE = 50
"""Calls of a list that are shown at a time."""
FEW = 10_000
"""So many calls are sorted sooner than a page of them is found among all."""
COUNTED = 99
"""The badge counts as far as this, and then says that there are more."""
MEASURED = timedelta(days=30)
"""How far back the time to call back is measured."""


@dataclass(frozen=True)
class Row:
    """A call as the list shows it. ``deal``: only if the viewer may see it; ``rang``: whose phones
    it reached, as long as nobody has talked."""

    call: Call
    deal: Deal | None
    rang: list[str]

    @property
    def is_audible(self) -> bool:
        """T8, as ``audience.audible_to`` for a call that is visible."""
        call, user = self.call, viewer()
        own = call.deal_id is None and call.agent_id == user.id
        return self.deal is not None or own or user.sees_all


@dataclass(frozen=True)
class CallBacks:
    """T9: of the ``missed`` calls ``called_back`` ones, half of them within ``median`` seconds."""

    missed: int
    called_back: int
    median: float | None


@bp.get("/calls")
def index() -> str:
    user = viewer()
    filters = Filters(user)
    query = filters.of_seller(filters.of(_visible_to(user)))
    rows, older = _page(query.where(_older_than(request.args.get("before", ""))), newest=True)
    return render_template(
        "calls.html",
        rows=rows,
        older=older,
        filters=filters,
        directions=DIRECTIONS,
        outcomes=OUTCOMES,
        people=people() if user.sees_all else [],
        is_first="before" not in request.args,
    )


@bp.get("/calls/missed")
def missed() -> str:
    """T9: whom to call back, the longest waiting first."""
    query = Call.visible_to(viewer()).where(waits())
    rows, later = _page(query.where(_later_than(request.args.get("after", ""))), newest=False)
    return render_template(
        "missed.html",
        rows=rows,
        later=later,
        call_backs=_call_backs(viewer()),
        is_first="after" not in request.args,
    )


@bp.get("/calls/missed/count")
def count() -> str:
    return render_template("_missed_badge.html")


@bp.app_template_global("missed_calls")
def missed_calls() -> tuple[int, int]:
    """How many of the viewer's calls wait to be called back, and as far as it was counted: one more
    than that is 'more'."""
    some = Call.visible_to(viewer()).where(waits()).select(Call.id).limit(COUNTED + 1)
    return some.count(), COUNTED


def _visible_to(user: User) -> Any:
    """``Call.visible_to`` goes through all calls from the newest on: right for a seller who finds a
    page of own ones soon. One with few calls gets them picked out."""
    visible = Call.visible_to(user)
    if user.sees_all:
        return visible
    rang = Leg.select(Leg.call).where(Leg.user == user)
    talked = Call.select(Call.id).where(Call.agent == user)
    of_deals = Call.select(Call.id).join(Deal).where(Deal.owner == user)
    own = rang.union_all(talked).union_all(of_deals)
    has_few = own.limit(FEW + 1).count() <= FEW
    return visible.where(Call.id << own) if has_few else visible


def people() -> list[User]:
    return list(User.select().where(User.active).order_by(User.name, User.id))


def _page(query: Any, newest: bool) -> tuple[list[Row], str | None]:
    """A page of calls with all that their rows show, and where the next page begins. Three
    queries."""
    order = (Call.started_at, Call.id)
    found = list(
        query.select(Call, Contact, User)
        .join(Contact, JOIN.LEFT_OUTER)
        .join_from(Call, User, JOIN.LEFT_OUTER, on=(Call.agent == User.id), attr="agent")
        .order_by(*((field.desc() for field in order) if newest else order))
        .limit(PAGE + 1)
    )
    shown = found[:PAGE]
    return list(_rows(shown)), _position(shown[-1]) if len(found) > PAGE else None


def _rows(calls: list[Call]) -> Iterable[Row]:
    on = {call.deal_id for call in calls if call.deal_id}
    deals = {deal.id: deal for deal in Deal.visible_to(viewer()).where(Deal.id << on)}
    rang = _rang([call.id for call in calls if not call.agent_id])
    return (Row(call, deals.get(call.deal_id), rang[call.id]) for call in calls)


def _rang(calls: list[int]) -> dict[int, list[str]]:
    """Names of those whose phones the calls reached, in the order in which they did."""
    names: dict[int, list[str]] = defaultdict(list)
    legs = Leg.select(Leg, User).join(User).where(Leg.call << calls).order_by(Leg.rang_at, Leg.id)
    for leg in legs:
        name = str(leg.user and leg.user.name)
        if name not in names[leg.call_id]:
            names[leg.call_id].append(name)
    return names


def _call_backs(user: User) -> CallBacks:
    """Of the last 30 days, counted and halved in the database."""
    took = Call.called_back_at - Call.ended_at
    alike = Window(partition_by=[Call.called_back_at.is_null()], order_by=[took, Call.id])
    places = (
        Call.visible_to(user)
        .where(
            Call.were_missed(),
            Call.number.is_null(False),
            Call.started_at >= utcnow() - MEASURED,
        )
        .select(
            Call.called_back_at.alias("back"),
            took.alias("took"),
            fn.ROW_NUMBER().over(window=alike).alias("place"),
            fn.COUNT(Call.id).over(partition_by=alike.partition_by).alias("among"),
        )
        .window(alike)
    )
    c = places.c
    middle = c.back.is_null(False) & in_the_middle(c.place, c.among)
    half = fn.AVG(Case(None, [(middle, c.took)]))
    counted: Any = Call.select(fn.COUNT(c.place), fn.COUNT(c.back), half).from_(places)
    missed, back, median = counted.tuples().get()
    return CallBacks(missed, back, None if median is None else float(median) / 1000)


def in_the_middle(place: Any, among: Any) -> Any:
    """Whether the ``place``-th ``among`` so many makes the median: the one in the middle, or the
    two. No database but PostgreSQL has a function for it that all have."""
    return (place * 2).between(among, among + 2)


def _position(call: Call) -> str:
    """Where a call stands in the list: its time in milliseconds and its id."""
    return f"{ms(call.started_at)}.{call.id}"


def _older_than(position: str) -> Any:
    if not position:
        return Call.id > 0
    at, call = _read(position)
    return (Call.started_at < at) | ((Call.started_at == at) & (Call.id < call))


def _later_than(position: str) -> Any:
    if not position:
        return Call.id > 0
    at, call = _read(position)
    return (Call.started_at > at) | ((Call.started_at == at) & (Call.id > call))


def _read(position: str) -> tuple[Any, int]:
    time, _dot, number = position.partition(".")
    since, call = whole(time), whole(number)
    if since is None or call is None or since > 10**14:
        abort(404)
    return EPOCH + timedelta(milliseconds=since), call
