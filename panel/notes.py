"""Notes on a card: written, corrected and removed. Scripts get an empty answer, and renew the
page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, request, url_for

from models import Note
from panel.auth import viewer
from panel.cards import the_deal
from panel.once import once
from panel.urls import came_from, wants_fragment
from verbs import notes

bp = Blueprint("notes", __name__)


def the_note(number: int) -> Note:
    """The note, if the viewer may see the card or the customer that it is about; else 404."""
    return Note.visible_to(viewer()).where(Note.id == number).first() or abort(404)


@bp.post("/deals/<int:number>/notes")
def create(number: int) -> Any:
    deal = the_deal(number)
    once(lambda: notes.add(request.form.get("text", ""), by=viewer(), deal=deal, kind=_kind()))
    return done(url_for("deals.deal", number=number))


@bp.post("/notes/<int:number>")
def change(number: int) -> Any:
    note = the_note(number)
    notes.change(note, request.form.get("text", ""), by=viewer())
    return done(_page_of(note))


@bp.post("/notes/<int:number>/remove")
def remove(number: int) -> Any:
    note = the_note(number)
    page = _page_of(note)
    notes.remove(note, by=viewer())
    return done(page)


def _kind() -> str:
    return "mail" if request.form.get("kind") == "mail" else "note"


def _page_of(note: Note) -> str:
    return url_for("deals.deal", number=note.deal_id) if note.deal_id else url_for("board.board")


def done(page: str) -> Any:
    """What was sent is saved: scripts know what to do, others go back to where they were."""
    return ("", 204) if wants_fragment() else redirect(came_from(page), 303)
