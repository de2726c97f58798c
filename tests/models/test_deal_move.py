"""Deal.move_to: allowed, denied, repeated, late."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from errors import Conflict, Incomplete, Refused
from fields import utcnow
from models import REQUIRABLE, Contact, Deal, Event, Funnel, Stage, StageChange, User
from tests.world import World
from verbs import contacts, deals, notes, tasks
from verbs.deals import assign

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
    assign(deal, world.ben, by=world.hugo)
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
    deal.move_to(world.stage("Lost"), by=world.anna, at=NOW, reason=" Too \n dear")
    lost = stale(deal)
    assert (lost.closed_at, lost.lost_in_stage.name) == (NOW, "Documents")
    last = StageChange.select().order_by(StageChange.id.desc()).first()
    assert (lost.lost_reason, last.reason) == ("Too dear", "Too dear")
    lost.move_to(world.stage("Opportunity"), by=world.anna)
    again = stale(deal)
    assert (again.closed_at, again.lost_in_stage, again.lost_reason) == (None, None, None)


def test_won_closes(world: World, deal: Deal) -> None:
    deal.move_to(world.stage("Completed"), by=world.anna, at=NOW, amount=Decimal("1200"))
    won = stale(deal)
    assert (won.closed_at, won.lost_in_stage, won.amount) == (NOW, None, Decimal("1200.00"))


@pytest.mark.parametrize(("stage", "missing"), [("Lost", ["reason"]), ("Completed", ["amount"])])
def test_losing_and_winning_ask(world: World, deal: Deal, stage: str, missing: list[str]) -> None:
    with pytest.raises(Incomplete) as refused:
        deal.move_to(world.stage(stage), by=world.anna)
    assert refused.value.missing == missing
    assert stale(deal).stage.name == "Unsorted"
    assert deal.move_to(world.stage(stage), by=None), "a robot is not asked"


def test_a_stage_asks_for_what_it_requires(world: World, deal: Deal) -> None:
    stage = world.stage("Documents")
    stage.required_fields = " ".join(REQUIRABLE)
    stage.save()
    wanted = list(REQUIRABLE)

    def missing() -> list[str]:
        with pytest.raises(Incomplete) as refused:
            stale(deal).move_to(stage, by=world.anna)
        return refused.value.missing

    assert missing() == wanted
    contact = Contact.of_number("+493044701182", "Miriam", world.anna)
    deals.change(deal, world.anna, contact=contact, amount=Decimal(5))
    assert missing() == ["email", "company", "task", "note"]
    contacts.change(contact, world.anna, email="m@example.com", company="Fitwerk")
    tasks.add("Call", NOW, world.anna, world.anna, deal=deal)
    notes.add("Wants it", world.anna, deal=deal)
    assert stale(deal).move_to(stage, by=world.anna)


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1e15"])
def test_no_sum_of_money(world: World, deal: Deal, amount: str) -> None:
    with pytest.raises(Refused, match="amount"):
        deal.move_to(world.stage("Completed"), by=world.anna, amount=Decimal(amount))


def test_one_object_can_go_on_moving(world: World, deal: Deal) -> None:
    for name in ("Opportunity", "Documents", "Opportunity", "Completed"):
        assert deal.move_to(world.stage(name), by=world.anna, amount=Decimal(1))
    assert StageChange.select().count() == 5
    assert not deal.dirty_fields
