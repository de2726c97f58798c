"""Files of contacts as other programs write them: CSV in any delimiter and encoding, and vCards.

Pure: bytes in, a table of texts out. Files come from anywhere, so they are hostile until they have
turned out to be a table.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from errors import Refused
from fields import clean
from formats import vcard
from spelling import folded

MOST_BYTES = 10 * 1024 * 1024
MOST_ROWS = 20_000
MOST_LINES = 500_000
"""Blank ones, and those within cells, among them."""
MOST_COLUMNS = 100
LONGEST_CELL = 20_000
DELIMITERS = ";,\t|"
FIELDS = (
    "name", "first", "last", "company", "position", "email", "number", "tags", "owner", "note",
)  # fmt: skip
"""What a column can be; several can be numbers. '' is one that is left out."""
UNKNOWN = {"-", "--", "–", "—", "?", "n/a", "k.a.", "k. a."}

_NAMES = {
    "name": "name fullname displayname contact contactname customer kunde kontakt ansprechpartner "
    "имя имяполностью фио контакт клиент полноеимя ktoto fn",
    "first": "firstname first givenname forename vorname имя1 именной",
    "last": "lastname last surname familyname nachname familienname фамилия",
    "company": "company companyname organization organisation organizationname firma firmenname "
    "unternehmen account компания организация фирма org",
    "position": "position jobtitle title role funktion positionjob beruf rolle должность",
    "email": "email emailaddress mail emails e mail1 email1value email1address emailadresse "
    "mailadresse почта электроннаяпочта элпочта адресэлпочты имейл",
    "number": "number numbers phone phones phonenumber telephone tel mobile mobilephone cell "
    "cellphone businessphone homephone workphone phone1value phone2value telefon telefonnummer "
    "telefonnr rufnummer nummer mobil mobiltelefon mobilnummer handy handynummer festnetz "
    "telefongeschaftlich telefonprivat телефон номер номертелефона мобильный мобильныйтелефон "
    "рабочийтелефон домашнийтелефон телефоны сотовый",
    "tags": "tags tag labels label groups group categories category schlagworte schlagwort "
    "kategorie kategorien gruppe gruppen теги тег метки группа группы категория категории",
    "owner": "owner seller salesperson assignedto responsible betreuer verkaufer zustandig "
    "besitzer ответственный менеджер продавец владелец",
    "note": "note notes comment comments remark remarks description notiz notizen bemerkung "
    "bemerkungen kommentar anmerkung заметка заметки примечание примечания комментарий",
}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_CYRILLIC = re.compile(rb"[\xc0-\xff\xa8\xb8]{3,}")
_HIGH = re.compile(rb"[\x80-\xff]")


def _key(header: str) -> str:
    return re.sub(r"[\W_]+", "", folded(header))


FIELD_OF = {_key(word): field for field, words in _NAMES.items() for word in words.split()}
# One word means two things: a first name beside a last one, else the whole name.
_FIRST_BESIDE_LAST = {_key("имя"), _key("name")}


@dataclass(frozen=True)
class Sheet:
    """A table: ``columns`` are its headings, ``guess`` a field for each or '', and ``lines`` say on
    which line of the file each of ``rows`` begins."""

    columns: list[str]
    guess: list[str]
    rows: list[list[str]]
    lines: list[int]


def read(data: bytes) -> Sheet:
    """What a file holds. Raises Refused with a sentence for what is no table of contacts."""
    if len(data) > MOST_BYTES:
        raise Refused("The file is larger than 10 MB. Split it into several.", field="file")
    if data[:4] == b"PK\x03\x04" or data[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        raise Refused(
            "This is a workbook. In Excel choose “Save as” and “CSV UTF-8”.", field="file"
        )
    text = decoded(data)
    if not text.strip():
        raise Refused("The file is empty.", field="file")
    if _CONTROL.search(text):
        raise Refused("This is no text file: CSV or vCard is wanted.", field="file")
    if text.count("\n") > MOST_LINES:
        raise _too_many_rows()
    if re.match(r"\s*BEGIN:VCARD", text, re.IGNORECASE):
        return _of_cards(text)
    return _table(text)


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8, UTF-16, or one of the two Windows code pages of our languages."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    zeros = [data[at:4000:2].count(0) * 4 > len(data[at:4000:2]) for at in (0, 1)]
    if any(zeros) and not all(zeros):
        return data.decode("utf-16-be" if zeros[0] else "utf-16-le", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    high = len(_HIGH.findall(data))
    russian = sum(len(run) for run in _CYRILLIC.findall(data))
    return data.decode("cp1251" if russian * 2 > high else "cp1252", "replace")


def guessed(columns: Iterable[str]) -> list[str]:
    """By the headings; all but numbers once, whichever comes first."""
    names = [_key(column) for column in columns]
    last = any(FIELD_OF.get(name) == "last" for name in names)
    found: list[str] = []
    for name in names:
        field = "first" if last and name in _FIRST_BESIDE_LAST else _field(name)
        found.append("" if field != "number" and field in found else field)
    return found


def _field(name: str) -> str:
    """Also headings that only begin or end with a word: 'Phone (work)', 'Tel. 2', 'Firma 1'."""
    bare = re.sub(r"\d+(value)?$", "", name)
    if bare in FIELD_OF:
        return FIELD_OF[bare]
    longest = sorted(FIELD_OF, key=len, reverse=True)
    return next((FIELD_OF[w] for w in longest if len(w) > 4 and bare.startswith(w)), "")


def _of_cards(text: str) -> Sheet:
    fields = ["name", "company", "position", "email", "number", "tags", "note"]
    cards: list[list[str]] = []
    lines: list[int] = []
    for line, card in vcard.read(text):
        if len(cards) == MOST_ROWS:
            raise _too_many_rows()
        cards.append([clean_cell(card.get(field, "")) for field in fields])
        lines.append(line)
    if not cards:
        raise Refused("There is no contact in the file.", field="file")
    return Sheet(fields, list(fields), cards, lines)


def _table(text: str) -> Sheet:
    first, _, rest = text.partition("\n")
    named = re.fullmatch(r'"?sep=(.)"?\s*', first, re.IGNORECASE)
    delimiter = named[1] if named else _delimiter(text)
    rows, lines = _rows(rest if named else text, delimiter, 1 if named else 0)
    if not rows:
        raise Refused("There is no contact in the file.", field="file")
    width = max(len(row) for row in rows)
    columns = rows.pop(0) if _is_heading(rows[0]) else []
    lines = lines[1:] if columns else lines
    if not rows:
        raise Refused("There is no contact in the file.", field="file")
    columns = [clean(name, 60) for name in columns] + [""] * (width - len(columns))
    rows = [row + [""] * (width - len(row)) for row in rows]
    return Sheet(columns, guessed(columns), rows, lines)


def _rows(text: str, delimiter: str, before: int) -> tuple[list[list[str]], list[int]]:
    rows, lines, at = [], [], before
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            begins, at = at + 1, before + reader.line_num
            if len(row) > MOST_COLUMNS:
                raise Refused("There are more than 100 columns.", field="file")
            if any(cell.strip() for cell in row):
                rows.append([clean_cell(cell) for cell in row])
                lines.append(begins)
            if len(rows) > MOST_ROWS + 1:
                raise _too_many_rows()
    except csv.Error as error:
        raise Refused(
            "Line {line} can't be read: is a quotation mark missing?", field="file", line=at + 1
        ) from error
    return rows, lines


def _too_many_rows() -> Refused:
    return Refused("There are more than 20,000 contacts. Split the file.", field="file")


def clean_cell(text: str) -> str:
    """Without what our export or Excel put around a text so that it is no formula: an apostrophe,
    or ="…". Signs that say that nothing is known are nothing."""
    cell = text.strip()[:LONGEST_CELL]
    cell = cell[1:] if re.match(r"'[=+\-@]", cell) else cell
    cell = re.sub(r'^="(.*)"$', r"\1", cell, flags=re.DOTALL)
    return "" if cell.casefold() in UNKNOWN else cell


def _delimiter(text: str) -> str:
    """The one that parts the first lines into the same number of columns, the more the better."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:20]
    best, delimiter = (0.0, 0), ","
    for candidate in DELIMITERS:
        widths = [len(row) for row in _tried(lines, candidate)]
        if not widths:
            continue
        width, often = Counter(widths).most_common(1)[0]
        if width > 1 and (often / len(widths), width) > best:
            best, delimiter = (often / len(widths), width), candidate
    return delimiter


def _tried(lines: list[str], delimiter: str) -> list[list[str]]:
    try:
        return list(csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return []


def _is_heading(row: list[str]) -> bool:
    """Neither a number nor a mail stands in it."""
    return not any("@" in cell or len(re.sub(r"\D", "", cell)) > 5 for cell in row)
