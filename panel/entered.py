"""Contacts by a number that somebody types in: with R1, as a list of all numbers would be one of
all customers."""

from __future__ import annotations

from errors import Refused
from fields import normalise
from models import Contact
from panel.auth import viewer


def contact_with(number: str, name: str = "") -> Contact:
    """The viewer's contact with this number in any notation, made if nobody has it. Raises
    BadNumber, or Refused for one that the viewer may not see."""
    e164 = normalise(number)
    known = Contact.by_number(e164)
    if known and not Contact.visible_to(viewer()).where(Contact.id == known.id).exists():
        raise Refused("This number can’t be used here. Ask your head of sales.", field="number")
    return known or Contact.of_number(e164, name, viewer())
