"""POST /deals/ID/moves"""

from __future__ import annotations

import pytest

from models import Deal, Event, Funnel, Stage, StageChange
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import World


@pytest.fixture
def deal(world: World) -> Deal:
    return Deal.open("Fitwerk GmbH", world.anna, world.anna)


def stage_of(deal: Deal) -> str:
    return Deal.get_by_id(deal.id).stage.name


def form(world: World, to: str, seen_in: str = "Unsorted") -> dict[str, int]:
    return {"stage": world.stage(to).id, "from": world.stage(seen_in).id}


def test_a_script_gets_the_card(world: World, deal: Deal, anna: Browser) -> None:
    answer = anna.post(
        f"/deals/{deal.id}/moves", form(world, "Opportunity"), headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert f'data-stage="{world.stage("Opportunity").id}"' in answer.text
    assert "<html" not in answer.text
    assert stage_of(deal) == "Opportunity"
    change = StageChange.select().order_by(StageChange.id.desc()).first()
    assert change.actor == world.anna


def test_the_token_may_come_in_a_header(world: World, deal: Deal, anna: Browser) -> None:
    answer = anna.client.post(
        f"/deals/{deal.id}/moves",
        data=form(world, "Opportunity"),
        headers={**FRAGMENT, "X-CSRFToken": anna.token},
    )
    assert answer.status_code == 200


def test_a_form_leads_back_to_where_it_was(world: World, deal: Deal, anna: Browser) -> None:
    path = f"/deals/{deal.id}/moves"
    answer = anna.post(path, form(world, "Opportunity"))
    assert (answer.status_code, answer.location) == (303, f"/deals/{deal.id}")
    board = "http://localhost/?funnel=1"
    answer = anna.post(path, form(world, "Documents", "Opportunity"), headers={"Referer": board})
    assert answer.location == "/?funnel=1"
    evil = "http://evil.example/"
    answer = anna.post(path, form(world, "Opportunity", "Documents"), headers={"Referer": evil})
    assert answer.location == f"/deals/{deal.id}"


def test_moving_to_where_it_is_changes_nothing(world: World, deal: Deal, anna: Browser) -> None:
    events = Event.select().count()
    for seen_in in ("Unsorted", "Documents"):
        answer = anna.post(
            f"/deals/{deal.id}/moves", form(world, "Unsorted", seen_in), headers=FRAGMENT
        )
        assert answer.status_code == 200
    assert Event.select().count() == events


def test_the_same_move_twice_is_one(world: World, deal: Deal, anna: Browser) -> None:
    for _ in range(2):
        answer = anna.post(f"/deals/{deal.id}/moves", form(world, "Documents"), headers=FRAGMENT)
        assert answer.status_code == 200
    assert StageChange.select().where(StageChange.deal == deal).count() == 2


def test_moved_by_somebody_else_meanwhile(
    world: World, deal: Deal, anna: Browser, hugo: Browser
) -> None:
    path = f"/deals/{deal.id}/moves"
    assert hugo.post(path, form(world, "Documents")).status_code == 303
    answer = anna.post(path, form(world, "Opportunity"), headers=FRAGMENT)
    assert answer.status_code == 409
    assert answer.text == "Hugo Head moved this deal to “Documents”."
    assert answer.mimetype == "text/plain"
    assert stage_of(deal) == "Documents"
    page = anna.post(path, form(world, "Opportunity"))
    assert page.status_code == 409
    assert "Hugo Head moved" in page.text
    assert "<html" in page.text


def test_moved_by_oneself_in_another_window(world: World, deal: Deal, anna: Browser) -> None:
    anna.post(f"/deals/{deal.id}/moves", form(world, "Documents"))
    answer = anna.post(f"/deals/{deal.id}/moves", form(world, "Opportunity"), headers=FRAGMENT)
    assert answer.text == "You moved this deal to “Documents” in another window."


def test_a_move_between_reading_and_writing_is_noticed(
    world: World, deal: Deal, anna: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = Deal.move_to

    def raced(self: Deal, stage: Stage, by: object, **_more: object) -> bool:
        monkeypatch.setattr(Deal, "move_to", move)
        Deal.get_by_id(deal.id).move_to(world.stage("Lost"), by=None)
        return move(self, stage, by=by)  # type: ignore[arg-type]

    monkeypatch.setattr(Deal, "move_to", raced)
    answer = anna.post(f"/deals/{deal.id}/moves", form(world, "Documents"), headers=FRAGMENT)
    assert answer.status_code == 409
    assert answer.text == "This deal was moved to “Lost”."
    assert stage_of(deal) == "Lost"


@pytest.mark.parametrize("stage", ["", "x", "0", "-1", "999", "9" * 30, "1.5", "NaN", "１"])
def test_no_such_stage(deal: Deal, anna: Browser, stage: str) -> None:
    answer = anna.post(f"/deals/{deal.id}/moves", {"stage": stage}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert stage_of(deal) == "Unsorted"


def test_a_stage_of_another_funnel(deal: Deal, anna: Browser) -> None:
    funnel = Funnel.create(name="Service")
    other = Stage.create(funnel=funnel, name="Asked", position=0)
    answer = anna.post(f"/deals/{deal.id}/moves", {"stage": other.id}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert stage_of(deal) == "Unsorted"


def test_for_the_outsider_it_does_not_exist(world: World, deal: Deal, olga: Browser) -> None:
    answer = olga.post(f"/deals/{deal.id}/moves", form(world, "Lost"))
    assert answer.status_code == 404
    assert "Fitwerk" not in answer.text
    assert stage_of(deal) == "Unsorted"


def test_logged_out_or_without_token_nothing_moves(world: World, deal: Deal, anna: Browser) -> None:
    path = f"/deals/{deal.id}/moves"
    assert anna.client.post(path, data=form(world, "Lost")).status_code == 400
    anna.post("/logout")
    anna.get("/login")
    assert anna.post(path, form(world, "Lost")).status_code == 401
    assert stage_of(deal) == "Unsorted"


@pytest.mark.parametrize("number", ["0", "99", "9" * 18, "9" * 30, "-1", "x", "1%00", "1.0"])
def test_bad_ids_are_404(world: World, anna: Browser, number: str) -> None:
    assert anna.post(f"/deals/{number}/moves", form(world, "Lost")).status_code == 404
