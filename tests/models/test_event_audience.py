"""audience.deal_for and call_for: the live feed tells nobody of what is not theirs (R1)."""

from __future__ import annotations

from datetime import timedelta

from fields import utcnow
from models import Contact, Deal, Event
from panel.audience import call_for, deal_for
from tests.world import CUSTOMER, Story, World
from verbs.deals import assign


def audience(world: World, kind: str) -> dict[str, tuple[str, ...]]:
    """Who hears of the deal and of the call in the last event of a kind; heads always do."""
    event = Event.of_kind(kind).order_by(Event.id.desc()).get()
    sellers = (world.anna, world.ben, world.olga)
    for head in (world.hugo, world.ada):
        assert (deal_for(event, head), call_for(event, head)) == (
            event.deal_id,
            event.call_id,
        )
    return {
        "deal": tuple(u.login for u in sellers if deal_for(event, u) is not None),
        "call": tuple(u.login for u in sellers if call_for(event, u) is not None),
    }


def test_of_a_call_from_ring_to_end(world: World) -> None:
    story = Story.begins().rings("PJSIP/101", "PJSIP/102")
    assert audience(world, "call.ringing") == {"deal": (), "call": ("anna", "ben")}
    story = story.answered("PJSIP/102")
    assert audience(world, "deal.created") == {"deal": ("ben",), "call": ("anna", "ben")}
    assert audience(world, "call.answered") == {"deal": ("ben",), "call": ("anna", "ben")}
    story.ended()
    assert audience(world, "call.ended") == {"deal": ("ben",), "call": ("anna", "ben")}


def test_of_a_known_customer_of_somebody_else(world: World) -> None:
    contact = Contact.of_number(CUSTOMER, "Miriam", world.olga)
    Deal.open("Roof", world.olga, world.olga, contact=contact)
    story = Story.begins()
    assert audience(world, "call.attached") == {"deal": ("olga",), "call": ()}
    story = story.rings("PJSIP/101")
    assert audience(world, "call.ringing") == {"deal": ("olga",), "call": ("anna",)}
    story.answered("PJSIP/101")
    assert audience(world, "call.answered") == {"deal": ("olga",), "call": ("anna",)}


def test_of_a_call_back(world: World) -> None:
    long_ago = utcnow() - timedelta(hours=1)
    Story.begins(at=long_ago).rings("PJSIP/101").ended()
    Story.begins(linkedid="2.1").rings("PJSIP/102").answered("PJSIP/102")
    assert audience(world, "call.called_back") == {"deal": ("anna",), "call": ("anna",)}


def test_of_a_deal(world: World) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    deal.move_to(world.stage("Documents"), by=world.hugo)
    assert audience(world, "deal.moved") == {"deal": ("anna",), "call": ()}
    assign(deal, world.ben, by=world.hugo)
    assert audience(world, "deal.assigned") == {"deal": ("anna", "ben"), "call": ()}
    deal.move_to(world.stage("Opportunity"), by=world.ben)
    assert audience(world, "deal.moved") == {"deal": ("ben",), "call": ()}


def test_of_a_deal_that_follows_the_speaker(world: World) -> None:
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101").rings("PJSIP/102", after=20)
    story.answered("PJSIP/102", after=25)
    assert audience(world, "deal.assigned")["deal"] == ("anna", "ben")


def test_of_what_is_for_nobody(world: World) -> None:
    Deal.open("Roof", owner=None, by=None)
    assert audience(world, "deal.created") == {"deal": (), "call": ()}
    assert audience(world, "user.added") == {"deal": (), "call": ()}
