"""What the search finds: queries on the index that verbs/search.py keeps. What the viewer may not
see is left out in the database, so that it takes no place in a list from what may be seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import Any

from peewee import JOIN, Case, Value, fn

from fields import number_or_none
from models import Call, Company, Contact, Deal, Gram, Phone, Stage, User
from panel.find_words import by_words
from spelling import RUN, code, runs, words

LONGEST = 100
"""Characters of a question that are looked at."""
MOST_WORDS = 5
NUMBERS = 80
"""Numbers with the same run of digits that calls are looked for by, the latest of contacts and as
many of nobody's: more have only digits in common that do not tell numbers apart."""
_NOTATION = re.compile(r"[+0-9][0-9 ()./\-\u00a0]*")
_LABEL = re.compile(
    r"^\s*(tel(efon)?|phone|fon|mobile?|handy|cell|fax|тел(ефон)?|моб)\b[.:\s]*(?=[+(0-9])",
    re.IGNORECASE,
)
"""What stands before a number on a business card, and is copied along with it."""


@dataclass
class Found:
    """By kind, the best first. ``phones``: the numbers of the contacts, the ones asked for in
    front."""

    contacts: list[Contact] = field(default_factory=list)
    companies: list[Company] = field(default_factory=list)
    deals: list[Deal] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    phones: dict[int, list[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.contacts or self.companies or self.deals or self.calls)


def find(user: User, question: str, most: int) -> Found:
    """What this user may see and that fits the question, at most so many of a kind."""
    asked = words(question[:LONGEST])[:MOST_WORDS]
    number, digits = _number_in(question)
    found = Found()
    if digits:
        _by_number(user, number, digits, most, found)
    if asked:
        kinds = (
            (found.contacts, "contact", Contact, _contacts(user)),
            (found.companies, "company", Company, Company.visible_to(user)),
            (found.deals, "deal", Deal, _deals(user)),
        )
        by_words(asked, most, kinds)
    _add_phones(found, digits)
    return found


def found_contacts(query: Any, question: str, most: int) -> list[Contact]:
    """Contacts of a query, whose company is joined, that fit the question; the best first."""
    number, digits = _number_in(question)
    found: list[Contact] = []
    if digits:
        phones = Phone.select(Phone.contact).where(
            contains(Phone, Phone.e164, "phone", number, digits)
        )
        found += list(query.where(Contact.id << phones).order_by(Contact.id.desc()).limit(most))
    if asked := words(question[:LONGEST])[:MOST_WORDS]:
        by_words(asked, most, ((found, "contact", Contact, query),))
    return found


def _contacts(user: User) -> Any:
    return Contact.visible_to(user).select(Contact, Company).join(Company, JOIN.LEFT_OUTER)


def _deals(user: User) -> Any:
    query = (
        Deal.select(Deal, Stage, Contact, User)
        .join(Stage, on=(Deal.stage == Stage.id), attr="stage")
        .join_from(Deal, Contact, JOIN.LEFT_OUTER)
        .join_from(Deal, User, JOIN.LEFT_OUTER, on=(Deal.owner == User.id), attr="owner")
    )
    # The sum keeps SQLite from reading all deals of a seller to look which words are in each.
    seen = (Deal.id + 0) << Deal.visible_to(user).select(Deal.id)
    return query if user.sees_all else query.where(seen)


# By number ---------------------------------------------------------------------------------------


def _number_in(question: str) -> tuple[str | None, str]:
    """The whole number that a question is, or None; and the digits to look for, or ''."""
    text = _LABEL.sub("", question)
    number = number_or_none(text)
    # With an extension it is no part of a number, but a whole one.
    return number, digits_of(text[:LONGEST]) or (number or "")[1:]


def digits_of(question: str) -> str:
    """The digits that the number must contain; '' for what can't be a part of one. Zeros in front
    may be a trunk prefix or that of another country, which a number in E.164 has not."""
    text = question.strip().replace("(0)", "")
    if not _NOTATION.fullmatch(text):
        return ""
    digits = re.sub(r"\D", "", text)
    bare = digits.lstrip("0")
    digits = bare if len(bare) >= RUN else digits
    return digits[:20] if len(digits) >= RUN else ""


def _by_number(user: User, number: str | None, digits: str, most: int, found: Found) -> None:
    fits = contains(Phone, Phone.e164, "phone", number, digits)
    owners: Any = _contacts(user).join_from(Contact, Phone).where(fits)
    for row in owners.order_by(_rank(Phone.e164, number, digits), Contact.id.desc()).limit(
        most * 2
    ):
        if row not in found.contacts and len(found.contacts) < most:
            found.contacts.append(row)
    holders = Phone.select(Phone.contact).where(fits)
    newest = (Deal.closed_at.is_null(False), Deal.id.desc())
    found.deals += list(_deals(user).where(Deal.contact << holders).order_by(*newest).limit(most))
    phones: Any = Phone.select(Phone.e164).where(fits).order_by(Phone.id.desc())
    unknown = contains(Call, Call.number, "call", number, digits)
    nobodys: Any = Call.select(Call.number).where(unknown).order_by(Call.id.desc())
    numbers = {e164 for query in (phones, nobodys) for (e164,) in query.limit(NUMBERS).tuples()}
    found.calls += _calls(user, sorted(numbers), most)


def contains(table: Any, column: Any, kind: str, number: str | None, digits: str) -> Any:
    """Numbers with this run of digits, by at most three of its parts of four: the last ones tell
    numbers apart, the first are the same for whole towns."""
    parts = list(runs(digits))
    there = []
    for part in {parts[-1], parts[len(parts) // 2], parts[-1 - len(parts) // 4]}:
        here = (Gram.kind == kind) & (Gram.gram == code(part))
        there.append(table.id << Gram.select(Gram.row).where(here))
    # Behind the plus: compared as they are, parts of a number are none for its column.
    some = reduce(and_, there) & fn.SUBSTR(column, 2).contains(digits)
    return some | (column == number) if number else some


def _rank(column: Any, number: str | None, digits: str) -> Any:
    """What ends with the digits is meant more often than what has them somewhere."""
    ends = (fn.SUBSTR(column, -len(digits)) == digits, 1)
    return Case(None, [(column == number, 0), ends] if number else [ends], 2)


def _calls(user: User, numbers: list[str], most: int) -> list[Call]:
    if not numbers:
        return []
    # The sum keeps the databases from reading all calls in their order until these come.
    newest = (Call.started_at + 0).desc()
    return list(
        Call.visible_to(user)
        .select(Call, Contact)
        .join(Contact, JOIN.LEFT_OUTER)
        # As they came from the database: reading them again would take long.
        .where(Call.number << [Value(number, converter=False) for number in numbers])
        .order_by(newest, Call.id.desc())
        .limit(most)
    )


def _add_phones(found: Found, digits: str) -> None:
    ids = [contact.id for contact in found.contacts]
    phones: Iterable[Phone] = Phone.select().where(Phone.contact << ids).order_by(Phone.id)
    for phone in phones if ids else ():
        found.phones.setdefault(phone.contact_id, []).append(phone.e164)
    for numbers in found.phones.values():
        numbers.sort(key=lambda e164: not digits or digits not in e164)
