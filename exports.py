"""Rows as ``trichter export`` gives them: one flat object a row, with keys that stay stable.

Users by login, numbers in E.164, times ISO 8601 UTC, durations in seconds, nothing = None.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, TextIO

from peewee import JOIN, prefetch

from models import Call, Contact, Deal, Funnel, Phone, Stage, User

Row = dict[str, Any]
CHUNK = 1000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def calls() -> Iterator[Row]:
    query = Call.select(Call, User).join(User, JOIN.LEFT_OUTER, on=(Call.agent == User.id))
    for call in _chunks(query, Call):
        yield {
            "pbx": call.pbx,
            "linkedid": call.linkedid,
            "direction": call.direction,
            "number": call.number,
            "did": call.did,
            "contact": call.contact_id,
            "deal": call.deal_id,
            "agent": call.agent and call.agent.login,
            "started_at": call.started_at,
            "answered_at": call.answered_at,
            "ended_at": call.ended_at,
            "wait": call.wait,
            "talk": call.talk,
            "outcome": call.outcome,
            "recording": call.recording,
        }


def deals() -> Iterator[Row]:
    query = (
        Deal.select(Deal, Stage, Funnel, User)
        .join(Stage)
        .join(Funnel)
        .switch(Deal)
        .join(User, JOIN.LEFT_OUTER, on=(Deal.owner == User.id))
    )
    for deal in _chunks(query, Deal):
        numbers = Phone.select().where(Phone.contact == deal.contact_id).order_by(Phone.id)
        yield {
            "id": deal.id,
            "title": deal.title,
            "funnel": deal.stage.funnel.name,
            "stage": deal.stage.name,
            "owner": deal.owner and deal.owner.login,
            "contact": deal.contact_id,
            "numbers": [phone.e164 for phone in numbers],
            "amount": deal.amount,
            "currency": deal.currency,
            "priority": {-1: "low", 0: "normal", 1: "high"}[deal.priority],
            "source": deal.source,
            "created_at": deal.created_at,
            "stage_since": deal.stage_since,
            "closed_at": deal.closed_at,
            "lost_reason": deal.lost_reason,
        }


def contacts() -> Iterator[Row]:
    query = Contact.select(Contact, User).join(User, JOIN.LEFT_OUTER)
    for chunk in _pages(query, Contact):
        for contact in prefetch(chunk, Phone.select().order_by(Phone.id)):
            yield {
                "id": contact.id,
                "name": contact.name,
                "company": None,
                "numbers": [phone.e164 for phone in contact.phones],
                "email": None,
                "owner": contact.owner and contact.owner.login,
                "created_at": contact.created_at,
            }


KINDS: dict[str, Callable[[], Iterator[Row]]] = {
    "deals": deals,
    "calls": calls,
    "contacts": contacts,
}


def write_json(rows: Iterator[Row], out: TextIO) -> None:
    """One JSON array, an object a line."""
    out.write("[")
    for count, row in enumerate(rows):
        out.write(",\n" if count else "\n")
        out.write(json.dumps({k: _plain(v) for k, v in row.items()}, ensure_ascii=False))
    out.write("\n]\n")


def write_csv(rows: Iterator[Row], out: TextIO) -> None:
    """RFC 4180 with a head line. A text that a spreadsheet would run as a formula gets a leading
    apostrophe: caller names are written by strangers. Several values are parted by blanks."""
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(out, list(row))
            writer.writeheader()
        writer.writerow({key: _cell(value) for key, value in row.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, Decimal) else value


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return " ".join(value)
    text = _plain(value)
    is_number = isinstance(text, str) and text[1:].isdigit() and text[:1] == "+"
    if isinstance(text, str) and text.startswith(FORMULA_STARTS) and not is_number:
        return "'" + text
    return text


def _pages(query: Any, model: Any) -> Iterator[Any]:
    """The query in id order, a chunk at a time: an export never holds a whole table."""
    last = 0
    while True:
        page = query.where(model.id > last).order_by(model.id).limit(CHUNK)
        rows = list(page)
        if not rows:
            return
        yield query.where(model.id > last, model.id <= rows[-1].id).order_by(model.id)
        last = rows[-1].id


def _chunks(query: Any, model: Any) -> Iterator[Any]:
    for page in _pages(query, model):
        yield from page
