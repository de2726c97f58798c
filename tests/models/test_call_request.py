"""Requests to the exchange: each claimed once, none too late, and what they say of their call."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from errors import Conflict, Refused
from fields import utcnow
from models import Call, CallRequest, Contact, Deal, Device, Event, User
from panel import audience
from tests.at_once import at_once
from tests.world import CUSTOMER, Story, World
from verbs import requests
from verbs.call_cards import is_attached_by_hand

BAKERY = "+494088812904"


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(BAKERY, "Bakery", world.anna)
    return Deal.open("Bakery", world.anna, world.anna, contact=contact)


def ask(world: World, number: str = CUSTOMER, deal: Deal | None = None) -> CallRequest:
    return requests.call_out(world.anna, number, "asterisk", deal)


def now(request: CallRequest) -> tuple[str, str]:
    row = CallRequest.get_by_id(request.id)
    return row.state, row.reason


def kinds() -> list[str]:
    found = Event.select().where(Event.kind.startswith("call_request."))
    return [event.kind.partition(".")[2] for event in found.order_by(Event.id)]


def begins(request: CallRequest, direction: str = "internal") -> Story:
    """Asterisk rings the seller's phone: at first that is all there is to the call."""
    return Story.begins("", request.channel, direction=direction).rings("PJSIP/101")


def test_its_way_to_the_end(world: World) -> None:
    request = ask(world)
    assert request.is_open
    for step in (requests.claim, requests.rings, requests.picked_up, requests.over):
        assert step(request)
        assert not step(request)
    assert now(request) == ("done", "")
    assert not CallRequest.get().is_open
    assert CallRequest.get().ended_at is not None
    assert kinds() == ["new", "claimed", "ringing", "talking", "done"]


def test_one_process_claims_it(world: World) -> None:
    """Both read it when it was new."""
    ask(world)
    first, second = CallRequest.get(), CallRequest.get()
    assert requests.claim(first)
    assert not requests.claim(second)
    assert first.state == "claimed"
    assert kinds() == ["new", "claimed"]


def test_many_threads_claim_it_once(world: World) -> None:
    request = ask(world)
    rows = [CallRequest.get_by_id(request.id) for _ in range(4)]
    won = at_once(*(partial(requests.claim, row) for row in rows))
    assert sorted(won) == [False, False, False, True]


def test_many_clicks_make_one(world: World) -> None:
    def click() -> bool:
        try:
            ask(world)
        except Conflict:
            return False
        return True

    assert sorted(at_once(*[click] * 4)) == [False, False, False, True]
    assert CallRequest.select().count() == 1


def test_too_late_is_never_claimed(world: World) -> None:
    request = ask(world)
    assert not requests.expire(request)
    CallRequest.update(created_at=utcnow() - requests.WAITS).execute()
    assert not requests.claim(request)
    assert requests.expire(request)
    assert now(request) == ("failed", "expired")
    assert not requests.claim(request)


def test_one_that_nobody_took_does_not_bar_the_next(world: World) -> None:
    ask(world)
    with pytest.raises(Conflict, match="still busy"):
        ask(world)
    CallRequest.update(created_at=utcnow() - requests.WAITS).execute()
    ask(world)
    assert [r.state for r in CallRequest.select().order_by(CallRequest.id)] == ["failed", "new"]
    requests.call_out(world.ben, CUSTOMER, "asterisk")


@pytest.mark.parametrize(
    ("state", "becomes"),
    [
        ("new", ("failed", "cancelled")),
        ("claimed", ("ending", "")),
        ("ringing", ("ending", "")),
        ("talking", ("ending", "")),
        ("ending", ("ending", "")),
        ("done", ("done", "")),
    ],
)
def test_cancelling(world: World, state: str, becomes: tuple[str, str]) -> None:
    request = ask(world)
    CallRequest.update(state=state).execute()
    assert requests.cancel(request) == (becomes[0] != state)
    assert now(request) == becomes


def test_what_was_cancelled_has_not_failed_by_itself(world: World) -> None:
    request = ask(world)
    requests.claim(request)
    requests.cancel(request)
    assert requests.fail(request, "no answer")
    assert now(request) == ("failed", "cancelled")
    assert request.reason == "cancelled"
    assert not requests.fail(request, "busy")
    assert not requests.over(request)


def test_a_late_event_changes_nothing(world: World) -> None:
    request = ask(world)
    requests.claim(request)
    requests.picked_up(request)
    assert not requests.rings(request)
    requests.over(request)
    assert not requests.picked_up(request)
    assert now(request) == ("done", "")


def test_its_news_are_for_its_user_only(world: World, deal: Deal) -> None:
    request = ask(world, BAKERY, deal)
    (event,) = Event.of_kind("call_request.new")
    assert audience.request_for(event, world.anna) == request.id
    for other in (world.ben, world.olga, world.hugo, world.ada):
        assert audience.request_for(event, other) is None
        assert audience.deal_for(event, other) is None
        assert audience.call_for(event, other) is None
    assert list(CallRequest.visible_to(world.anna)) == [request]
    assert list(CallRequest.visible_to(world.hugo)) == []
    (made,) = Event.of_kind("deal.created")
    assert audience.request_for(made, world.anna) is None


