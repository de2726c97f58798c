"""C1: what is written of customers changes, and two entries of one person become one."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from peewee import fn

from database import database, locked
from errors import Refused
from fields import clean, normalise, readable_lines, utcnow
from models import Call, CallRequest, Company, Contact, Deal, Event, Merge, Note, Phone, Task, User
from verbs import search

UNDO_WITHIN = timedelta(days=1)
LONGEST_TAG, MOST_TAGS = 30, 6
MOVED: tuple[Any, ...] = (Phone, Deal, Call, Task, Note, CallRequest)
"""What goes along with a contact; each has a column ``contact``."""
FILLED = ("company", "position", "email", "owner", "checked_at")
"""What the one that stays takes over from the other where it has nothing itself."""


def change(contact: Contact, by: User | None, **about: Any) -> bool:
    """Some of name, company (its name), position, email, tags and owner. False: nothing differs.

    Raises Refused; what may be seen is the caller's business (``Contact.visible_to``).
    """
    with database.atomic():
        contact.assign(**{key: READERS[key](value) for key, value in about.items()})
        changed = [field.name for field in contact.dirty_fields]
        if not changed:
            return False
        contact.save(only=contact.dirty_fields)
        search.renamed("contact", [contact.id])
        _tell("contact.changed", contact, by, changed=changed)
    return True


def check(contact: Contact, by: User) -> None:
    """C2: somebody says that what is written here is right."""
    with database.atomic():
        contact.checked_at = utcnow()
        contact.save(only=[Contact.checked_at])
        _tell("contact.checked", contact, by)


def add_number(contact: Contact, number: str, by: User | None) -> Phone:
    """In any notation. Raises Refused for one that is another contact's, BadNumber for none."""
    e164 = normalise(number)
    with database.atomic():
        phone, fresh = Phone.get_or_create(e164=e164, defaults={"contact": contact})
        if phone.contact_id != contact.id:
            raise Refused("belongs to another contact; merge the two", field="number")
        if fresh:
            search.keep("phone", [phone.id])
            _tell("contact.number_added", contact, by)
    return phone


def remove_number(phone: Phone, by: User | None) -> None:
    """Calls with it stay with the contact; new ones are an unknown caller's."""
    with database.atomic():
        _tell("contact.number_removed", phone.contact, by)
        search.forget("phone", [phone.id])
        phone.delete_instance()


def duplicates_of(contact: Contact, user: User) -> list[Contact]:
    """Others that this user may see, with the same name or the same mail; ten at most."""
    same = (fn.LOWER(Contact.name) == contact.name.lower()) | (Contact.name == contact.name)
    if contact.email:
        same |= Contact.email == contact.email
    others = Contact.visible_to(user).where(Contact.id != contact.id, same)
    return list(others.order_by(Contact.id).limit(10))


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
        moved = {table.__name__: _move(table, other.id, kept.id) for table in MOVED}
        filled = _fill(kept, other)
        row = {field.name: field.db_value(other.__data__[field.name]) for field in _columns()}
        before = {"contact": row, "moved": moved, "filled": filled}
        Merge.update(kept=kept).where(Merge.kept == other).execute()
        done = Merge.create(kept=kept, by=by, before=json.dumps(before))
        search.forget("contact", [other.id])
        other.delete_instance()
        search.renamed("contact", [kept.id])
        _tell("contact.merged", kept, by, merge=done.id)
    return done


def undo(done: Merge, by: User | None) -> Contact:
    """Part the two again: what came with the other and is still here goes back. Raises Refused."""
    with database.atomic():
        limit = utcnow() - UNDO_WITHIN
        mine = (Merge.id == done.id) & Merge.undone_at.is_null() & (Merge.at > limit)
        if not Merge.update(undone_at=utcnow()).where(mine).execute():
            raise Refused("This merge is older than a day, or was undone already.")
        before = json.loads(done.before)
        other = _restored(before["contact"])
        for table in MOVED:
            ids = before["moved"].get(table.__name__, [])
            here = (table.id << ids) & (table.contact == done.kept_id)
            table.update(contact=other.id).where(here).execute()
        _empty_again(done.kept, before["filled"])
        search.renamed("contact", [done.kept_id, other.id])
        _tell("contact.parted", done.kept, by, merge=done.id)
    return other


