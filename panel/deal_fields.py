"""What people write on a card in its place: its own fields, and those of its contact (C1, C2)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext as _

from database import database
from errors import Conflict, Refused
from fields import BadNumber, clean
from models import Contact, Deal, Event, Phone, User
from panel.auth import viewer
from panel.cards import the_deal
from panel.entered import contact_with
from panel.notes import done
from panel.shown import BadAmount, money, read_amount
from panel.urls import whole
from verbs import contacts, deals

bp = Blueprint("deal_fields", __name__)

OF_CONTACT = ("name", "company", "position", "email", "tags")


@bp.post("/deals/<int:number>/fields")
def change(number: int) -> Any:
    """One or some of title, amount and priority; ``seen_title`` is what was there before."""
    deal = the_deal(number)
    form = request.form
    values = {key: read(form[key], deal) for key, read in READ.items() if key in form}
    seen = {key: READ[key](form[f"seen_{key}"], deal) for key in values if _has_seen(key)}
    try:
        deals.change(deal, viewer(), seen, **values)
    except Conflict as error:
        raise Conflict("{sentence}", sentence=_by_whom(deal, [*values])) from error
    return done(_page(deal))


@bp.post("/deals/<int:number>/contact")
def contact(number: int) -> Any:
    """Something of the card's contact, or for a card without one the contact that it gets."""
    deal = the_deal(number)
    if deal.contact is None:
        deals.change(deal, viewer(), contact=_chosen())
        return done(_page(deal))
    values: dict[str, Any] = {k: request.form[k] for k in OF_CONTACT if k in request.form}
    with database.atomic():
        _only_seen(deal, Contact.get_by_id(deal.contact_id), values)
        contacts.change(deal.contact, viewer(), **values)
    return done(_page(deal))


@bp.post("/deals/<int:number>/contact/check")
def check(number: int) -> Any:
    """C2: what is written of the contact is right."""
    deal = the_deal(number)
    contacts.check(deal.contact or abort(404), viewer())
    return done(_page(deal))


@bp.post("/deals/<int:number>/numbers")
def add_number(number: int) -> Any:
    deal = the_deal(number)
    try:
        contacts.add_number(deal.contact or abort(404), request.form.get("number", ""), viewer())
    except BadNumber as error:
        raise _no_number() from error
    return done(_page(deal))


@bp.post("/deals/<int:number>/numbers/<int:phone>/remove")
def remove_number(number: int, phone: int) -> Any:
    deal = the_deal(number)
    of_contact = (Phone.id == phone) & (Phone.contact == (deal.contact_id or 0))
    contacts.remove_number(Phone.select().where(of_contact).first() or abort(404), viewer())
    return done(_page(deal))


def _page(deal: Deal) -> str:
    return url_for("deals.deal", number=deal.id)


def _has_seen(key: str) -> bool:
    return f"seen_{key}" in request.form


def _title(text: str, _deal: Deal) -> str:
    return clean(text, 120)


def _amount(text: str, deal: Deal) -> Any:
    try:
        return read_amount(text, deal.currency)
    except BadAmount as error:
        raise Refused("{error}", field="amount", error=error) from error


def _priority(text: str, _deal: Deal) -> int:
    if text not in ("-1", "0", "1"):
        raise Refused("-1, 0 or 1", field="priority")
    return int(text)


READ: dict[str, Any] = {"title": _title, "amount": _amount, "priority": _priority}
"""The deal's fields, and what reads their entries."""


def _chosen() -> Contact:
    """R1: one that the viewer may see, or the one with a number, made if nobody has it."""
    if "contact" in request.form:
        wanted = whole(request.form["contact"]) or 0
        found = Contact.visible_to(viewer()).where(Contact.id == wanted).first()
        return found or abort(404)
    name, written = clean(request.form.get("name")), clean(request.form.get("number"), 80)
    if not written:
        return Contact.add(name, viewer())
    try:
        return contact_with(written, name)
    except BadNumber as error:
        raise _no_number() from error


def _no_number() -> Refused:
    return Refused("This is not a telephone number, for example 030 4470 1182.", field="number")


def _only_seen(deal: Deal, now: Contact, values: dict[str, str]) -> None:
    """Raises Conflict if another has changed what is about to be written."""
    for key, value in values.items():
        there = written(now, key)
        if _has_seen(key) and there not in (clean(request.form[f"seen_{key}"], 200), clean(value)):
            raise Conflict("{sentence}", sentence=_by_whom(deal, [key]))


def written(contact: Contact, key: str) -> str:
    """As a person reads and writes it: a company is its name, tags have no blanks around them."""
    value = contact.company.name if key == "company" and contact.company else None
    return value or ("" if key == "company" else getattr(contact, key).strip())


def _by_whom(deal: Deal, keys: list[str]) -> str:
    """Who changed it meanwhile, and to what."""
    now = the_deal(deal.id)
    values = {"title": now.title, "amount": money(now.amount, now.currency)}
    last: Any = Event.select(Event, User).join(User, on=(Event.user == User.id), attr="user")
    last = last.where(Event.deal == deal, Event.kind << ("deal.changed", "contact.changed"))
    who = next(
        (
            event.user.name
            for event in last.order_by(Event.id.desc()).limit(20)
            if {*keys} & {*event.content.get("changed", ())}
        ),
        _("Somebody else"),
    )
    to = next((values[key] for key in keys if values.get(key)), "")
    if to:
        return _("%(name)s changed this to “%(value)s” just now.", name=who, value=to)
    return _("%(name)s changed this just now. Look at it again.", name=who)
