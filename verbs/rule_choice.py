"""T2: the rule that a call falls under, and the first one for a key."""

from __future__ import annotations

from database.prepared import Prepared
from errors import Refused
from fields import normal_did
from models import CallRule
from telephony.call_rules import EFFECTS, faults

_RULES = Prepared(
    lambda situation, known, did: CallRule.select().where(
        CallRule.situation == situation,
        CallRule.known == known,
        (CallRule.did == did) | (CallRule.did == ""),
    )
)


def rule_for(situation: str, known: bool, did: str | None) -> CallRule | None:
    """The rule that a call falls under: that of its called number before that for all."""
    rules = {rule.did: rule for rule in _RULES.models(situation, known, did or "")}
    return rules.get(did or "") or rules.get("")


def effects_for(situation: str, known: bool, did: str | None) -> set[str]:
    """What that rule makes, in words; without a rule nothing."""
    rule = rule_for(situation, known, did)
    return rule.words if rule else set()


def add_rule(
    situation: str,
    known: bool,
    effects: str,
    did: str = "",
    missed_owner: str = "last",
    repeat_after: int = 0,
) -> CallRule:
    """A rule for a key that has none yet. Raises Refused."""
    wrong = faults(situation, known, effects.split(), missed_owner, repeat_after)
    if wrong:
        raise Refused("{value}", field="rule", value=next(iter(wrong.values())))
    return CallRule.create(
        did=normal_did(did),
        situation=situation,
        known=known,
        effects=" ".join(word for word in EFFECTS if word in effects.split()),
        missed_owner=missed_owner,
        repeat_after=repeat_after,
    )
