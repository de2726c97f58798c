"""C1: what is written of customers changes."""

from __future__ import annotations

import re
from typing import Any

from peewee import fn

import spelling
from database import database, locked
from errors import Conflict, Refused
from fields import clean, normalise, readable_lines, utcnow
from models import Company, Contact, Event, Mention, Phone, User, Word
from verbs import search
from verbs.contact_news import tell

LONGEST_TAG, MOST_TAGS = 30, 6
MOST_ALIKE = 200
"""Contacts that are compared; more with one name are not told apart by it."""


def change(
    contact: Contact, by: User | None, seen: dict[str, Any] | None = None, **about: Any
) -> bool:
    """Some of name, company (its name), position, email, tags and owner. False: nothing differs.
    ``seen``: columns as the person saw them.

    Raises Refused, or Conflict if somebody else has changed one of them since; what may be seen is
    the caller's business (``Contact.visible_to``).
    """
    with database.atomic():
        _must_be_as(contact, seen)
        contact.assign(**{key: READERS[key](value) for key, value in about.items()})
        changed = [field.name for field in contact.dirty_fields]
        if not changed:
            return False
        contact.save(only=contact.dirty_fields)
        search.renamed("contact", [contact.id])
        tell("contact.changed", contact, by, changed=changed)
    return True


def _must_be_as(row: Contact | Company, seen: dict[str, Any] | None) -> None:
    if not seen:
        return
    table = type(row)
    now = locked(table.select().where(table.id == row.id)).get()
    if any(now.__data__[key] != value for key, value in seen.items()):
        raise Conflict("Somebody else changed this just now. Look at it again.")


def check(contact: Contact, by: User) -> None:
    """C2: somebody says that what is written here is right."""
    with database.atomic():
        contact.checked_at = utcnow()
        contact.save(only=[Contact.checked_at])
        tell("contact.checked", contact, by)


def add_number(contact: Contact, number: str, by: User | None) -> Phone:
    """In any notation. Raises Refused for one that is another contact's, BadNumber for none."""
    e164 = normalise(number)
    with database.atomic():
        phone, fresh = Phone.get_or_create(e164=e164, defaults={"contact": contact})
        if phone.contact_id != contact.id:
            raise Refused("belongs to another contact; merge the two", field="number")
        if fresh:
            search.keep("phone", [phone.id])
            tell("contact.number_added", contact, by)
    return phone


def remove_number(phone: Phone, by: User | None) -> None:
    """Calls with it stay with the contact; new ones are an unknown caller's."""
    with database.atomic():
        tell("contact.number_removed", phone.contact, by)
        search.forget("phone", [phone.id])
        phone.delete_instance()


def duplicates_of(contact: Contact, user: User) -> list[Contact]:
    """Others that this user may see, with the same name, in whichever order and spelling its words
    are written, or the same mail; ten at most."""
    name, mail = set(spelling.words(contact.name)), contact.email.lower()
    rows = [*_with_all(name), *_with_all(set(spelling.words(mail)))]
    others = Contact.visible_to(user).where(Contact.id << rows, Contact.id != contact.id)
    found = [
        other
        for other in others.order_by(Contact.id)
        if (name and set(spelling.words(other.name)) == name)
        or (mail and other.email.lower() == mail)
    ]
    return found[:10]


def _with_all(words: set[str]) -> list[int]:
    """Contacts of whom all these words are known, so many as are worth looking at."""
    if not words:
        return []
    known = Mention.select(Mention.row).join(Word, on=(Mention.word == Word.id))
    of_words = known.where(Mention.kind == "contact", Word.text << sorted(words))
    alike: Any = of_words.group_by(Mention.row).having(fn.COUNT(Mention.id) == len(words))
    return [row for (row,) in alike.limit(MOST_ALIKE).tuples()]


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


def change_company(
    company: Company, by: User | None, seen: dict[str, Any] | None = None, **about: Any
) -> bool:
    """Some of name, website and notes. False: nothing differs. ``seen``: columns as the person saw
    them. Raises Refused, or Conflict if somebody else has changed one of them since."""
    if "name" in about:
        about["name"] = clean(about["name"], 120)
        if not about["name"]:
            raise Refused("must not be empty", field="name")
    if "website" in about:
        about["website"] = _website(about["website"])
    if "notes" in about:
        about["notes"] = readable_lines(about["notes"], 20_000)
    with database.atomic():
        _must_be_as(company, seen)
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
