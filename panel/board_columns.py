"""A column of the board: which cards of it come in which order, and where the next ones begin."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import reduce
from typing import Any

from flask import abort

from fields import EPOCH
from models import Deal, Stage
from panel.cards import SHOWN, Card, of_deals, with_people
from panel.shown import ms
from panel.urls import whole

NOTHING = "none"
LARGEST = 10**14
"""Of a time in milliseconds or an amount in hundredths; no database has to know of larger ones."""


@dataclass
class Column:
    """A stage with what is in it: ``count``, ``sums`` (by currency) and those that are ``stuck``,
    ``idle`` (without a next task) and of ``high`` priority are over all visible cards, ``cards``
    are the first of them, ``more`` is where the next begin."""

    stage: Stage
    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    stuck: int = 0
    idle: int = 0
    high: int = 0
    cards: list[Card] = field(default_factory=list)
    more: str | None = None

    def add(self, row: Any) -> None:
        """What was counted of one currency."""
        self.count += row.number
        self.stuck += int(row.stuck)
        self.idle += int(row.idle)
        self.high += int(row.high)
        if row.total:
            self.sums[row.currency] = row.total


def key(deal: Deal, sort: str) -> int | None:
    """By what the deal is sorted: the time it entered its stage or its next task is due, in
    milliseconds, or its amount in hundredths. None comes last."""
    if sort == "amount":
        return None if deal.amount is None else int(deal.amount * 100)
    at = deal.next_due if sort == "next" else deal.stage_since
    return None if at is None else int(ms(at))


def written_key(deal: Deal, sort: str) -> str:
    """``key`` for the page; '' for None."""
    value = key(deal, sort)
    return "" if value is None else str(value)


def in_order(found: list[Card], sort: str) -> list[Card]:
    """The newest or the largest first; of next tasks the one due first."""

    def place(card: Card) -> tuple[bool, int, int]:
        value = key(card.deal, sort)
        way = 1 if sort == "next" else -1
        return value is None, way * (value or 0), way * card.deal.id

    return sorted(found, key=place)


def page_of(deals: Any, sort: str, most: int) -> list[Any]:
    """The ids of the first of these deals, as queries that read no more of an index than that; to
    be put together, and in order again, by ``read``."""
    query = deals.select(Deal.id)
    if sort == "date":
        return [_part(query.order_by(Deal.stage_since.desc(), Deal.id.desc()), most)]
    column = Deal.amount if sort == "amount" else Deal.next_due
    there, none = query.where(column.is_null(False)), query.where(column.is_null())
    if sort == "amount":
        first = there.order_by(column.desc(), Deal.id.desc())
        return [_part(first, most), _part(none.order_by(Deal.id.desc()), most)]
    return [
        _part(there.order_by(column, Deal.id), most),
        _part(none.order_by(Deal.id), most),
    ]


def _part(query: Any, most: int) -> Any:
    """A limit inside of a union holds for its part only below a select of its own."""
    part = query.limit(most).alias("part")
    return Deal.select(part.c.id).from_(part)


def read(parts: list[Any]) -> list[Card]:
    """The cards of all these parts, in three queries."""
    chosen = reduce(lambda a, b: a.union_all(b), parts).alias("chosen")
    return of_deals(
        with_people(Deal.select(), SHOWN).join_from(Deal, chosen, on=(chosen.c.id == Deal.id))
    )


def cut(column: Column, found: list[Card], sort: str, most: int) -> None:
    column.cards = found[:most]
    column.more = position(found[most - 1].deal, sort) if len(found) > most else None


def position(deal: Deal, sort: str) -> str:
    """Where a deal stands in its column: what it is sorted by, and its id."""
    value = key(deal, sort)
    return f"{NOTHING if value is None else value}.{deal.id}"


def after(where: str, sort: str) -> Any:
    """What comes after a position; all for ''."""
    if not where:
        return Deal.id > 0
    value, _dot, number = where.partition(".")
    deal = whole(number)
    if deal is None:
        abort(404)
    if value == NOTHING and sort != "date":
        column = Deal.amount if sort == "amount" else Deal.next_due
        return column.is_null() & (Deal.id > deal if sort == "next" else Deal.id < deal)
    at = 0 if value == "0" else whole(value)
    if at is None or at > LARGEST:
        abort(404)
    return _beyond(sort, at, deal)


def _beyond(sort: str, at: int, deal: int) -> Any:
    if sort == "amount":
        amount = Decimal(at) / 100
        equal = (Deal.amount == amount) & (Deal.id < deal)
        return (Deal.amount < amount) | equal | Deal.amount.is_null()
    moment = EPOCH + timedelta(milliseconds=at)
    if sort == "next":
        equal = (Deal.next_due == moment) & (Deal.id > deal)
        return (Deal.next_due > moment) | equal | Deal.next_due.is_null()
    return (Deal.stage_since < moment) | ((Deal.stage_since == moment) & (Deal.id < deal))
