"""The board: a funnel's stages as columns, deals as cards."""

from __future__ import annotations

import time
from collections import defaultdict
from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from peewee import JOIN, Case, Value, fn

from models import Deal, Department, Funnel, Stage, User
from panel import cards
from panel.auth import viewer
from panel.board_columns import Column, after, cut, in_order, page_of, read, written_key
from panel.board_filters import View, is_idle, is_stuck
from panel.crowd import FEW, Once
from panel.languages import page_language
from panel.tail import hub
from panel.urls import wants_fragment, whole

bp = Blueprint("board", __name__)
bp.add_app_template_filter(written_key, "sort_key")
once = Once()

AT_FIRST = 96
"""Cards that the page comes with, shared out among its columns; more come as one scrolls."""
FEWEST, MOST = 6, 24
MOST_NEWS = 100
"""Cards that are asked for together."""
PAGE = 40
"""Cards of a column that are loaded at a time afterwards."""


@bp.get("/")
def board() -> str:
    view = View(viewer())
    funnels, funnel = _funnels(view)
    columns = heads(view, funnel)
    _fill(columns, view)
    people = _people() if view.user.sees_all else []
    return render_template(
        "board.html",
        funnels=funnels,
        funnel=funnel,
        columns=columns,
        view=view,
        query=view.query_string(funnel=funnel.id),
        people=people,
        departments=_departments(people),
        outlook=_outlook(columns),
        counts=_counts(columns),
        is_empty=not any(column.count for column in columns),
    )


@bp.get("/board/heads")
def column_heads() -> str:
    """The heads of the columns, and of the cards ``deals`` (ids with commas) those that belong on
    the board with these filters. Heads of sales get the same, all at once: it is made once."""
    as_of, made = hub.news, time.monotonic()
    view = View(viewer())
    names = ["heads", *_asked()]
    is_shared = view.user.sees_all and hub.crowd > FEW
    same = (page_language(), request.args.get("funnel"), *view.query_string().items())
    found = once.find(same, names, as_of) if is_shared else {}
    if lacking := [name for name in names if name not in found]:
        fresh = _parts(view, lacking)
        found |= fresh
        if is_shared:
            once.keep(same, fresh, as_of, made)
    return "".join(found[name] for name in names)


def _asked() -> list[str]:
    """The ids, as text."""
    ids = [whole(text) for text in request.args.get("deals", "").split(",")]
    return [str(number) for number in dict.fromkeys(ids) if number][:MOST_NEWS]


def _parts(view: View, names: list[str]) -> dict[str, str]:
    """Each part by its name; '' for a card that does not belong here."""
    funnel, parts = _funnels(view)[1], dict.fromkeys(names, "")
    ids = [int(name) for name in names if name != "heads"]
    if ids:
        stages = funnel.in_order()
        here = (Deal.id << ids) & (Deal.stage << [stage.id for stage in stages])
        deals = cards.with_people(view.deals(stages).where(here), cards.SHOWN)
        for card in cards.of_deals(deals):
            parts[str(card.deal.id)] = render_template("_card.html", card=card, view=view)
    if "heads" in parts:
        columns = heads(view, funnel)
        sums, counts = _outlook(columns), _counts(columns)
        parts["heads"] = render_template(
            "_heads.html", columns=columns, outlook=sums, counts=counts
        )
    return parts


@bp.get("/board/stages/<int:stage>/cards")
def more_cards(stage: int) -> str:
    """The next cards of a column, after ``before`` (see ``board_columns.position``)."""
    view = View(viewer())
    column = Column(Stage.get_or_none(Stage.id == stage, ~Stage.archived) or abort(404))
    deals = view.deals([column.stage]).where(Deal.stage == stage)
    rest = after(request.args.get("before", ""), view.sort)
    found = read(page_of(deals.where(rest), view.sort, PAGE + 1))
    cut(column, in_order(found, view.sort), view.sort, PAGE)
    template = "_cards.html" if wants_fragment() else "column.html"
    return render_template(template, column=column, view=view)


