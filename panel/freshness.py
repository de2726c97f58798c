"""C2: what is missing or old in what is written of a contact."""

from __future__ import annotations

from datetime import timedelta

from fields import number_or_none, utcnow
from models import Contact

OLD = timedelta(days=365)
ASKED_AT_ONCE = 2
"""Fields; more are not filled in while somebody talks."""


def missing(contact: Contact) -> list[str]:
    """Out of name, company and email, as many as may be asked for at once."""
    empty = {
        "name": number_or_none(contact.name) is not None,
        "company": contact.company_id is None,
        "email": not contact.email,
    }
    return [name for name, is_empty in empty.items() if is_empty][:ASKED_AT_ONCE]


def is_old(contact: Contact) -> bool:
    """Nobody has looked whether it is right for a year."""
    return (contact.checked_at or contact.created_at) < utcnow() - OLD
