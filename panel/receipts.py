"""Receipts of erasures (C3): shown and printable, and found again by who knows the number."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from peewee import JOIN

from fields import clean
from models import Receipt, User
from panel.auth import viewer
from verbs import receipts

bp = Blueprint("receipts", __name__)

SHOWN = 50


@bp.before_request
def _for_heads() -> None:
    if not viewer().sees_all:
        abort(404)


@bp.route("/receipts", methods=["GET", "POST"])
def index() -> str:
    """The latest, or by a form those of a number, mail or name: not by the address, which would
    stand in logs."""
    asked = clean(request.form.get("who"), 200)
    key = current_app.config["RECEIPT_KEY"]
    ids = [one.id for one in receipts.found(key, asked)]
    query = _query().order_by(Receipt.id.desc()).limit(SHOWN)
    rows = list(query.where(Receipt.id << ids) if asked else query)
    return render_template("receipts.html", rows=rows, asked=asked, has_key=bool(key), of=of)


@bp.get("/receipts/<int:number>")
def show(number: int) -> str:
    receipt = _query().where(Receipt.id == number).first() or abort(404)
    return render_template("receipt.html", receipt=receipt, about=of(receipt))


@bp.post("/receipts/<int:number>/again")
def again(number: int) -> Any:
    """Recordings that could not be deleted."""
    receipt = _query().where(Receipt.id == number).first() or abort(404)
    receipts.again(receipt, current_app.config["RECORDING_FOLDERS"])
    return redirect(url_for("receipts.show", number=number), 303)


def of(receipt: Receipt) -> dict[str, Any]:
    return receipts.content(receipt)


def _query() -> Any:
    return Receipt.select(Receipt, User).join(User, JOIN.LEFT_OUTER, attr="by")