def test_who_has_no_phone_is_told(world: World) -> None:
    with pytest.raises(Refused, match="no phone"):
        requests.call_out(world.ada, CUSTOMER, "asterisk")


def test_where_the_phone_was_seen_last(world: World) -> None:
    for minutes, (pbx, state) in enumerate((("here", "online"), ("there", "offline"))):
        at = utcnow() + timedelta(minutes=minutes)
        Device.create(pbx=pbx, endpoint="PJSIP/101", state=state, at=at)
    assert ask(world).pbx == "here"
    assert requests.call_out(world.ben, CUSTOMER, "asterisk").pbx == "asterisk"


def test_ones_own_mobile_is_nobody_to_call(world: World) -> None:
    User.update(mobile="+491710000101").where(User.id == world.anna.id).execute()
    with pytest.raises(Refused, match="our own"):
        requests.call_out(User.get_by_id(world.anna.id), "+491710000101", "asterisk")


@pytest.mark.parametrize(
    "number",
    ["+499001234567", "+49900123456789", "+49137712345678", "+979123456789", "+881612345678",
     "+882161234567"],
)  # fmt: skip
def test_a_number_that_a_stranger_earns_from(world: World, number: str) -> None:
    """Also with digits behind it, which are ignored on the way, but make it no valid number."""
    with pytest.raises(Refused, match="premium"):
        requests.call_out(world.anna, number, "asterisk")
    assert not CallRequest.select().exists()


@pytest.mark.parametrize("number", ["+4930447011821", "+49301182", "+12125551234", "+80012345678"])
def test_other_odd_numbers_can_be_called(world: World, number: str) -> None:
    assert requests.call_out(world.anna, number, "asterisk").number == number


# The call that comes of it


def test_the_call_is_on_its_card_from_the_first_moment(world: World, deal: Deal) -> None:
    request = ask(world, CUSTOMER, deal)
    story = begins(request)
    call = story.call
    assert (call.direction, call.number, call.deal) == ("outgoing", CUSTOMER, deal)
    assert call.contact == deal.contact
    assert CallRequest.get().call == call
    assert is_attached_by_hand(call)
    # What is seen later says no more, and takes nothing back.
    story.ended()
    assert (story.call.direction, story.call.outcome) == ("outgoing", "failed")


def test_an_answer_makes_it_answered(world: World, deal: Deal) -> None:
    newer = Deal.open("Newer", world.anna, None, contact=deal.contact)
    Story.begins(BAKERY, "0.1", at=utcnow() - timedelta(hours=1)).rings("PJSIP/101").ended()
    missed = Call.get()
    request = ask(world, BAKERY, deal)
    begins(request, "outgoing").answered("PJSIP/101").ended()
    call = Call.get(Call.linkedid == request.channel)
    assert (call.outcome, call.agent, call.deal) == ("answered", world.anna, deal)
    assert call.deal != newer
    assert Call.get_by_id(missed.id).called_back_at == call.answered_at


def test_the_number_is_that_of_another_contact(world: World, deal: Deal) -> None:
    other = Contact.of_number(CUSTOMER, "Other", None)
    call = begins(ask(world, CUSTOMER, deal)).call
    assert (call.contact, call.deal) == (other, deal)


def test_without_a_card_it_goes_to_the_open_one(world: World, deal: Deal) -> None:
    call = begins(ask(world, BAKERY)).call
    assert (call.contact, call.deal) == (deal.contact, deal)
    assert not is_attached_by_hand(call)


def test_a_channel_that_only_looks_like_ours(world: World) -> None:
    story = Story.begins("0304711", "trichter-call-1.1", direction="internal").rings("PJSIP/101")
    assert story.call.direction == "internal"


def test_another_exchange_has_the_same_id(world: World, deal: Deal) -> None:
    request = requests.call_out(world.anna, CUSTOMER, "elsewhere", deal)
    assert begins(request).call.deal is None


# Listening


def test_listening_needs_a_running_call(world: World) -> None:
    User.update(endpoint="PJSIP/109").where(User.login == "hugo").execute()
    hugo = User.get_by_id(world.hugo.id)
    story = Story.begins().rings("PJSIP/101")
    with pytest.raises(Refused, match="Nobody is talking"):
        requests.listen(hugo, story.call, "listen")
    story = story.answered("PJSIP/101")
    request = requests.listen(hugo, story.call, "listen")
    leg = requests.talking(request.call)
    assert leg is not None
    assert leg.user == world.anna
    assert requests.listen_as(request, "join")
    assert not requests.listen_as(request, "join")
    with pytest.raises(Refused):
        requests.listen_as(request, "call")
    with pytest.raises(Refused):
        requests.listen_as(ask(world), "join")
    story.ended()
    assert requests.talking(story.call) is None
    assert requests.talking(None) is None


def test_nobody_listens_to_oneself(world: World) -> None:
    User.update(role="head").where(User.login == "anna").execute()
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    with pytest.raises(Refused, match="yourself"):
        requests.listen(User.get_by_id(world.anna.id), story.call, "listen")
