"""/admin/rules: which calls make what, and which numbers make nothing. For administrators only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _

import fields
from errors import Conflict, Refused
from fields import clean, normal_did
from models import Department, IgnoredNumber
from panel import rule_trial
from panel.admin import admins_only
from panel.auth import viewer
from panel.languages import sentence
from telephony.call_rules import EFFECTS, LONGEST_REPEAT, MISSED_OWNERS, SITUATIONS
from verbs import rules as verbs
from verbs.rules import Rule

bp = Blueprint("rules", __name__, url_prefix="/admin")

SHOWN = 500
"""Ignored numbers that the page lists; the file form has them all."""
KEYS = [(situation, known) for situation in SITUATIONS for known in (False, True)]


@dataclass(frozen=True)
class Group:
    """The rules of a called number, '' for all: six rows, None where there is no rule."""

    did: str
    department: str
    rows: list[tuple[str, bool, Rule | None]]


bp.before_request(admins_only)


@bp.get("/rules")
def index() -> str:
    return _page({})


@bp.get("/rules/rule")
def rule() -> str:
    """The form of one rule; for a key that has none, what holds in its place."""
    key = _key(request.args)
    now = _rules().get(key)
    return _form(now or _inherited(key), now.mark if now else "", bool(now))


@bp.post("/rules/rule")
def change() -> Any:
    rule, problems = _read()
    seen = request.form.get("seen", "")
    if not problems:
        try:
            verbs.change(rule, seen, by=viewer())
            return redirect(url_for("rules.index", _anchor=anchor(rule)), 303)
        except Conflict:
            return _changed_meanwhile(rule), 409
    return _form(rule, seen, bool(seen), problems), 422


@bp.post("/rules/rule/removal")
def remove() -> Any:
    key = _key(request.form)
    verbs.remove(key, request.form.get("seen", ""), by=viewer())
    return redirect(url_for("rules.index"), 303)


@bp.post("/rules/numbers")
def add_number() -> Any:
    try:
        did = verbs.add_number(request.form.get("did", ""), by=viewer())
    except Refused as refusal:
        return _page({"did": _without_field(refusal)}), 422
    return redirect(url_for("rules.index", _anchor=anchor(Rule(did, "incoming", False))), 303)


@bp.post("/rules/numbers/removal")
def remove_number() -> Any:
    verbs.remove_number(request.form.get("did", ""), by=viewer())
    return redirect(url_for("rules.index"), 303)


@bp.post("/rules/ignored")
def ignore() -> Any:
    form = request.form
    try:
        verbs.ignore(form.get("ignored", ""), form.get("note", ""), by=viewer())
    except Refused:
        wrong = _("This is not a telephone number, for example 030 4470 1182.")
        return _page({"ignored": wrong}), 422
    return redirect(url_for("rules.index", _anchor="ignored-numbers"), 303)


@bp.post("/rules/ignored/<int:number>/removal")
def stop_ignoring(number: int) -> Any:
    """Off the list already is just as well."""
    verbs.stop_ignoring(number, by=viewer())
    return redirect(url_for("rules.index", _anchor="ignored-numbers"), 303)


@bp.app_template_global("rule_anchor")
def anchor(rule: Rule) -> str:
    """The id of a rule's row in the page: a fragment may hold no blanks."""
    known = "known" if rule.known else "unknown"
    return f"{rule.situation}-{known}-{rule.did.encode().hex()}"


def _page(problems: dict[str, str]) -> str:
    asked = request.args
    trial = None
    if asked.get("situation") in SITUATIONS:
        wanted = clean(asked.get("number"), 60), clean(asked.get("did"), 40)
        trial = rule_trial.of_call(*wanted, asked["situation"])
    ignored = list(IgnoredNumber.select().order_by(IgnoredNumber.e164).limit(SHOWN + 1))
    return render_template(
        "rules.html",
        groups=_groups(),
        ignored=ignored[:SHOWN],
        more_ignored=len(ignored) > SHOWN,
        configured=sorted(fields.ignored),
        trial=trial,
        asked=asked,
        situations=SITUATIONS,
        problems=problems,
        entered=request.form,
    )


def _rules() -> dict[tuple[str, str, bool], Rule]:
    return {rule.key: rule for rule in verbs.matrix()}


def _groups() -> list[Group]:
    """All numbers first, then those with rules of their own."""
    known = _rules()
    named = {d.did: d.name for d in Department.select().order_by(Department.id.desc()) if d.did}
    dids = sorted({"", *(did for did, _situation, _known in known)})
    return [
        Group(did, named.get(did, ""), [(s, k, known.get((did, s, k))) for s, k in KEYS])
        for did in dids
    ]


def _key(values: Any) -> tuple[str, str, bool]:
    """The key of a rule in a query or form; 404 for one that no rule can have."""
    did, situation, caller = (values.get(name, "") for name in ("did", "situation", "caller"))
    if situation not in SITUATIONS or caller not in ("known", "unknown"):
        abort(404)
    if did != normal_did(did):
        abort(404)
    return did, situation, caller == "known"


def _inherited(key: tuple[str, str, bool]) -> Rule:
    general = _rules().get(("", *key[1:]))
    if general is None:
        return Rule(*key)
    return Rule(*key, general.effects, general.missed_owner, general.repeat_after)


def _read() -> tuple[Rule, dict[str, str]]:
    """The rule that the form says, and by field what of it can't be used."""
    form, problems = request.form, {}
    days = form.get("repeat_after", "").strip() or "0"
    if not (days.isascii() and days.isdigit() and int(days[:9]) <= LONGEST_REPEAT):
        problems["repeat_after"] = _("Write a number of days, 0 to %(n)d.", n=LONGEST_REPEAT)
        days = "0"
    rule = Rule(
        *_key(form),
        tuple(form.getlist("effects")),
        form.get("missed_owner", "last"),
        int(days[:9]),
    )
    faults = {name: _(text) for name, text in rule.faults.items()}
    return rule, {**faults, **problems}


def _changed_meanwhile(rule: Rule) -> str:
    """The form again, with what its writer entered, next to what the rule has become."""
    now = _rules().get(rule.key)
    sentence = _(
        "Somebody else changed this rule just now. Save again to replace what it says now."
    )
    return _form(rule, now.mark if now else "", bool(now), {"": sentence}, now)


def _form(
    rule: Rule,
    seen: str,
    exists: bool,
    problems: dict[str, str] | None = None,
    now: Rule | None = None,
) -> str:
    effects = [
        word
        for word in EFFECTS
        if not (rule.known and word == "contact")
        and not (rule.situation == "missed" and word == "record")
    ]
    return render_template(
        "rule.html",
        rule=rule,
        now_says=now,
        seen=seen,
        exists=exists,
        problems=problems or {},
        effects=effects,
        owners=MISSED_OWNERS,
        longest=LONGEST_REPEAT,
    )


def _without_field(refusal: Refused) -> str:
    return sentence(refusal)
