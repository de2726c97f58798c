"""POST /deals/ID/fields, /deals/ID/contact and /deals/ID/numbers"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from fields import utcnow
from models import Contact, Deal, Phone
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import CUSTOMER, World
from verbs import contacts, deals


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(CUSTOMER, "Jonas Brandt", world.anna)
    return Deal.open(
        "Fitwerk GmbH", world.anna, world.anna, contact=contact, amount=Decimal("12000")
    )


@pytest.mark.parametrize(
    ("field", "entered", "value"),
    [
        ("title", " New  gym ", "New gym"),
        ("amount", "12.500,50", Decimal("12500.50")),
        ("amount", "", None),
        ("priority", "1", 1),
        ("priority", "-1", -1),
    ],
)
def test_a_field_is_changed(
    deal: Deal, anna: Browser, field: str, entered: str, value: object
) -> None:
    answer = anna.post(f"/deals/{deal.id}/fields", {field: entered})
    assert (answer.status_code, answer.location) == (303, f"/deals/{deal.id}")
    assert getattr(Deal.get(), field) == value
    assert anna.get(f"/deals/{deal.id}").status_code == 200


@pytest.mark.parametrize(
    ("field", "entered"),
    [("title", " "), ("amount", "dear"), ("amount", "-5"), ("priority", "9"), ("priority", "")],
)
def test_what_can_not_be_is_refused(deal: Deal, anna: Browser, field: str, entered: str) -> None:
    answer = anna.post(f"/deals/{deal.id}/fields", {field: entered}, headers=FRAGMENT)
    assert (answer.status_code, answer.mimetype) == (422, "text/plain")
    assert answer.text
    now = Deal.get()
    assert (now.title, now.amount, now.priority) == ("Fitwerk GmbH", Decimal(12000), 0)


def test_who_was_faster_is_said(world: World, deal: Deal, anna: Browser) -> None:
    deals.change(deal, world.hugo, amount=Decimal(15000))
    form = {"amount": "13000", "seen_amount": "12000"}
    answer = anna.post(f"/deals/{deal.id}/fields", form, headers=FRAGMENT)
    assert answer.status_code == 409
    assert answer.text == "Hugo Head changed this to “€\u00a015,000” just now."
    assert Deal.get().amount == 15000
    # Seen, and meant.
    form["seen_amount"] = "15000"
    assert anna.post(f"/deals/{deal.id}/fields", form, headers=FRAGMENT).status_code == 204
    assert Deal.get().amount == 13000


def test_the_contact_in_its_place(world: World, deal: Deal, anna: Browser) -> None:
    for field, entered in (
        ("name", "Jonas Brandt-Meyer"),
        ("company", "Fitwerk"),
        ("position", "Owner"),
        ("email", "jonas@fitwerk.example"),
        ("tags", "gym Berlin"),
    ):
        form = {field: entered, f"seen_{field}": "Jonas Brandt" if field == "name" else ""}
        answer = anna.post(f"/deals/{deal.id}/contact", form, headers=FRAGMENT)
        assert answer.status_code == 204, answer.text
    now = Contact.get()
    assert (now.name, now.company.name, now.position, now.email, now.tags) == (
        "Jonas Brandt-Meyer",
        "Fitwerk",
        "Owner",
        "jonas@fitwerk.example",
        " gym berlin ",
    )
    page = anna.get(f"/deals/{deal.id}").text
    assert 'href="mailto:jonas@fitwerk.example"' in page
    bad = {"email": "nobody"}
    assert anna.post(f"/deals/{deal.id}/contact", bad, headers=FRAGMENT).status_code == 422


def test_another_was_faster_with_the_contact(world: World, deal: Deal, anna: Browser) -> None:
    contacts.change(Contact.get(), world.hugo, email="new@example.com")
    form = {"email": "old@example.com", "seen_email": ""}
    answer = anna.post(f"/deals/{deal.id}/contact", form, headers=FRAGMENT)
    assert (answer.status_code, "Hugo Head" in answer.text) == (409, True)
    assert Contact.get().email == "new@example.com"


def test_numbers_come_and_go(world: World, deal: Deal, anna: Browser) -> None:
    Contact.of_number("+493044709999", "Somebody", world.ben)
    path = f"/deals/{deal.id}/numbers"
    assert anna.post(path, {"number": "030 4470 1183"}, headers=FRAGMENT).status_code == 204
    for wrong in ("12", "hello", "", "030 4470 9999"):
        assert anna.post(path, {"number": wrong}, headers=FRAGMENT).status_code == 422, wrong
    first, second = Phone.select().where(Phone.contact == deal.contact).order_by(Phone.id)
    assert second.e164 == "+493044701183"
    assert anna.post(f"{path}/{second.id}/remove", headers=FRAGMENT).status_code == 204
    other = Phone.get(Phone.e164 == "+493044709999")
    assert anna.post(f"{path}/{other.id}/remove").status_code == 404
    assert [p.e164 for p in deal.contact.phones] == [first.e164]


def test_old_data_is_asked_for(world: World, deal: Deal, anna: Browser) -> None:
    page = f"/deals/{deal.id}"
    assert "Is it still right?" not in anna.get(page).text
    Contact.update(created_at=utcnow() - timedelta(days=400)).execute()
    assert "Is it still right?" in anna.get(page).text
    assert anna.post(f"{page}/contact/check").status_code == 303
    assert "Is it still right?" not in anna.get(page).text


def test_a_card_without_contact_gets_one(world: World, anna: Browser) -> None:
    known = Contact.of_number(CUSTOMER, "Jonas Brandt", world.anna)
    deal = Deal.open("Bare", world.anna, world.anna)
    path = f"/deals/{deal.id}"
    page = anna.get(f"{path}?find=brandt").text
    assert f'name="contact" value="{known.id}"' in page
    assert "Nobody found" in anna.get(f"{path}?find=zzzzzzz").text
    assert anna.post(f"{path}/contact", {"contact": known.id}).status_code == 303
    assert Deal.get().contact == known


def test_by_number_it_is_found_or_made(world: World, anna: Browser) -> None:
    known = Contact.of_number(CUSTOMER, "Jonas Brandt", world.anna)
    first, second, third = (Deal.open(t, world.anna, world.anna) for t in ("A", "B", "C"))
    anna.post(f"/deals/{first.id}/contact", {"number": "030 44701182", "name": "J."})
    anna.post(f"/deals/{second.id}/contact", {"number": "030 44701199", "name": "Inga"})
    anna.post(f"/deals/{third.id}/contact", {"name": "No number"})
    assert Deal.get_by_id(first.id).contact == known
    assert Deal.get_by_id(second.id).contact.name == "Inga"
    assert Deal.get_by_id(third.id).contact.owner == world.anna
    answer = anna.post(f"/deals/{Deal.open('D', world.anna, None).id}/contact", {"number": "x"})
    assert answer.status_code == 422


def test_the_contact_of_somebody_else_is_not_to_be_had(world: World, anna: Browser) -> None:
    theirs = Contact.of_number(CUSTOMER, "Secret Person", world.ben)
    deal = Deal.open("Bare", world.anna, world.anna)
    path = f"/deals/{deal.id}/contact"
    assert "Secret" not in anna.get(f"/deals/{deal.id}?find=secret").text
    assert anna.post(path, {"contact": theirs.id}).status_code == 404
    answer = anna.post(path, {"number": CUSTOMER}, headers=FRAGMENT)
    assert (answer.status_code, "Secret" in answer.text) == (422, False)
    assert Deal.get().contact is None


@pytest.mark.parametrize("end", ["fields", "contact", "contact/check", "numbers"])
def test_for_the_outsider_it_does_not_exist(deal: Deal, olga: Browser, end: str) -> None:
    form = {"title": "x", "name": "x", "number": "030 4470 7777"}
    assert olga.post(f"/deals/{deal.id}/{end}", form).status_code == 404
    assert (Deal.get().title, Contact.get().name) == ("Fitwerk GmbH", "Jonas Brandt")
