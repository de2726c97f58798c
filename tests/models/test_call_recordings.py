"""verbs/recordings.py: which calls a rule wants recorded, and what is known of their files."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import fields
from fields import utcnow
from models import Call, CallRule, Contact, Event, User
from panel.audience import audible_to, call_for
from tests.world import CUSTOMER, Story, World
from verbs import recordings
from verbs.call_consequences import is_untouched
from verbs.deals import assign
from verbs.rule_choice import add_rule

OTHER = "+4940123456"


def record(situation: str, known: bool, did: str = "") -> None:
    CallRule.delete().where(
        CallRule.situation == situation, CallRule.known == known, CallRule.did == did
    ).execute()
    add_rule(situation, known, "deal record", did)


def answered(linkedid: str = "1.1", number: str = CUSTOMER, **more: Any) -> Call:
    return Story.begins(number, linkedid, **more).rings("PJSIP/101").answered("PJSIP/101").call


def due() -> list[str]:
    return [call.linkedid for call in recordings.due("asterisk")]


def test_only_calls_of_the_rule(anywhere: World) -> None:
    assert not recordings.are_wanted()
    record("incoming", known=False)
    assert recordings.are_wanted()
    Contact.of_number(OTHER, "Lindner Logistik", anywhere.anna)
    answered("1.1")
    answered("2.1", OTHER)
    answered("3.1", "+4930999001", direction="outgoing")
    answered("4.1", "102", direction="internal")
    Story.begins("+4930999002", "5.1").rings("PJSIP/101")
    assert due() == ["1.1"]
    record("incoming", known=True)
    answered("6.1", OTHER)
    assert due() == ["1.1", "6.1"], "it counts what holds when the call is answered"
    assert recordings.due("branch") == []


def test_a_hidden_number_is_unknown_and_an_ignored_one_is_left_alone(
    anywhere: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    record("incoming", known=False)
    answered("1.1", "anonymous")
    monkeypatch.setattr(fields, "ignored", frozenset({OTHER}))
    answered("2.1", OTHER)
    assert due() == ["1.1"]


def test_a_called_number_has_a_rule_of_its_own(anywhere: World) -> None:
    record("incoming", known=False, did="+493044799")
    answered("1.1")
    answered("2.1", OTHER, did="+493044799")
    assert due() == ["2.1"]


def test_another_speaker_changes_nothing(anywhere: World) -> None:
    record("incoming", known=False)
    story = Story.begins().rings("PJSIP/101", "PJSIP/102").answered("PJSIP/101")
    story.answered("PJSIP/102")
    assert due() == ["1700000000.1"]


def test_begun_once(anywhere: World) -> None:
    record("incoming", known=False)
    call = answered()
    assert recordings.begin(call.id, "a.wav")
    assert due() == []
    assert recordings.begin(call.id, "a.wav"), "after a restart it is the same"
    assert not recordings.begin(call.id, "b.wav")
    assert Event.of_kind("recording.begun").count() == 1
    assert not recordings.begin(call.id + 99, "a.wav")


def test_not_after_the_end(anywhere: World) -> None:
    record("incoming", known=False)
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101").ended()
    assert due() == []
    assert not recordings.begin(story.call.id, "a.wav")


def test_taken_back(anywhere: World) -> None:
    call = answered()
    recordings.begin(call.id, "a.wav")
    recordings.take_back(call.id, "b.wav")
    assert Call.get().recording == "a.wav"
    recordings.take_back(call.id, "a.wav")
    assert Call.get().recording is None


def test_added_later(anywhere: World) -> None:
    for number in range(3):
        answered(f"{number}.1", f"+493099900{number}")
    Call.update(recording="live.wav").where(Call.linkedid == "0.1").execute()
    found = {"0.1": "cdr.wav", "1.1": "cdr.wav", "2.1": "", "9.9": "cdr.wav"}
    assert recordings.add("branch", found) == 0
    assert [recordings.add("asterisk", found) for _ in range(2)] == [1, 0]
    names = [c.recording for c in Call.select().order_by(Call.linkedid)]
    assert names == ["live.wav", "cdr.wav", None]


def test_played_once_a_day_by_each(anywhere: World) -> None:
    call = answered()
    deal = call.deal
    assert [recordings.played(call, who) for who in people(anywhere)] == [True, True]
    assert [recordings.played(call, who) for who in people(anywhere)] == [False, False]
    Event.update(at=utcnow() - timedelta(days=1)).execute()
    assert recordings.played(call, anywhere.anna)
    assert deal
    assert is_untouched(deal)
    event = Event.of_kind("recording.played").first()
    assert (event.deal_id, call_for(event, anywhere.ben)) == (None, None)


def people(world: World) -> list[User]:
    return [world.anna, world.hugo]


def test_who_may_hear(anywhere: World) -> None:
    """T8: who may see the deal; that a phone rang gives no right to what others said."""
    story = Story.begins().rings("PJSIP/101", "PJSIP/102").answered("PJSIP/101").ended()
    world = anywhere

    def hearers() -> list[str]:
        everybody = (world.anna, world.ben, world.olga, world.hugo, world.ada)
        mine = Call.id == story.call.id
        return [u.login for u in everybody if audible_to(u).where(mine).exists()]

    assert hearers() == ["anna", "hugo", "ada"]
    assert story.call.deal
    assign(story.call.deal, world.ben, by=world.hugo)
    assert hearers() == ["ben", "hugo", "ada"]
    Call.update(deal=None).execute()
    assert hearers() == ["anna", "hugo", "ada"]
