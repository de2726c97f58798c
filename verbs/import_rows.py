"""Rows of a file of contacts as they are read: checked, and not entered yet (contact_import)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from peewee import fn

import fields
from errors import Refused, TrichterError
from fields import BadNumber, clean, normalise, number_or_none, readable_lines
from models import Company, Contact, User
from verbs import search
from verbs.contacts import READERS

SPLIT = re.compile(r"[;|\n]|,(?!\d+E)|\s(?:oder|und|bzw\.?|or|and|или|и)\s", re.IGNORECASE)
"""What stands between the numbers of a cell; 4,91711E+11 is one of which Excel has cut the end."""
LABEL = re.compile(
    r"^['’]|^(?:tel\w*|phone|mobil\w*|handy|büro|privat|тел\w*|моб\w*)\b[ .:]*|\([^\d()]*\)$",
    re.IGNORECASE,
)
"""What people write beside a number; the apostrophe is Excel's mark of a text."""


@dataclass
class Line:
    """One row: where it stands in the file, what it says, and what becomes of it. ``called``: the
    name of a new contact; ``adds``: its numbers that nobody has yet."""

    line: int
    cells: list[str]
    about: dict[str, Any] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    note: str = ""
    called: str = ""
    contact: Contact | None = None
    adds: list[str] = field(default_factory=list)
    fate: str = ""
    refusal: TrichterError | None = None

    def refuse(self, text: str, **values: object) -> None:
        self.fate, self.refusal = "refused", Refused(text, field="", **values)


@dataclass
class Plan:
    """How rows are to be read. ``mapping``: a field for each column, or '' (see contact_file);
    ``owner``: of those that name none; ``overwrites``: what the file says replaces what is here,
    else it only fills in what is missing."""

    mapping: Sequence[str]
    owner: User | None = None
    overwrites: bool = False

    def __post_init__(self) -> None:
        self._users: dict[str, User] | None = None
        self._companies: dict[str, Company] = {}

    def meet(self, companies: Iterable[str]) -> None:
        """Finds companies by their names, and makes those that are not there."""
        wanted = {name.casefold(): name for name in companies if name}
        unknown = [name for key, name in wanted.items() if key not in self._companies]
        if not unknown:
            return
        small = fn.LOWER(Company.name) << [name.lower() for name in unknown]
        found = (
            Company.select().where(small | (Company.name << unknown)).order_by(Company.id.desc())
        )
        self._companies |= {company.name.casefold(): company for company in found}
        missing = [name for name in unknown if name.casefold() not in self._companies]
        made = [Company.create(name=name) for name in missing]
        self._companies |= {company.name.casefold(): company for company in made}
        search.keep("company", [company.id for company in made])

    def company(self, name: str) -> Company | None:
        """One that was met."""
        return self._companies[name.casefold()] if name else None

    def read(self, line: int, cells: list[str]) -> Line:
        """What a row says, checked, without asking the database but for users."""
        row = Line(line, cells)
        told: dict[str, str] = {}
        for name, cell in zip(self.mapping, cells, strict=True):
            if name and cell:
                told[name] = f"{told[name]}\n{cell}" if name in told else cell
        try:
            self._fill(row, told)
        except TrichterError as error:
            row.fate, row.refusal = "refused", error
        except BadNumber as error:
            row.refuse("{error}", error=error)
        return row

    def _fill(self, row: Line, told: dict[str, str]) -> None:
        row.numbers = _numbers(told.pop("number", ""))
        row.note = readable_lines(told.pop("note", ""), 20_000)
        parts = clean(f"{told.pop('first', '')} {told.pop('last', '')}")
        name = clean(told.pop("name", "")) or parts
        owner = told.pop("owner", "")
        row.about = {key: clean(text, 200) for key, text in told.items() if clean(text, 200)}
        if "company" in row.about:
            row.about["company"] = clean(row.about["company"], 120)
        for key in ("email", "position", "tags"):
            if key in row.about:
                row.about[key] = READERS[key](row.about[key])
        if name:
            row.about["name"] = name
        row.called = name or row.about.get("company", "")[:80] or "".join(row.numbers[:1])
        if not row.called:
            raise Refused("There is neither a name nor a number.")
        if owner:
            row.about["owner"] = self._user(clean(owner))

    def _user(self, written: str) -> User:
        if self._users is None:
            active = list(User.select().where(User.active))
            self._users = {key.casefold(): u for u in active for key in (u.name, u.login)}
        user = self._users.get(written.casefold())
        if user is None:
            raise Refused("There is no user '{name}'.", name=written)
        return user


def _numbers(text: str) -> list[str]:
    """All numbers of the cells, in any notation. Raises BadNumber or Refused."""
    written = [clean(LABEL.sub("", part.strip()), 60) for part in SPLIT.split(text)]
    numbers = [number for part in written if part for number in _one_or_several(part)]
    for number in numbers:
        if number in fields.own:
            raise Refused("{number} is one of our own numbers.", number=number)
    return list(dict.fromkeys(numbers))


def _one_or_several(written: str) -> list[str]:
    """030/1234567 is one number, 030 1234567 / 0171 7654321 are two: each whole by itself."""
    parts = [part.strip() for part in written.split("/")]
    whole = [number_or_none(part) for part in parts if part[:1] in ("0", "+", "(")]
    found = [number for number in whole if number]
    return found if len(found) == len(parts) > 1 else [normalise(written)]