@bp.get("/deals/<int:number>/card")
def card(number: int) -> str:
    """The card alone; 404 unless it belongs on the board with these filters."""
    view = View(viewer())
    deal = cards.the_deal(number)
    funnel = request.args.get("funnel")
    if funnel and funnel != str(deal.stage.funnel_id):
        abort(404)
    if view.is_on and not view.deals([deal.stage]).where(Deal.id == number).exists():
        abort(404)
    return render_template("_card.html", card=cards.card_of(deal), view=view)


def heads(view: View, funnel: Funnel) -> list[Column]:
    """F7: the columns with count and sum over all their cards, whatever is loaded."""
    stages = funnel.in_order()
    columns = {stage.id: Column(stage) for stage in stages}
    deals = view.deals(stages)
    # Of the closed ones, which grow for years, only what stands in the index.
    done = _counted(deals, [s for s in stages if s.is_closed], [Value(0)] * 3)
    marks = [is_stuck(stages), is_idle(), Deal.priority > 0]
    numbers = [fn.SUM(Case(None, [(mark, 1)], 0)) for mark in marks]
    for row in _counted(deals, [s for s in stages if not s.is_closed], numbers).union_all(done):
        columns[row.stage_id].add(row)
    return list(columns.values())


def _counted(deals: Any, stages: list[Stage], numbers: list[Any]) -> Any:
    stuck, idle, high = numbers
    return (
        deals.select(
            Deal.stage,
            Deal.currency,
            fn.COUNT(Deal.id).alias("number"),
            fn.SUM(Deal.amount).converter(Deal.amount.python_value).alias("total"),
            stuck.alias("stuck"),
            idle.alias("idle"),
            high.alias("high"),
        )
        .where(Deal.stage << [stage.id for stage in stages])
        .group_by(Deal.stage, Deal.currency)
    )


def _counts(columns: list[Column]) -> dict[str, int]:
    """How many of the open deals shown are stuck, have no next task, and are of high priority."""
    return {
        "stuck": sum(column.stuck for column in columns),
        "idle": sum(column.idle for column in columns),
        "high": sum(column.high for column in columns),
    }


def _funnels(view: View) -> tuple[list[Funnel], Funnel]:
    """All funnels in use, and the one asked for: the first unless ``funnel`` names another. From
    one that was archived the page leads to the first."""
    in_use = Funnel.select().where(~Funnel.archived)
    funnels = list(in_use.order_by(Funnel.position, Funnel.id))
    wanted = request.args.get("funnel")
    if wanted is None and funnels:
        return funnels, funnels[0]
    found = next((funnel for funnel in funnels if funnel.id == whole(wanted)), None)
    if found is None and not wants_fragment() and _is_archived(wanted):
        abort(redirect(url_for("board.board", **view.query_string(funnel=funnels[0].id))))
    return funnels, found or abort(404)


def _is_archived(wanted: str | None) -> bool:
    return Funnel.select().where(Funnel.id == whole(wanted), Funnel.archived).exists()


def _fill(columns: list[Column], view: View) -> None:
    """The first cards of every column, in one query: each part of the union ends at its limit
    and reads no more of the index than that."""
    stages = [column.stage for column in columns]
    each = max(FEWEST, min(MOST, AT_FIRST // len(columns)))
    parts = [
        part
        for stage in stages
        for part in page_of(view.deals([stage]).where(Deal.stage == stage.id), view.sort, each + 1)
    ]
    by_stage = defaultdict(list)
    for card in read(parts):
        by_stage[card.deal.stage_id].append(card)
    for column in columns:
        cut(column, in_order(by_stage[column.stage.id], view.sort), view.sort, each)


def _people() -> list[User]:
    """Who can own a deal, with their departments."""
    return list(
        User.select(User, Department)
        .join(Department, JOIN.LEFT_OUTER)
        .where(User.active)
        .order_by(User.name, User.id)
    )


def _departments(people: list[User]) -> list[Department]:
    known = {person.department.id: person.department for person in people if person.department}
    return sorted(known.values(), key=lambda department: department.name.lower())


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
