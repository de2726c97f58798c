"""One contact (C1, C2): what is known, its history, changes in place, merging, erasure (C3)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from peewee import JOIN

from errors import Conflict, Refused
from fields import clean, utcnow
from models import Call, Company, Contact, Deal, Merge, Note, Phone, Stage, Task, User
from panel import freshness, past
from panel.admin import replaced, seen, seen_of
from panel.audience import audible_to
from panel.auth import viewer
from panel.contacts import normal
from panel.languages import sentence
from panel.once import once
from panel.urls import whole
from verbs import contacts, erasure, merges, notes

bp = Blueprint("contact", __name__)

FIELDS = ("name", "company", "position", "email", "tags")
SEEN = (*FIELDS, "owner")


@bp.get("/contacts/<int:number>")
def show(number: int) -> str:
    return _page(the_contact(number), {})


@bp.post("/contacts/<int:number>")
def change(number: int) -> Any:
    """Some of name, company, position, email and tags; heads also say whose it is."""
    contact = the_contact(number)
    values: dict[str, Any] = {key: request.form[key] for key in FIELDS if key in request.form}
    if "owner" in request.form and viewer().sees_all:
        values["owner"] = _owner()
    saw = seen(SEEN) if "seen" in request.form else None
    try:
        contacts.change(contact, viewer(), saw, **values)
    except Refused as refusal:
        return _page(the_contact(number), {refusal.field: sentence(refusal)}), 422
    except Conflict:
        return _page(the_contact(number), {"": replaced()}), 409
    return _back(contact)


@bp.post("/contacts/<int:number>/check")
def check(number: int) -> Any:
    """C2: somebody has looked, and it is right."""
    contact = the_contact(number)
    contacts.check(contact, viewer())
    return _back(contact)


@bp.post("/contacts/<int:number>/numbers")
def add_number(number: int) -> Any:
    contact = the_contact(number)
    try:
        contacts.add_number(contact, normal(request.form.get("number", "")), viewer())
    except Refused as refusal:
        return _page(contact, {"number": sentence(refusal)}), 422
    return _back(contact)


@bp.post("/contacts/<int:number>/numbers/<int:phone>/removal")
def remove_number(number: int, phone: int) -> Any:
    contact = the_contact(number)
    own = (Phone.id == phone) & (Phone.contact == contact)
    contacts.remove_number(Phone.select().where(own).first() or abort(404), viewer())
    return _back(contact)


@bp.post("/contacts/<int:number>/notes")
def add_note(number: int) -> Any:
    contact = the_contact(number)
    try:
        once(lambda: notes.add(request.form.get("text", ""), viewer(), contact=contact))
    except Refused as refusal:
        return _page(contact, {"text": sentence(refusal)}), 422
    return _back(contact)


@bp.post("/contacts/<int:number>/notes/<int:note>/removal")
def remove_note(number: int, note: int) -> Any:
    contact = the_contact(number)
    of_contact = (Note.id == note) & (Note.contact == contact)
    found = Note.visible_to(viewer()).where(of_contact).first()
    notes.remove(found or abort(404), viewer())
    return _back(contact)


# Two entries of one person


@bp.get("/contacts/<int:number>/merge/<int:other>")
def merge(number: int, other: int) -> str:
    """What would come together, and which of the two is to stay."""
    both = [the_contact(number), the_contact(other)]
    if number == other:
        abort(404)
    return render_template("merge.html", both=[_summary(one) for one in both])


@bp.post("/contacts/<int:number>/merges")
def merged(number: int) -> Any:
    """``other`` becomes part of this one, unless ``keep`` says that it is the other way round."""
    contact, other = the_contact(number), the_contact(whole(request.form.get("other")) or 0)
    if request.form.get("keep") == str(other.id):
        contact, other = other, contact
    merges.merge(contact, other, viewer())
    return _back(contact)


@bp.post("/contacts/<int:number>/merges/<int:merge_id>/undo")
def part(number: int, merge_id: int) -> Any:
    contact = the_contact(number)
    here = (Merge.id == merge_id) & (Merge.kept == contact)
    merges.undo(Merge.select().where(here).first() or abort(404), viewer())
    return _back(contact)


# Erasure


@bp.get("/contacts/<int:number>/erasure")
def ask_erasure(number: int) -> str:
    return _ask(the_contact(number), "")


@bp.post("/contacts/<int:number>/erasure")
def erase(number: int) -> Any:
    """For heads, who type the name so that no click does it by accident."""
    contact = the_contact(number)
    if not viewer().sees_all:
        abort(404)
    typed = " ".join(clean(request.form.get("name")).casefold().split())
    if typed != " ".join(contact.name.casefold().split()):
        return _ask(contact, "name"), 422
    try:
        receipt = erasure.erase(
            erasure.of_contact(contact),
            viewer(),
            current_app.config["RECEIPT_KEY"],
            current_app.config["RECORDING_FOLDERS"],
        )
    except Refused as refusal:
        return _ask(contact, sentence(refusal)), 422
    return redirect(url_for("receipts.show", number=receipt.id), 303)


def _ask(contact: Contact, problem: str) -> str:
    if not viewer().sees_all:
        abort(404)
    person = erasure.of_contact(contact)
    counts = erasure.traces(person).counts
    return render_template(
        "erase.html", contact=contact, person=person, counts=counts, problem=problem
    )


# What the pages show


def the_contact(number: int) -> Contact:
    """R1: the contact with its company and owner, if the viewer may see it; else 404."""
    query = (
        Contact.visible_to(viewer())
        .select(Contact, Company, User)
        .join(Company, JOIN.LEFT_OUTER)
        .join_from(Contact, User, JOIN.LEFT_OUTER, on=(Contact.owner == User.id), attr="owner")
    )
    return query.where(Contact.id == number).first() or abort(404)


def _page(contact: Contact, problems: dict[str, str]) -> str:
    user = viewer()
    people = User.select().where(User.active).order_by(User.name, User.id)
    shown = past.of_contact(contact, user, request.args.get("before", ""))
    return render_template(
        "contact.html",
        contact=contact,
        phones=list(contact.phones.order_by(Phone.id)),
        deals=_deals(contact),
        tasks=_tasks(contact),
        past=shown,
        is_old=freshness.is_old(contact),
        duplicates=contacts.duplicates_of(contact, user),
        merges=_merges(contact),
        people=list(people) if user.sees_all else [],
        seen=seen_of(contact, SEEN),
        problems=problems,
        values=request.form if problems else {},
        audible=_audible(shown),
    )


def _audible(shown: past.Past) -> set[int]:
    """T8: of the calls on a page those whose recording the viewer may hear."""
    recorded = [e.row.id for e in shown.entries if e.kind == "call" and e.row.recording]
    allowed = audible_to(viewer()).where(Call.id << recorded)
    return {call.id for call in allowed} if recorded else set()


def _deals(contact: Contact) -> list[Deal]:
    """The open ones first."""
    query = Deal.visible_to(viewer()).select(Deal, Stage).join(Stage, on=(Deal.stage == Stage.id))
    newest = (Deal.closed_at.is_null(False), Deal.created_at.desc(), Deal.id.desc())
    return list(query.where(Deal.contact == contact).order_by(*newest).limit(20))


def _tasks(contact: Contact) -> list[Task]:
    due = Task.visible_to(viewer()).where(Task.contact == contact, Task.done_at.is_null())
    return list(due.order_by(Task.due_at, Task.id).limit(20))


def _merges(contact: Contact) -> list[Merge]:
    """Those that can still be undone."""
    fresh = Merge.at > utcnow() - merges.UNDO_WITHIN
    here = (Merge.kept == contact) & Merge.undone_at.is_null()
    return list(Merge.select().where(here, fresh).order_by(Merge.id.desc()).limit(5))


def _summary(contact: Contact) -> dict[str, Any]:
    """What goes along with a contact, as far as the viewer may know of it."""
    tables: tuple[Any, ...] = (Deal, Call, Task, Note)
    counts = {
        table.__name__: table.visible_to(viewer()).where(table.contact == contact).count()
        for table in tables
    }
    return {"contact": contact, "phones": list(contact.phones), "counts": counts}


def _owner() -> User | None:
    wanted = request.form["owner"]
    if not wanted:
        return None
    found = User.select().where(User.id == (whole(wanted) or 0), User.active).first()
    return found or abort(404)


def _back(contact: Contact) -> Any:
    return redirect(url_for("contact.show", number=contact.id), 303)
