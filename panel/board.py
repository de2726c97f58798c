"""The board: a funnel's stages as columns, deals as cards."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from flask import Blueprint, abort, render_template, request
from peewee import fn

from fields import EPOCH
from models import Deal, Funnel, Stage, User
from panel import cards
from panel.auth import viewer
from panel.shown import as_dict, ms
from panel.urls import wants_fragment, whole

bp = Blueprint("board", __name__)

PAGE = 50
"""Cards of a column that are loaded at a time."""


@dataclass
class Column:
    """A stage with what is in it: ``count`` and ``sums`` (by currency) are over all visible
    cards, ``cards`` are the first of them, ``more`` is where the next begin."""

    stage: Stage
    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    cards: list[cards.Card] = field(default_factory=list)
    more: str | None = None


class View:
    """Which deals the board shows: those of the viewer, or for heads of one owner."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.owner = request.args.get("owner", "") if user.sees_all else ""
        if self.owner not in ("", "none") and not whole(self.owner):
            abort(404)

    def deals(self) -> Any:
        query = Deal.visible_to(self.user)
        if self.owner == "none":
            return query.where(Deal.owner.is_null())
        return query.where(Deal.owner == whole(self.owner)) if self.owner else query

    def query_string(self, **others: Any) -> dict[str, Any]:
        return as_dict(owner=self.owner or None, **others)


@bp.get("/")
def board() -> str:
    view = View(viewer())
    funnels, funnel = _funnels()
    columns = heads(view, funnel)
    _fill(columns, view)
    return render_template(
        "board.html",
        funnels=funnels,
        funnel=funnel,
        columns=columns,
        view=view,
        people=_people() if view.user.sees_all else [],
        outlook=_outlook(columns),
        is_empty=not any(column.count for column in columns),
    )


@bp.get("/board/heads")
def column_heads() -> str:
    view = View(viewer())
    columns = heads(view, _funnels()[1])
    return render_template("_heads.html", columns=columns, outlook=_outlook(columns))


@bp.get("/board/stages/<int:stage>/cards")
def more_cards(stage: int) -> str:
    """The next cards of a column, after ``before`` (see ``_position``)."""
    view = View(viewer())
    column = Column(Stage.get_or_none(Stage.id == stage) or abort(404))
    query = _newest(view, column.stage).where(_after(request.args.get("before", "")))
    page = list(cards.with_people(query))
    _cut(column, cards.of_deals(page))
    template = "_cards.html" if wants_fragment() else "column.html"
    return render_template(template, column=column, view=view)


def heads(view: View, funnel: Funnel) -> list[Column]:
    """F7: the columns with count and sum over all their cards, whatever is loaded."""
    columns = {stage.id: Column(stage) for stage in funnel.in_order()}
    rows = (
        view.deals()
        .select(
            Deal.stage,
            Deal.currency,
            fn.COUNT(Deal.id).alias("number"),
            fn.SUM(Deal.amount).converter(Deal.amount.python_value).alias("total"),
        )
        .where(Deal.stage << list(columns))
        .group_by(Deal.stage, Deal.currency)
    )
    for row in rows:
        column = columns[row.stage_id]
        column.count += row.number
        if row.total:
            column.sums[row.currency] = row.total
    return list(columns.values())


def _funnels() -> tuple[list[Funnel], Funnel]:
    """All funnels, and the one asked for: the first unless ``funnel`` names another."""
    funnels = list(Funnel.select().order_by(Funnel.position, Funnel.id))
    wanted = request.args.get("funnel")
    if wanted is None and funnels:
        return funnels, funnels[0]
    found = next((funnel for funnel in funnels if funnel.id == whole(wanted)), None)
    return funnels, found or abort(404)


def _fill(columns: list[Column], view: View) -> None:
    """The first cards of every column, in one query: each part of the union ends at its limit
    and reads no more of the index than that."""
    parts = [_newest(view, c.stage).select(Deal.id).alias(f"s{c.stage.id}") for c in columns]
    selects: list[Any] = [Deal.select(part.c.id).from_(part) for part in parts]
    chosen = reduce(lambda a, b: a.union_all(b), selects).alias("chosen")
    query = cards.with_people(Deal.select()).join_from(Deal, chosen, on=(chosen.c.id == Deal.id))
    ordered = query.order_by(Deal.stage_since.desc(), Deal.id.desc())
    by_stage = defaultdict(list)
    for card in cards.of_deals(ordered):
        by_stage[card.deal.stage_id].append(card)
    for column in columns:
        _cut(column, by_stage[column.stage.id])


def _newest(view: View, stage: Stage) -> Any:
    """A page of a column's deals and one more, which tells whether there are more."""
    return (
        view.deals()
        .where(Deal.stage == stage)
        .order_by(Deal.stage_since.desc(), Deal.id.desc())
        .limit(PAGE + 1)
    )


def _cut(column: Column, found: list[cards.Card]) -> None:
    column.cards = found[:PAGE]
    column.more = _position(found[PAGE - 1].deal) if len(found) > PAGE else None


def _position(deal: Deal) -> str:
    """Where a deal stands in its column: its time in milliseconds and its id."""
    return f"{ms(deal.stage_since)}.{deal.id}"


def _after(position: str) -> Any:
    if not position:
        return Deal.id > 0
    time, _dot, number = position.partition(".")
    since, deal = whole(time), whole(number)
    if since is None or deal is None or since > 10**14:
        abort(404)
    at = EPOCH + timedelta(milliseconds=since)
    return (Deal.stage_since < at) | ((Deal.stage_since == at) & (Deal.id < deal))


def _people() -> list[User]:
    return list(User.select().where(User.active).order_by(User.name, User.id))


def _outlook(columns: list[Column]) -> dict[str, tuple[Decimal, Decimal]]:
    """Open and weighted (amount × probability) sums of the board, by currency."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for column in columns:
        if column.stage.is_closed:
            continue
        for currency, total in column.sums.items():
            full, weighted = found.get(currency, (Decimal(0), Decimal(0)))
            share = total * column.stage.probability / 100
            found[currency] = (full + total, weighted + share)
    return found
