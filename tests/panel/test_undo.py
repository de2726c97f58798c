"""POST /deals/ID/undo"""

from __future__ import annotations

import pytest

from models import Deal
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import World


@pytest.fixture
def deal(world: World) -> Deal:
    deal = Deal.open("Roof", world.anna, world.anna)
    deal.move_to(world.stage("Documents"), by=world.anna)
    return deal


def stage_of(deal: Deal) -> str:
    return Deal.get_by_id(deal.id).stage.name


def test_a_script_gets_the_card(world: World, deal: Deal, anna: Browser) -> None:
    since = Deal.get_by_id(deal.id).stage_since
    answer = anna.post(f"/deals/{deal.id}/undo", headers=FRAGMENT)
    assert answer.status_code == 200
    assert f'data-stage="{world.stage("Unsorted").id}"' in answer.text
    assert stage_of(deal) == "Unsorted"
    assert Deal.get_by_id(deal.id).stage_since <= since


def test_a_form_leads_back(deal: Deal, anna: Browser) -> None:
    answer = anna.post(f"/deals/{deal.id}/undo", headers={"Referer": "http://localhost/?funnel=1"})
    assert (answer.status_code, answer.location) == (303, "/?funnel=1")
    assert 'class="moved"' not in anna.get("/?funnel=1").text


def test_twice_is_refused(deal: Deal, anna: Browser) -> None:
    anna.post(f"/deals/{deal.id}/undo", headers=FRAGMENT)
    answer = anna.post(f"/deals/{deal.id}/undo", headers=FRAGMENT)
    assert (answer.status_code, answer.text) == (
        422, "There is no move of yours to take back.",
    )  # fmt: skip
    assert stage_of(deal) == "Unsorted"


def test_not_somebody_elses(world: World, deal: Deal, anna: Browser, olga: Browser) -> None:
    deal.move_to(world.stage("Opportunity"), by=world.hugo)
    assert anna.post(f"/deals/{deal.id}/undo", headers=FRAGMENT).status_code == 422
    assert olga.post(f"/deals/{deal.id}/undo").status_code == 404
    assert stage_of(deal) == "Opportunity"
