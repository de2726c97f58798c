"""T3, T6: calls that the exchange's own dialplan handles, without a line of Trichter in it."""

from datetime import timedelta

import pytest
from sip_parties import Phone

from fields import utcnow
from models import Call, Contact, Deal
from models import Phone as Number
from tests.calls.lived import lived, near
from tests.office import Office
from tests.world import Story

STRANGER = "+493044701182"


def legs(call: Call) -> dict[str, str]:
    """Outcome of each user's leg, by login."""
    return {leg.user.login: leg.outcome for leg in call.legs}


def test_answered_call_is_a_card_of_who_picked_up_before_it_ends(listening: Office) -> None:
    with listening.phones(p102="answer") as phones:
        with listening.caller(STRANGER, name="Miriam Sander", way="observe", hold=1.2) as caller:
            listening.event("call.answered")
            live = Call.get()
            assert live.ended_at is None
            assert live.deal.owner == listening.world.ben
            assert live.deal.stage.kind == "unsorted"
            caller.wait()
        assert "answered" in phones["102"].events()
    (call,) = listening.ended()
    assert call.direction == "incoming"
    assert call.number == STRANGER
    assert call.did == "+493055500"
    assert call.agent == listening.world.ben
    assert call.outcome == "answered"
    was = lived(listening, call)
    assert near(call.wait, was.waited)
    assert near(call.talk, was.talked)
    assert legs(call) == {"anna": "missed", "ben": "answered", "olga": "missed"}
    assert Contact.by_number(STRANGER).name == "Miriam Sander"
    assert Deal.select().count() == 1


def test_nobody_picks_up_and_the_caller_gives_up(listening: Office) -> None:
    with listening.phones():
        listening.caller(STRANGER, way="observe", rings_for=0.8).run()
    (call,) = listening.ended()
    assert call.outcome == "missed"
    assert call.talk is None
    assert near(call.wait, lived(listening, call).waited)
    assert call.needs_call_back
    assert legs(call) == {"anna": "missed", "ben": "missed", "olga": "missed"}
    (deal,) = listening.deals()
    assert deal.stage.kind == "unsorted"
    assert deal.owner in (listening.world.anna, listening.world.ben, listening.world.olga)


def test_all_phones_busy(listening: Office) -> None:
    with listening.phones(p101="busy", p102="busy", p103="busy"):
        listening.caller(STRANGER, way="observe").run()
    (call,) = listening.ended()
    assert call.outcome == "busy"
    assert call.needs_call_back
    assert set(legs(call).values()) == {"busy"}
    assert len(listening.deals()) == 1


def test_one_of_the_group_is_busy_one_declines_one_answers(listening: Office) -> None:
    with listening.phones(p101="busy", p102="decline", p103="answer"):
        listening.caller(STRANGER, way="observe", hold=0.4).run()
    (call,) = listening.ended()
    assert call.outcome == "answered"
    assert call.agent == listening.world.olga
    assert legs(call) == {"anna": "busy", "ben": "missed", "olga": "answered"}
    assert [d.owner for d in listening.deals()] == [listening.world.olga]


def test_second_call_of_the_same_number_is_attached(listening: Office) -> None:
    with listening.phones(p101="answer"):
        listening.caller(STRANGER, way="observe", hold=0.2).run()
        listening.caller("030 44701182", way="observe", hold=0.2).run()
    first, second = listening.ended(count=2)
    assert first.deal == second.deal
    assert Deal.select().count() == Contact.select().count() == Number.select().count() == 1


@pytest.mark.parametrize(
    "begins",
    [
        "Local/101@phones extension 03044701182@phones",
        "PJSIP/101 extension 03044701182@phones",
        "PJSIP/03044701182@trunk extension 101@phones",
    ],
)
def test_a_call_that_a_program_begins_is_outgoing(listening: Office, begins: str) -> None:
    """As by a click in a program beside the telephone: Asterisk rings one, then the other."""
    Story.begins(number=STRANGER, at=utcnow() - timedelta(hours=1)).rings("PJSIP/101").ended()
    with (
        listening.phones(p101="answer"),
        Phone(listening.pbx.ports.customer, talk_seconds=1) as customer,
    ):
        listening.pbx.cli(f"channel originate {begins}")
        customer.wait_for("hung up")
    missed, call = listening.ended(count=2)
    assert (call.direction, call.number, call.did) == ("outgoing", STRANGER, None)
    assert (call.outcome, call.agent) == ("answered", listening.world.anna)
    assert missed.called_back_at == call.answered_at
    assert len(listening.deals()) == 1


def test_the_digit_that_gets_a_line(listening: Office) -> None:
    added = "dialplan add extension _9X.,1,Dial,PJSIP/${EXTEN:1}@trunk into phones replace"
    listening.pbx.cli(added)
    try:
        with Phone(listening.pbx.ports.customer):
            listening.caller(None, did="903044701182", way="101", hold=0.3).run()
    finally:
        listening.pbx.cli("dialplan remove extension _9X.@phones")
    (call,) = listening.ended()
    assert (call.direction, call.number) == ("outgoing", STRANGER)
    assert (call.outcome, call.agent) == ("answered", listening.world.anna)


def test_missed_call_is_cleared_by_the_next_conversation(listening: Office) -> None:
    with listening.phones():
        listening.caller(STRANGER, way="observe", rings_for=0.4).run()
    listening.ended()
    with listening.phones(p101="answer"):
        listening.caller(STRANGER, way="observe", hold=0.3).run()
    missed, answered = listening.ended(count=2)
    assert not missed.needs_call_back
    assert missed.called_back_at == answered.answered_at
    assert missed.outcome == "missed"
