"""Rows as ``trichter export`` gives them: one flat object a row, with keys that stay stable.

Users by login, numbers in E.164, times ISO 8601 UTC, durations in seconds, nothing = None.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TextIO

from peewee import JOIN

from formats import vcard
from models import Call, Company, Contact, Deal, Funnel, Phone, Stage, User

Row = dict[str, Any]
CHUNK = 1000
FORMULA = re.compile(r"(^|[;\t][\s\"]*)(?=[=+\-@＝＋－＠])")
"""Where a formula begins for a spreadsheet: in many countries it parts columns at semicolons, and
there it takes quotes away that came as part of the text."""
NUMBER = re.compile(r"\+[0-9]+", re.ASCII)


def calls() -> Iterator[Row]:
    query = Call.select(Call, User).join(User, JOIN.LEFT_OUTER, on=(Call.agent == User.id))
    for page in _pages(query, Call):
        for call in page:
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
    for page in _pages(query, Deal):
        numbers = _numbers(deal.contact_id for deal in page)
        for deal in page:
            yield {
                "id": deal.id,
                "title": deal.title,
                "funnel": deal.stage.funnel.name,
                "stage": deal.stage.name,
                "owner": deal.owner and deal.owner.login,
                "contact": deal.contact_id,
                "numbers": numbers.get(deal.contact_id, []),
                "amount": deal.amount,
                "currency": deal.currency,
                "priority": {-1: "low", 0: "normal", 1: "high"}[deal.priority],
                "source": deal.source,
                "created_at": deal.created_at,
                "stage_since": deal.stage_since,
                "closed_at": deal.closed_at,
                "lost_reason": deal.lost_reason,
            }


def contacts(wanted: Any = None) -> Iterator[Row]:
    """All, or those for which the condition ``wanted`` holds."""
    query = (
        Contact.select(Contact, User, Company)
        .join(User, JOIN.LEFT_OUTER, on=(Contact.owner == User.id), attr="owner")
        .join_from(Contact, Company, JOIN.LEFT_OUTER, attr="company")
    )
    query = query if wanted is None else query.where(wanted)
    for page in _pages(query, Contact):
        numbers = _numbers(contact.id for contact in page)
        for contact in page:
            yield {
                "id": contact.id,
                "name": contact.name,
                "company": contact.company and contact.company.name,
                "numbers": numbers.get(contact.id, []),
                "email": contact.email or None,
                "owner": contact.owner and contact.owner.login,
                "created_at": contact.created_at,
            }


KINDS: dict[str, Callable[..., Iterator[Row]]] = {
    "deals": deals,
    "calls": calls,
    "contacts": contacts,
}
COLUMNS = {
    "deals": (
        "id title funnel stage owner contact numbers amount currency priority source created_at "
        "stage_since closed_at lost_reason"
    ),
    "calls": (
        "pbx linkedid direction number did contact deal agent started_at answered_at ended_at "
        "wait talk outcome recording"
    ),
    "contacts": "id name company numbers email owner created_at",
}


def write(kind: str, form: str, out: TextIO) -> None:
    """All deals, calls or contacts as csv or json; contacts also as vcard."""
    if form == "vcard":
        write_cards(contacts(), out)
    elif form == "json":
        write_json(KINDS[kind](), out)
    else:
        write_csv(COLUMNS[kind].split(), KINDS[kind](), out)


def write_json(rows: Iterator[Row], out: TextIO) -> None:
    """One JSON array, an object a line."""
    out.write("[")
    for count, row in enumerate(rows):
        out.write(",\n" if count else "\n")
        out.write(json.dumps({k: _plain(v) for k, v in row.items()}, ensure_ascii=False))
    out.write("\n]\n")


def write_cards(rows: Iterator[Row], out: TextIO) -> None:
    """vCards 3.0 (RFC 2426), one a contact."""
    for row in rows:
        out.write(vcard.written(row))


def write_csv(
    columns: list[str], rows: Iterator[Row], out: TextIO, names: Mapping[str, str] | None = None
) -> None:
    """RFC 4180 with a head line: the columns, or ``names`` for them. A text that a spreadsheet
    would run as a formula gets a leading apostrophe: caller names are written by strangers. Several
    values are parted by blanks."""
    writer = csv.DictWriter(out, columns)
    writer.writerow({key: (names or {}).get(key, key) for key in columns})
    for row in rows:
        writer.writerow({key: cell(value) for key, value in row.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return str(value) if isinstance(value, Decimal) else value


def cell(value: Any) -> Any:
    """A value as it stands in a CSV file."""
    if isinstance(value, list):
        return " ".join(value)
    text = _plain(value)
    if isinstance(text, str) and not NUMBER.fullmatch(text):
        return FORMULA.sub(r"\1'", text)
    return text


def _pages(query: Any, model: Any) -> Iterator[list[Any]]:
    """The query in id order, a chunk at a time: an export never holds a whole table."""
    last = 0
    while page := list(query.where(model.id > last).order_by(model.id).limit(CHUNK)):
        yield page
        last = page[-1].id


def _numbers(contacts: Iterable[int | None]) -> dict[int, list[str]]:
    """The numbers of contacts, the first known in front."""
    found: dict[int, list[str]] = {}
    wanted = [contact for contact in contacts if contact]
    for phone in Phone.select().where(Phone.contact << wanted).order_by(Phone.id):
        found.setdefault(phone.contact_id, []).append(phone.e164)
    return found
