"""POST /call-requests, /calls/ID/listeners, and what a person sees of what they asked for"""

from __future__ import annotations

import pytest
from flask import Flask
from playhouse.test_utils import count_queries

from fields import utcnow
from models import Call, CallRequest, Contact, Deal, Event, User
from panel.audience import messages
from tests.panel.conftest import FRAGMENT, Browser, Visit
from tests.world import CUSTOMER, Story, World
from verbs import requests as asked
from verbs.exchange import record_watching

BAKERY = "+494088812904"


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(BAKERY, "Jörg Holm", world.anna)
    return Deal.open("Bakery", world.anna, world.anna, contact=contact)


@pytest.fixture
def call(world: World) -> Call:
    """Missed by Anna and by nobody else."""
    return Story.begins().rings("PJSIP/101").ended().call


@pytest.fixture
def talks(world: World, deal: Deal) -> Call:
    """Anna talks with the bakery, and the head has a phone."""
    User.update(endpoint="PJSIP/109").where(User.login == "hugo").execute()
    return Story.begins(BAKERY).rings("PJSIP/101").answered("PJSIP/101").call


def only() -> CallRequest:
    (request,) = CallRequest.select()
    return request


def test_from_a_card(world: World, deal: Deal, anna: Browser) -> None:
    page = anna.get(f"/deals/{deal.id}").text
    assert 'action="/call-requests"' in page
    assert "Call +49 40 88812904" in page
    values = {"deal": deal.id, "number": BAKERY}
    answer = anna.post("/call-requests", values, headers=FRAGMENT)
    assert answer.status_code == 200
    assert "Jörg Holm" in answer.text
    assert "Your phone is being called" in answer.text
    made = only()
    assert (made.kind, made.state, made.pbx) == ("call", "new", "asterisk")
    assert (made.user, made.deal, made.number) == (world.anna, deal, BAKERY)
    assert made.channel.startswith("trichter-call-")


def test_from_a_call_in_the_list(world: World, call: Call, anna: Browser) -> None:
    for path in ("/calls", "/calls/missed"):
        assert f'name="call" value="{call.id}"' in anna.get(path).text
    assert anna.post("/call-requests", {"call": call.id}, headers=FRAGMENT).status_code == 200
    assert (only().number, only().deal) == (CUSTOMER, call.deal)


def test_without_scripts(world: World, deal: Deal, anna: Browser) -> None:
    back = {"Referer": f"http://localhost/deals/{deal.id}"}
    values = {"deal": deal.id, "number": BAKERY}
    answer = anna.post("/call-requests", values, headers=back)
    assert answer.status_code == 303
    page = anna.get(answer.location)
    assert page.headers["Refresh"] == "2"
    assert f'href="/deals/{deal.id}"' in page.text
    assert anna.post(f"/call-requests/{only().id}/end").status_code == 303
    page = anna.get(answer.location)
    assert "Cancelled." in page.text
    assert "Refresh" not in page.headers


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil"])
def test_the_way_back_stays_here(deal: Deal, anna: Browser, back: str) -> None:
    anna.post("/call-requests", {"deal": deal.id, "number": BAKERY})
    page = anna.get(f"/call-requests/{only().id}", query_string={"back": back}).text
    assert "evil" not in page


def test_what_one_may_not_see_does_not_exist(
    deal: Deal, call: Call, anna: Browser, olga: Browser
) -> None:
    attempts = [
        {"deal": deal.id, "number": BAKERY},
        {"call": call.id},
        {"deal": deal.id + 99, "number": BAKERY},
        {"call": call.id + 99},
        {"deal": "x", "number": BAKERY},
        {},
    ]
    for values in attempts:
        assert olga.post("/call-requests", values).status_code == 404, values
    assert not CallRequest.select().exists()
    anna.post("/call-requests", {"call": call.id})
    number = only().id
    for path in ("", "/end", "/kind"):
        act = olga.get if not path else olga.post
        assert act(f"/call-requests/{number}{path}").status_code == 404
    assert only().state == "new"


