"""What is done in a pop-up: notes, missing data, the next step; and what it shows of the caller."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from fields import utcnow
from models import Call, Contact, Deal, Note, Task
from panel import create_app
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import CUSTOMER, Story, World
from verbs import contacts, notes, tasks


@pytest.fixture
def app(world: World) -> Flask:
    return create_app(world.settings)


def browser(app: Flask, login: str) -> Browser:
    opened = Browser(app)
    assert opened.log_in(login).status_code == 303
    return opened


@pytest.fixture
def anna(app: Flask) -> Browser:
    return browser(app, "anna")


@pytest.fixture
def ben(app: Flask) -> Browser:
    return browser(app, "ben")


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(CUSTOMER, "Inga Holm", world.anna)
    return Deal.open("Bakery", world.anna, world.anna, contact=contact)


@pytest.fixture
def talk(deal: Deal) -> Story:
    return Story.begins().rings("PJSIP/101", "PJSIP/102").answered("PJSIP/101")


def test_a_note_goes_to_the_card_and_knows_the_call(
    world: World, deal: Deal, talk: Story, anna: Browser
) -> None:
    path = f"/popups/{talk.call.id}"
    assert "Note of this call" in anna.get(path).text
    answer = anna.post(f"{path}/notes", {"text": "Wants two"}, headers=FRAGMENT)
    assert answer.status_code == 204
    note = Note.get()
    assert (note.deal, note.call, note.author) == (deal, talk.call, world.anna)
    assert "Wants two" in anna.get(path).text
    # After the talk, too: one writes until it is said.
    talk.ended()
    assert anna.post(f"{path}/notes", {"text": "And a third"}).status_code == 303
    assert Note.select().count() == 2


def test_while_it_rings_there_is_nothing_to_write(deal: Deal, anna: Browser) -> None:
    call = Story.begins().rings("PJSIP/101").call
    page = anna.get(f"/popups/{call.id}").text
    assert "Note of this call" not in page
    assert "Ask for what is missing" not in page
    for end in ("notes", "tasks", "contact"):
        assert anna.post(f"/popups/{call.id}/{end}", {"text": "x"}).status_code == 404


def test_who_did_not_talk_has_no_part_in_it(deal: Deal, talk: Story, ben: Browser) -> None:
    number = talk.call.id
    talk.ended()
    form = {"text": "x", "kind": "call", "due": "hour", "email": "x@example.com"}
    for end in ("notes", "tasks", "contact"):
        assert ben.post(f"/popups/{number}/{end}", form).status_code == 404
    assert ben.get(f"/popups/{number}/after", headers=FRAGMENT).status_code == 404
    assert Note.select().count() == Task.select().count() == 0


def test_it_asks_for_what_is_missing(world: World, deal: Deal, talk: Story, anna: Browser) -> None:
    path = f"/popups/{talk.call.id}"
    page = anna.get(path).text
    assert 'name="company"' in page
    assert 'name="email"' in page
    form = {"company": "Holm Bakery", "email": "inga@example.com"}
    assert anna.post(f"{path}/contact", form, headers=FRAGMENT).status_code == 204
    now = Contact.get()
    assert (now.company.name, now.email, now.name) == (
        "Holm Bakery",
        "inga@example.com",
        "Inga Holm",
    )
    assert "Ask for what is missing" not in anna.get(path).text
    wrong = anna.post(f"{path}/contact", {"email": "nobody"}, headers=FRAGMENT)
    assert wrong.status_code == 422


def test_no_more_than_two_at_once(world: World, talk: Story, anna: Browser) -> None:
    Contact.update(name=CUSTOMER).execute()
    page = anna.get(f"/popups/{talk.call.id}").text
    assert 'name="name"' in page
    assert 'name="company"' in page
    assert 'name="email"' not in page


def test_what_is_old_is_asked_for(world: World, deal: Deal, talk: Story, anna: Browser) -> None:
    contacts.change(Contact.get(), world.anna, company="Holm Bakery", email="inga@example.com")
    path = f"/popups/{talk.call.id}"
    assert "Still right?" not in anna.get(path).text
    Contact.update(created_at=utcnow() - timedelta(days=400)).execute()
    assert "Still right?" in anna.get(path).text
    assert anna.post(f"{path}/contact", {"right": "1"}).status_code == 303
    assert Contact.get().checked_at is not None
    assert "Still right?" not in anna.get(path).text


def test_what_is_late_and_the_last_note(world: World, deal: Deal, anna: Browser) -> None:
    yesterday = utcnow() - timedelta(days=1)
    tasks.add("Send the offer", yesterday, world.anna, world.anna, "offer", deal=deal)
    tasks.add("Later", utcnow() + timedelta(days=1), world.anna, world.anna, deal=deal)
    tasks.add("Not hers", yesterday, world.ben, world.ben, contact=deal.contact)
    other = Deal.open("Ben's", world.ben, world.ben, contact=deal.contact)
    notes.add("Prefers mornings", world.anna, deal=deal)
    notes.add("Ben's secret", world.ben, deal=other)
    call = Story.begins().rings("PJSIP/101").call
    page = anna.get(f"/popups/{call.id}").text
    assert "Overdue:" in page
    assert "Send the offer" in page
    assert "Prefers mornings" in page
    for hidden in ("Later", "Not hers", "secret"):
        assert hidden not in page


def test_what_comes_next(world: World, deal: Deal, talk: Story, anna: Browser) -> None:
    path = f"/popups/{talk.call.id}"
    assert anna.get(f"{path}/after", headers=FRAGMENT).status_code == 404
    talk.ended()
    page = anna.get(f"{path}/after").text
    assert "Next step" in page
    assert "Ended" in page
    for form in ({"kind": "call"}, {"kind": "dance", "due": "hour"}, {"kind": "call", "due": "x"}):
        assert anna.post(f"{path}/tasks", form, headers=FRAGMENT).status_code == 422
    form = {"kind": "call", "due": "tomorrow"}
    assert anna.post(f"{path}/tasks", form, headers=FRAGMENT).status_code == 204
    task = Task.get()
    assert (task.title, task.kind, task.deal, task.owner, task.call) == (
        "Call back Inga Holm",
        "call",
        deal,
        world.anna,
        talk.call,
    )
    assert task.due_at.astimezone().hour == 9
    page = anna.get(f"{path}/after").text
    assert "Call back Inga Holm: tomorrow, 09:00" in page
    assert "Next step" not in page


def test_long_afterwards_it_is_gone(deal: Deal, talk: Story, anna: Browser) -> None:
    talk.ended()
    Call.update(ended_at=utcnow() - timedelta(hours=2)).execute()
    answer = anna.get(f"/popups/{talk.call.id}/after", headers=FRAGMENT)
    assert answer.status_code == 404


def test_the_stages_of_its_card(world: World, deal: Deal, talk: Story, anna: Browser) -> None:
    page = anna.get(f"/popups/{talk.call.id}").text
    assert f'action="/deals/{deal.id}/moves"' in page
    assert "Commercial offer" in page
