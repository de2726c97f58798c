"""Companies (C1): who belongs to one, its deals, and what is written of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from peewee import JOIN

from errors import Conflict, Refused
from models import Company, Contact, Deal, Stage, User
from panel.admin import replaced, seen, seen_of
from panel.auth import viewer
from panel.contacts import phones_of
from panel.languages import sentence
from panel.urls import whole
from verbs import contacts

bp = Blueprint("companies", __name__)

PAGE = 50
FIELDS = ("name", "website", "notes")


@bp.get("/companies/<int:number>")
def show(number: int) -> str:
    return _page(the_company(number), {})


@bp.post("/companies/<int:number>")
def change(number: int) -> Any:
    company = the_company(number)
    values = {key: request.form[key] for key in FIELDS if key in request.form}
    saw = seen(FIELDS) if "seen" in request.form else None
    try:
        contacts.change_company(company, viewer(), saw, **values)
    except Refused as refusal:
        return _page(the_company(number), {refusal.field: sentence(refusal)}), 422
    except Conflict:
        return _page(the_company(number), {"": replaced()}), 409
    return redirect(url_for("companies.show", number=number), 303)


def the_company(number: int) -> Company:
    """R1: or 404."""
    return Company.visible_to(viewer()).where(Company.id == number).first() or abort(404)


def _page(company: Company, problems: dict[str, str]) -> str:
    people, older = _contacts(company)
    return render_template(
        "company.html",
        company=company,
        people=people,
        older=older,
        phones=phones_of(people),
        deals=_deals(company),
        seen=seen_of(company, FIELDS),
        problems=problems,
        values=request.form if problems else {},
    )


def _contacts(company: Company) -> tuple[list[Contact], int | None]:
    query = Contact.visible_to(viewer()).where(Contact.company == company)
    after = request.args.get("after")
    if after is not None:
        query = query.where(Contact.id > (whole(after) or abort(404)))
    rows = list(query.order_by(Contact.id).limit(PAGE + 1))
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def _deals(company: Company) -> list[Deal]:
    query = (
        Deal.visible_to(viewer())
        .select(Deal, Stage, Contact, User)
        .join(Stage, on=(Deal.stage == Stage.id), attr="stage")
        .join_from(Deal, Contact)
        .join_from(Deal, User, JOIN.LEFT_OUTER, on=(Deal.owner == User.id), attr="owner")
        .where(Contact.company == company)
    )
    newest = (Deal.closed_at.is_null(False), Deal.created_at.desc(), Deal.id.desc())
    return list(query.order_by(*newest).limit(PAGE))