def _move(table: Any, source: int, target: int) -> list[int]:
    ids = [row.id for row in table.select(table.id).where(table.contact == source)]
    table.update(contact=target).where(table.contact == source).execute()
    return ids


def _fill(kept: Contact, other: Contact) -> dict[str, Any]:
    """Raw values that ``kept`` has taken over, by column."""
    empty = [name for name in FILLED if not kept.__data__[name] and other.__data__[name]]
    kept.assign(**{name: other.__data__[name] for name in empty})
    tags = _tags(f"{kept.tags} {other.tags}")
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
    """The contact as it was, under its own id; who or what it named may be gone."""
    known = {
        field.name: field.python_value(row[field.name]) for field in _columns() if field.name in row
    }
    for name, table in (("company", Company), ("owner", User)):
        if known.get(name) and not table.select().where(table.id == known[name]).exists():
            known[name] = None
    Contact.insert(**known).execute()
    return Contact.get_by_id(known["id"])


def _raw(name: str, contact: Contact) -> Any:
    return Contact._meta.fields[name].db_value(contact.__data__[name])


def _columns() -> list[Any]:
    return list(Contact._meta.sorted_fields)


def _name(text: str) -> str:
    if not clean(text):
        raise Refused("must not be empty", field="name")
    return clean(text)


def _email(text: str) -> str:
    mail = clean(text, 200)
    if mail and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", mail):
        raise Refused("write it like name@example.com", field="email")
    return mail


def _tags(text: str) -> str:
    """Words with a blank between and around them, so that one is found by ' word '."""
    words = dict.fromkeys(word[:LONGEST_TAG] for word in clean(text, 200).lower().split())
    return f" {' '.join(list(words)[:MOST_TAGS])} " if words else ""


def company_named(name: str) -> Company | None:
    """The company of this name, made if there is none; None for ''."""
    written = clean(name, 120)
    if not written:
        return None
    # SQLite makes no other letters than A to Z small.
    same = (fn.LOWER(Company.name) == written.lower()) | (Company.name == written)
    found = Company.select().where(same).order_by(Company.id).first()
    if found:
        return found
    with database.atomic():
        company = Company.create(name=written)
        search.keep("company", [company.id])
    return company


READERS: dict[str, Any] = {
    "name": _name,
    "company": company_named,
    "position": clean,
    "email": _email,
    "tags": _tags,
    "owner": lambda user: user,
}
"""What can be said of a contact, and what makes a column's value of it or raises Refused."""


def change_company(company: Company, by: User | None, **about: Any) -> bool:
    """Some of name, website and notes. False: nothing differs. Raises Refused."""
    if "name" in about:
        about["name"] = clean(about["name"], 120)
        if not about["name"]:
            raise Refused("must not be empty", field="name")
    if "website" in about:
        about["website"] = _website(about["website"])
    if "notes" in about:
        about["notes"] = readable_lines(about["notes"], 20_000)
    with database.atomic():
        company.assign(**about)
        if not company.dirty_fields:
            return False
        company.save(only=company.dirty_fields)
        search.renamed("company", [company.id])
        Event.add("company.changed", by=by, payload={"company": company.id})
    return True


def _website(text: str) -> str:
    """With its scheme; anything but http is no link that a page may show."""
    site = clean(text, 200)
    if site and "://" not in site:
        site = f"https://{site}"
    if site and not re.fullmatch(r"https?://[^\s/@]+\.[^\s@]+", site):
        raise Refused("write it like www.example.com", field="website")
    return site


def _tell(kind: str, contact: Contact, by: User | None, **payload: Any) -> None:
    deal = Deal.select().where(Deal.contact == contact, Deal.closed_at.is_null()).first()
    Event.add(kind, deal=deal, by=by, payload={"contact": contact.id, **payload})
