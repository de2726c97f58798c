"""verbs.deals: what people change on a card, and moves taken back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from errors import Conflict, Refused
from fields import utcnow
from models import Call, Contact, Deal, Event, StageChange
from tests.world import Story, World
from verbs import deals, funnels
from verbs.call_cards import attach

NOW = utcnow()


@pytest.fixture
def deal(world: World) -> Deal:
    return Deal.open("Roof", owner=world.anna, by=world.anna, at=NOW - timedelta(days=9))


def now(deal: Deal) -> Deal:
    return Deal.get_by_id(deal.id)


def test_change(world: World, deal: Deal) -> None:
    assert deals.change(deal, world.anna, title=" New  roof", amount=Decimal("12.345"), priority=1)
    found = now(deal)
    assert (found.title, found.amount, found.priority) == ("New roof", Decimal("12.35"), 1)
    assert deals.change(deal, world.hugo, title="New roof") is False
    assert Event.of_kind("deal.changed").get().content["changed"] == ["title", "amount", "priority"]


@pytest.mark.parametrize(
    "about",
    [{"title": " "}, {"amount": Decimal(-1)}, {"amount": Decimal("NaN")}, {"priority": 2}],
)
def test_what_makes_no_sense(world: World, deal: Deal, about: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=next(iter(about))):
        deals.change(deal, world.anna, **about)
    assert not Event.of_kind("deal.changed").exists()


@pytest.mark.parametrize("who", ["ben", "olga"])
def test_of_others(world: World, deal: Deal, who: str) -> None:
    with pytest.raises(Refused):
        deals.change(deal, getattr(world, who), title="Mine")


def test_nothing_is_overwritten_silently(world: World, deal: Deal) -> None:
    deals.change(deal, world.hugo, {"title": "Roof"}, title="Roof and gutter")
    with pytest.raises(Conflict):
        deals.change(deal, world.anna, {"title": "Roof"}, title="Old roof")
    assert now(deal).title == "Roof and gutter"
    deals.change(deal, world.anna, {"priority": 0}, priority=1)
    assert (now(deal).title, now(deal).priority) == ("Roof and gutter", 1)


def test_calls_go_along_to_another_contact(world: World, deal: Deal) -> None:
    call = Story.begins().rings("PJSIP/101").answered("PJSIP/101").ended().call
    attach(call, deal, by=world.anna)
    other = Contact.add("Somebody else", world.anna)
    deals.change(deal, world.anna, contact=other)
    assert Call.get_by_id(call.id).contact_id == other.id


def test_a_move_taken_back_never_was(world: World, deal: Deal) -> None:
    deal.move_to(world.stage("Documents"), by=world.anna, at=NOW - timedelta(days=5))
    deal.move_to(world.stage("Lost"), by=world.anna, reason="Too dear")
    assert deals.take_back_move(now(deal), world.anna).name == "Documents"
    found = now(deal)
    assert (found.stage.name, found.stage_since) == ("Documents", NOW - timedelta(days=5))
    assert (found.closed_at, found.lost_reason, found.lost_in_stage) == (None, None, None)
    assert [c.reason for c in StageChange.select().order_by(StageChange.id)][-1] == "undone"
    with pytest.raises(Refused, match="no move of yours"):
        deals.take_back_move(found, world.anna)


def test_back_into_a_closed_stage(world: World, deal: Deal) -> None:
    lost_at = NOW - timedelta(days=1)
    deal.move_to(world.stage("Lost"), by=world.hugo, at=lost_at, reason="Too dear")
    deal.move_to(world.stage("Opportunity"), by=world.anna)
    deals.take_back_move(now(deal), world.anna)
    found = now(deal)
    assert (found.closed_at, found.lost_reason, found.lost_in_stage.name) == (
        lost_at, "Too dear", "Unsorted",
    )  # fmt: skip


def test_a_win_taken_back_leaves_the_amount_as_it_was(world: World, deal: Deal) -> None:
    for hoped in (Decimal("900.50"), None):
        deals.change(now(deal), world.anna, amount=hoped)
        now(deal).move_to(world.stage("Completed"), by=world.anna, amount=Decimal(1200))
        deals.take_back_move(now(deal), world.anna)
        assert (now(deal).amount, now(deal).closed_at) == (hoped, None)
    # What somebody has put right since is no part of the move.
    now(deal).move_to(world.stage("Completed"), by=world.anna, amount=Decimal(1200))
    deals.change(now(deal), world.hugo, amount=Decimal(1250))
    deals.take_back_move(now(deal), world.anna)
    assert now(deal).amount == Decimal(1250)
    # A move that says nothing of money leaves it alone in both ways.
    now(deal).move_to(world.stage("Documents"), by=world.anna)
    deals.change(now(deal), world.anna, amount=Decimal(7))
    deals.take_back_move(now(deal), world.anna)
    assert now(deal).amount == Decimal(7)


def test_the_reason_of_a_loss_outlives_its_stage(world: World, deal: Deal) -> None:
    gone = funnels.add_stage(world.funnel, world.ada, name="No need", kind="lost")
    deal.move_to(world.stage("Documents"), by=world.anna)
    deal.move_to(gone, by=world.anna, reason="Too dear")
    funnels.remove_stage(gone, world.ada, world.stage("Lost"))
    found = now(deal)
    assert (found.lost_reason, found.lost_in_stage.name) == ("Too dear", "Documents")
    found.move_to(world.stage("Opportunity"), by=world.anna)
    deals.take_back_move(now(deal), world.anna)
    assert (now(deal).stage.name, now(deal).lost_reason) == ("Lost", "Too dear")


def test_to_the_first_stage_again(world: World, deal: Deal) -> None:
    deal.move_to(world.stage("Documents"), by=world.anna)
    deals.take_back_move(now(deal), world.anna)
    assert now(deal).stage_since == NOW - timedelta(days=9)


def test_only_ones_own_last_move(world: World, deal: Deal) -> None:
    with pytest.raises(Refused, match="no move of yours"):
        deals.take_back_move(deal, world.anna)
    deal.move_to(world.stage("Documents"), by=world.anna)
    with pytest.raises(Refused, match="no move of yours"):
        deals.take_back_move(now(deal), world.hugo)
    seen = now(deal)
    deal.move_to(world.stage("Opportunity"), by=world.hugo)
    for late in (seen, now(deal)):
        with pytest.raises(Refused, match="no move of yours"):
            deals.take_back_move(late, world.anna)


def test_no_move_is_taken_back_to_a_stage_that_was_removed(world: World, deal: Deal) -> None:
    """No board would show the card there."""
    deal.move_to(world.stage("Opportunity"), by=world.anna)
    deal.move_to(world.stage("Documents"), by=world.anna)
    funnels.remove_stage(world.stage("Opportunity"), world.ada)
    with pytest.raises(Refused, match="changed in the meantime"):
        deals.take_back_move(now(deal), world.anna)
    assert now(deal).stage.name == "Documents"
