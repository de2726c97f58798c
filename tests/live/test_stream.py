"""/live: who hears what, coming back after a gap, and when a stream ends."""

from __future__ import annotations

import re
import socket
import threading
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from peewee import OperationalError

import database
import models
from fields import utcnow
from formats import setup_file
from models import Call, Company, Contact, Deal, Event, StageChange, User
from panel import create_app, crowd, live
from panel.audience import popping_up_for
from panel.auth import SignedIn
from panel.tail import hub
from telephony.call_report import CallReport
from tests.live.conftest import PATIENCE, Ear, Listen, listening
from tests.world import CUSTOMER, Story, World
from verbs import (
    contact_import,
    contacts,
    deals,
    departments,
    erasure,
    funnels,
    history,
    merges,
    notes,
    recordings,
    requests,
    rule_set,
    rules,
    setup,
    tasks,
    users,
)
from verbs.call_cards import attach
from verbs.deals import assign
from verbs.import_rows import Plan

LONG_AGO = datetime(2020, 1, 2, tzinfo=UTC)
OLD = CallReport("asterisk", "old", "incoming", LONG_AGO, number=CUSTOMER, ended_at=LONG_AGO)


def everything_happens(world: World) -> None:
    """One of each kind of event, all in Sales."""
    Story.begins(linkedid="m", number=CUSTOMER).rings("PJSIP/101").ended()
    story = Story.begins(linkedid="1").rings("PJSIP/101", "PJSIP/102").answered("PJSIP/101")
    story.ended()
    stops(Story.begins(linkedid="s").rings("PJSIP/101"))
    deal = Deal.open("Roof", world.anna, world.anna)
    deal.move_to(world.stage("Documents"), by=world.anna)
    assign(deal, world.ben, by=world.hugo)
    attach(Story.begins(linkedid="2").rings("PJSIP/102").call, deal, by=world.ben)
    talk = Story.begins(linkedid="t").rings("PJSIP/102").answered("PJSIP/102").call
    recordings.begin(talk.id, "t.wav")
    users.change(world.hugo, endpoint="PJSIP/110")
    requests.noted(requests.listen(world.hugo, talk, "listen"), "started", world.ben)
    requests.cancel(requests.call_out(world.ben, CUSTOMER, "asterisk", deal))
    rules.add_number("4930555", world.ada)
    rule_set.replace_all(rules.matrix(), {CUSTOMER: ""})
    history.enter("asterisk", [OLD])
    users.set_password(world.ben, "another horse")
    eve = users.add("eve", "Eve", "admin", "correct horse", "PJSIP/109", "Sales")
    users.disable(world.ada)
    users.hand_over(world.ada, eve, eve)
    users.end_all_sessions(eve, eve)
    made = departments.add("Export", by=eve)
    departments.change(made, "Exports", "", eve)
    departments.remove(made, eve)
    setup.apply(setup_file.read(b'reasons = ["Price"]\ntexts = {company = "Tiles"}'))
    customers_change(world, deal, talk)
    stages_change(eve)


def customers_change(world: World, deal: Deal, talk: Call) -> None:
    """What people write of customers, and what they have to do about them."""
    deals.change(deal, world.hugo, amount=Decimal(900))
    note = notes.add("Of the customer only", world.ben, contact=talk.contact)
    notes.change(note, "Corrected", world.ben)
    notes.remove(note, world.ben)
    contact, other = Contact.get_by_id(talk.contact_id), Contact.add("Inga Holm", world.ben)
    contacts.change(contact, world.ben, company="Holm", name="Inga Holm")
    contacts.check(contact, world.ben)
    contacts.remove_number(contacts.add_number(contact, "+4930222", world.ben), world.ben)
    merges.undo(merges.merge(contact, other, world.hugo), world.hugo)
    contacts.change_company(Company.get(), world.ben, website="holm.example")
    task = tasks.add("Send the offer", utcnow(), world.ben, world.ben, deal=deal)
    tasks.change(task, world.ben, title="Send the other offer")
    tasks.remind(utcnow())
    tasks.finish(task, world.ben)
    tasks.reopen(task, world.ben)
    contact_import.run(Plan(("name", "number"), world.ben), [(1, ["Eva", "+4930333"])], world.hugo)
    erasure.erase(erasure.of_number("+4930333"), world.hugo)


def stages_change(admin: User) -> None:
    made = funnels.add_funnel("Renewals", admin)
    funnels.change_funnel(made, admin, name="Renewal")
    stage = funnels.add_stage(made, admin, name="Talks")
    funnels.change_stage(stage, admin, probability=30)
    funnels.reorder(made, admin, [one.id for one in made.in_order()])
    funnels.remove_stage(stage, admin)
    funnels.order_funnels([], admin)


