"""POST /deals/ID/owner"""

from __future__ import annotations

import pytest

from models import Deal, Event
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import World
from verbs import users


@pytest.fixture
def deal(world: World) -> Deal:
    return Deal.open("Fitwerk GmbH", world.anna, world.anna)


def owner_of(deal: Deal) -> str | None:
    owner = Deal.get_by_id(deal.id).owner
    return owner.login if owner else None


def test_a_head_gives_it_to_somebody(
    world: World, deal: Deal, anna: Browser, hugo: Browser
) -> None:
    answer = hugo.post(f"/deals/{deal.id}/owner", {"owner": world.ben.id})
    assert (answer.status_code, answer.location) == (303, f"/deals/{deal.id}")
    assert owner_of(deal) == "ben"
    assert anna.get(f"/deals/{deal.id}").status_code == 404


def test_a_script_gets_the_card(world: World, deal: Deal, hugo: Browser) -> None:
    answer = hugo.post(f"/deals/{deal.id}/owner", {"owner": world.ben.id}, headers=FRAGMENT)
    assert answer.status_code == 200
    assert "Ben Okafor" in answer.text
    assert f'data-undo-url="/deals/{deal.id}/owner/undo"' in answer.text
    again = hugo.post(f"/deals/{deal.id}/owner", {"owner": world.ben.id}, headers=FRAGMENT)
    assert "data-undo-url" not in again.text


def test_it_is_taken_back(world: World, deal: Deal, anna: Browser, hugo: Browser) -> None:
    path = f"/deals/{deal.id}/owner/undo"
    hugo.post(f"/deals/{deal.id}/owner", {"owner": world.ben.id})
    assert f'action="{path}"' in hugo.get("/").text
    assert anna.post(path).status_code == 404
    assert hugo.post(path, headers=FRAGMENT).status_code == 200
    assert owner_of(deal) == "anna"
    assert anna.post(path).status_code == 403
    answer = hugo.post(path, headers=FRAGMENT)
    assert (answer.status_code, answer.text) == (422, "There is nothing of yours to take back.")
    assert owner_of(deal) == "anna"


def test_to_nobody_and_to_the_same_again(world: World, deal: Deal, hugo: Browser) -> None:
    assert hugo.post(f"/deals/{deal.id}/owner", {"owner": ""}).status_code == 303
    assert owner_of(deal) is None
    events = Event.select().count()
    assert hugo.post(f"/deals/{deal.id}/owner", {"owner": ""}).status_code == 303
    assert Event.select().count() == events


def test_a_seller_cannot(world: World, deal: Deal, anna: Browser) -> None:
    # Whether there is a person of that id is nothing for her either.
    for person in (world.ben.id, 99):
        answer = anna.post(f"/deals/{deal.id}/owner", {"owner": person})
        assert answer.status_code == 403
    assert owner_of(deal) == "anna"


def test_for_the_outsider_it_does_not_exist(world: World, deal: Deal, olga: Browser) -> None:
    answer = olga.post(f"/deals/{deal.id}/owner", {"owner": world.olga.id})
    assert answer.status_code == 404
    assert owner_of(deal) == "anna"


@pytest.mark.parametrize("person", ["x", "0", "99", "9" * 30, "-1"])
def test_nobody_of_that_id(deal: Deal, hugo: Browser, person: str) -> None:
    answer = hugo.post(f"/deals/{deal.id}/owner", {"owner": person})
    assert answer.status_code == 422
    assert owner_of(deal) == "anna"


def test_not_to_somebody_disabled(world: World, deal: Deal, hugo: Browser) -> None:
    users.disable(world.ben)
    answer = hugo.post(f"/deals/{deal.id}/owner", {"owner": world.ben.id})
    assert answer.status_code == 422
    assert "disabled" in answer.text
    assert owner_of(deal) == "anna"


def test_it_needs_the_token(world: World, deal: Deal, hugo: Browser) -> None:
    path = f"/deals/{deal.id}/owner"
    assert hugo.client.post(path, data={"owner": world.ben.id}).status_code == 400
    assert owner_of(deal) == "anna"
