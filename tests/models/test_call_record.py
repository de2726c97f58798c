"""record_call: one call, told whole each time, is one row (T6), whatever happens to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

import database
from fields import utcnow
from models import Call, Contact, Deal, Event, Leg
from telephony.call_report import CallReport, LegReport
from tests.world import CUSTOMER, Story, World
from verbs import users
from verbs.calls import record_call

START = utcnow() - timedelta(hours=1)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def kinds() -> list[str]:
    about_calls = Event.kind.startswith("call.") | Event.kind.startswith("deal.")
    return [e.kind for e in Event.select().where(about_calls).order_by(Event.id)]


def test_answered(world: World) -> None:
    call = Story.begins(at=START, did="030555000").rings("PJSIP/101").answered("PJSIP/101").call
    deal = Deal.get()
    assert (call.number, call.did, call.direction) == (CUSTOMER, "+4930555000", "incoming")
    assert (call.agent, call.answered_at, call.wait) == (world.anna, after(5), 5)
    assert (call.outcome, call.ended_at, call.talk) == (None, None, None)
    assert (call.contact, call.deal) == (Contact.get(), deal)
    assert (deal.owner, deal.stage.name, deal.source) == (world.anna, "Unsorted", "call")
    assert (deal.title, deal.created_at) == (CUSTOMER, after(5))
    assert kinds() == ["call.ringing", "deal.created", "call.answered"]


def test_answered_and_ended(world: World) -> None:
    story = Story.begins(at=START, name="Miriam\nSander").rings("PJSIP/101").answered("PJSIP/101")
    call = story.ended(65).call
    assert (call.outcome, call.ended_at, call.wait, call.talk) == ("answered", after(65), 5, 60)
    assert (Deal.get().title, Contact.get().name) == ("Miriam Sander", "Miriam Sander")
    leg = Leg.get()
    assert (leg.user, leg.outcome) == (world.anna, "answered")
    assert (leg.rang_at, leg.answered_at, leg.ended_at) == (after(1), after(5), after(65))
    assert kinds()[-1] == "call.ended"
    assert not call.needs_call_back


def test_not_answered(world: World) -> None:
    call = Story.begins(at=START).rings("PJSIP/101").ended(30).call
    assert (call.outcome, call.answered_at, call.agent) == ("missed", None, None)
    assert (call.wait, call.talk) == (30, None)
    assert (call.deal.owner, call.deal.created_at) == (world.anna, after(30))
    assert call.needs_call_back
    assert kinds() == ["call.ringing", "deal.created", "call.ended"]


def test_hung_up_before_any_phone_rang(world: World) -> None:
    call = Story.begins(at=START).ended(2).call
    assert (call.outcome, call.wait, call.deal.owner) == ("missed", 2, None)


def test_busy(world: World) -> None:
    call = Story.begins(at=START).rings("PJSIP/101").ended(3, outcome="busy").call
    assert (call.outcome, call.needs_call_back) == ("busy", True)
    assert call.deal.owner == world.anna


def test_ring_group_of_three(world: World) -> None:
    story = Story.begins(at=START).rings("PJSIP/101", "PJSIP/102", "PJSIP/103")
    story.answered("PJSIP/102").ended(60)
    call = story.call
    assert (call.agent, call.deal.owner, call.outcome) == (world.ben, world.ben, "answered")
    legs = {leg.user.login: leg.outcome for leg in call.legs}
    assert legs == {"anna": "missed", "ben": "answered", "olga": "missed"}
    assert Event.of_kind("call.ringing").count() == 3
    assert Event.of_kind("call.answered").count() == 1


def test_a_missed_call_belongs_to_whom_it_rang_last(world: World) -> None:
    story = Story.begins(at=START).rings("PJSIP/102", after=1).rings("PJSIP/101", after=20)
    assert story.ended(40).call.deal.owner == world.anna


def test_every_report_said_again(world: World) -> None:
    story = Story.begins(at=START)
    reports = [story.report]
    for step in (
        lambda s: s.rings("PJSIP/101", "PJSIP/102"),
        lambda s: s.answered("PJSIP/102"),
        lambda s: s.ended(60),
    ):
        story = step(story)
        reports.append(story.report)
    before = (Call.select().dicts().get(), list(Leg.select().dicts()), kinds())
    for report in [*reports, *reversed(reports)]:
        record_call(report)
    assert (Call.select().dicts().get(), list(Leg.select().dicts()), kinds()) == before
    assert (Deal.select().count(), Contact.select().count()) == (1, 1)


def test_saying_the_same_again_writes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story.begins(at=START).rings("PJSIP/101").answered("PJSIP/101")
    said: list[str] = []
    execute = database.database.obj.execute_sql

    def listening(sql: str, *rest: object, **options: object) -> object:
        said.append(sql.split()[0])
        return execute(sql, *rest, **options)

    monkeypatch.setattr(database.database.obj, "execute_sql", listening)
    record_call(story.report)
    assert not {"INSERT", "UPDATE", "DELETE"} & set(said)


def test_an_older_report_after_a_newer_takes_nothing_back(world: World) -> None:
    ringing = Story.begins(at=START).rings("PJSIP/101")
    answered = ringing.answered("PJSIP/101")
    record_call(ringing.report)
    assert (answered.call.answered_at, answered.call.agent) == (after(5), world.anna)
    answered.ended(60)
    record_call(answered.report)
    record_call(ringing.report)
    assert (answered.call.outcome, answered.call.ended_at) == ("answered", after(60))


def test_answered_is_never_missed_later(world: World) -> None:
    answered = Story.begins(at=START).rings("PJSIP/101").answered("PJSIP/101")
    ended = replace(answered.report, answered_at=None, ended_at=after(60), outcome="missed")
    assert record_call(ended).outcome == "answered"
    assert not Call.awaiting_call_back().exists()


def test_the_first_end_counts(world: World) -> None:
    story = Story.begins(at=START).rings("PJSIP/101").answered("PJSIP/101").ended(60)
    story.ended(500)
    assert (story.call.ended_at, story.call.talk) == (after(60), 55)


def test_a_late_answer_after_missed(world: World) -> None:
    """A call was given up as lost after a restart, and then goes on, or the CDR knows more."""
    ringing = Story.begins(at=START).rings("PJSIP/101", "PJSIP/102")
    ringing.ended(10)
    assert ringing.call.deal.owner == world.ben
    answered = ringing.answered("PJSIP/101", after=12)
    call = answered.call
    assert (call.outcome, call.agent, call.needs_call_back) == ("answered", world.anna, False)
    assert call.deal.owner == world.anna
    answered.ended(60)
    assert (answered.call.outcome, answered.call.ended_at) == ("answered", after(60))
    assert (answered.call.talk, Deal.select().count()) == (48, 1)


def test_talk_goes_on_over_a_restart(world: World) -> None:
    """After a restart the ledger sees the conversation begin when it came back."""
    story = Story.begins(at=START).rings("PJSIP/101").answered("PJSIP/101", after=5)
    anew = replace(story.report, answered_at=after(35))
    record_call(anew)
    record_call(replace(anew, ended_at=after(65), talk=30, outcome="answered"))
    assert (story.call.answered_at, story.call.wait, story.call.talk) == (after(5), 5, 60)


def test_ended_while_nobody_looked(world: World) -> None:
    story = Story.begins(at=START).rings("PJSIP/101").answered("PJSIP/101")
    assert [c.linkedid for c in Call.unfinished("asterisk")] == [story.call.linkedid]
    assert not Call.unfinished("another").exists()
    bare = CallReport("asterisk", story.call.linkedid, "incoming", START, ended_at=after(99))
    call = record_call(bare)
    assert (call.outcome, call.talk, call.agent) == ("answered", None, world.anna)
    assert (Leg.get().ended_at, Leg.get().outcome) == (after(99), "answered")
    assert not Call.unfinished("asterisk").exists()


def test_phones_of_which_nothing_was_heard_after_a_restart(world: World) -> None:
    story = Story.begins(at=START).rings("PJSIP/101", "PJSIP/102")
    mine = replace(story.report.legs[0], answered_at=after(5), ended_at=after(60))
    rest = replace(story.report, legs=(replace(mine, outcome="answered"),), speaker="PJSIP/101")
    record_call(replace(rest, answered_at=after(5), ended_at=after(60), talk=55))
    assert {leg.endpoint: (leg.outcome, leg.ended_at) for leg in Leg.select()} == {
        "PJSIP/101": ("answered", after(60)),
        "PJSIP/102": ("missed", after(60)),
    }


def test_an_internal_call_is_recorded_and_makes_nobody(world: World) -> None:
    call = Story.begins("102", direction="internal").rings("PJSIP/102").answered("PJSIP/102")
    call.ended(20)
    assert (call.call.outcome, call.call.number, call.call.number_text) == ("answered", None, "102")
    assert not Contact.select().exists()
    missed = Story.begins("102", "2.1", direction="internal").rings("PJSIP/102").ended(20)
    assert (missed.call.outcome, missed.call.needs_call_back) == ("missed", False)
    assert not Deal.select().exists()


@pytest.mark.parametrize("direction", ["incoming", "outgoing"])
def test_what_seemed_internal_gets_its_outside_party(world: World, direction: str) -> None:
    """After a restart the first event can be about a user's leg, before the origin is known."""
    leg = LegReport("7.2", "PJSIP/101", rang_at=START)
    record_call(CallReport("asterisk", "7.1", "internal", START, number="s", legs=(leg,)))
    report = CallReport(
        "asterisk", "7.1", direction, START, number=CUSTOMER, name="Miriam", did="100", legs=(leg,)
    )
    call = record_call(report)
    assert (call.direction, call.number, call.name) == (direction, CUSTOMER, "Miriam")
    assert (call.number_text, call.did) == (CUSTOMER, "100")
    assert record_call(replace(report, direction="internal")).direction == direction