@pytest.mark.parametrize(
    "number",
    ["+493044701182", "", "112", "+1900" + "5" * 7, "PJSIP/102", "0&PJSIP/102", "+49(30)", "٣" * 9,
     "+49" + "0" * 13, "+1", "+999999999999", "+494088812904 ", "04088812904"],
)  # fmt: skip
def test_nothing_else_can_be_dialled(deal: Deal, anna: Browser, number: str) -> None:
    """Only numbers of that contact: neither others nor what means something to a dialplan."""
    answer = anna.post("/call-requests", {"deal": deal.id, "number": number})
    assert answer.status_code == 404
    assert not CallRequest.select().exists()


def test_a_hidden_number_has_none(world: World, anna: Browser) -> None:
    hidden = Story.begins(number="anonymous").rings("PJSIP/101").ended().call
    assert f'name="call" value="{hidden.id}"' not in anna.get("/calls").text
    assert anna.post("/call-requests", {"call": hidden.id}).status_code == 404


def test_premium_rate_numbers_are_not_called_back(world: World, anna: Browser) -> None:
    trap = Story.begins(number="+499001234567").rings("PJSIP/101").ended().call
    answer = anna.post("/call-requests", {"call": trap.id}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert "premium-rate" in answer.text
    assert not CallRequest.select().exists()


def test_one_at_a_time(deal: Deal, anna: Browser) -> None:
    values = {"deal": deal.id, "number": BAKERY}
    assert anna.post("/call-requests", values, headers=FRAGMENT).status_code == 200
    for _ in range(3):
        answer = anna.post("/call-requests", values, headers=FRAGMENT)
        assert answer.status_code == 409
        assert "still busy" in answer.text
    assert CallRequest.select().count() == 1
    anna.post(f"/call-requests/{only().id}/end")
    assert anna.post("/call-requests", values, headers=FRAGMENT).status_code == 200


def test_without_a_phone(world: World, deal: Deal, visit: Visit) -> None:
    ada = visit("ada")
    page = ada.get(f"/deals/{deal.id}").text
    assert 'action="/call-requests"' not in page
    assert 'href="tel:+494088812904"' in page
    assert "Call +49 40 88812904: you have no phone here" in page
    answer = ada.post("/call-requests", {"deal": deal.id, "number": BAKERY}, headers=FRAGMENT)
    assert (answer.status_code, CallRequest.select().count()) == (422, 0)
    assert "no phone" in answer.text


def test_a_form_of_another_site_is_refused(deal: Deal, anna: Browser) -> None:
    values = {"deal": deal.id, "number": BAKERY, "csrf_token": ""}
    assert anna.post("/call-requests", values).status_code == 400
    assert not CallRequest.select().exists()


def test_nobody_takes_it(deal: Deal, anna: Browser) -> None:
    anna.post("/call-requests", {"deal": deal.id, "number": BAKERY})
    made = only()
    assert 'data-state="new"' in anna.get(f"/call-requests/{made.id}", headers=FRAGMENT).text
    CallRequest.update(created_at=made.created_at - asked.WAITS).execute()
    page = anna.get(f"/call-requests/{made.id}", headers=FRAGMENT).text
    assert "not connected" in page
    assert (only().state, only().reason) == ("failed", "expired")
    assert not asked.claim(made)


def test_every_state_has_its_sentence(deal: Deal, anna: Browser) -> None:
    anna.post("/call-requests", {"deal": deal.id, "number": BAKERY})
    made = only()
    seen = []
    for state in ("claimed", "ringing", "talking", "ending", "done"):
        CallRequest.update(state=state).execute()
        seen.append(anna.get(f"/call-requests/{made.id}", headers=FRAGMENT).text)
    for sentence, page in zip(
        ("being called", "Pick it up to call Jörg Holm", "Calling Jörg", "Hanging up", "has ended"),
        seen,
        strict=True,
    ):
        assert sentence in page
    story = Story.begins(BAKERY, direction="outgoing").rings("PJSIP/101")
    CallRequest.update(state="done", call=story.call).execute()
    for outcome, sentence in (("busy", "is busy"), ("missed", "did not pick up")):
        Call.update(outcome=outcome).execute()
        assert sentence in anna.get(f"/call-requests/{made.id}", headers=FRAGMENT).text


def test_the_number_of_queries(deal: Deal, anna: Browser) -> None:
    anna.post("/call-requests", {"deal": deal.id, "number": BAKERY})
    with count_queries() as counted:
        assert anna.get(f"/call-requests/{only().id}", headers=FRAGMENT).status_code == 200
    # Who looks, the request, and whether it is too late.
    assert counted.count <= 5, [q.msg for q in counted.get_queries()]


# Listening


def test_heads_can_listen_from_the_card(
    world: World, deal: Deal, talks: Call, visit: Visit
) -> None:
    hugo, anna = visit("hugo"), visit("anna")
    page = hugo.get(f"/deals/{deal.id}").text
    assert f'action="/calls/{talks.id}/listeners"' in page
    record_watching("asterisk", True, utcnow())
    assert f'action="/calls/{talks.id}/listeners"' in hugo.get("/exchange").text
    assert "/listeners" not in anna.get(f"/deals/{deal.id}").text
    answer = hugo.post(f"/calls/{talks.id}/listeners", {"kind": "whisper"}, headers=FRAGMENT)
    assert answer.status_code == 200
    made = only()
    assert (made.kind, made.call, made.user) == ("whisper", talks, world.hugo)
    assert made.channel.startswith("trichter-ear-")
    CallRequest.update(state="talking").execute()
    changed = hugo.post(f"/call-requests/{made.id}/kind", {"kind": "join"}, headers=FRAGMENT)
    assert "Both hear you." in changed.text
    assert only().kind == "join"
    assert hugo.post(f"/call-requests/{made.id}/kind", {"kind": "x"}).status_code == 422


def test_for_sellers_there_is_no_listening(talks: Call, anna: Browser, olga: Browser) -> None:
    for browser in (anna, olga):
        answer = browser.post(f"/calls/{talks.id}/listeners", {"kind": "listen"})
        assert answer.status_code == 404
        assert answer.text == browser.post("/calls/9999/listeners", {"kind": "listen"}).text
    assert not CallRequest.select().exists()


def test_a_call_that_is_over(world: World, call: Call, visit: Visit) -> None:
    User.update(endpoint="PJSIP/109").where(User.login == "hugo").execute()
    answer = visit("hugo").post(f"/calls/{call.id}/listeners", {"kind": "listen"}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert "Nobody is talking in this call any more." in answer.text


def test_a_head_without_a_phone(world: World, deal: Deal, talks: Call, visit: Visit) -> None:
    ada = visit("ada")
    page = ada.get(f"/deals/{deal.id}").text
    assert "You have no phone here." in page
    assert ada.post(f"/calls/{talks.id}/listeners", {"kind": "listen"}).status_code == 422


def test_the_trail_is_on_the_card_for_heads(
    world: World, deal: Deal, talks: Call, visit: Visit
) -> None:
    made = asked.listen(User.get(User.login == "hugo"), talks, "whisper")
    asked.noted(made, "started", world.anna)
    page = visit("hugo").get(f"/deals/{deal.id}").text
    assert "Hugo Head</b> whispered to Anna Krüger" in page
    assert "whispered" not in visit("anna").get(f"/deals/{deal.id}").text


def test_a_premium_number_has_another_country_too(world: World, app: Flask) -> None:
    """The rule reads the number by its own country."""
    with pytest.raises(Exception, match="premium-rate"):
        asked.call_out(world.anna, "+449098790000", "asterisk")
    assert not Event.of_kind("call_request.new").exists()


def test_live_news_are_for_whose_they_are(world: World, deal: Deal, talks: Call) -> None:
    """A request for its user; listening for heads, and never for who is listened to."""
    hugo = User.get(User.login == "hugo")
    before = Event.select().count()
    calling = asked.call_out(world.anna, BAKERY, "asterisk", deal)
    hearing = asked.listen(hugo, talks, "listen")
    asked.noted(hearing, "started", world.anna)
    events = list(Event.select().order_by(Event.id))[before:]
    told = {
        user.login: [message for event in events for message in messages(event, user)]
        for user in (world.anna, world.ben, world.olga, hugo, world.ada)
    }
    new = {"kind": "call_request.new"}
    assert told["anna"] == [("request", {"request": calling.id, **new})]
    assert told["hugo"] == [("request", {"request": hearing.id, **new})]
    assert told["ben"] == told["olga"] == told["ada"] == []
