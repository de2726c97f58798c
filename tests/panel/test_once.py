"""Forms that make something make it once, however often they are sent."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from typing import Any

import pytest

import database
from errors import Refused
from fields import utcnow
from models import Contact, Deal, Department, Funnel, Note, SentForm, Stage, Task
from tests.panel.conftest import FRAGMENT, Browser, Visit
from tests.world import World
from verbs import sent_forms

MAKES: list[tuple[str, str, type[Any], dict[str, str]]] = [
    ("/deals/new", "/deals", Deal, {"title": "Roof"}),
    ("/", "/board/stages/1/deals", Deal, {"title": "Roof"}),
    ("/tasks", "/tasks", Task, {"title": "Ring", "when": "tomorrow"}),
    ("/contacts/new", "/contacts", Contact, {"name": "Inga Holm"}),
    ("/deals/1", "/deals/1/notes", Note, {"text": "Wants it red."}),
    ("/contacts/1", "/contacts/1/notes", Note, {"text": "Has two brothers."}),
    ("/admin/departments/", "/admin/departments/", Department, {"name": "Export"}),
    ("/admin/funnels/", "/admin/funnels/", Funnel, {"name": "Service"}),
    ("/admin/funnels/1", "/admin/funnels/1/stages", Stage, {"name": "Visit"}),
]


@pytest.mark.parametrize(("page", "path", "table", "entries"), MAKES)
def test_sent_twice_it_makes_one(
    world: World, visit: Visit, page: str, path: str, table: type[Any], entries: dict[str, str]
) -> None:
    Deal.open("Wall", world.ada, world.ada, contact=Contact.add("Otto Meier", world.ada))
    ada = visit("ada")
    found = re.search(r'name="form_key" value="([^"]+)"', ada.get(page).text)
    assert found, "the form has a key"
    before = table.select().count()
    first, second = (ada.post(path, {**entries, "form_key": found[1]}) for _ in range(2))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert table.select().count() == before + 1


def test_scripts_get_the_same_answer_again(world: World, anna: Browser) -> None:
    form = {"title": "Roof", "form_key": "one"}
    path = f"/board/stages/{world.funnel.unsorted.id}/deals"
    first, second = (anna.post(path, form, headers=FRAGMENT) for _ in range(2))
    assert f'id="deal-{Deal.get().id}"' in first.text
    assert f'id="deal-{Deal.get().id}"' in second.text


def test_other_entries_and_other_people_make_another(anna: Browser, hugo: Browser) -> None:
    for browser, title in ((anna, "Roof"), (anna, "Wall"), (hugo, "Roof")):
        assert browser.post("/deals", {"title": title, "form_key": "one"}).status_code == 303
    assert Deal.select().count() == 3


def test_what_was_refused_can_be_sent_again(world: World, anna: Browser) -> None:
    stage = world.stage("Documents")
    form = {"title": "Roof", "stage": stage.id, "form_key": "one"}
    Stage.update(required_fields="company").where(Stage.id == stage.id).execute()
    assert anna.post("/deals", form).status_code == 422
    assert not SentForm.select().exists()
    Stage.update(required_fields="").execute()
    assert anna.post("/deals", form).status_code == 303
    assert Deal.select().count() == 1


def test_two_at_once(anywhere: World) -> None:
    """The second waits for the first, which has claimed the key but not yet made anything."""
    world, made = anywhere, []
    claimed, goes_on = threading.Event(), threading.Event()

    def first() -> Deal:
        claimed.set()
        assert goes_on.wait(10)
        return Deal.open("Roof", world.anna, world.anna)

    def send(make: Any) -> None:
        try:
            made.append(sent_forms.once("one", make))
        finally:
            database.database.close()

    both = [threading.Thread(target=send, args=(first,))]
    both[0].start()
    assert claimed.wait(10)
    again = lambda: Deal.open("Roof again", world.anna, world.anna)  # noqa: E731
    both.append(threading.Thread(target=send, args=(again,)))
    both[1].start()
    # One that does not wait gets the time to make another one.
    both[1].join(0.3)
    goes_on.set()
    for one in both:
        one.join(30)
    deal = Deal.get()
    assert (deal.title, made) == ("Roof", [deal.id, deal.id])


def test_a_key_is_free_again_after_a_refusal_and_after_a_week(world: World) -> None:
    with pytest.raises(Refused):
        sent_forms.once("one", lambda: Deal.open("", world.anna, world.anna))
    old = sent_forms.once("one", lambda: Deal.open("Roof", world.anna, world.anna))
    SentForm.update(at=utcnow() - timedelta(days=8)).execute()
    sent_forms.once("two", lambda: Deal.open("Wall", world.anna, world.anna))
    assert [form.key for form in SentForm.select()] == ["two"]
    assert sent_forms.once("one", lambda: Deal.open("Roof", world.anna, world.anna)) != old