def test_outgoing(world: World) -> None:
    story = Story.begins("030 4470 1182", direction="outgoing").rings("PJSIP/101")
    story.answered("PJSIP/101").ended(60)
    assert (story.call.number, story.call.agent) == (CUSTOMER, world.anna)
    assert not Contact.select().exists(), "by the default rules only incoming calls make customers"
    missed = Story.begins(direction="outgoing", linkedid="2.1").rings("PJSIP/101").ended()
    assert (missed.call.outcome, missed.call.needs_call_back) == ("missed", False)


def test_transfer_the_deal_follows_the_last_speaker(world: World) -> None:
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101").rings("PJSIP/102", after=20)
    story = story.answered("PJSIP/102", after=25)
    story.ended(60)
    assert (story.call.agent, story.call.deal.owner) == (world.ben, world.ben)
    assert story.call.wait == 5
    assert Event.of_kind("deal.assigned").count() == 1


def test_transfer_a_touched_deal_stays(world: World) -> None:
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    story.call.deal.move_to(world.stage("Opportunity"), by=world.anna)
    story.rings("PJSIP/102", after=20).answered("PJSIP/102", after=25).ended(60)
    assert (story.call.agent, story.call.deal.owner) == (world.ben, world.anna)


def test_transfer_a_deal_of_before_stays(world: World) -> None:
    contact = Contact.of_number(CUSTOMER, "Miriam", world.anna)
    Deal.open("Roof", world.anna, None, contact=contact)
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    story.rings("PJSIP/102", after=20).answered("PJSIP/102", after=25).ended(60)
    assert (story.call.agent, Deal.get().owner) == (world.ben, world.anna)


