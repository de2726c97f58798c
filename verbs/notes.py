"""What people write on cards and of customers: notes, and mails kept as notes."""

from __future__ import annotations

from database import database
from errors import Refused
from fields import readable_lines, utcnow
from models import Call, Contact, Deal, Event, Note, User
from verbs.contact_news import seen_by

NOTE_KINDS = ("note", "mail")
LONGEST = 20_000


def add(
    text: str,
    by: User | None,
    deal: Deal | None = None,
    contact: Contact | None = None,
    call: Call | None = None,
    kind: str = "note",
) -> Note:
    """A note on a card, or of a contact where there is no card. Raises Refused."""
    written = readable_lines(text, LONGEST)
    if not written:
        raise Refused("must not be empty", field="text")
    if kind not in NOTE_KINDS:
        raise Refused("one of {note_kinds}", field="kind", note_kinds=", ".join(NOTE_KINDS))
    if deal is None and contact is None:
        raise Refused("a note needs a card or a contact", field="text")
    with database.atomic():
        note = Note.create(
            text=written,
            kind=kind,
            deal=deal,
            contact=contact or (deal and deal.contact),
            call=call,
            author=by,
            at=utcnow(),
        )
        _tell("note.added", note, by)
    return note


def change(note: Note, text: str, by: User) -> bool:
    """Authors correct what they wrote. False: nothing differs. Raises Refused."""
    _may_change(note, by)
    written = readable_lines(text, LONGEST)
    if not written:
        raise Refused("must not be empty", field="text")
    if written == note.text:
        return False
    with database.atomic():
        note.text = written
        note.save(only=[Note.text])
        _tell("note.changed", note, by)
    return True


def remove(note: Note, by: User) -> None:
    """Raises Refused for somebody else's."""
    _may_change(note, by)
    with database.atomic():
        _tell("note.removed", note, by)
        note.delete_instance()


def _tell(kind: str, note: Note, by: User | None) -> None:
    """One of a contact without a card stands on all its cards, and on its own page."""
    about: dict[str, object] = {"note": note.id}
    if note.contact and not note.deal_id:
        about |= {"contact": note.contact_id, "contact_for": seen_by(note.contact)}
    Event.add(kind, deal=note.deal, by=by, payload=about)


def _may_change(note: Note, by: User) -> None:
    if note.author_id != by.id and by.role != "admin":
        raise Refused("This note was written by somebody else.")
