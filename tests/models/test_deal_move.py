"""Deal.move_to: allowed, denied, repeated, late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fields import utcnow
from models import Conflict, Deal, Event, Funnel, Refused, Stage, StageChange, User
from tests.world import World

NOW = utcnow()


@pytest.fixture
def deal(world: World) -> Deal:
    return Deal.open("Roof", owner=world.anna, by=world.anna, at=NOW - timedelta(days=2))


def stale(deal: Deal) -> Deal:
    """As another request has read it."""
    return Deal.get_by_id(deal.id)


@pytest.mark.parametrize("who", ["anna", "hugo", "ada", None])
def test_owner_heads_and_the_system_may(world: World, deal: Deal, who: str | None) -> None:
    by: User | None = getattr(world, who) if who else None
    assert deal.move_to(world.stage("Documents"), by=by, at=NOW) is True
    for seen in (deal, stale(deal)):
        assert (seen.stage.name, seen.stage_since, seen.closed_at) == ("Documents", NOW, None)
    last = StageChange.select().order_by(StageChange.id.desc()).first()
    assert (last.from_stage.name, last.to_stage.name) == ("Unsorted", "Documents")
    assert (last.actor, last.owner_then, last.at) == (by, world.anna, NOW)
    event = Event.of_kind("deal.moved").get()
    assert (event.deal, event.user, event.at) == (deal, by, NOW)
    assert event.content["from"] == world.stage("Unsorted").id


@pytest.mark.parametrize("who", ["ben", "olga"])
def test_other_sellers_may_not(world: World, deal: Deal, who: str) -> None:
    with pytest.raises(Refused):
        deal.move_to(world.stage("Documents"), by=getattr(world, who))
    assert stale(deal).stage.name == "Unsorted"
    assert StageChange.select().count() == 1


def test_to_where_it_is_already(world: World, deal: Deal) -> None:
    assert deal.move_to(world.stage("Unsorted"), by=world.anna) is False
    assert deal.move_to(world.stage("Documents"), by=world.anna) is True
    assert deal.move_to(world.stage("Documents"), by=world.anna) is False
    assert Event.of_kind("deal.moved").count() == 1
    assert StageChange.select().count() == 2


def test_two_at_once(world: World, deal: Deal) -> None:
    late = stale(deal)
    deal.move_to(world.stage("Documents"), by=world.anna)
    with pytest.raises(Conflict, match="Documents"):
        late.move_to(world.stage("Opportunity"), by=world.hugo)
    assert stale(deal).stage.name == "Documents"
    assert StageChange.select().count() == 2


def test_by_somebody_who_has_just_lost_it(world: World, deal: Deal) -> None:
    late, later = stale(deal), stale(deal)
    deal.assign_to(world.ben, by=world.hugo)
    with pytest.raises(Refused):
        late.move_to(world.stage("Documents"), by=world.anna)
    with pytest.raises(Conflict, match="reassigned"):
        later.move_to(world.stage("Documents"), by=world.hugo)
    assert stale(deal).stage.name == "Unsorted"


def test_to_another_funnel(world: World, deal: Deal) -> None:
    elsewhere = Stage.create(funnel=Funnel.create(name="Service"), name="Unsorted", position=0)
    with pytest.raises(Refused, match="funnel"):
        deal.move_to(elsewhere, by=world.hugo)


def test_lost_remembers_where(world: World, deal: Deal) -> None:
    deal.move_to(world.stage("Documents"), by=world.anna)
    deal.move_to(world.stage("Lost"), by=world.anna, at=NOW)
    lost = stale(deal)
    assert (lost.closed_at, lost.lost_in_stage.name) == (NOW, "Documents")
    lost.move_to(world.stage("Opportunity"), by=world.anna)
    assert (stale(deal).closed_at, stale(deal).lost_in_stage) == (None, None)


def test_won_closes(world: World, deal: Deal) -> None:
    deal.move_to(world.stage("Completed"), by=world.anna, at=NOW)
    assert (stale(deal).closed_at, stale(deal).lost_in_stage) == (NOW, None)


def test_one_object_can_go_on_moving(world: World, deal: Deal) -> None:
    for name in ("Opportunity", "Documents", "Opportunity", "Completed"):
        assert deal.move_to(world.stage(name), by=world.anna)
    assert StageChange.select().count() == 5
    assert not deal.dirty_fields