def test_transfer_to_somebody_disabled_meanwhile(world: World) -> None:
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101").rings("PJSIP/102", after=20)
    users.disable(world.ben)
    story.answered("PJSIP/102", after=25).ended(60)
    assert (story.call.outcome, Deal.get().owner) == ("answered", world.anna)


def test_a_leg_of_nobody(world: World) -> None:
    story = Story.begins().rings("PJSIP/999").answered("PJSIP/999")
    story.ended(60)
    assert (story.call.outcome, story.call.agent, story.call.deal.owner) == ("answered", None, None)
    assert Leg.get().user is None


def test_hostile_names_and_numbers(world: World) -> None:
    name = "<script>alert(1)</script>\r\n\x00\u202e" + "x" * 10_000
    for count, number in enumerate(("9" * 40, "abc\x00'\"", "x" * 10_000, "", "anonymous")):
        story = Story.begins(number, f"{count}.1", name=name, did="'; DROP TABLE calls; --" * 9)
        story.rings("PJSIP/101").ended()
        assert story.call.number is None
        assert len(story.call.number_text) <= 40
        assert len(story.call.name) == 80
        assert "\n" not in story.call.name
    assert not Contact.select().exists()
    named = Story.begins(CUSTOMER, "9.9", name=name).rings("PJSIP/101").ended().call
    assert named.contact.name.startswith("<script>")