def past_boards(ear: Ear) -> tuple[str, dict[str, Any]]:
    """The next message but those of the boards, whose funnels are everybody's; they tell no more
    than which one to look at."""
    while (message := ear.next())[0] == "funnel":
        assert message[1].keys() == {"event", "funnel", "kind"}
    return message


FOLDER = Path(models.__file__ or "").parent
SOURCES = [FOLDER / "models.py", *(FOLDER / "verbs").glob("*.py")]
SAID = [file.read_text(encoding="utf-8") for file in SOURCES]
KINDS = {
    kind for text in SAID for kind in re.findall(r'(?:Event\.add|tell)\(\s*"([a-z_.]+)"', text)
}


def test_an_outsider_hears_nothing_of_any_kind(quiet: World, listen: Listen) -> None:
    olga = listen("olga")
    everything_happens(quiet)
    assert {event.kind for event in Event.select(Event.kind)} >= KINDS, "a new kind: add it above"
    own = Deal.open("Her own", quiet.olga, quiet.olga)
    # The tail keeps the order, so whatever leaked would come before this.
    assert past_boards(olga) == ("deal", {"deal": own.id, "kind": "deal.created"})
    assert olga.nothing()


def test_an_outsider_who_comes_back_hears_nothing(quiet: World, listen: Listen) -> None:
    everything_happens(quiet)
    own = Deal.open("Her own", quiet.olga, quiet.olga)
    olga = listen("olga", header=0)
    assert past_boards(olga) == ("deal", {"deal": own.id, "kind": "deal.created"})
    assert olga.nothing()


def test_a_seller_hears_of_own_calls_and_deals(quiet: World, listen: Listen) -> None:
    anna, ben = listen("anna"), listen("ben")
    story = Story.begins().rings("PJSIP/101")
    call = story.call.id
    ringing = {"call": call, "kind": "call.ringing", "deal": None, "mine": True}
    assert anna.next() == ("call", ringing)
    story = story.rings("PJSIP/102")
    assert anna.next() == ("call", ringing)
    assert ben.next() == ("call", ringing)
    deal = story.answered("PJSIP/101").call.deal_id
    answered = {"call": call, "kind": "call.answered", "mine": True}
    # Ben's phone rang: he learns that it is over, and not of which deal it was.
    assert ben.next() == ("call", {**answered, "deal": None, "by": "Anna Krüger"})
    assert anna.until("deal", "deal.created") == {"deal": deal, "kind": "deal.created"}
    assert anna.next() == ("call", {**answered, "deal": deal})
    assert anna.next() == ("deal", {"deal": deal, "kind": "call.answered"})
    assert ben.nothing()


def stops(story: Story) -> Story:
    """The first phone stops ringing; the call goes on."""
    first, *others = story.report.legs
    legs = (replace(first, ended_at=first.rang_at, outcome="missed"), *others)
    return Story(replace(story.report, legs=legs))._recorded()


def test_a_phone_that_stops_ringing(quiet: World, listen: Listen) -> None:
    anna = listen("anna")
    story = Story.begins().rings("PJSIP/101")
    assert anna.next()[1]["kind"] == "call.ringing"
    story = stops(story)
    stopped = {"call": story.call.id, "kind": "call.stopped", "deal": None, "mine": True}
    assert anna.next() == ("call", stopped)
    assert popping_up_for(quiet.anna).count() == 0


def where_it_is(deal: Deal) -> dict[str, int]:
    """What the news of the last move tells, so that a page can show it without asking."""
    now, last = Deal.get_by_id(deal.id), deal.changes.order_by(StageChange.id.desc()).get()
    since = Deal.stage_since.db_value(now.stage_since)
    return {"stage": now.stage_id, "change": last.id, "since": since}


def test_a_move_taken_back_tells_since_when(quiet: World, listen: Listen) -> None:
    deal = Deal.open("Roof", quiet.anna, quiet.anna)
    deal.move_to(quiet.stage("Documents"), by=quiet.anna)
    anna = listen("anna")
    deals.take_back_move(deal, quiet.anna)
    news = anna.until("deal", "deal.moved")
    assert news == {"deal": deal.id, "kind": "deal.moved", **where_it_is(deal)}
    assert news["since"] == Deal.created_at.db_value(deal.created_at)


