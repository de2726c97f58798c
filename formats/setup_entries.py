"""What entries of a setup file have in common: where they stand in it, and what they may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from fields import clean


class Wrong(Exception):
    """What of an entry can't be used, and where."""


class Places:
    """On which lines of a text its entries begin. A text that only looks like one makes them
    unknown, not wrong."""

    def __init__(self, text: str, document: Mapping[str, Any]) -> None:
        self._lines = text.splitlines()
        counts = {part: len(v) for part, v in document.items() if isinstance(v, list)}
        funnels = document.get("funnel")
        known = [f for f in funnels if isinstance(f, dict)] if isinstance(funnels, list) else []
        stages = [f["stage"] for f in known if isinstance(f.get("stage"), list)]
        counts["funnel.stage"] = sum(map(len, stages))
        found = {name: self._matching(rf"\s*\[\[\s*{name}\s*\]\]") for name in counts}
        self._heads = {n: iter(at) for n, at in found.items() if len(at) == counts[n]}

    def next(self, name: str) -> str:
        """Of the next entry of a kind: ' (line 3)', or '' if it is not known."""
        line = next(self._heads.get(name, iter(())), None)
        return f" (line {line})" if line else ""

    def of(self, part: str) -> str:
        """Of the first line that begins a part of the file."""
        found = self._matching(rf"\s*(\[+\s*{re.escape(part)}\s*\]|{re.escape(part)}\s*=)")
        return f" (line {found[0]})" if found else ""

    def _matching(self, pattern: str) -> list[int]:
        head = re.compile(pattern)
        return [at for at, line in enumerate(self._lines, start=1) if head.match(line)]


def entries(places: Places, name: str, value: Any, inside: str = "") -> Iterator[tuple[str, Any]]:
    """The tables of an array of them, each with what to call it: its number, name and line."""
    where = f"{inside}, " if inside else ""
    if not isinstance(value, list):
        raise Wrong(f"{where}{name}: write each one below a line [[{name}]]")
    head = f"funnel.{name}" if inside else name
    for number, entry in enumerate(value, 1):
        known = entry if isinstance(entry, dict) else {}
        called = next((known[k] for k in ("name", "login") if isinstance(known.get(k), str)), None)
        shown = f" ({called})" if called else ""
        yield f"{where}{name} {number}{shown}{places.next(head)}", entry


def table(place: str, value: Any, known: tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        raise Wrong(f"{place}: {repr(value)[:60]} is not a table of keys and values")
    for key in value.keys() - set(known):
        like = get_close_matches(key, known, 1)
        meant = f"did you mean {like[0]}?" if like else f"there are {', '.join(known)}"
        raise Wrong(f"{place}: unknown key {key!r}; {meant}")


def text(place: str, entry: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str) or (default is None and not clean(value)):
        raise Wrong(f"{place}: {key}: a text in quotes")
    return clean(value)


def texts(place: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Wrong(f'{place}: a list of texts, such as ["Price", "No need"]')
    return value


def flag(place: str, entry: Mapping[str, Any], key: str, default: bool = False) -> bool:
    value = entry.get(key, default)
    if not isinstance(value, bool):
        raise Wrong(f"{place}: {key}: true or false")
    return value
