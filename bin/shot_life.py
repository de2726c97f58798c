"""A sales floor with all that makes pages hard: long names, other scripts, large amounts, nothing
filled in, late tasks, and phones that ring and talk while the pictures are taken."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import past_calls

from commands import demo_data
from fields import utcnow
from models import Contact, Deal, Funnel, Stage, Task, User
from tests.world import Story
from verbs import contacts, departments, erasure, exchange, funnels, notes, rules, tasks, users
from verbs import wordings as texts

# login, name, endpoint: whose phone rings or talks all the while, each in a way of its own.
BUSY = (
    ("carla", "Carla Brandstätter-Hohenfels", "PJSIP/111"),
    ("dirk", "Dirk Ó Súilleabháin", "PJSIP/112"),
    ("eva", "Ева Александровна Преображенская", "PJSIP/113"),
    ("fritz", "Fritz Müller", "PJSIP/114"),
    ("greta", "Greta Sørensen", "PJSIP/115"),
)
LONG_FIRM = "Verkehrsverbund und Infrastrukturbeteiligungsgesellschaft Oberbayern-Süd mbH & Co. KG"
# title, contact, company, number, owner, stage, days in it, amount, priority
DEALS: tuple[tuple[str, str, str, str, str, str, float, str | None, int], ...] = (
    (
        "Telefonanlage mit 1.200 Nebenstellen für alle Standorte und die Leitstelle",
        "Dr.-Ing. Maximilian Freiherr von und zu Guttenstein",
        LONG_FIRM,
        "+498912345678",
        "anna",
        "Commercial offer",
        23.0,
        "1284500.00",
        1,
    ),
    (
        "Колл-центр на 80 рабочих мест",
        "Константин Всеволодович Преображенский",
        "ООО «Северо-Западная энергетическая компания»",
        "+78123334455",
        "anna",
        "Documents",
        2.3,
        "348900.50",
        0,
    ),
    ("+39 06 698 1234", "", "", "", "anna", "Unsorted", 0.1, None, 0),
    ("Ärztehaus Süd", "Øyvind Sæther", "Ærø Shipping A/S", "+4520123456", "carla", "Opportunity",
     3.1, "90", -1),
    ("Rahmenvertrag", "Zoë Ångström", "Fjällräven", "+46812345678", "dirk", "Documents", 1.0,
     "54000", 1),
    ("Umzug der Zentrale", "Jürgen Groß", "Groß & Söhne", "+492211234567", "fritz", "Opportunity",
     6.4, "7200", 0),
    ("Wartungsvertrag", "Ingrid Nyström", "Nyström AB", "+4684455667", "greta", "Opportunity",
     2.2, "3400", 0),
)  # fmt: skip
TAGS = "VIP reseller newsletter trade-fair-2026"
ADVICE = (
    "Ring two days after sending. Ask who decides, and by when.\nAn offer that nobody asks for "
    "again within a week is lost more often than won."
)


def load(recordings: Path) -> dict[str, str | int]:
    list(demo_data.load())
    ada = User.get(User.login == "ada")
    for login, name, endpoint in BUSY:
        users.add(login, name, "seller", demo_data.PASSWORD, endpoint, "Sales", by=ada)
    users.disable(users.add("old", "Otto Abgang", "seller", demo_data.PASSWORD, by=ada), ada)
    _setup(ada)
    for deal in DEALS:
        _deal(*deal)
    past_calls.load(recordings)
    _contacts()
    _calls_now()
    return _addresses(ada)


def _setup(ada: User) -> None:
    departments.add("Service", "+493055510", ada)
    stages = {stage.name: stage for stage in Funnel.default().in_order()}
    for name, about in (
        ("Opportunity", {"colour": "blue"}),
        (
            "Commercial offer",
            {"advice": ADVICE, "probability": 40, "stuck_after": 6 * 86400, "colour": "amber"},
        ),
        ("Documents", {"required_fields": ["email", "company", "amount", "task"]}),
    ):
        funnels.change_stage(stages[name], ada, **about)
    service = funnels.add_funnel("Service contracts", ada)
    funnels.add_stage(service, ada, name="Renewal offered")
    texts.change(
        {
            "company": "Fernsprech & Söhne",
            "login_line": "Questions? Ring 100, or write to it@example.com.",
            "popup_hint": "“Fernsprech & Söhne, good morning, this is …”",
        },
        ada,
    )
    rules.add_number("+493055510", ada)
    rules.ignore("+4930999000", "The alarm system tests itself at night", ada)


def _deal(
    title: str,
    name: str,
    firm: str,
    number: str,
    owner: str,
    reached: str,
    days: float,
    amount: str | None,
    priority: int,
) -> None:
    user = User.get(User.login == owner)
    stage = Stage.get(Stage.funnel == Funnel.default(), Stage.name == reached)
    contact = Contact.of_number(number, name, user) if number else None
    if contact:
        mail = f"{number[1:6]}.a.rather.long.address@mail.example.com"
        contacts.change(contact, user, company=firm, email=mail, tags=TAGS, position="CTO")
    Deal.open(
        title,
        user,
        by=user,
        contact=contact,
        stage=stage,
        amount=Decimal(amount) if amount else None,
        priority=priority,
        at=utcnow() - timedelta(days=days),
    )


def _contacts() -> None:
    """Two that are one person, one to be erased, tasks that were done, and what was said."""
    anna = User.get(User.login == "anna")
    fitwerk = Deal.get(Deal.title == "Fitwerk GmbH")
    contact = Contact.get_by_id(fitwerk.contact_id)
    contacts.change(contact, anna, name="Jonas Brandt", company="Fitwerk GmbH", tags="VIP")
    contacts.add_number(contact, "+4917012345678", anna)
    notes.add("Wants two studios on one number.\nRing after 10, never on Mondays.", anna, fitwerk)
    notes.add("Offer sent by mail, 14 pages.", anna, fitwerk, kind="mail")
    twin = Contact.of_number("+493044701199", "Jonas Brandt", anna)
    contacts.change(twin, anna, email="j.brandt@example.com")
    Contact.of_number("+491701112223", "Erna Vergessmich", anna)
    done = tasks.add("Send the price list", utcnow(), anna, by=anna, deal=fitwerk)
    tasks.finish(done, anna, "Sent, she reads it tonight")
    tasks.add(
        "Prüfen, ob die Übertragung der Rufnummernblöcke bei allen Standorten bestätigt ist",
        utcnow() - timedelta(days=40),
        anna,
        by=anna,
        kind="todo",
        contact=contact,
    )
    # What is late was told of long ago: none of it lies over the pages.
    tasks.remind(utcnow())


def _calls_now() -> None:
    """What the phones of BUSY do; Hugo sees it on the board and among the exchange's phones."""
    names = {login: endpoint for login, _, endpoint in BUSY}
    states = dict.fromkeys((*names.values(), "PJSIP/101", "PJSIP/102"), "online")
    exchange.record_watching("asterisk", True, utcnow())
    exchange.record_devices("asterisk", {**states, "PJSIP/103": "offline"}, utcnow())
    at = utcnow() - timedelta(seconds=4)
    Story.begins("+4520123456", "now-1", "", past_calls.SALES, at=at).rings(names["carla"])
    talk = Story.begins("+46812345678", "now-2", at=utcnow() - timedelta(seconds=140))
    talk.rings(names["dirk"]).answered(names["dirk"])
    Story.begins("+390669812345", "now-3", "", past_calls.SERVICE, at=at).rings(names["eva"])
    Story.begins("+492211234567", "now-4", at=at).rings(names["fritz"])
    Story.begins("", "now-5", at=at).rings(names["fritz"])
    Story.begins("+4930123987", "now-6", LONG_FIRM, at=at).rings(names["fritz"])


def _addresses(ada: User) -> dict[str, str | int]:
    """What stands in addresses of pages."""
    jonas = Contact.select().where(Contact.name == "Jonas Brandt").order_by(Contact.id)
    kept, twin = jonas[0], jonas[1]
    gone = Contact.get(Contact.name == "Erna Vergessmich")
    receipt = erasure.erase(erasure.of_contact(gone), ada, key="k" * 64)
    long = Deal.get(Deal.amount == Decimal("1284500.00"))
    documents = Stage.get(Stage.name == "Documents")
    return {
        "deal": Deal.get(Deal.title == "Fitwerk GmbH").id,
        "long": long.id,
        "bare": Deal.get(Deal.title == "+39 06 698 1234").id,
        "talk": Deal.get(Deal.title == "Rahmenvertrag").id,
        "contact": kept.id,
        "long_contact": long.contact_id,
        "twin": twin.id,
        "company": Contact.get_by_id(long.contact_id).company_id,
        "receipt": receipt.id,
        "task": Task.get(Task.owner == long.owner, Task.contact == kept).id,
        "funnel": Funnel.default().id,
        "stage": documents.id,
        "user": User.get(User.login == "carla").id,
    }
