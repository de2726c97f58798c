"""Many deals at once: one line each in a column, moves and reassigning by heads."""

from __future__ import annotations

from decimal import Decimal

import pytest

from models import Contact, Deal, Reason, Stage
from panel.bulk import MOST
from tests.panel.conftest import FRAGMENT, Browser
from tests.panel.test_board import cards
from tests.world import World


@pytest.fixture
def deals(world: World) -> list[Deal]:
    owners = (world.anna, world.ben, None)
    return [Deal.open(f"deal {n}", owner, None) for n, owner in enumerate(owners)]


def ids(deals: list[Deal]) -> str:
    return ",".join(str(deal.id) for deal in deals)


def stages(deals: list[Deal]) -> list[str]:
    return [Deal.get_by_id(deal.id).stage.name for deal in deals]


def test_moving_several_and_back(world: World, deals: list[Deal], hugo: Browser) -> None:
    form = {"deals": ids(deals), "stage": world.stage("Documents").id}
    answer = hugo.post("/board/moves", form, headers=FRAGMENT)
    assert answer.status_code == 200
    assert "3 deals moved to “Documents”." in answer.text
    assert f'data-done="{ids(deals)}"' in answer.text
    assert "data-failed" not in answer.text
    assert stages(deals) == ["Documents"] * 3
    answer = hugo.post("/board/undo", {"deals": ids(deals)}, headers=FRAGMENT)
    assert "3 deals are back where they were." in answer.text
    assert stages(deals) == ["Unsorted"] * 3


def test_those_that_fail_are_named(world: World, deals: list[Deal], hugo: Browser) -> None:
    Deal.update(amount=Decimal(5)).where(Deal.id == deals[0].id).execute()
    form = {"deals": f"{ids(deals)},999,x", "stage": world.stage("Completed").id}
    answer = hugo.post("/board/moves", form, headers=FRAGMENT)
    assert "1 deal moved to “Completed”." in answer.text
    assert "<b>deal 1</b>: something has to be filled in first" in answer.text
    assert "<b>deal 2</b>" in answer.text
    assert "1 deal is not there any more." in answer.text
    assert stages(deals) == ["Completed", "Unsorted", "Unsorted"]


def test_losing_several_asks_once(world: World, deals: list[Deal], hugo: Browser) -> None:
    Reason.create(name="Too expensive")
    form = {"deals": ids(deals), "stage": world.stage("Lost").id}
    answer = hugo.post("/board/moves", form, headers=FRAGMENT)
    assert answer.status_code == 422
    assert "Too expensive" in answer.text
    assert "Please fill this in" not in answer.text
    answer = hugo.post("/board/moves", {**form, "again": "1"}, headers=FRAGMENT)
    assert "Please fill this in" in answer.text
    answer = hugo.post("/board/moves", {**form, "reason": "Too expensive"}, headers=FRAGMENT)
    assert answer.status_code == 200
    assert {Deal.get_by_id(deal.id).lost_reason for deal in deals} == {"Too expensive"}


def test_giving_several(world: World, deals: list[Deal], hugo: Browser) -> None:
    form = {"deals": ids(deals), "owner": world.ben.id}
    answer = hugo.post("/board/owners", form, headers=FRAGMENT)
    # One of them was Ben's before.
    assert "2 deals given to Ben Okafor." in answer.text
    assert {Deal.get_by_id(deal.id).owner for deal in deals} == {world.ben}
    answer = hugo.post("/board/owners", {"deals": ids(deals), "owner": ""}, headers=FRAGMENT)
    assert "3 deals are nobody&#39;s now." in answer.text.replace("'", "&#39;")


def test_only_heads(world: World, deals: list[Deal], anna: Browser) -> None:
    stage = world.stage("Documents").id
    for path in ("/board/moves", "/board/owners", "/board/undo"):
        form = {"deals": ids(deals), "stage": stage, "owner": world.anna.id}
        assert anna.post(path, form, headers=FRAGMENT).status_code == 403
    assert stages(deals) == ["Unsorted"] * 3
    assert 'id="bulk"' not in anna.get("/").text


@pytest.mark.parametrize("wanted", ["", "x", ",,", ",".join(str(n) for n in range(1, MOST + 2))])
def test_none_or_too_many(world: World, hugo: Browser, wanted: str) -> None:
    form = {"deals": wanted, "stage": world.stage("Documents").id}
    assert hugo.post("/board/moves", form, headers=FRAGMENT).status_code == 422


@pytest.mark.parametrize(("field", "path"), [("stage", "moves"), ("owner", "owners")])
def test_no_such_stage_or_person(deals: list[Deal], hugo: Browser, field: str, path: str) -> None:
    form = {"deals": ids(deals), field: "999"}
    assert hugo.post(f"/board/{path}", form, headers=FRAGMENT).status_code == 422


def test_one_line_makes_a_deal(world: World, anna: Browser) -> None:
    path = f"/board/stages/{world.stage('Opportunity').id}/deals"
    answer = anna.post(path, {"title": " New  roof "}, headers=FRAGMENT)
    deal = Deal.get()
    assert cards(answer.text) == [deal.id]
    assert (deal.title, deal.stage.name, deal.owner) == ("New roof", "Opportunity", world.anna)
    answer = anna.post(path, {"title": "Wall"}, headers={"Referer": "http://localhost/?sort=next"})
    assert (answer.status_code, answer.location) == (303, "/?sort=next")


def test_a_number_is_whose_it_is(world: World, anna: Browser) -> None:
    contact = Contact.of_number("+493044701182", "Inga Holm", world.anna)
    path = f"/board/stages/{world.stage('Unsorted').id}/deals"
    anna.post(path, {"title": "030 4470 1182"}, headers=FRAGMENT)
    anna.post(path, {"title": "030 4470 1183"}, headers=FRAGMENT)
    known, unknown = Deal.select().order_by(Deal.id)
    assert (known.title, known.contact) == ("Inga Holm", contact)
    assert unknown.contact.phones.get().e164 == "+493044701183"


def test_nobody_elses_customer_by_a_number(world: World, anna: Browser) -> None:
    Contact.of_number("+493044701182", "Inga Holm", world.ben)
    path = f"/board/stages/{world.stage('Unsorted').id}/deals"
    answer = anna.post(path, {"title": "030 4470 1182"}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert "Ask your head of sales" in answer.text
    assert Deal.select().count() == 0


def test_where_nothing_can_be_entered(world: World, anna: Browser) -> None:
    documents = world.stage("Documents")
    Stage.update(required_fields="amount").where(Stage.id == documents.id).execute()
    for stage in (documents, world.stage("Completed"), world.stage("Lost")):
        path = f"/board/stages/{stage.id}/deals"
        assert anna.post(path, {"title": "x"}, headers=FRAGMENT).status_code == 422
        assert path not in anna.get("/").text
    path = f"/board/stages/{world.stage('Unsorted').id}/deals"
    assert anna.post(path, {"title": "  "}, headers=FRAGMENT).status_code == 422
    assert anna.post("/board/stages/999/deals", {"title": "x"}).status_code == 404
    assert Deal.select().count() == 0
