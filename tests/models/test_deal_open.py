"""Deal.open and Contact.of_number."""

from __future__ import annotations

from decimal import Decimal

import pytest

from errors import Refused
from models import Contact, Deal, Event, Funnel, Phone, Stage, StageChange
from panel import audience
from tests.world import CUSTOMER, World
from verbs.customers import open_deal_of


def test_open_falls_into_unsorted(world: World) -> None:
    deal = Deal.open("Offer for a roof", owner=world.anna, by=world.anna)
    deal = Deal.get_by_id(deal.id)
    assert (deal.stage.name, deal.owner, deal.source) == ("Unsorted", world.anna, "manual")
    assert (deal.amount, deal.currency, deal.priority) == (None, "EUR", 0)
    assert deal.created_at == deal.stage_since
    change = StageChange.get()
    assert (change.from_stage, change.to_stage) == (None, deal.stage)
    assert (change.actor, change.owner_then) == (world.anna, world.anna)


def test_open_is_announced_to_its_owner(world: World) -> None:
    deal = Deal.open("Roof", owner=world.anna, by=world.hugo)
    event = Event.of_kind("deal.created").get()
    assert event.user == world.hugo
    told = [
        u.login
        for u in (world.anna, world.ben, world.olga)
        if audience.deal_for(event, u) == deal.id
    ]
    assert told == ["anna"]
    assert audience.deal_for(event, world.ada) == deal.id


def test_text_is_cleaned(world: World) -> None:
    deal = Deal.open("  Roof\n<b>\u202e" + "x" * 200, owner=None, by=None)
    assert deal.title == "Roof <b>" + "x" * 112
    assert Deal.get_by_id(deal.id).owner is None


@pytest.mark.parametrize("amount", ["0", "1199.9", "999999999999.99"])
def test_amounts(world: World, amount: str) -> None:
    deal = Deal.open("Roof", world.anna, world.anna, amount=Decimal(amount))
    assert Deal.get_by_id(deal.id).amount == Decimal(amount)


def test_an_amount_is_rounded_the_same_everywhere(world: World) -> None:
    deal = Deal.open("Roof", world.anna, world.anna, amount=Decimal("10.005"))
    assert str(Deal.get_by_id(deal.id).amount) == "10.01"
    assert Deal.get_or_none(Deal.amount == Decimal("10.01")) == deal


@pytest.mark.parametrize("amount", ["-0.01", "1e12", "999999999999.995", "NaN", "Infinity"])
def test_bad_amounts(world: World, amount: str) -> None:
    with pytest.raises(Refused, match="amount"):
        Deal.open("Roof", world.anna, world.anna, amount=Decimal(amount))


@pytest.mark.parametrize("title", ["", " \n\t", "\u200b"])
def test_a_title_is_needed(world: World, title: str) -> None:
    with pytest.raises(Refused, match="title"):
        Deal.open(title, world.anna, world.anna)


def test_a_new_deal_is_not_closed(world: World) -> None:
    for name in ("Completed", "Lost"):
        with pytest.raises(Refused, match="stage"):
            Deal.open("Roof", world.anna, world.anna, stage=world.stage(name))
    with pytest.raises(Refused, match="priority"):
        Deal.open("Roof", world.anna, world.anna, priority=2)
    assert not Deal.select().exists()


def test_a_number_in_any_notation_is_one_contact(world: World) -> None:
    first = Contact.of_number("+493044701182", "Miriam Sander", world.anna)
    assert Contact.of_number("+493044701182", "M. S.", world.ben) == first
    assert Contact.by_number(CUSTOMER) == first
    assert (first.name, first.owner) == ("Miriam Sander", world.anna)
    assert Phone.get(Phone.e164 == "030 4470 1182").contact == first
    assert (Contact.by_number(None), Contact.by_number("+4930999999")) == (None, None)


def test_a_contact_without_a_name_is_called_by_its_number(world: World) -> None:
    assert Contact.of_number(CUSTOMER, " \n", None).name == CUSTOMER
    with pytest.raises(Refused, match="name"):
        Contact.add(" ", None)


def test_a_number_that_is_none_makes_no_contact(world: World) -> None:
    with pytest.raises(ValueError, match="telephone"):
        Contact.of_number("anonymous", "Nobody", None)
    assert not Contact.select().exists()


def test_the_open_deal_of_a_contact(world: World) -> None:
    contact = Contact.of_number(CUSTOMER, "Miriam", world.anna)
    assert open_deal_of(contact) is None
    of_anna = Deal.open("Old", world.anna, None, contact=contact)
    of_ben = Deal.open("New", world.ben, None, contact=contact)
    closed = Deal.open("Closed", world.anna, None, contact=contact)
    closed.move_to(world.stage("Lost"), by=None)
    assert open_deal_of(contact) == of_ben
    assert open_deal_of(contact, world.anna) == of_anna
    assert open_deal_of(contact, world.olga) == of_ben


def test_no_deal_in_a_stage_that_is_not_in_use(world: World) -> None:
    """No board would show it."""
    stage = world.stage("Documents")
    Stage.update(archived=True).where(Stage.id == stage.id).execute()
    with pytest.raises(Refused, match="changed in the meantime"):
        Deal.open("Lost to sight", world.anna, world.anna, stage=world.stage("Documents"))
    Stage.update(archived=False).execute()
    Funnel.update(archived=True).execute()
    with pytest.raises(Refused, match="changed in the meantime"):
        Deal.open("Lost to sight", world.anna, world.anna, stage=world.stage("Documents"))
    assert not Deal.select().exists()
