"""Whom to ring: the decision that ARI and AGI share (T4). It only reads, and imports no telephony.

The owner of the customer's open deal first; then the department that answers the called number;
an empty route leaves the call to the administrator's fallback.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fields import clean, number_or_none
from models import Contact, Deal, Department, User
from settings import Settings

STEPS = 2
LONGEST_NAME = 80
LONGEST_STAGE = 40
# A line of AGI holds 2,047 bytes, command and name of the variable included (res_agi.c).
LONGEST_DIAL = 1900

# Harmless in a SIP header, and made into something else by the dialplan once the text stands in an
# expression or in a function there: names of customers can come from callers.
_SPECIAL = str.maketrans('"\\', "'/") | dict.fromkeys(map(ord, "$<>{}[]|;^`%"), " ")


@dataclass(frozen=True)
class Route:
    """What to dial, one step after the other: (dial string, seconds). ``name``: for the phones'
    displays, '' for unknown callers."""

    steps: tuple[tuple[str, int], ...] = ()
    name: str = ""


def decide(number: str, did: str, settings: Settings) -> Route:
    """The route for a caller's number and a called number, both as the PBX wrote them.

    Raises peewee's errors if the database can't be read.
    """
    contact, deal = caller(number)
    owner = deal.owner if deal else None
    group = _phones(Department.answering(did)) or _phones(_department_of(contact, owner))
    first = [owner] if owner and owner.active and owner.endpoint else []
    steps = (
        (dial_string(first), settings.calls.owner_seconds),
        # The owner was rung already; alone in the department, he is all there is to ring.
        (
            dial_string([user for user in group if user not in first] or group),
            settings.calls.department_seconds,
        ),
    )
    return Route(tuple(step for step in steps if step[0]), caller_name(contact, deal))


def variables(route: Route) -> dict[str, str]:
    """Channel variables for the dialplan. All TRICHTER_… are always among them, '' when unused, so
    that no value of an earlier decision survives; the caller's name only where it is known."""
    steps = [*((dial, str(seconds)) for dial, seconds in route.steps), *[("", "")] * STEPS][:STEPS]
    result = {"CALLERID(name)": route.name} if route.name else {}
    for number, (dial, seconds) in enumerate(steps, start=1):
        result[f"TRICHTER_DIAL_{number}"] = dial
        result[f"TRICHTER_SECONDS_{number}"] = seconds
    return result


def caller(number: str) -> tuple[Contact | None, Deal | None]:
    """The customer with this number, in any notation, and the open deal; None for what is not."""
    contact = Contact.by_number(number_or_none(number))
    return contact, contact.open_deal() if contact else None


def caller_name(contact: Contact | None, deal: Deal | None) -> str:
    """T12: 'customer · stage' for the display of a phone: one line, 80 characters at most."""
    if contact is None:
        return ""
    stage = f" · {plain(deal.stage.name, LONGEST_STAGE)}" if deal else ""
    return plain(contact.name, LONGEST_NAME - len(stage)) + stage


def plain(text: str, length: int = LONGEST_NAME) -> str:
    """Text without what means something to the dialplan; '' stays ''."""
    return clean(text.translate(_SPECIAL), length)


def dial_string(users: Iterable[User]) -> str:
    """Their phones as Dial() rings them at once, e.g. PJSIP/101&PJSIP/102; as many as fit."""
    dial = ""
    for user in users:
        longer = f"{dial}&{user.endpoint}" if dial else str(user.endpoint)
        if len(longer) > LONGEST_DIAL:
            break
        dial = longer
    return dial


def _department_of(contact: Contact | None, owner: User | None) -> Department | None:
    """A customer's: that of the deal's owner, else of the one who looks after the customer."""
    owner = owner or (contact.owner if contact else None)
    return owner.department if owner else None


def _phones(department: Department | None) -> list[User]:
    return department.ringing() if department else []
