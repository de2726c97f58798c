"""Deal.assign_to, visible_to and who hears of it."""

from __future__ import annotations

import pytest

from errors import Conflict, Refused
from models import Deal, Event
from tests.world import World
from verbs import users


@pytest.fixture
def deal(world: World) -> Deal:
    return Deal.open("Roof", owner=world.anna, by=world.anna)


@pytest.mark.parametrize("who", ["hugo", "ada", None])
def test_heads_reassign(world: World, deal: Deal, who: str | None) -> None:
    by = getattr(world, who) if who else None
    assert deal.assign_to(world.ben, by=by) is True
    assert (deal.owner, Deal.get_by_id(deal.id).owner) == (world.ben, world.ben)
    event = Event.of_kind("deal.assigned").get()
    assert (event.user, event.content["was"]) == (by, world.anna.id)
    heard = [u.login for u in (world.anna, world.ben, world.olga) if event.deal_for(u)]
    assert heard == ["anna", "ben"], "the old owner's board must drop the card"


@pytest.mark.parametrize("who", ["anna", "ben", "olga"])
def test_sellers_do_not(world: World, deal: Deal, who: str) -> None:
    with pytest.raises(Refused):
        deal.assign_to(world.ben, by=getattr(world, who))
    assert Deal.get_by_id(deal.id).owner == world.anna


def test_to_its_owner(world: World, deal: Deal) -> None:
    assert deal.assign_to(world.anna, by=world.hugo) is False
    assert not Event.of_kind("deal.assigned").exists()


def test_to_nobody_and_back(world: World, deal: Deal) -> None:
    assert deal.assign_to(None, by=world.hugo) is True
    assert deal.assign_to(None, by=world.hugo) is False
    assert Deal.get_by_id(deal.id).owner is None
    assert deal.assign_to(world.ben, by=world.hugo) is True


def test_to_somebody_disabled(world: World, deal: Deal) -> None:
    users.disable(world.ben)
    with pytest.raises(Refused, match="ben"):
        deal.assign_to(world.ben, by=world.hugo)


def test_two_at_once(world: World, deal: Deal) -> None:
    late = Deal.get_by_id(deal.id)
    deal.assign_to(world.ben, by=world.hugo)
    with pytest.raises(Conflict):
        late.assign_to(world.olga, by=world.ada)
    assert Deal.get_by_id(deal.id).owner == world.ben


def test_visible_to(world: World, deal: Deal) -> None:
    other = Deal.open("Of Ben", owner=world.ben, by=world.ben)
    nobodys = Deal.open("Nobody's", owner=None, by=None)
    seen = {
        who: {d.id for d in Deal.visible_to(getattr(world, who))}
        for who in ("anna", "ben", "olga", "hugo", "ada")
    }
    everything = {deal.id, other.id, nobodys.id}
    assert seen == {
        "anna": {deal.id},
        "ben": {other.id},
        "olga": set(),
        "hugo": everything,
        "ada": everything,
    }


def test_a_deal_is_untouched_until_a_person_acts(world: World) -> None:
    deal = Deal.open("Roof", owner=world.anna, by=None)
    deal.move_to(world.stage("Documents"), by=None)
    assert deal.is_untouched()
    deal.move_to(world.stage("Unsorted"), by=world.anna)
    assert not deal.is_untouched()
