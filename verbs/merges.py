"""C1: two entries of one person become one, and can be parted again for a day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from peewee import fn

from database import database, locked
from errors import Refused
from fields import utcnow
from models import Call, CallRequest, Company, Contact, Deal, Merge, Note, Phone, Task, User
from verbs import search
from verbs.contact_news import tell
from verbs.contacts import READERS

UNDO_WITHIN = timedelta(days=1)
MOVED: tuple[Any, ...] = (Phone, Deal, Call, Task, Note, CallRequest)
"""What goes along with a contact; each has a column ``contact``."""
FILLED = ("company", "position", "email", "owner", "checked_at")
"""What the one that stays takes over from the other where it has nothing itself."""


def merge(kept: Contact, other: Contact, by: User | None) -> Merge:
    """``other`` becomes part of ``kept``: numbers, deals, calls, tasks and notes go along, and what
    only ``other`` knew is filled in. Can be undone for a day. Raises Refused."""
    if kept.id == other.id:
        raise Refused("Choose another contact to merge with.")
    with database.atomic():
        both = Contact.select().where(Contact.id << [kept.id, other.id]).order_by(Contact.id)
        now = {contact.id: contact for contact in locked(both)}
        if len(now) < 2:
            raise Refused("One of the two contacts is not there any more.")
        kept, other = now[kept.id], now[other.id]
        before = _before(other)
        for table in MOVED:
            table.update(contact=kept).where(table.contact == other).execute()
        before["filled"] = _fill(kept, other)
        Merge.update(kept=kept).where(Merge.kept == other).execute()
        done = Merge.create(kept=kept, by=by, before=json.dumps(before))
        search.forget("contact", [other.id])
        other.delete_instance()
        search.renamed("contact", [kept.id])
        tell("contact.merged", kept, by, merge=done.id)
    return done


def undo(done: Merge, by: User | None) -> Contact:
    """Part the two again: what came with the other and is still here goes back, and what has come
    since by a number of the other's goes with it. Raises Refused."""
    with database.atomic():
        limit = utcnow() - UNDO_WITHIN
        mine = (Merge.id == done.id) & Merge.undone_at.is_null() & (Merge.at > limit)
        if not Merge.update(undone_at=utcnow()).where(mine).execute():
            raise Refused("This merge is older than a day, or was undone already.")
        before = json.loads(done.before)
        other = _restored(before["contact"])
        _give_back(done, other, before)
        _give_what_came(done.kept_id, other, before)
        _empty_again(done.kept, before["filled"])
        search.renamed("contact", [done.kept_id, other.id])
        tell("contact.parted", done.kept, by, merge=done.id)
    return other


def _before(other: Contact) -> dict[str, Any]:
    """What tells the two apart again: the row of the one that goes, what is its own, and after
    which call the two were one."""
    return {
        "contact": {f.name: f.db_value(other.__data__[f.name]) for f in _columns()},
        "moved": {t.__name__: _ids(t, t.contact == other) for t in MOVED if t is not Phone},
        "numbers": [phone.e164 for phone in other.phones],
        "merges": _ids(Merge, Merge.kept == other),
        "last_call": Call.select(fn.MAX(Call.id)).scalar() or 0,
    }


def _give_back(done: Merge, other: Contact, before: dict[str, Any]) -> None:
    """By their ids; a number by itself, and of notes the old ones: SQLite gives the id of the last
    row to the next, once that one is deleted."""
    own_numbers = Phone.e164 << before["numbers"]
    Phone.update(contact=other).where(own_numbers, Phone.contact == done.kept_id).execute()
    for table in MOVED:
        if table is Phone:
            continue
        here = (table.id << before["moved"][table.__name__]) & (table.contact == done.kept_id)
        if table is Note:
            here &= Note.at <= done.at
        table.update(contact=other).where(here).execute()
    nested = (Merge.id << before["merges"]) & (Merge.kept == done.kept_id)
    Merge.update(kept=other).where(nested).execute()


def _give_what_came(kept: int, other: Contact, before: dict[str, Any]) -> None:
    """Calls with its numbers since the merge, the deals that they made, and what was noted of them
    or is to be done about them."""
    numbers = [phone.e164 for phone in other.phones]
    by_number = (Call.contact == kept) & (Call.number << numbers)
    calls = _ids(Call, by_number & (Call.id > before["last_call"]))
    deals = [deal for deal in _ids(Deal, _made_by(calls)) if _first_call(deal) in calls]
    Call.update(contact=other).where(Call.id << calls).execute()
    Deal.update(contact=other).where(Deal.id << deals, Deal.contact == kept).execute()
    CallRequest.update(contact=other).where(
        CallRequest.contact == kept, CallRequest.number << numbers
    ).execute()
    for table in (Task, Note):
        about = (table.call << calls) | (table.deal << deals)
        table.update(contact=other).where(table.contact == kept, about).execute()


def _made_by(calls: Sequence[int]) -> Any:
    """Deals that a call opened, and on which one of these is."""
    on_them = Call.select(Call.deal).where(Call.id << calls, Call.deal.is_null(False))
    return (Deal.source == "call") & (Deal.id << on_them)


def _first_call(deal: int) -> int | None:
    return Call.select(fn.MIN(Call.id)).where(Call.deal == deal).scalar()


def _fill(kept: Contact, other: Contact) -> dict[str, Any]:
    """Raw values that ``kept`` has taken over, by column."""
    empty = [name for name in FILLED if not kept.__data__[name] and other.__data__[name]]
    kept.assign(**{name: other.__data__[name] for name in empty})
    tags = READERS["tags"](f"{kept.tags} {other.tags}")
    had = kept.tags
    kept.assign(tags=tags)
    if kept.dirty_fields:
        kept.save(only=kept.dirty_fields)
    filled = {name: _raw(name, kept) for name in empty}
    return {**filled, "tags": [had, tags]} if tags != had else filled


def _empty_again(kept: Contact, filled: dict[str, Any]) -> None:
    """Only what nobody has changed since."""
    had_tags, tags = filled.pop("tags", ("", None))
    nothing = {"position": "", "email": ""}
    kept.assign(**{n: nothing.get(n) for n, value in filled.items() if _raw(n, kept) == value})
    if kept.tags == tags:
        kept.assign(tags=had_tags)
    if kept.dirty_fields:
        kept.save(only=kept.dirty_fields)


def _restored(row: dict[str, Any]) -> Contact:
    """The contact as it was, under its own id if nobody got that since; who or what it named may be
    gone."""
    known = {
        field.name: field.python_value(row[field.name]) for field in _columns() if field.name in row
    }
    for name, table in (("company", Company), ("owner", User)):
        if known.get(name) and not table.select().where(table.id == known[name]).exists():
            known[name] = None
    if Contact.select().where(Contact.id == known["id"]).exists():
        del known["id"]
    return Contact.get_by_id(Contact.insert(**known).execute() or known["id"])


def _raw(name: str, contact: Contact) -> Any:
    return Contact._meta.fields[name].db_value(contact.__data__[name])


def _columns() -> list[Any]:
    return list(Contact._meta.sorted_fields)


def _ids(table: Any, condition: Any) -> list[int]:
    return [row for (row,) in table.select(table.id).where(condition).tuples()]
