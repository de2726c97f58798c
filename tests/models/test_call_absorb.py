"""T6: a consultation or a pick-up turns out to be the customer's call, and one record is left."""

from dataclasses import replace

from models import Call, Event, Leg
from tests.world import Story, World
from verbs.calls import record_call


def consulted(world: World) -> tuple[Story, Story]:
    """Anna talks with a customer, and calls Ben about it from a second line."""
    call = Story.begins(linkedid="7.1").rings("PJSIP/101").answered("PJSIP/101")
    asks = Story.begins("102", "7.5", direction="internal").rings("PJSIP/101", "PJSIP/102")
    return call, asks.answered("PJSIP/102", after=2)


def test_one_record_is_left_with_all_phones(world: World) -> None:
    call, asks = consulted(world)
    phones = {leg.channel for leg in Leg.select()}
    together = replace(
        call.report,
        legs=call.report.legs + asks.report.legs,
        speaker="PJSIP/102",
        absorbed=("7.5",),
    )
    record_call(together)
    (left,) = Call.select()
    assert left.linkedid == "7.1"
    assert left.agent == world.ben
    assert left.deal.owner == world.ben
    assert {leg.channel for leg in left.legs} == phones
    assert not Event.select().where(Event.call != left).exists()


def test_told_again_nothing_changes(world: World) -> None:
    call, asks = consulted(world)
    legs = call.report.legs + asks.report.legs
    together = replace(call.report, legs=legs, speaker="PJSIP/102", absorbed=("7.5",))
    record_call(together)
    events = Event.select().count()
    record_call(together)
    assert (Call.select().count(), Event.select().count()) == (1, events)


def test_another_exchange_has_linkedids_of_its_own(world: World) -> None:
    call, asks = consulted(world)
    record_call(replace(asks.report, pbx="other"))
    record_call(replace(call.report, absorbed=("7.5",)))
    assert {(c.pbx, c.linkedid) for c in Call.select()} == {("asterisk", "7.1"), ("other", "7.5")}


def test_the_card_of_the_absorbed_call_is_kept(world: World) -> None:
    """Two calls with customers became one by a transfer; only the second had made a card."""
    hidden = Story.begins(number="anonymous", linkedid="7.1").rings("PJSIP/101")
    hidden = hidden.answered("PJSIP/101")
    known = Story.begins(linkedid="7.5").rings("PJSIP/102").answered("PJSIP/102")
    deal = known.call.deal
    record_call(replace(hidden.report, absorbed=("7.5",)))
    (left,) = Call.select()
    assert left.deal == deal
