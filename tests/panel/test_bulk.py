"""Many deals at once: one line each in a column, moves and reassigning by heads."""

from __future__ import annotations

from decimal import Decimal

import pytest

from models import Contact, Deal, Reason, Stage
from panel.bulk import MOST
from tests.panel.conftest import FRAGMENT, Browser
from tests.panel.test_board import cards
from tests.world import World
from verbs.deals import assign


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


def test_given_back(world: World, deals: list[Deal], hugo: Browser) -> None:
    owners = [deal.owner for deal in deals]
    answer = hugo.post(
        "/board/owners", {"deals": ids(deals), "owner": world.olga.id}, headers=FRAGMENT
    )
    assert 'data-undo-url="/board/owners/undo"' in answer.text
    assign(Deal.get_by_id(deals[1].id), world.anna, by=world.ada)
    answer = hugo.post("/board/owners/undo", {"deals": ids(deals)}, headers=FRAGMENT)
    assert "2 deals given back." in answer.text
    assert "<b>deal 1</b>: There is nothing of yours to take back." in answer.text
    assert [Deal.get_by_id(deal.id).owner for deal in deals] == [owners[0], world.anna, owners[2]]


def test_only_heads(world: World, deals: list[Deal], anna: Browser) -> None:
    stage = world.stage("Documents").id
    for path in ("/board/moves", "/board/owners", "/board/undo", "/board/owners/undo"):
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
    for stage in (world.stage("Completed"), world.stage("Lost")):
        path = f"/board/stages/{stage.id}/deals"
        assert anna.post(path, {"title": "x"}, headers=FRAGMENT).status_code == 422
        assert path not in anna.get("/").text
    path = f"/board/stages/{world.stage('Unsorted').id}/deals"
    assert anna.post(path, {"title": "  "}, headers=FRAGMENT).status_code == 422
    assert anna.post("/board/stages/999/deals", {"title": "x"}).status_code == 404
    assert Deal.select().count() == 0


@pytest.fixture
def asking(world: World) -> str:
    """Where deals are entered in a stage that asks for something."""
    documents = world.stage("Documents")
    Stage.update(required_fields="email amount task").where(Stage.id == documents.id).execute()
    return f"/board/stages/{documents.id}/deals"


def test_a_stage_asks_before_a_deal_is_made_in_it(asking: str, anna: Browser) -> None:
    assert asking in anna.get("/").text
    answer = anna.post(asking, {"title": "New <roof>"}, headers=FRAGMENT)
    assert (answer.status_code, Deal.select().count()) == (422, 0)
    assert "“New &lt;roof&gt;” to “Documents”" in answer.text
    assert 'name="asked" value="contact email amount task"' in answer.text
    form = {"line": "New <roof>", "asked": "contact email amount task", "amount": "12"}
    answer = anna.post(asking, {**form, "name": "Inga Holm"}, headers=FRAGMENT)
    assert (answer.status_code, Deal.select().count(), Contact.select().count()) == (422, 0, 0)
    assert answer.text.count("Please fill this in.") == 2, "the address, and what is next"
    assert 'value="Inga Holm"' in answer.text
    form |= {"name": "Inga Holm", "email": "inga@example.com", "title": "Send the offer"}
    answer = anna.post(asking, {**form, "due": "soon"}, headers=FRAGMENT)
    assert (answer.status_code, Deal.select().count()) == (422, 0)
    answer = anna.post(asking, {**form, "due": "2026-12-24T09:00"}, headers=FRAGMENT)
    deal = Deal.get()
    assert cards(answer.text) == [deal.id]
    assert (deal.title, deal.stage.name, deal.amount) == ("New <roof>", "Documents", 12)
    assert (deal.contact.name, deal.contact.email) == ("Inga Holm", "inga@example.com")
    assert [task.title for task in deal.tasks] == ["Send the offer"]


def test_without_scripts_it_asks_on_a_page(asking: str, world: World, anna: Browser) -> None:
    Stage.update(required_fields="number").where(Stage.name == "Documents").execute()
    board = {"Referer": "http://localhost/?sort=next"}
    answer = anna.post(asking, {"title": "New roof"}, headers=board)
    assert answer.status_code == 422
    assert 'name="back" value="/?sort=next"' in answer.text
    form = {"line": "New roof", "asked": "number", "number": "030 4470 1182"}
    answer = anna.post(asking, {**form, "back": "/?sort=next"})
    assert (answer.status_code, answer.location) == (303, "/?sort=next")
    assert Deal.get().contact.phones.get().e164 == "+493044701182"


def test_a_number_is_its_contact_already(asking: str, world: World, anna: Browser) -> None:
    answer = anna.post(asking, {"title": "030 4470 1182"}, headers=FRAGMENT)
    assert 'name="asked" value="email amount task"' in answer.text
    assert Contact.select().count() == 0
