"""What happened to a contact, for all that show it: its open cards, and the pages of it."""

from __future__ import annotations

from typing import Any

from models import Contact, Deal, Event, User

MOST_CARDS = 20
"""That tell of a change of their contact; more are not open at once."""


def seen_by(contact: Contact) -> list[int]:
    """R1 for the live feed: the sellers who may see it, by their ids."""
    owners: Any = Deal.select(Deal.owner).where(Deal.contact == contact).distinct().tuples()
    return sorted({user for (user,) in owners if user} | {contact.owner_id or 0} - {0})


def tell(kind: str, contact: Contact, by: User | None, **payload: Any) -> None:
    """Each open card has it in its history; pages that show the contact learn of it by the first
    event."""
    cards: Any = Deal.select().where(Deal.contact == contact, Deal.closed_at.is_null())
    audience = {"contact_for": seen_by(contact)}
    for deal in list(cards.order_by(Deal.id.desc()).limit(MOST_CARDS)) or [None]:
        about = {"contact": contact.id, **audience, **payload}
        Event.add(kind, deal=deal, by=by, payload=about)
        audience = {}
