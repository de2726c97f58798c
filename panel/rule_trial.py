"""'Try it': what a call would make, and why. Asks what the verbs ask, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask_babel import gettext as _

import fields
from fields import normal_did, number_or_none, outside_number, readable, utcnow
from models import CallRule, Contact, Deal, IgnoredNumber, User
from verbs import customers
from verbs.customers import open_deal_of
from verbs.rule_choice import rule_for
from verbs.rules import Rule

DIRECTIONS = {"incoming": "incoming", "missed": "incoming", "outgoing": "outgoing"}


@dataclass
class Trial:
    """``makes``: what the call would make, a sentence each; ``why``: how that was found, in steps.
    ``rule``: the one that decided, if one did."""

    number: str | None
    makes: list[str] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    rule: Rule | None = None


def of_call(written: str, did: str, situation: str) -> Trial:
    """A call of a number and to a number as the exchange writes them."""
    number = outside_number(written, DIRECTIONS[situation])
    trial = Trial(number)
    if number is None:
        trial.why.append(_why_nobody(written, DIRECTIONS[situation]))
    elif why := _why_ignored(number):
        trial.why.append(why)
        return trial
    contact = Contact.by_number(number)
    _follow(trial, contact, situation, normal_did(did))
    return trial


def _follow(trial: Trial, contact: Contact | None, situation: str, did: str) -> None:
    """The same way as verbs.customers.apply_rules."""
    found = rule_for(situation, contact is not None, did)
    trial.rule = Rule.of(found) if found else None
    words = found.words if found else set()
    if trial.number:
        trial.why.append(_who(trial.number, contact))
        trial.why.append(_which(trial.rule, did))
    if "record" in words:
        trial.makes.append(_("The conversation is recorded."))
    if not trial.number:
        return
    if situation == "missed":
        trial.makes.append(_("It stands in “To call back”."))
    calls_back = situation == "missed" and "task" in words
    open_deal = open_deal_of(contact) if contact else None
    closed = customers.recent_deal(contact, found, utcnow()) if contact else None
    taker = open_deal or closed
    if taker:
        trial.makes.append(_("The call is put on the deal “%(deal)s”.", deal=taker.title))
        trial.why.append(_why_taken(taker, found))
        owner = _by_name(taker.owner, _("of nobody"))
    else:
        owner = _whose(found, situation, did)
        _make(trial, contact, words, owner)
    if calls_back:
        trial.makes.append(_task(owner))


def _make(trial: Trial, contact: Contact | None, words: set[str], owner: str) -> None:
    if contact is None and words & customers.CUSTOMERS:
        trial.makes.append(_("A contact, %(whose)s.", whose=owner))
    if "deal" in words:
        trial.makes.append(_("A deal in Unsorted, %(whose)s.", whose=owner))


def _task(whose: str) -> str:
    return _("A task to call back, %(whose)s, unless there is one already.", whose=whose)


def _why_nobody(written: str, direction: str) -> str:
    read = number_or_none(fields.prefixes.rewritten(written, direction))
    if read in fields.own:
        return _("%(number)s is one of the company's own numbers.", number=readable(read))
    if not written:
        return _("A hidden number is nobody's.")
    return _("“%(text)s” is not a telephone number of the outside.", text=written)


def _why_ignored(number: str) -> str:
    row = IgnoredNumber.get_or_none(IgnoredNumber.e164 == number)
    if row and row.note:
        return _("The number is ignored: %(note)s.", note=row.note)
    if row:
        return _("The number is on the list of ignored ones.")
    return _("The configuration ignores the number.") if number in fields.ignored else ""


def _who(number: str, contact: Contact | None) -> str:
    if contact is None:
        return _("%(number)s belongs to no contact: unknown.", number=readable(number))
    return _(
        "%(number)s belongs to %(name)s: known.",
        number=readable(number),
        name=readable(contact.name) if contact.name == number else contact.name,
    )


def _which(rule: Rule | None, did: str) -> str:
    if rule is None:
        return _("No rule is about such a call.")
    if rule.did:
        return _("%(did)s has a rule of its own for it.", did=_called(did))
    if did:
        return _("%(did)s has no rule of its own for it: the one for all holds.", did=_called(did))
    return _("The rule for all numbers holds.")


def _called(did: str) -> str:
    return readable(did) if did.startswith("+") else did


def _why_taken(deal: Deal, rule: CallRule | None) -> str:
    if deal.closed_at is None:
        return _("An open deal takes the call, and no other is made.")
    return _(
        "It was closed less than %(days)d days ago, so no other is made.",
        days=rule.repeat_after if rule else 0,
    )


def _whose(rule: CallRule | None, situation: str, did: str) -> str:
    """Rule 5, as far as it can be said of a call whose phones did not ring."""
    if situation != "missed":
        return _("of the one who talks")
    way = rule.missed_owner if rule else "last"
    if way == "head":
        return _by_name(customers.head_for(did), _("of nobody, as there is no head"))
    if way == "turns":
        return _by_name(customers.next_in_turn(did), _("of those whose phones rang, in turn"))
    ways = {
        "first": _("of the one whose phone rang first"),
        "nobody": _("of nobody"),
        "last": _("of the one whose phone rang last"),
    }
    return ways[way]


def _by_name(user: User | None, otherwise: str) -> str:
    return _("of %(name)s", name=user.name) if user else otherwise
