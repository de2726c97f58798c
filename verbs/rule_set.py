"""The rules of T2 and the list of ignored numbers (T10), all at once: what a file says becomes what
holds, or nothing changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import peewee

from database import database, locked
from errors import Conflict
from models import CallRule, Event, IgnoredNumber
from verbs.ignored import forget
from verbs.rules import Rule, at, write

KEPT = 100
"""Changes that the audit trail lists one by one."""


def replace_all(
    rules: Iterable[Rule], ignored: Mapping[str, str], only_say: bool = False
) -> list[str]:
    """The matrix and the ignore list (notes by number) become these, wholly. Returns what changes,
    a line each; ``only_say`` leaves it at that. Raises Conflict if others change them meanwhile."""
    wanted = {rule.key: rule for rule in rules}
    try:
        with database.atomic():
            present = {rule.key: rule for rule in map(Rule.of, locked(CallRule.select()))}
            notes = {row.e164: row.note for row in locked(IgnoredNumber.select())}
            said = [*_difference(present, wanted), *_ignored_difference(notes, ignored)]
            if said and not only_say:
                _replace(present, wanted)
                _replace_ignored(notes, ignored)
                Event.add("rules.loaded", payload={"count": len(said), "changes": said[:KEPT]})
    except peewee.IntegrityError as error:
        raise Conflict("Somebody else changed the rules just now; load the file again.") from error
    forget()
    return said


def _difference(present: Mapping[Any, Rule], wanted: Mapping[Any, Rule]) -> Iterable[str]:
    both = sorted({**present, **wanted}.values(), key=lambda rule: rule.place)
    for key in (rule.key for rule in both):
        was, now = present.get(key), wanted.get(key)
        if was is None:
            yield f"+ {now}"
        elif now is None:
            yield f"- {was}"
        elif was != now:
            yield f"~ {now} (was: {str(was).partition(': ')[2]})"


def _ignored_difference(present: Mapping[str, str], wanted: Mapping[str, str]) -> Iterable[str]:
    for number in sorted({**present, **wanted}):
        was, now = present.get(number), wanted.get(number)
        if was != now:
            sign = "+" if was is None else "-" if now is None else "~"
            note = now if now is not None else was
            yield f"{sign} ignore {number}" + (f" ({note})" if note else "")


def _replace(present: Mapping[Any, Rule], wanted: Mapping[Any, Rule]) -> None:
    for key in present.keys() - wanted.keys():
        CallRule.delete().where(*at(key)).execute()
    for key, rule in wanted.items():
        if present.get(key) != rule:
            write(rule, fresh=key not in present)


def _replace_ignored(present: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    for number in present.keys() - wanted.keys():
        IgnoredNumber.delete().where(IgnoredNumber.e164 == number).execute()
    for number, note in wanted.items():
        if number not in present:
            IgnoredNumber.create(e164=number, note=note)
        elif present[number] != note:
            IgnoredNumber.update(note=note).where(IgnoredNumber.e164 == number).execute()
