"""The rules of T2 and the ignore list as a file: TOML to write and to load, JSON for programs."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from fields import BadNumber, clean, normal_did, normalise
from formats import toml_text
from telephony.call_rules import SITUATIONS
from verbs.rules import NOTE, Rule

RULE_KEYS = ("did", "situation", "number", "makes", "missed_owner", "repeat_after_days")
IGNORE_KEYS = ("number", "note")
NUMBERS = {"unknown": False, "known": True}
HEAD = """\
# Which calls make what; docs/rules.md explains it. To be loaded with: trichter rules load FILE
# A call falls under the rule of its called number (did), else under the one without a did.
"""


@dataclass
class Contents:
    """What a file says. ``problems``: what can't be used, each with its place and a remedy."""

    rules: list[Rule] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read(data: bytes) -> Contents:
    """A file's contents. Never raises: what can't be used is among the problems."""
    found = Contents()
    try:
        text, document = toml_text.read(data)
    except toml_text.Unreadable as error:
        found.problems.append(str(error))
        return found
    for key in document.keys() - {"rule", "ignore"}:
        found.problems.append(f"{key!r}: only [[rule]] and [[ignore]] belong here")
    if "rule" not in document:
        # An empty file is rather a mishap than the wish that calls make nothing.
        found.problems.append("no [[rule]] in it; write rule = [] if calls shall make nothing")
    for name, take in (("rule", _take_rule), ("ignore", _take_ignored)):
        entries = document.get(name, [])
        if not isinstance(entries, list):
            found.problems.append(f"{name}: write each one below a line [[{name}]]")
            continue
        for place, entry in zip(_places(text, name, len(entries)), entries, strict=True):
            _Entry(place, entry, found).read(take)
    return found


def as_toml(rules: Iterable[Rule], ignored: Mapping[str, str]) -> str:
    """A file that ``read`` understands."""
    blocks = [_block("rule", about(rule)) for rule in rules] or ["rule = []\n"]
    blocks += [_block("ignore", _ignored(*pair)) for pair in ignored.items()]
    return HEAD + "\n" + "\n".join(blocks)


def as_json(rules: Iterable[Rule], ignored: Mapping[str, str]) -> str:
    document = {
        "rule": [about(rule) for rule in rules],
        "ignore": [_ignored(*pair) for pair in ignored.items()],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def about(rule: Rule) -> dict[str, Any]:
    """A rule in the words of the file; what says nothing is left out."""
    words: dict[str, Any] = {"did": rule.did} if rule.did else {}
    words |= {
        "situation": rule.situation,
        "number": "known" if rule.known else "unknown",
        "makes": list(rule.effects),
    }
    if rule.situation == "missed":
        words["missed_owner"] = rule.missed_owner
    if rule.repeat_after:
        words["repeat_after_days"] = rule.repeat_after
    return words


def _ignored(number: str, note: str) -> dict[str, Any]:
    return {"number": number, "note": note} if note else {"number": number}


def _block(name: str, words: Mapping[str, Any]) -> str:
    # Texts and lists as JSON writes them are TOML too; control characters do not come this far.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in words.items()]
    return "\n".join((f"[[{name}]]", *lines, ""))


def _places(text: str, name: str, count: int) -> list[str]:
    """What to call the entries: with their lines, where each has a line of its own to begin."""
    head = re.compile(rf"\s*\[\[\s*{name}\s*\]\]")
    lines = [at for at, line in enumerate(text.splitlines(), start=1) if head.match(line)]
    named = [f"{name} {at}" for at in range(1, count + 1)]
    if len(lines) != count:
        return named
    return [f"{place} (line {line})" for place, line in zip(named, lines, strict=True)]


class _Entry:
    """One table of the file, and where its problems go."""

    def __init__(self, place: str, given: Any, found: Contents) -> None:
        self.place, self.given, self.found = place, given, found
        self.is_good = True

    def read(self, take: Any) -> None:
        if isinstance(self.given, dict):
            take(self)
        else:
            self.bad(f"{_shown(self.given)} is not a table of keys and values")

    def bad(self, sentence: str) -> None:
        self.is_good = False
        self.found.problems.append(f"{self.place}: {sentence}")

    def know(self, keys: tuple[str, ...]) -> None:
        for key in self.given.keys() - set(keys):
            like = get_close_matches(key, keys, 1)
            meant = f"did you mean {like[0]}?" if like else f"there are {', '.join(keys)}"
            self.bad(f"unknown key {key!r}; {meant}")

    def text(self, key: str, default: str | None = None) -> str:
        value = self.given.get(key, default)
        if isinstance(value, str):
            return value
        self.bad(f"{key}: {_shown(value)} must be a text in quotes")
        return ""

    def one_of(self, key: str, known: Collection[str]) -> str:
        value = self.given.get(key)
        if isinstance(value, str) and value in known:
            return value
        if value is None:
            self.bad(f"{key}: is missing; write one of {', '.join(known)}")
        else:
            self.bad(f"{key}: {_shown(value)} is none of {', '.join(known)}")
        return ""


def _shown(value: Any) -> str:
    """A value in a message: long ones, which may be whole files, are cut."""
    return repr(value)[:60]


def _take_rule(entry: _Entry) -> None:
    entry.know(RULE_KEYS)
    did = _did(entry)
    situation, number = entry.one_of("situation", SITUATIONS), entry.one_of("number", NUMBERS)
    if not situation or not number:
        return
    rule = Rule(
        did,
        situation,
        NUMBERS[number],
        _makes(entry),
        entry.text("missed_owner", "last"),
        _days(entry),
    )
    names = {"effects": "makes", "repeat_after": "repeat_after_days"}
    for column, fault in rule.faults.items():
        entry.bad(f"{names.get(column, column)}: {fault}")
    twin = next((at for at, r in enumerate(entry.found.rules, 1) if r.key == rule.key), None)
    if twin:
        entry.bad("an earlier rule has the same did, situation and number; keep one of them")
    elif entry.is_good:
        entry.found.rules.append(rule)


def _did(entry: _Entry) -> str:
    written = entry.text("did", "")
    did = normal_did(written)
    if len(written) > 40 or (written and not did):
        entry.bad(f"did: {written[:40]!r} is not a called number; leave it out for all numbers")
    return did


def _makes(entry: _Entry) -> tuple[str, ...]:
    value = entry.given.get("makes")
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return tuple(value)
    wanted = 'a list such as ["contact", "deal"], or [] for nothing'
    wrong = "is missing; write" if value is None else f"{_shown(value)} must be"
    entry.bad(f"makes: {wrong} {wanted}")
    return ()


def _days(entry: _Entry) -> int:
    value = entry.given.get("repeat_after_days", 0)
    if type(value) is int:
        return value
    entry.bad(f"repeat_after_days: {_shown(value)} must be a whole number of days")
    return 0


def _take_ignored(entry: _Entry) -> None:
    entry.know(IGNORE_KEYS)
    written, note = entry.text("number"), entry.text("note", "")
    if not written:
        return
    try:
        number = normalise(written)
    except BadNumber as error:
        entry.bad(f"number: {error}; write it in full, for example +493012345678")
        return
    if number in entry.found.ignored:
        entry.bad(f"number: {number} is on the list already; keep one of them")
    elif entry.is_good:
        entry.found.ignored[number] = clean(note, NOTE)
