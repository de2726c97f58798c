"""vCards (RFC 2426, RFC 6350, and the older 2.1), read and written. Pure."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterable, Iterator
from typing import Any

_UNESCAPED = re.compile(r"\\(.)", re.DOTALL)
MOST_NUMBERS = 50
"""Of one card; nobody has more."""
# Letters only: Python also has codecs that take long, or that always fail.
_CHARSET = re.compile(r"CHARSET=(UTF-?8|US-ASCII|(?:ISO-?8859|WINDOWS|KOI8)-?[0-9RU]{1,4})\b")
_GROUP = re.compile(r"^[A-Za-z0-9-]+\.")


def read(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The line on which each card begins, and what it says: name, company, position, email, number
    (several, parted by line ends), tags and note. What else is in it is left out."""
    card: dict[str, str] | None = None
    begins = 0
    for line, content in _unfolded(text):
        name, parameters, value = _parted(content)
        if name == "BEGIN" and value.upper() == "VCARD":
            card, begins = {}, line
        elif name == "END" and value.upper() == "VCARD" and card is not None:
            yield begins, card
            card = None
        elif card is not None:
            _take(card, name, parameters, value)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Lines, put together where they were broken: by a blank in front of the next, or by an equals
    sign at the end in quoted-printable."""
    # Kept as parts: a line made of a million would else be copied a million times.
    parts: list[str] = []
    begins, quoted = 0, False
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1] in (" ", "\t") and parts:
            parts.append(line[1:])
        elif quoted and parts and parts[-1].endswith("="):
            parts[-1:] = [parts[-1][:-1], line]
        else:
            if parts:
                yield begins, "".join(parts)
            parts, begins, quoted = [line] if line else [], number, False
        quoted = quoted or "QUOTED-PRINTABLE" in line.upper()
    if parts:
        yield begins, "".join(parts)


def _parted(line: str) -> tuple[str, str, str]:
    head, _, value = line.partition(":")
    name, _, parameters = _GROUP.sub("", head).partition(";")
    return name.strip().upper(), parameters.upper(), value.strip()


def _take(card: dict[str, str], name: str, parameters: str, value: str) -> None:
    if "QUOTED-PRINTABLE" in parameters:
        charset = _CHARSET.search(parameters)
        value = _decoded(value, charset[1] if charset else "utf-8")
    if name == "FN":
        card["name"] = _plain(value)
    elif name == "N":
        last, first, *_ = [*_fields(value), "", ""]
        card.setdefault("name", f"{first} {last}".strip())
    elif name == "ORG":
        card["company"] = _fields(value)[0]
    elif name in ("TITLE", "NOTE"):
        card["position" if name == "TITLE" else "note"] = _plain(value)
    elif name == "EMAIL":
        card.setdefault("email", re.sub("^mailto:", "", _plain(value), flags=re.IGNORECASE))
    elif name == "TEL":
        known = card.get("number", "")
        if known.count("\n") < MOST_NUMBERS:
            number = re.sub("^tel:", "", _plain(value), flags=re.IGNORECASE)
            card["number"] = "\n".join(filter(None, (known, number)))
    elif name == "CATEGORIES":
        card["tags"] = " ".join("-".join(tag.split()) for tag in _split(value, ","))


def _decoded(value: str, charset: str) -> str:
    data = quopri.decodestring(value.encode("utf-8", "replace"))
    try:
        return data.decode(charset, "replace")
    except LookupError:  # ISO-8859-99
        return data.decode("utf-8", "replace")


def _fields(value: str) -> list[str]:
    return _split(value, ";")


def _split(value: str, mark: str) -> list[str]:
    """At each ``mark`` that no backslash stands before."""
    return [_plain(part) for part in re.split(rf"(?<!\\){mark}", value)]


def _plain(value: str) -> str:
    def meant(found: re.Match[str]) -> str:
        return "\n" if found[1] in "nN" else found[1]

    return _UNESCAPED.sub(meant, value).strip()


def written(row: dict[str, Any]) -> str:
    """One card of a row as exports.contacts gives it, in version 3.0, which all programs read."""
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"UID:trichter-contact-{row['id']}",
        f"FN:{_escaped(row['name'])}",
        f"N:{_escaped(row['name'])};;;;",
        *_lines("ORG", [row["company"]]),
        *_lines("EMAIL", [row["email"]]),
        *_lines("TEL", row["numbers"]),
        "END:VCARD",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _lines(name: str, values: Iterable[str | None]) -> list[str]:
    return [f"{name}:{_escaped(value)}" for value in values if value]


def _escaped(text: str) -> str:
    return re.sub(r"([\\,;])", r"\\\1", text).replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """At most 75 octets in a line, the letters whole."""
    part, size = "", 0
    for letter in line:
        size += len(letter.encode())
        if size > 75:
            yield part
            part, size = " ", 1 + len(letter.encode())
        part += letter
    yield part
