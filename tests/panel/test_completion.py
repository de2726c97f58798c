"""What a stage asks for before a deal enters it: asked for exactly, and the move completed."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from models import Contact, Deal, Note, Reason, Stage, StageChange, Task
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import World


@pytest.fixture
def deal(world: World) -> Deal:
    return Deal.open("Roof", world.anna, world.anna)


def require(world: World, name: str, words: str) -> None:
    Stage.update(required_fields=words).where(Stage.id == world.stage(name).id).execute()


def asks(page: str) -> list[str]:
    found = re.search(r'name="asked" value="([^"]*)"', page)
    assert found
    return found[1].split()


def send(browser: Browser, world: World, deal: Deal, to: str, **entries: Any) -> Any:
    form = {"stage": world.stage(to).id, "from": world.stage("Unsorted").id, **entries}
    return browser.post(f"/deals/{deal.id}/moves", form, headers=FRAGMENT)


def now(deal: Deal) -> Deal:
    return Deal.get_by_id(deal.id)


def test_losing_asks_for_the_reason(world: World, deal: Deal, anna: Browser) -> None:
    Reason.create(name="Too expensive", position=0)
    Reason.create(name="Forgotten", position=1, active=False)
    answer = send(anna, world, deal, "Lost")
    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert asks(answer.text) == ["reason"]
    assert "Too expensive" in answer.text
    assert "Forgotten" not in answer.text
    assert "Please fill this in" not in answer.text
    answer = send(anna, world, deal, "Lost", asked="reason")
    assert answer.status_code == 422
    assert "Please fill this in" in answer.text
    answer = send(anna, world, deal, "Lost", asked="reason", reason="Too expensive")
    assert answer.status_code == 200
    assert (now(deal).stage.name, now(deal).lost_reason) == ("Lost", "Too expensive")


def test_a_reason_in_own_words(world: World, deal: Deal, anna: Browser) -> None:
    entries = {"reason": "Too expensive", "reason_text": "moved abroad"}
    assert send(anna, world, deal, "Lost", asked="reason", **entries).status_code == 200
    assert now(deal).lost_reason == "moved abroad"


def test_winning_asks_for_the_amount(world: World, deal: Deal, anna: Browser) -> None:
    assert asks(send(anna, world, deal, "Completed").text) == ["amount"]
    answer = send(anna, world, deal, "Completed", asked="amount", amount="much")
    assert answer.status_code == 422
    assert 'value="much"' in answer.text
    assert "in digits" in answer.text
    answer = send(anna, world, deal, "Completed", asked="amount", amount="1.234,50")
    assert answer.status_code == 200
    assert (now(deal).stage.name, now(deal).amount) == ("Completed", Decimal("1234.50"))
    # What was hoped for stands there, and is said anew.
    documents = world.stage("Documents")
    now(deal).move_to(documents, by=world.anna)
    answer = send(anna, world, deal, "Completed", **{"from": documents.id})
    assert asks(answer.text) == ["amount"]
    assert 'value="1234.50"' in answer.text


def test_everything_a_stage_can_ask_for(world: World, deal: Deal, anna: Browser) -> None:
    require(world, "Documents", "contact number email company amount task note")
    words = asks(send(anna, world, deal, "Documents").text)
    assert words == ["contact", "number", "email", "company", "amount", "task", "note"]
    entries = {
        "asked": " ".join(words), "name": "Inga Holm", "number": "030 4470 1182",
        "email": "inga@example.com", "company": "Holm AG", "amount": "500", "title": "Send it",
        "kind": "offer", "due": "2026-12-24T10:00", "note": "wants it soon",
    }  # fmt: skip
    assert send(anna, world, deal, "Documents", **entries).status_code == 200
    deal = now(deal)
    contact = deal.contact
    assert (deal.stage.name, deal.amount) == ("Documents", 500)
    assert (contact.name, contact.email, contact.company.name) == (
        "Inga Holm", "inga@example.com", "Holm AG",
    )  # fmt: skip
    assert [phone.e164 for phone in contact.phones] == ["+493044701182"]
    task = Task.get()
    assert (task.title, task.kind, task.deal, task.owner) == ("Send it", "offer", deal, world.anna)
    assert (Note.get().text, Note.get().author) == ("wants it soon", world.anna)


def test_what_is_there_already_is_not_asked(world: World, deal: Deal, anna: Browser) -> None:
    require(world, "Documents", "contact number email")
    contact = Contact.of_number("+493044701182", "Inga", world.anna)
    Deal.update(contact=contact).where(Deal.id == deal.id).execute()
    assert asks(send(anna, world, deal, "Documents").text) == ["email"]
    entries = {"asked": "email", "email": "inga@example.com"}
    assert send(anna, world, deal, "Documents", **entries).status_code == 200


def test_a_number_of_nobody_elses_customer(world: World, deal: Deal, anna: Browser) -> None:
    require(world, "Documents", "number")
    Contact.of_number("+493044701182", "Inga", world.ben)
    entries = {"asked": "number", "number": "030 4470 1182"}
    answer = send(anna, world, deal, "Documents", **entries)
    assert answer.status_code == 422
    assert 'id="done-number-problem"' in answer.text
    assert (now(deal).contact, now(deal).stage.name) == (None, "Unsorted")


def test_a_mail_address_needs_somebody(world: World, deal: Deal, anna: Browser) -> None:
    require(world, "Documents", "email")
    assert asks(send(anna, world, deal, "Documents").text) == ["contact", "email"]
    entries = {"asked": "contact email", "name": "Inga", "email": "inga@example.com"}
    assert send(anna, world, deal, "Documents", **entries).status_code == 200
    assert now(deal).contact.name == "Inga"


@pytest.mark.parametrize(
    ("entries", "wrong"),
    [
        ({"number": "12"}, "number"), ({"email": "x"}, "email"), ({"amount": "x"}, "amount"),
        ({"title": "x", "due": "soon"}, "due"), ({"title": "x", "due": ""}, "due"),
        ({"title": "x", "due": "9999-99-99T00:00"}, "due"), ({}, "note"),
    ],
)  # fmt: skip
def test_nothing_is_kept_of_a_try_that_failed(
    world: World, deal: Deal, anna: Browser, entries: dict[str, str], wrong: str
) -> None:
    require(world, "Documents", "contact number email amount task note")
    whole = {
        "asked": "contact number email amount task note", "name": "Inga",
        "number": "+493044701182", "email": "inga@example.com", "amount": "5", "title": "Call",
        "due": "2026-12-24T10:00", "note": "n",
    }  # fmt: skip
    tried = {**whole, **entries} if entries else {**whole, "note": ""}
    answer = send(anna, world, deal, "Documents", **tried)
    assert answer.status_code == 422
    assert f'id="done-{wrong}-problem"' in answer.text
    assert 'value="Inga"' in answer.text
    assert (now(deal).stage.name, now(deal).contact) == ("Unsorted", None)
    assert (Contact.select().count(), Task.select().count(), Note.select().count()) == (0, 0, 0)
    assert send(anna, world, deal, "Documents", **whole).status_code == 200


def test_without_scripts_it_is_a_page(world: World, deal: Deal, anna: Browser) -> None:
    board = {"Referer": "http://localhost/?funnel=1"}
    path = f"/deals/{deal.id}/moves"
    form = {"stage": world.stage("Completed").id, "from": world.stage("Unsorted").id}
    answer = anna.post(path, form, headers=board)
    assert answer.status_code == 422
    assert "<html" in answer.text
    back = re.search(r'name="back" value="([^"]+)"', answer.text)
    assert back
    entries = {**form, "asked": "amount", "amount": "5", "back": back[1]}
    answer = anna.post(path, entries, headers={"Referer": f"http://localhost{path}"})
    assert (answer.status_code, answer.location) == (303, "/?funnel=1")
    page = anna.get("/?funnel=1").text
    assert "“Roof” moved to “Completed”." in page
    assert f'action="/deals/{deal.id}/undo"' in page
    assert "moved to “Completed”" not in anna.get("/?funnel=1").text


@pytest.mark.parametrize("back", ["http://evil.example/", "//evil.example", "/\\evil.example"])
def test_it_leads_nowhere_else(world: World, deal: Deal, anna: Browser, back: str) -> None:
    form = {"stage": world.stage("Opportunity").id, "back": back}
    answer = anna.post(f"/deals/{deal.id}/moves", form)
    assert answer.location == f"/deals/{deal.id}"


def test_moved_by_somebody_else_while_it_was_filled_in(
    world: World, deal: Deal, anna: Browser
) -> None:
    deal.move_to(world.stage("Opportunity"), by=world.hugo)
    entries = {"asked": "amount", "amount": "5"}
    answer = send(anna, world, deal, "Completed", **entries)
    assert answer.status_code == 409
    assert answer.text == "Hugo Head moved this deal to “Opportunity”."
    assert now(deal).amount is None
    assert StageChange.select().count() == 2
