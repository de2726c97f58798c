"""GET /deals/new and POST /deals"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from models import Call, Contact, Deal, Event, Phone, Stage
from panel import deals
from panel.shown import BadAmount, read_amount
from tests.panel.conftest import Browser
from tests.world import CUSTOMER, Story, World
from verbs.call_cards import attach


def only_deal() -> Deal:
    (deal,) = Deal.select()
    return deal


def contact_of(deal: Deal) -> Contact:
    assert deal.contact
    return deal.contact


def numbers_of(deal: Deal) -> list[str]:
    return [phone.e164 for phone in Phone.select().where(Phone.contact == deal.contact)]


def test_by_hand(world: World, anna: Browser) -> None:
    form = {
        "title": "Fitwerk GmbH",
        "name": "Jonas Brandt",
        "number": "030 4470-1182",
        "amount": "12.500,50",
        "stage": world.stage("Opportunity").id,
    }
    assert "Create deal" in anna.get("/deals/new").text
    answer = anna.post("/deals", form)
    deal = only_deal()
    assert (answer.status_code, answer.location) == (303, f"/deals/{deal.id}")
    assert (deal.title, deal.owner, deal.source) == ("Fitwerk GmbH", world.anna, "manual")
    assert (deal.amount, deal.stage.name) == (Decimal("12500.50"), "Opportunity")
    assert contact_of(deal).name == "Jonas Brandt"
    assert numbers_of(deal) == [CUSTOMER]
    assert Event.of_kind("deal.created").get().user == world.anna


def test_by_htmx(anna: Browser) -> None:
    answer = anna.post("/deals", {"title": "Fitwerk"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, f"/deals/{only_deal().id}")


def test_a_name_or_a_number_is_enough(anna: Browser) -> None:
    anna.post("/deals", {"name": "Jonas Brandt"})
    assert only_deal().title == contact_of(only_deal()).name == "Jonas Brandt"
    anna.post("/deals", {"number": CUSTOMER})
    assert {deal.title for deal in Deal.select()} == {"Jonas Brandt", CUSTOMER}


def test_a_known_number_keeps_its_contact(world: World, anna: Browser) -> None:
    known = Contact.of_number(CUSTOMER, "Fitwerk GmbH", world.anna)
    anna.post("/deals", {"title": "Again", "name": "Somebody", "number": "+49 30 44701182"})
    assert only_deal().contact == known
    assert Contact.select().count() == 1


def test_a_typed_number_leads_to_nobody_elses_customer(world: World, anna: Browser) -> None:
    Contact.of_number(CUSTOMER, "Fitwerk GmbH", world.ben)
    answer = anna.post("/deals", {"title": "Again", "number": CUSTOMER})
    assert answer.status_code == 422
    assert 'id="new-number-problem"' in answer.text
    assert "Fitwerk" not in answer.text
    assert Deal.select().count() == 0


def test_all_that_is_wrong_is_said_at_once_and_kept(anna: Browser) -> None:
    form = {"title": "", "number": "anonymous", "amount": "NaN", "stage": "999"}
    answer = anna.post("/deals", form)
    assert answer.status_code == 422
    assert answer.text.count("field__problem") == 3
    assert 'value="anonymous"' in answer.text
    assert 'value="NaN"' in answer.text
    assert not Deal.select().exists()
    assert not Contact.select().exists()


def test_nothing_at_all(anna: Browser) -> None:
    answer = anna.post("/deals", {"title": " \u200b\n", "name": "", "number": " "})
    assert answer.status_code == 422
    assert "Say what it is about" in answer.text


def test_a_closed_stage_is_refused(world: World, anna: Browser) -> None:
    form = {"title": "Fitwerk", "number": CUSTOMER, "stage": world.stage("Lost").id}
    assert anna.post("/deals", form).status_code == 422
    assert not Contact.select().exists()


def test_hostile_text_is_cut_and_cleaned(anna: Browser) -> None:
    form = {"title": "a\x00\r\n\u202eb" + "x" * 500, "name": "y" * 500}
    assert anna.post("/deals", form).status_code == 303
    assert only_deal().title.startswith("a bx")
    assert len(only_deal().title) == 120
    assert len(contact_of(only_deal()).name) == 80


def test_from_a_call(world: World, anna: Browser) -> None:
    Story.begins(CUSTOMER, name="Jonas").rings("PJSIP/101")
    call = Call.get()
    page = anna.get(f"/deals/new?call={call.id}").text
    assert "From the call of +49 30 44701182" in page
    assert 'value="Jonas"' in page
    form = {"call": call.id, "name": "Jonas Brandt", "number": "+4940999999"}
    answer = anna.post("/deals", form)
    deal = only_deal()
    assert answer.location == f"/deals/{deal.id}"
    # The number is that of the call, whatever the form says.
    assert numbers_of(deal) == [CUSTOMER]
    assert Call.get().deal == deal
    assert Call.get().contact == deal.contact


def test_from_a_call_twice_is_one_deal(anna: Browser) -> None:
    Story.begins(CUSTOMER).rings("PJSIP/101")
    form = {"call": Call.get().id, "title": "Fitwerk"}
    first, second = anna.post("/deals", form), anna.post("/deals", form)
    assert first.location == second.location
    assert Deal.select().count() == 1


def test_from_a_call_twice_at_once_is_one_deal(
    world: World, anna: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    Story.begins(CUSTOMER).rings("PJSIP/101")
    read = deals._read

    def overtaken(*args: Any) -> dict[str, Any]:
        """The other click makes its deal when this one has already found none."""
        attach(Call.get(), Deal.open("Fitwerk", world.anna, world.anna), by=world.anna)
        return read(*args)

    monkeypatch.setattr(deals, "_read", overtaken)
    answer = anna.post("/deals", {"call": Call.get().id, "title": "Fitwerk"})
    assert answer.location == f"/deals/{only_deal().id}"


def test_a_call_stays_on_the_card_of_who_took_it(world: World, anna: Browser) -> None:
    """Anna's phone rang too; the deal that Ben's call made does not exist for her."""
    story = Story.begins(CUSTOMER).rings("PJSIP/101", "PJSIP/102").answered("PJSIP/102")
    taken = only_deal()
    form = {"call": story.call.id, "title": "Mine"}
    assert anna.post("/deals", form).status_code == 303
    assert story.call.deal == taken
    story.ended()
    anna.post("/deals", form)
    assert story.call.deal == taken


def test_who_talks_takes_the_call_to_an_own_card(world: World, anna: Browser) -> None:
    known = Contact.of_number(CUSTOMER, "Fitwerk", world.ben)
    Deal.open("Ben's", world.ben, world.ben, contact=known)
    story = Story.begins(CUSTOMER).rings("PJSIP/101").answered("PJSIP/101")
    anna.post("/deals", {"call": story.call.id, "title": "Anna's"})
    assert story.call.deal == Deal.get(Deal.title == "Anna's")


def test_from_a_hidden_number(anna: Browser) -> None:
    Story.begins("anonymous").rings("PJSIP/101")
    call = Call.get()
    assert anna.get(f"/deals/new?call={call.id}").status_code == 200
    anna.post("/deals", {"call": call.id, "name": "Jonas Brandt"})
    assert Call.get().deal == only_deal()


def test_from_a_call_of_others(world: World, olga: Browser) -> None:
    Story.begins(CUSTOMER).rings("PJSIP/101")
    call = Call.get()
    assert olga.get(f"/deals/new?call={call.id}").status_code == 404
    assert olga.post("/deals", {"call": call.id, "title": "Mine"}).status_code == 404
    assert not Deal.select().exists()


@pytest.mark.parametrize("call", ["x", "0", "99", "9" * 30, "-1"])
def test_no_such_call(anna: Browser, call: str) -> None:
    assert anna.post("/deals", {"call": call, "title": "Fitwerk"}).status_code == 404


def test_it_needs_the_token_and_a_log_in(anna: Browser) -> None:
    assert anna.client.post("/deals", data={"title": "Fitwerk"}).status_code == 400
    anna.post("/logout")
    assert anna.get("/deals/new").status_code == 303
    assert not Deal.select().exists()


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("", None),
        ("  ", None),
        ("0", "0.00"),
        ("12,50", "12.50"),
        ("12.5", "12.50"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1,234", "1234.00"),
        ("1 234 567,8", "1234567.80"),
        ("€ 12'500.00", "12500.00"),
        ("12 000 EUR", "12000.00"),
        ("1.234.567", "1234567.00"),
        ("0,99", "0.99"),
        ("999.999.999.999,99", "999999999999.99"),
    ],
)
def test_amounts_as_people_write_them(anna: Browser, text: str, amount: str | None) -> None:
    with anna.client.application.test_request_context():
        assert read_amount(text) == (Decimal(amount) if amount else None)


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "inf",
        "1e999",
        "1e3",
        "-5",
        "0x10",
        "12k",
        "1,2,3",
        "1,234,56",
        "1.2345,6",
        "0.500",
        "1.234",
        "1000000000000",
        "9" * 70,
        "٣",
        ",",
        ".5.",
        "1..5",
    ],
)
def test_what_is_no_amount(anna: Browser, text: str) -> None:
    with anna.client.application.test_request_context(), pytest.raises(BadAmount):
        read_amount(text)
    answer = anna.post("/deals", {"title": "Fitwerk", "amount": text})
    assert answer.status_code == 422
    assert not Deal.select().exists()


def test_a_stage_that_asks_for_something_asks_here_too(world: World, anna: Browser) -> None:
    """F1: else whoever can't move a card there would make a new one there."""
    stage = world.stage("Documents")
    Stage.update(required_fields="number amount").where(Stage.id == stage.id).execute()
    form = {"title": "Fitwerk", "name": "Jonas", "amount": "5", "stage": stage.id}
    answer = anna.post("/deals", form)
    assert answer.status_code == 422
    assert "Fill in first: a telephone number." in answer.text
    assert not Deal.select().exists()
    assert not Contact.select().exists()
    assert anna.post("/deals", {**form, "number": CUSTOMER}).status_code == 303
    assert only_deal().stage == stage