def test_many_are_told_to_take_their_time(
    quiet: World, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who hear of it because they hear of everything; whose it is needs it at once."""
    monkeypatch.setattr(crowd, "FEW", 1)
    hugo, ada, anna = listen("hugo"), listen("ada"), listen("anna")
    deal = Deal.open("Roof", quiet.anna, quiet.anna)
    created = {"deal": deal.id, "kind": "deal.created"}
    assert hugo.next() == ada.next() == ("deal", {**created, "spread": 2 * crowd.EACH_MS})
    assert anna.next() == ("deal", created)
    reloading = {"spread": 4 * live.RELOADING * crowd.EACH_MS}
    assert listen("ben", last="999999").next() == ("reload", reloading)


def test_a_head_hears_of_all_and_is_called_by_none(quiet: World, listen: Listen) -> None:
    hugo = listen("hugo")
    deal = Deal.open("Roof", quiet.anna, quiet.anna)
    assert hugo.next() == ("deal", {"deal": deal.id, "kind": "deal.created"})
    deal.move_to(quiet.stage("Documents"), by=quiet.anna)
    by_anna = {"kind": "deal.moved", "by": "Anna Krüger", **where_it_is(deal)}
    assert hugo.next() == ("deal", {"deal": deal.id, **by_anna})
    call = Story.begins().rings("PJSIP/101").call.id
    ringing = {"call": call, "kind": "call.ringing", "deal": None, "mine": False}
    assert hugo.next() == ("call", ringing)


def test_all_that_show_a_contact_hear_of_it(quiet: World, listen: Listen) -> None:
    contact = Contact.of_number(CUSTOMER, "Inga Holm", quiet.ben)
    first, second, theirs = (
        Deal.open(title, owner, owner, contact=contact)
        for title, owner in (("Roof", quiet.anna), ("Door", quiet.anna), ("Floor", quiet.hugo))
    )
    anna, ben, olga = listen("anna"), listen("ben"), listen("olga")
    contacts.change(contact, quiet.hugo, email="inga@holm.example")
    news = {"kind": "contact.changed"}
    told = [anna.next() for _ in range(3)]
    assert ("contact", {"contact": contact.id, **news}) in told
    assert all(("deal", {"deal": deal.id, **news}) in told for deal in (first, second))
    assert ben.next() == ("contact", {"contact": contact.id, **news})
    notes.add("Prefers mornings", quiet.hugo, contact=contact)
    written = ("contact", {"contact": contact.id, "kind": "note.added"})
    assert anna.next() == ben.next() == written
    assert theirs.id not in [data.get("deal") for _name, data in told]
    assert olga.nothing()


def test_who_loses_a_deal_hears_of_it(quiet: World, listen: Listen) -> None:
    deal = Deal.open("Roof", quiet.anna, quiet.anna)
    anna, ben = listen("anna"), listen("ben")
    assign(deal, quiet.ben, by=quiet.hugo)
    assigned = ("deal", {"deal": deal.id, "kind": "deal.assigned"})
    assert anna.next() == assigned
    assert ben.next() == assigned
    deal.move_to(quiet.stage("Documents"), by=quiet.ben)
    assert ben.next() == ("deal", {"deal": deal.id, "kind": "deal.moved", **where_it_is(deal)})
    assert anna.nothing()


# Coming back -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["header", "last"])
def test_a_browser_gets_what_it_missed(anywhere: World, way: str) -> None:
    listen = listening(anywhere)
    anna = listen("anna")
    first = Deal.open("First", anywhere.anna, anywhere.anna)
    assert anna.next()[1]["deal"] == first.id
    hub.end_all("cut off")
    anna.ended()
    missed = [Deal.open(f"{n}", anywhere.anna, anywhere.anna).id for n in range(3)]
    Deal.open("Not hers", anywhere.ben, anywhere.ben)
    anna = listen("anna", **{way: anna.position})
    later = Deal.open("Later", anywhere.anna, anywhere.anna)
    heard = [anna.next()[1]["deal"] for _ in range(4)]
    assert heard == [*missed, later.id]


def test_the_position_moves_on_without_messages(
    quiet: World, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a seller who hears of one event in a hundred would be too far behind every time."""
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", 0.01)
    anna = listen("anna")
    Deal.open("Not hers", quiet.ben, quiet.ben)
    newest = str(Event.select().order_by(Event.id.desc()).get().id)
    while anna.beats.get(timeout=PATIENCE) != newest:
        pass
    assert anna.position == newest
    assert anna.nothing()


def test_positions_that_cannot_be_reload_the_page(listen: Listen) -> None:
    for position in ("999999", "-1", "x", "1" * 30, "²", ""):
        assert listen("anna", last=position).next() == ("reload", {})


def test_too_far_behind_reloads_the_page(
    quiet: World, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_MISSED", 3)
    before = Event.select().order_by(Event.id.desc()).get().id
    for number in range(4):
        Deal.open(f"{number}", quiet.anna, quiet.anna)
    anna = listen("anna", header=before)
    assert anna.next() == ("reload", {})
    assert int(anna.position) == before + 4
    deal = Deal.open("Later", quiet.anna, quiet.anna)
    assert anna.next()[1]["deal"] == deal.id


def test_a_page_misses_nothing_between_its_rows_and_its_stream(
    quiet: World, listen: Listen
) -> None:
    """What is committed while the page is rendered comes again through the stream."""
    deal = Deal.open("While it is rendered", quiet.anna, quiet.anna)
    with create_app(quiet.settings).test_request_context("/"):
        address = live.live_url()
    anna = listen("anna", last=address.rpartition("=")[2])
    assert anna.until("deal", "deal.created")["deal"] == deal.id


# The end -----------------------------------------------------------------------------------------


def test_strangers_get_none(quiet: World) -> None:
    answer = create_app(quiet.settings).test_client().get("/live")
    assert answer.status_code in (303, 401)
    assert hub.streams == 0


def test_a_disabled_user_hears_no_more(anywhere: World, listen_anywhere: Listen) -> None:
    anna, ben = listen_anywhere("anna"), listen_anywhere("ben")
    users.disable(anywhere.anna)
    Deal.open("Too late", anywhere.anna, by=None)
    assert anna.ended() == []
    assert ben.nothing()
    assert hub.streams == 1


def test_log_outs_and_roles_are_felt_at_once(
    quiet: World, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by and by: whoever took a role away wants it to be gone."""
    monkeypatch.setattr(live, "CHECK_SECONDS", 3600)
    anna, hugo = listen("anna"), listen("hugo")
    users.change(quiet.hugo, role="seller")
    users.end_all_sessions(quiet.anna)
    Deal.open("Anna's alone", quiet.anna, quiet.anna)
    assert anna.ended() == []
    assert hugo.nothing()


def test_a_new_password_ends_the_streams_of_before(quiet: World, listen: Listen) -> None:
    anna = listen("anna")
    users.set_password(quiet.anna, "another horse")
    assert anna.ended() == []
    again = listen("anna")
    deal = Deal.open("Roof", quiet.anna, quiet.anna)
    assert again.next()[1]["deal"] == deal.id


def test_logging_out_ends_the_streams_of_that_browser(quiet: World, listen: Listen) -> None:
    here, elsewhere = listen("anna", browser="here"), listen("anna", browser="elsewhere")
    client = create_app(quiet.settings).test_client()
    client.application.config["WTF_CSRF_ENABLED"] = False
    with client.session_transaction() as session:
        session.update(_user_id=SignedIn(quiet.anna).get_id(), csrf_token="here")
    assert client.post("/logout").status_code == 303
    assert here.ended() == []
    deal = Deal.open("Roof", quiet.anna, quiet.anna)
    assert elsewhere.next()[1]["deal"] == deal.id


def test_what_a_person_is_no_longer_is_seen_soon(
    quiet: World, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hugo is a seller now: another's deal is nothing of his, also if it waits for him already."""
    monkeypatch.setattr(live, "CHECK_SECONDS", -1.0)
    hugo = listen("hugo")
    User.update(role="seller").where(User.id == quiet.hugo.id).execute()
    Deal.open("Not his", quiet.anna, quiet.anna)
    own = Deal.open("His own", quiet.hugo, quiet.hugo)
    assert hugo.next() == ("deal", {"deal": own.id, "kind": "deal.created"})


def test_nothing_goes_out_unchecked(
    quiet: World, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CHECK_SECONDS", -1.0)
    monkeypatch.setattr(live, "RETRY_SECONDS", 0.01)
    asked = threading.Event()
    known = live.session_user

    def broken(session_id: str) -> Any:
        asked.set()
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(live, "session_user", broken)
    anna = listen("anna")
    while not anna.beats.empty():
        anna.beats.get()
    deal = Deal.open("Roof", quiet.anna, quiet.anna)
    assert asked.wait(PATIENCE)
    # Still there and kept alive, with the message held back.
    for _ in range(2):
        anna.beats.get(timeout=PATIENCE)
    assert anna.nothing()
    monkeypatch.setattr(live, "session_user", known)
    assert anna.next()[1]["deal"] == deal.id


def test_a_stream_that_waits_holds_no_connection(on_postgresql: World) -> None:
    listen = listening(on_postgresql)
    ears = [listen("anna") for _ in range(3)]
    deal = Deal.open("Roof", on_postgresql.anna, on_postgresql.anna)
    assert {ear.next()[1]["deal"] for ear in ears} == {deal.id}
    # That of this test, and that of the tail.
    assert len(database.database.obj._in_use) == 2


def test_a_browser_that_does_not_read_is_cut_off() -> None:
    here, there = socket.socketpair()
    with here, there:
        cut = live._cutter({"gunicorn.socket": here})
        assert cut
        cut()
        assert there.recv(1) == b""
        # Gone already: nothing to complain about.
        there.close()
        here.close()
        cut()


def test_headers(quiet: World) -> None:
    client = create_app(quiet.settings).test_client()
    with client.session_transaction() as session:
        session["_user_id"] = SignedIn(quiet.anna).get_id()
    answer = client.get("/live", buffered=False)
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    answer.close()
    assert hub.streams == 0
    assert Call.select().count() == 0
