"""What a stage asks to be filled in before a deal enters it (F1, F5): the form, and its entries."""

from __future__ import annotations

from typing import Any

from flask import render_template, request
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from errors import Refused
from fields import BadNumber, clean, readable_lines
from models import REQUIRABLE, TASK_KINDS, Contact, Deal, Stage, User
from panel import due
from panel.auth import viewer
from panel.entered import contact_with
from panel.languages import sentence
from panel.shown import BadAmount, read_amount
from panel.urls import wants_fragment
from verbs import contacts, deals, notes, reasons, tasks

WORDS = (*REQUIRABLE, "reason")


class Unusable(ValueError):
    """Entries that can't be used; the argument says what is wrong with which field."""


def asked(form: MultiDict[str, str]) -> list[str]:
    """What the form that was sent had asked for."""
    given = form.get("asked", "").split()
    return [word for word in WORDS if word in given]


def ask(
    deal: Deal,
    stage: Stage,
    words: list[str],
    before: list[str],
    back: str,
    problems: dict[str, str] | None = None,
    line: str = "",
) -> str:
    """The form that asks for ``words``; those that were asked ``before`` are said to be empty.
    ``line``: what a deal is to be made of that is not there yet."""
    wanted = [word for word in WORDS if word in _with_name(deal, words)]
    return render_template(
        "_completion.html" if wants_fragment() else "completion.html",
        deal=deal,
        stage=stage,
        words=wanted,
        values=request.form,
        problems=problems if problems is not None else _empty(before),
        reasons=[reason.name for reason in reasons.offered()] if "reason" in words else [],
        kinds=TASK_KINDS,
        due=due.chosen("tomorrow"),
        back=back,
        line=line,
    )


def _with_name(deal: Deal, words: list[str]) -> set[str]:
    """A mail address or a company needs somebody whose it is."""
    whose = deal.contact is None and {"email", "company"} & {*words} and "number" not in words
    return {*words, "contact"} if whose else {*words}


def _empty(before: list[str]) -> dict[str, str]:
    fields = {"task": "title", "contact": "name"}
    empty = {fields.get(word, word) for word in before}
    texts = {name: clean(request.form.get(name)) for name in empty}
    texts["reason"] = clean(request.form.get("reason_text")) or texts.get("reason", "")
    return {name: _("Please fill this in.") for name in empty if not texts[name]}


def fill(deal: Deal, words: list[str], form: MultiDict[str, str]) -> dict[str, Any]:
    """Writes what was entered, and returns what goes with the move itself: reason and amount.
    Raises Unusable."""
    entered: dict[str, Any] = {}
    if "reason" in words or "reason" in form:
        entered["reason"] = clean(form.get("reason_text"), 200) or clean(form.get("reason"), 200)
    try:
        if "amount" in words or form.get("amount"):
            entered["amount"] = read_amount(form.get("amount", ""), deal.currency)
        _fill_contact(deal, words, form)
        _fill_work(deal, words, form)
    except BadAmount as error:
        raise Unusable({"amount": str(error)}) from error
    except due.BadTime as error:
        raise Unusable({"due": str(error)}) from error
    except BadNumber as error:
        wrong = _("This is not a telephone number, for example 030 4470 1182.")
        raise Unusable({"number": wrong}) from error
    except Refused as refusal:
        raise Unusable({refusal.field: sentence(refusal)}) from refusal
    return entered


def _fill_contact(deal: Deal, words: list[str], form: MultiDict[str, str]) -> None:
    user = viewer()
    entered = {word: clean(form.get(word), 200) for word in ("email", "company") if word in words}
    about: dict[str, Any] = {word: value for word, value in entered.items() if value}
    name = clean(form.get("name")) if "contact" in words or about else ""
    number = clean(form.get("number"), 60) if "number" in words else ""
    contact = deal.contact
    if contact is None and (number or name):
        contact = _contact(number, name, user)
        deals.change(deal, user, contact=contact)
    elif contact is not None and number:
        contacts.add_number(contact, number, user)
    if contact is not None and about:
        contacts.change(contact, user, **about)


def _contact(number: str, name: str, user: User) -> Contact:
    if not number:
        return Contact.add(name, user)
    return contact_with(number, name)


def _fill_work(deal: Deal, words: list[str], form: MultiDict[str, str]) -> None:
    user = viewer()
    if "task" in words and clean(form.get("title")):
        whose = (deal.owner if user.sees_all else None) or user
        kind = form.get("kind", "todo")
        when = due.chosen("at", form.get("due", ""))
        tasks.add(clean(form["title"], 120), when, whose, user, kind, deal=deal)
    if "note" in words and readable_lines(form.get("note"), notes.LONGEST):
        notes.add(form["note"], user, deal=deal)
