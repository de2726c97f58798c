"""Whom to ring: the decision that ARI and AGI share (T4). It only reads, and imports no telephony.

The owner of the customer's open deal first; then the department that answers the called number;
an empty route leaves the call to the administrator's fallback.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from peewee import JOIN

from database.prepared import Prepared
from fields import clean, normal_did, outside_number
from models import Contact, Deal, Department, Phone, Stage, User
from settings import Settings

STEPS = 2
LONGEST_NAME = 80
LONGEST_STAGE = 40
# A line of AGI holds 2,047 bytes, command and name of the variable included (res_agi.c).
LONGEST_DIAL = 1900

# Harmless in a SIP header, and made into something else by the dialplan once the text stands in an
# expression or in a function there: names of customers can come from callers.
_SPECIAL = str.maketrans('"\\', "'/") | dict.fromkeys(map(ord, "$<>{}[]|;^`%"), " ")
# What ARRAY() of the dialplan takes as it is.
_PLAIN_VALUE = re.compile("[A-Za-z0-9_.+@&/-]*")
_PLAIN_NAME = re.compile("[A-Z0-9_]+")


@dataclass(frozen=True)
class Route:
    """What to dial, one step after the other: (dial string, seconds). ``name``: for the phones'
    displays, '' for unknown callers."""

    steps: tuple[tuple[str, int], ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Customer:
    """A caller who is known. Of the newest deal that is open: ``deal`` (its number), ``stage``, and
    ``owner`` (login), whose ``phone`` is '' where it can't be rung. ``department``: the id of the
    owner's, else of that of the one who looks after the customer."""

    contact: str
    deal: int | None = None
    stage: str = ""
    owner: str = ""
    phone: str = ""
    department: int | None = None

    @property
    def display(self) -> str:
        return display(self.contact, self.stage)


def _customer_query(number: Any) -> Any:
    keeper = User.alias()
    ours = (Deal.contact == Contact.id) & Deal.closed_at.is_null()
    return (
        Phone.select(
            Contact.name,
            keeper.department,
            Deal.id,
            Stage.name,
            User.login,
            User.active,
            User.endpoint,
            User.department,
        )
        .join(Contact)
        .join(keeper, JOIN.LEFT_OUTER, on=Contact.owner == keeper.id)
        .join(Deal, JOIN.LEFT_OUTER, on=ours)
        .join(Stage, JOIN.LEFT_OUTER, on=Deal.stage == Stage.id)
        .join(User, JOIN.LEFT_OUTER, on=Deal.owner == User.id)
        .where(Phone.e164 == number)
        .order_by(Deal.created_at.desc(), Deal.id.desc())
        .limit(1)
    )


def _phones_query(did: Any, department: Any) -> Any:
    rings = (User.department == Department.id) & User.active & User.endpoint.is_null(False)
    wanted = (Department.did == did) | (Department.did == "") | (Department.id == department)
    return (
        Department.select(Department.id, Department.did, User.endpoint)
        .join(User, JOIN.LEFT_OUTER, on=rings)
        .where(wanted)
        .order_by(Department.id, User.id)
    )


_CUSTOMER, _PHONES = Prepared(_customer_query), Prepared(_phones_query)


def decide(number: str, did: str, settings: Settings) -> Route:
    """The route for a caller's number and a called number, both as the PBX wrote them.

    Raises peewee's errors if the database can't be read.
    """
    customer = caller(number)
    group = _phones(normal_did(did), customer.department if customer else None)
    first = [customer.phone] if customer and customer.phone else []
    steps = (
        (dial_string(first), settings.calls.owner_seconds),
        # The owner was rung already; alone in the department, he is all there is to ring.
        (
            dial_string([phone for phone in group if phone not in first] or group),
            settings.calls.department_seconds,
        ),
    )
    name = customer.display if customer else ""
    return Route(tuple(step for step in steps if step[0]), name)


def variables(route: Route) -> dict[str, str]:
    """Channel variables for the dialplan. All TRICHTER_… are always among them, '' when unused, so
    that no value of an earlier decision survives; the caller's name only where it is known."""
    steps = [*((dial, str(seconds)) for dial, seconds in route.steps), *[("", "")] * STEPS][:STEPS]
    result = {"CALLERID(name)": route.name} if route.name else {}
    for number, (dial, seconds) in enumerate(steps, start=1):
        result[f"TRICHTER_DIAL_{number}"] = dial
        result[f"TRICHTER_SECONDS_{number}"] = seconds
    return result


def in_one_go(wanted: Mapping[str, str]) -> dict[str, str]:
    """The same variables, to be set with fewer questions and answers while a caller waits: plain
    values together by the dialplan's ARRAY(), whatever else could mean something to it alone.

    Source: func_strings.c, where a value that is missing at the end is '' too.
    """
    plain_ones = {
        name: value
        for name, value in wanted.items()
        if _PLAIN_NAME.fullmatch(name) and _PLAIN_VALUE.fullmatch(value)
    }
    names, values = ",".join(plain_ones), ",".join(plain_ones.values())
    if len(plain_ones) < 2 or len(names) + len(values) > LONGEST_DIAL:
        return dict(wanted)
    others = {name: value for name, value in wanted.items() if name not in plain_ones}
    return others | {f"ARRAY({names})": values}


def caller(number: str) -> Customer | None:
    """The customer with this number, in any notation. Raises peewee's errors."""
    e164 = outside_number(number, "incoming")
    for name, cares, deal, stage, login, active, endpoint, own in _CUSTOMER.rows(e164):
        phone = endpoint if active and endpoint else ""
        department = cares if login is None else own
        return Customer(name, deal, stage or "", login or "", phone, department)
    return None


def caller_name(contact: Contact | None, deal: Deal | None) -> str:
    """What a phone's display shows of a contact and a deal; '' for nobody."""
    return display(contact.name, deal.stage.name if deal else "") if contact else ""


def display(name: str, stage: str = "") -> str:
    """T12: 'customer · stage' for the display of a phone: one line, 80 characters at most."""
    after = f" · {plain(stage, LONGEST_STAGE)}" if stage else ""
    return plain(name, LONGEST_NAME - len(after)) + after


def plain(text: str, length: int = LONGEST_NAME) -> str:
    """Text without what means something to the dialplan; '' stays ''."""
    return clean(text.translate(_SPECIAL), length)


def dial_string(phones: Iterable[str]) -> str:
    """Phones as Dial() rings them at once, e.g. PJSIP/101&PJSIP/102; as many as fit."""
    dial = ""
    for phone in phones:
        longer = f"{dial}&{phone}" if dial else phone
        if len(longer) > LONGEST_DIAL:
            break
        dial = longer
    return dial


def _phones(did: str, department: int | None) -> list[str]:
    """Those of the department that answers the called number, or all numbers; if there is none, or
    it has no phone, of the customer's own department."""
    rows = _PHONES.rows(did, department)
    answering = [row[0] for wanted in (did, "") for row in rows if row[1] == wanted]
    for group in (*answering[:1], department):
        phones = [endpoint for of, _, endpoint in rows if of == group and endpoint]
        if phones:
            return phones
    return []
