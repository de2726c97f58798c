"""People, customers and deals to look at: ``trichter demo-data`` and ``bin/demo``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from database import database
from errors import Refused
from fields import utcnow
from models import Contact, Deal, Funnel, Stage, User
from verbs import tasks, users

PASSWORD = "trichter-demo"  # noqa: S105 (printed for everybody to use)
PEOPLE = (
    ("anna", "Anna Krüger", "seller", "PJSIP/101", "Sales"),
    ("ben", "Ben Okafor", "seller", "PJSIP/102", "Sales"),
    ("hugo", "Hugo Head", "head", "PJSIP/103", "Management"),
    ("ada", "Ada Admin", "admin", None, None),
)
# name, number, owner, stage, days in it, amount, priority
DEALS: tuple[tuple[str, str, str, str, float, int, int], ...] = (
    ("Bäckerei Holm", "+49408812904", "ben", "Commercial offer", 9.2, 6200, 0),
    ("Fitwerk GmbH", "+493044701190", "anna", "Opportunity", 2.1, 12000, 0),
    ("Stadtwerke Nord", "+494312009870", "anna", "Opportunity", 4.3, 9800, -1),
    ("Kanzlei Reuter", "+496922221145", "ben", "Opportunity", 5.0, 4600, 0),
    ("Lindner Logistik", "+492219955120", "anna", "Commercial offer", 1.2, 27500, 1),
    ("Auto Pohl", "+4935140088812", "ben", "Commercial offer", 3.4, 11500, 0),
    ("Nordlicht Solar", "+494212223390", "anna", "Documents", 2.0, 31000, 1),
    ("Praxis am Markt", "+49711902114", "anna", "Documents", 6.1, 8900, 0),
    ("Gärtnerei Blum", "+499113004412", "ben", "Documents", 0.4, 12800, 0),
    ("Hofladen Wendt", "+494181330021", "ben", "Signature and payment", 1.3, 14000, 0),
    ("Kurhotel Seeblick", "+4938371215", "anna", "Implementation", 4.1, 9500, 0),
    ("Druckerei Sommer", "+49551707020", "ben", "Implementation", 11.0, 8500, 0),
    ("Zahnlabor Petri", "+4915155502211", "anna", "Completed", 3.0, 7400, 0),
    ("Reisebüro Falk", "+49894551120", "ben", "Lost", 8.0, 3900, -1),
)
# deal, kind, what, hours from now
TASKS = (
    ("Bäckerei Holm", "call", "Ask whether the offer has arrived", -26.0),
    ("Lindner Logistik", "offer", "Send the offer with three years of maintenance", -2.0),
    ("Nordlicht Solar", "call", "Go through the contract by telephone", 1.5),
    ("Fitwerk GmbH", "meeting", "Look at the rooms with the owner", 21.0),
    ("Gärtnerei Blum", "todo", "Check the delivery date with the warehouse", 24.0),
    ("Praxis am Markt", "call", "Ask for the signed contract", 72.0),
    ("Hofladen Wendt", "todo", "Has the deposit been paid?", 200.0),
)


def load() -> Iterator[str]:
    """Put the story in; yields lines that tell of it. Raises Refused on a system in use."""
    if User.select().exists() or Deal.select().exists():
        raise Refused("demo-data: there are users or deals already; use an empty database")
    with database.atomic():
        people = {
            login: users.add(login, name, role, PASSWORD, endpoint, department)
            for login, name, role, endpoint, department in PEOPLE
        }
        for deal in DEALS:
            _deal(people, *deal)
        for task in TASKS:
            _task(*task)
    for login, name, role, endpoint, _ in PEOPLE:
        yield f"{login:<6} {role:<7} {name:<14} {endpoint or 'no phone':<10} password {PASSWORD}"
    yield f"{len(DEALS)} deals, {len(TASKS)} tasks"


def _deal(
    people: dict[str, User],
    name: str,
    number: str,
    owner: str,
    reached: str,
    days: float,
    amount: int,
    priority: int,
) -> None:
    stages = {stage.name: stage for stage in Funnel.default().in_order()}
    now = utcnow()
    contact = Contact.of_number(number, name, people[owner])
    deal = Deal.open(
        name,
        people[owner],
        by=people[owner],
        contact=contact,
        amount=Decimal(amount),
        priority=priority,
        at=now - timedelta(days=days * 1.6 + 1),
    )
    for step in _way(stages, reached):
        at = now - timedelta(days=days + (step.name != reached))
        why = "Too expensive" if step.kind == "lost" else ""
        deal.move_to(step, by=people[owner], at=at, reason=why)


def _task(deal: str, kind: str, title: str, hours: float) -> None:
    on = Deal.get(Deal.title == deal)
    due = utcnow() + timedelta(hours=hours)
    tasks.add(title, due, on.owner, by=on.owner, kind=kind, deal=on)


def _way(stages: dict[str, Stage], reached: str) -> list[Stage]:
    """The stages a deal goes through: one after the other, or straight from an offer to Lost."""
    names = list(stages)
    if reached == "Lost":
        return [stages["Opportunity"], stages["Commercial offer"], stages["Lost"]]
    return [stages[name] for name in names[1 : names.index(reached) + 1]]
