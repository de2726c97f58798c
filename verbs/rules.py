"""What administrators do with the rules of T2 and the list of ignored numbers (T10), one at a
time. Each change stands in the audit trail."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import peewee

from database import database, locked
from errors import Conflict, Refused
from fields import BadNumber, clean, normal_did, normalise
from models import CallRule, Event, IgnoredNumber, User
from telephony.call_rules import EFFECTS, SITUATIONS, faults
from verbs import ignored

NOTE = 120
"""Characters of the note of an ignored number."""


@dataclass(frozen=True)
class Rule:
    """What a rule says, apart from the row that it stands in. ``did``: '' for all numbers;
    ``effects``: words out of EFFECTS, in that order; ``repeat_after`` in days."""

    did: str
    situation: str
    known: bool
    effects: tuple[str, ...] = ()
    missed_owner: str = "last"
    repeat_after: int = 0

    def __post_init__(self) -> None:
        said = dict.fromkeys(self.effects)
        in_order = [*filter(said.__contains__, EFFECTS), *(w for w in said if w not in EFFECTS)]
        object.__setattr__(self, "effects", tuple(in_order))

    @classmethod
    def of(cls, row: CallRule) -> Rule:
        effects = tuple(row.effects.split())
        return cls(row.did, row.situation, row.known, effects, row.missed_owner, row.repeat_after)

    @property
    def key(self) -> tuple[str, str, bool]:
        return self.did, self.situation, self.known

    @property
    def place(self) -> tuple[str, int, bool]:
        """Where it stands in the matrix: all numbers first, and unknown before known."""
        return self.did, SITUATIONS.index(self.situation), self.known

    @property
    def mark(self) -> str:
        """What it says apart from its key: a form carries it, to tell what its reader saw."""
        return f"{' '.join(self.effects)}|{self.missed_owner}|{self.repeat_after}"

    @property
    def faults(self) -> dict[str, str]:
        """See call_rules.faults."""
        return faults(
            self.situation, self.known, self.effects, self.missed_owner, self.repeat_after
        )

    def __str__(self) -> str:
        number = "known" if self.known else "unknown"
        what = ", ".join(self.effects) or "nothing"
        more = f", to {self.missed_owner}" if self.situation == "missed" else ""
        repeat = f", repeat after {self.repeat_after} days" if self.repeat_after else ""
        return f"{self.did or 'all numbers'}, {self.situation}, {number}: {what}{more}{repeat}"


def matrix() -> list[Rule]:
    """All rules, in their order."""
    return sorted((Rule.of(row) for row in CallRule.select()), key=lambda rule: rule.place)


def ignore_list() -> list[IgnoredNumber]:
    return list(IgnoredNumber.select().order_by(IgnoredNumber.e164))


def change(rule: Rule, seen: str, by: User) -> bool:
    """Put a rule into the matrix. ``seen``: the mark of what the person was shown at its key, ''
    for no rule. False: it says so already. Raises Refused, or Conflict if it is another by now."""
    _may(by)
    if rule.faults:
        name, fault = next(iter(rule.faults.items()))
        raise Refused("{fault}", field=name, fault=fault)
    with database.atomic():
        was = _seen(rule.key, seen)
        if was == rule:
            return False
        write(rule, was is None)
        Event.add("rules.changed", by=by, payload=_payload(was, rule))
    return True


def remove(key: tuple[str, str, bool], seen: str, by: User) -> None:
    """Take the rule of a called number out, so that those for all hold; for all numbers, so that
    nothing is made. Raises Conflict like ``change``."""
    _may(by)
    with database.atomic():
        was = _seen(key, seen)
        if was:
            CallRule.delete().where(*at(key)).execute()
            Event.add("rules.changed", by=by, payload=_payload(was, None))


def add_number(did: str, by: User) -> str:
    """Rules of its own for a called number: first the same as for all. Returns the number as it is
    stored. Raises Refused."""
    _may(by)
    did = normal_did(did)
    if not did:
        raise Refused("write the called number, as the exchange names it", field="did")
    with database.atomic():
        general = list(locked(CallRule.select().where(CallRule.did == "")))
        if CallRule.select().where(CallRule.did == did).exists():
            raise Refused("{did} has rules of its own already", field="did", did=did)
        keys = [(situation, known) for situation in SITUATIONS for known in (False, True)]
        said = {(row.situation, row.known): Rule.of(row) for row in general}
        for situation, known in keys:
            like = said.get((situation, known)) or Rule("", situation, known)
            write(Rule(**{**asdict(like), "did": did}), fresh=True)
        Event.add("rules.changed", by=by, payload={"number_added": did})
    return did


def remove_number(did: str, by: User) -> int:
    """A called number has no rules of its own any more. Returns how many it had."""
    _may(by)
    if not did:
        raise Refused("the rules for all numbers stay; make them say nothing instead", field="did")
    with database.atomic():
        gone = [Rule.of(row) for row in CallRule.select().where(CallRule.did == did)]
        if gone:
            CallRule.delete().where(CallRule.did == did).execute()
            was = [asdict(rule) for rule in gone]
            Event.add("rules.changed", by=by, payload={"number_removed": did, "was": was})
    return len(gone)


def ignore(number: str, note: str, by: User) -> str:
    """A number, in any notation, that makes no contact and no deal; on the list already, it gets
    the new note. Returns it in E.164. Raises Refused."""
    _may(by)
    try:
        e164 = normalise(number)
    except BadNumber as error:
        raise Refused("{error}", field="number", error=error) from error
    note = clean(note, NOTE)
    with database.atomic():
        row, fresh = IgnoredNumber.get_or_create(e164=e164, defaults={"note": note})
        if fresh or row.note != note:
            IgnoredNumber.update(note=note).where(IgnoredNumber.id == row.id).execute()
            Event.add("rules.changed", by=by, payload={"ignored": e164, "note": note})
    ignored.forget()
    return e164


def stop_ignoring(row_id: int, by: User) -> str | None:
    """Off the list: its calls count again from now on. Returns it, or None: it was off already."""
    _may(by)
    with database.atomic():
        row = IgnoredNumber.get_or_none(IgnoredNumber.id == row_id)
        if row is None or not IgnoredNumber.delete().where(IgnoredNumber.id == row_id).execute():
            return None
        Event.add("rules.changed", by=by, payload={"no_longer_ignored": row.e164})
    ignored.forget()
    return str(row.e164)


def _may(by: User) -> None:
    if by.role != "admin":
        raise Refused("Only an administrator can change the rules.")


def at(key: tuple[str, str, bool]) -> tuple[Any, ...]:
    """The row of a key, as conditions."""
    did, situation, known = key
    return CallRule.did == did, CallRule.situation == situation, CallRule.known == known


def _seen(key: tuple[str, str, bool], mark: str) -> Rule | None:
    """The rule at a key, locked, if it still says what a person saw."""
    row = locked(CallRule.select().where(*at(key))).first()
    now = Rule.of(row) if row else None
    if (now.mark if now else "") != mark:
        raise Conflict("Somebody else changed this rule just now. Look at it again.")
    return now


def write(rule: Rule, fresh: bool) -> None:
    """Into its row. Raises Conflict if a ``fresh`` one is there already."""
    values = {**asdict(rule), "effects": " ".join(rule.effects)}
    if not fresh:
        CallRule.update(**values).where(*at(rule.key)).execute()
        return
    try:
        with database.atomic():
            CallRule.create(**values)
    except peewee.IntegrityError as error:
        raise Conflict("Somebody else made this rule just now. Look at it again.") from error


def _payload(was: Rule | None, now: Rule | None) -> dict[str, Any]:
    return {"was": asdict(was) if was else None, "now": asdict(now) if now else None}
