"""POST /deals/ID/notes, /notes/ID and /notes/ID/remove"""

from __future__ import annotations

import pytest

from models import Contact, Deal, Event, Note
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import CUSTOMER, World
from verbs import notes


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(CUSTOMER, "Jonas Brandt", world.anna)
    return Deal.open("Fitwerk GmbH", world.anna, world.anna, contact=contact)


def test_a_note_is_written(world: World, deal: Deal, anna: Browser) -> None:
    answer = anna.post(f"/deals/{deal.id}/notes", {"text": "  Wants it red.\r\nBy May. "})
    assert (answer.status_code, answer.location) == (303, f"/deals/{deal.id}")
    note = Note.get()
    assert (note.text, note.kind, note.author, note.deal) == (
        "Wants it red.\nBy May.",
        "note",
        world.anna,
        deal,
    )
    assert "Wants it red.\nBy May." in anna.get(f"/deals/{deal.id}").text
    assert Event.of_kind("note.added").get().deal == deal


def test_a_script_gets_nothing_to_show(deal: Deal, anna: Browser) -> None:
    answer = anna.post(f"/deals/{deal.id}/notes", {"text": "x", "kind": "mail"}, headers=FRAGMENT)
    assert (answer.status_code, answer.text) == (204, "")
    assert Note.get().kind == "mail"


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b"])
def test_an_empty_one_is_refused(deal: Deal, anna: Browser, text: str) -> None:
    answer = anna.post(f"/deals/{deal.id}/notes", {"text": text}, headers=FRAGMENT)
    assert (answer.status_code, answer.mimetype) == (422, "text/plain")
    assert Note.select().count() == 0


def test_authors_correct_and_remove_theirs(world: World, deal: Deal, anna: Browser) -> None:
    note = notes.add("Wnats it red", world.anna, deal=deal)
    assert anna.post(f"/notes/{note.id}", {"text": "Wants it red"}).status_code == 303
    assert Note.get().text == "Wants it red"
    assert anna.post(f"/notes/{note.id}", {"text": " "}).status_code == 422
    assert anna.post(f"/notes/{note.id}/remove", headers=FRAGMENT).status_code == 204
    assert Note.select().count() == 0
    assert anna.post(f"/notes/{note.id}/remove").status_code == 404


def test_those_of_others_stay_as_they_are(world: World, deal: Deal, anna: Browser) -> None:
    note = notes.add("The head's word", world.hugo, deal=deal)
    page = anna.get(f"/deals/{deal.id}").text
    assert "The head" in page
    assert f"/notes/{note.id}" not in page
    assert anna.post(f"/notes/{note.id}", {"text": "mine"}).status_code == 422
    assert anna.post(f"/notes/{note.id}/remove").status_code == 422
    assert Note.get().text == "The head's word"


def test_for_the_outsider_there_is_none(world: World, deal: Deal, olga: Browser) -> None:
    note = notes.add("Secret", world.anna, deal=deal)
    alone = notes.add("Secret, too", world.anna, contact=deal.contact)
    for path in (
        f"/deals/{deal.id}/notes",
        f"/notes/{note.id}",
        f"/notes/{note.id}/remove",
        f"/notes/{alone.id}",
        f"/notes/{alone.id + 9}",
    ):
        assert olga.post(path, {"text": "hello"}).status_code == 404
    assert {n.text for n in Note.select()} == {"Secret", "Secret, too"}
