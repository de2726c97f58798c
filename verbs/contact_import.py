"""C1: contacts of a file become contacts here. Doing it again changes nothing.

A row belongs to the contact with one of its numbers or, where no number is known, with its mail.
A few are written at a time, so that calls need not wait, and files take turns: no two make twins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from peewee import JOIN, fn

from database import database
from errors import Refused
from fields import number_or_none, utcnow
from models import Company, Contact, Event, Note, Phone, User
from verbs import search
from verbs.alone import alone
from verbs.contacts import READERS
from verbs.import_rows import Line, Plan

BATCH = 50
"""Rows of one transaction."""
FATES = ("new", "updated", "same", "refused")


@dataclass
class Outcome:
    """How many rows met with what, and those that were refused."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))
    refused: list[Line] = field(default_factory=list)

    def add(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self.counts[line.fate] += 1
            if line.fate == "refused":
                self.refused.append(line)


def foretell(
    plan: Plan, rows: Iterable[tuple[int, list[str]]], shown: int
) -> tuple[list[Line], Outcome]:
    """What would become of rows: the first lines, so many, and the Outcome of all."""
    outcome = Outcome()
    first: list[Line] = []
    known: set[str] = set()
    for batch in _batches(plan, rows):
        _match(batch)
        noted = _noted(batch)
        for line in batch:
            _foretell(line, plan, known, noted)
        first += batch[: shown - len(first)]
        outcome.add(batch)
    return first, outcome


def run(
    plan: Plan,
    rows: Iterable[tuple[int, list[str]]],
    by: User | None,
    progress: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Enter rows, each with its line in the file. Raises Refused for who may not; what can't be
    used of the rows is in the Outcome. Broken off, it can be begun again."""
    if by is not None and not by.sees_all:
        raise Refused("Only a head brings in contacts from a file.")
    outcome = Outcome()
    for batch in _batches(plan, rows):
        with alone("contact import"), database.atomic():
            _enter(batch, plan)
        outcome.add(batch)
        progress(sum(outcome.counts.values()))
    with database.atomic():
        Event.add("contacts.imported", by=by, payload={"counts": outcome.counts})
    return outcome


def _enter(batch: list[Line], plan: Plan) -> None:
    _match(batch)
    plan.meet(line.about.get("company", "") for line in batch if not line.fate)
    fresh: dict[str, Contact] = {}
    names: set[int] = set()
    for line in batch:
        if line.fate:
            continue
        line.contact = line.contact or _met(line, fresh)
        if line.contact is None:
            line.contact = _create(line, plan)
            line.fate = "new"
            names.add(line.contact.id)
        elif _update(line, plan):
            line.fate = "updated"
            names.add(line.contact.id)
        for key in (*line.numbers, line.about.get("email")):
            if key:
                fresh[key] = line.contact
    _add_numbers(batch)
    _add_notes(batch)
    search.renamed("contact", sorted({line.contact.id for line in batch if line.contact} & names))
    for line in batch:
        line.fate = line.fate or "same"


def _foretell(line: Line, plan: Plan, known: set[str], noted: set[tuple[int, str]]) -> None:
    """``known``: numbers and mails of the rows before, which would be contacts by then."""
    keys = {*line.numbers, *filter(None, [line.about.get("email")])}
    if line.fate:
        return
    if line.contact is None:
        line.fate = "updated" if keys & known else "new"
    else:
        notes = line.note and (line.contact.id, line.note) not in noted
        news = notes or line.adds or _changes(line, line.contact, plan)
        line.fate = "updated" if news else "same"
    known |= keys


def _batches(plan: Plan, rows: Iterable[tuple[int, list[str]]]) -> Iterable[list[Line]]:
    batch: list[Line] = []
    for number, cells in rows:
        batch.append(plan.read(number, cells))
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _match(batch: list[Line]) -> None:
    """Finds the contacts that the rows are about, in three queries."""
    numbers = sorted({number for line in batch for number in line.numbers})
    mails = sorted({line.about["email"].lower() for line in batch if line.about.get("email")})
    phones = Phone.select(Phone, Contact, Company).join(Contact).join(Company, JOIN.LEFT_OUTER)
    of_number = {phone.e164: phone.contact for phone in phones.where(Phone.e164 << numbers)}
    of_mail: dict[str, list[Contact]] = {}
    contacts = Contact.select(Contact, Company).join(Company, JOIN.LEFT_OUTER)
    written = fn.LOWER(Contact.email) << mails
    for contact in contacts.where(written).order_by(Contact.id) if mails else ():
        of_mail.setdefault(contact.email.lower(), []).append(contact)
    same: dict[int, Contact] = {}
    for line in batch:
        if line.fate:
            continue
        found = {of_number[n].id: of_number[n] for n in line.numbers if n in of_number}
        line.adds = [number for number in line.numbers if number not in of_number]
        if not found:
            mail = line.about.get("email", "").lower()
            found = {contact.id: contact for contact in of_mail.get(mail, [])}
        if len(found) > 1:
            names = ", ".join(sorted(contact.name for contact in found.values()))
            line.refuse("It fits several contacts ({names}): merge them first.", names=names)
        elif found:
            one = next(iter(found.values()))
            # One object a contact: a later row must see what an earlier one has changed.
            line.contact = same.setdefault(one.id, one)


def _met(line: Line, fresh: dict[str, Contact]) -> Contact | None:
    """The contact that an earlier row of the same batch has made."""
    keys = (*line.numbers, line.about.get("email", ""))
    return next((fresh[key] for key in keys if key in fresh), None)


def _create(line: Line, plan: Plan) -> Contact:
    about = {"owner": plan.owner, **line.about, "name": line.called}
    about["company"] = plan.company(about.get("company", ""))
    return Contact.create(**about, created_at=utcnow())


def _update(line: Line, plan: Plan) -> bool:
    contact: Any = line.contact
    changes = _changes(line, contact, plan)
    if "company" in changes:
        changes["company"] = plan.company(changes["company"])
    contact.assign(**changes)
    if changes:
        contact.save(only=contact.dirty_fields)
    return bool(changes)


def _changes(line: Line, contact: Contact, plan: Plan) -> dict[str, Any]:
    """Columns that would be different. A caller who is named by a number gets the name."""
    changes = {}
    for key, value in line.about.items():
        now = _now(contact, key)
        if key == "tags":
            value = READERS["tags"](f"{now} {value}")
        unnamed = key == "name" and now.startswith("+") and number_or_none(now) == now
        if value != now and (plan.overwrites or not now or unnamed or key == "tags"):
            changes[key] = value
    return changes


def _now(contact: Contact, key: str) -> Any:
    if key == "company":
        return contact.company.name if contact.company else ""
    return getattr(contact, key)


def _add_numbers(batch: list[Line]) -> None:
    wanted = {number: line for line in batch if line.contact for number in line.numbers}
    known = {phone.e164 for phone in Phone.select().where(Phone.e164 << list(wanted))}
    rows = [
        {"contact": line.contact, "e164": number}
        for number, line in sorted(wanted.items())  # in one order: else two files block each other
        if number not in known
    ]
    # A call may have made the same number a contact just now: that one keeps it.
    if rows:
        Phone.insert_many(rows).on_conflict_ignore().execute()
    added = [number for number in wanted if number not in known]
    now = list(Phone.select(Phone, Contact).join(Contact).where(Phone.e164 << list(wanted)))
    search.keep("phone", [phone.id for phone in now if phone.e164 in added])
    for phone in now:
        line = wanted[phone.e164]
        if line.contact and phone.contact_id != line.contact.id:
            _give_way(line, phone.contact, batch)
        elif phone.e164 in added:
            line.fate = line.fate or "updated"


def _give_way(line: Line, theirs: Contact, batch: list[Line]) -> None:
    """Another file, or a call, has made a contact of the number at the same moment: nobody needs a
    second one that has no number at all."""
    mine = line.contact
    if line.fate != "new" or mine is None or mine.phones.exists():
        return
    mine.delete_instance()
    for other in batch:
        if other.contact is mine:
            other.contact, other.fate = theirs, "same" if other is line else other.fate


def _add_notes(batch: list[Line]) -> None:
    there = _noted(batch)
    for line in batch:
        if line.contact and line.note and (line.contact.id, line.note) not in there:
            there.add((line.contact.id, line.note))
            Note.create(text=line.note, contact=line.contact, at=utcnow())
            line.fate = line.fate or "updated"


def _noted(batch: list[Line]) -> set[tuple[int, str]]:
    """What is written of these contacts already, by the contact."""
    contacts = [line.contact for line in batch if line.contact and line.note]
    known: Any = Note.select(Note.contact, Note.text).where(Note.contact << contacts)
    return set(known.tuples()) if contacts else set()
