"""Contacts (C1): the list with its filters, what the form of a new one makes, and exports."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask_babel import pgettext
from peewee import JOIN, fn

from errors import Refused
from fields import BadNumber, clean, normalise
from formats import exports
from models import Company, Contact, Deal, Phone, User
from panel.auth import viewer
from panel.finding import LONGEST, found_contacts
from panel.languages import sentence
from panel.once import once
from panel.urls import as_dict, whole
from verbs import contacts

bp = Blueprint("contacts", __name__)

PAGE = 50
"""Contacts of a page."""
MOST = 200
"""Of what is searched for: who has more has not said enough."""


class Filters:
    """Which contacts a page shows, as it stands in the address."""

    def __init__(self) -> None:
        self.question = clean(request.args.get("q"), LONGEST)
        self.tag = clean(request.args.get("tag"), 30).lower()
        self.company = clean(request.args.get("company"), 120)
        self.owner = request.args.get("owner", "") if viewer().sees_all else ""
        if self.owner not in ("", "none") and not whole(self.owner):
            abort(404)

    @property
    def is_on(self) -> bool:
        return bool(self.query_string())

    @property
    def is_narrow(self) -> bool:
        """More than the question: what is folded up until it is wanted."""
        return bool(self.tag or self.company or self.owner)

    def query_string(self, **others: Any) -> dict[str, Any]:
        return as_dict(
            **{
                "q": self.question or None,
                "owner": self.owner or None,
                "tag": self.tag or None,
                "company": self.company or None,
                **others,
            }
        )

    def of(self, query: Any) -> Any:
        """Those that pass all but the question; companies must be joined."""
        if self.tag:
            query = query.where(Contact.tags.contains(f" {self.tag} "))
        if self.company:
            query = query.where(Company.name.contains(self.company))
        if self.owner == "none":
            query = query.where(Contact.owner.is_null())
        elif self.owner:
            query = query.where(Contact.owner == whole(self.owner))
        return query


@bp.get("/contacts")
def index() -> str:
    filters = Filters()
    rows, older = _page(filters)
    people = User.select().where(User.active).order_by(User.name, User.id)
    return render_template(
        "contacts.html",
        rows=rows,
        older=older,
        phones=phones_of(rows),
        deals=_open_deals(rows),
        filters=filters,
        people=list(people) if viewer().sees_all else [],
        is_first="before" not in request.args,
        most=MOST,
    )


@bp.get("/contacts/export.<form>")
def export(form: str) -> Response:
    """All contacts that pass the filters, as CSV or vCard; for heads."""
    if not viewer().sees_all or form not in ("csv", "vcf"):
        abort(404)
    filters, out = Filters(), io.StringIO(newline="")
    wanted = _ids(filters)
    if form == "csv":
        out.write("\ufeff")  # else Excel takes it for the code page of the machine
        columns = exports.COLUMNS["contacts"].split()
        exports.write_csv(columns, exports.contacts(wanted), out, _headings())
    else:
        exports.write_cards(exports.contacts(wanted), out)
    kind = {"csv": "text/csv", "vcf": "text/vcard"}[form]
    response = Response(out.getvalue(), content_type=f"{kind}; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="contacts.{form}"'
    return response


def _headings() -> dict[str, str]:
    """Of a file for people. formats/contact_file.py knows them all when it comes back."""
    return {
        "id": pgettext("heading in a file", "id"),
        "name": pgettext("heading in a file", "name"),
        "company": pgettext("heading in a file", "company"),
        "numbers": pgettext("heading in a file", "numbers"),
        "email": pgettext("heading in a file", "email"),
        "owner": pgettext("heading in a file", "owner"),
        "created_at": pgettext("heading in a file", "created_at"),
    }


@bp.get("/contacts/new")
def new() -> str:
    return render_template("new_contact.html", values=request.args, problems={})


@bp.post("/contacts")
def create() -> Any:
    """A contact by hand; who has the number already is shown, if the viewer may see that."""
    try:
        number = once(_made)
    except Refused as refusal:
        problems = {refusal.field: sentence(refusal)}
        return render_template("new_contact.html", values=request.form, problems=problems), 422
    return redirect(url_for("contact.show", number=number), 303)


def _made() -> Contact:
    form, user = request.form, viewer()
    name, written = clean(form.get("name")), clean(form.get("number"), 80)
    if not name:
        raise Refused("must not be empty", field="name")
    about = {key: form.get(key, "") for key in ("company", "email") if form.get(key, "").strip()}
    for key, value in about.items():
        if key == "email":
            contacts.READERS[key](value)
    number = normal(written) if written else None
    known = Contact.by_number(number)
    if known:
        seen = Contact.visible_to(user).where(Contact.id == known.id).exists()
        if not seen:
            raise Refused("This number belongs to another seller’s contact.", field="number")
        return known
    contact = Contact.of_number(number, name, user) if number else Contact.add(name, user)
    contacts.change(contact, user, None, **about)
    return contact


def normal(written: str) -> str:
    try:
        return normalise(written)
    except BadNumber as error:
        raise Refused(
            "This is not a telephone number, for example 030 4470 1182.", field="number"
        ) from error


def _query() -> Any:
    return (
        Contact.visible_to(viewer())
        .select(Contact, Company, User)
        .join(Company, JOIN.LEFT_OUTER)
        .join_from(Contact, User, JOIN.LEFT_OUTER, on=(Contact.owner == User.id), attr="owner")
    )


def _page(filters: Filters) -> tuple[list[Contact], int | None]:
    """A page of contacts, and before which the next one begins. What is asked for comes as the
    search ranks it, else the newest first."""
    query = filters.of(_query())
    if filters.question:
        return found_contacts(query, filters.question, MOST), None
    before = request.args.get("before")
    if before is not None:
        query = query.where(Contact.id < (whole(before) or abort(404)))
    rows = list(query.order_by(Contact.id.desc()).limit(PAGE + 1))
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def _ids(filters: Filters) -> Any:
    """As a condition: what the list shows, on all its pages."""
    if not filters.is_on:
        return None
    if filters.question:
        found = found_contacts(filters.of(_query()), filters.question, MOST)
        return Contact.id << [contact.id for contact in found]
    some = filters.of(Contact.visible_to(viewer()).join(Company, JOIN.LEFT_OUTER))
    return Contact.id << some.select(Contact.id)


def phones_of(rows: list[Contact]) -> dict[int, list[str]]:
    """The numbers of contacts by their ids, the first known in front."""
    found: dict[int, list[str]] = {}
    of_these = Phone.contact << [row.id for row in rows]
    for phone in Phone.select().where(of_these).order_by(Phone.id) if rows else ():
        found.setdefault(phone.contact_id, []).append(phone.e164)
    return found


def _open_deals(rows: list[Contact]) -> dict[int, int]:
    """How many of them the viewer sees."""
    count: Any = (
        Deal.visible_to(viewer())
        .select(Deal.contact, fn.COUNT(Deal.id))
        .where(Deal.contact << [row.id for row in rows], Deal.closed_at.is_null())
        .group_by(Deal.contact)
    )
    return dict(count.tuples()) if rows else {}
