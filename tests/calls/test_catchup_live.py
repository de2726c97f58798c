"""After a gap: what happened while nobody listened, from Asterisk's own records."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import settings
from ari_app.catchup import CatchUp
from ari_app.events import Connected
from fields import utcnow
from models import Call, Deal, Event
from telephony.call_report import LegReport
from tests.calls.lived import lived, near
from tests.calls.records import lines, row
from tests.calls.wires import TRUNK, after, answered_call, listed, new_ledger
from tests.office import Office, until
from tests.scene import Scene, picked_up
from tests.world import Story, World
from verbs import history
from verbs.calls import record_call

ANSWERED = {"cdr-csv": "+493044701190", "cel-custom": "+493044701191"}
MISSED = {"cdr-csv": "+493012345670", "cel-custom": "+493012345671"}
"""Numbers of their own: all tests share one Asterisk and its files."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Master.csv"
    path.touch()
    return path


@pytest.fixture
def catch_up(world: World, file: Path) -> Iterator[Callable[[], None]]:
    """Read the gap, once, to its end."""
    calls = settings.Calls(cdr=str(file), cdr_timezone="UTC")
    reader = CatchUp(replace(world.settings, calls=calls), late=(0.1,))

    def read() -> None:
        reader.begin(utcnow(), frozenset({"live.1"}))
        until(lambda: reader._thread is None, "the end of the catch-up")

    yield read
    reader.end()


def at(seconds: float) -> str:
    """Seconds before now, as a row says it."""
    return (utcnow() - timedelta(seconds=seconds)).isoformat()


def guessed(world: World, answered: bool = False) -> Story:
    """A call of which only the beginning was heard."""
    story = Story.begins(linkedid="1.1", at=utcnow() - timedelta(seconds=300)).rings("PJSIP/101")
    story = story.answered("PJSIP/101") if answered else story
    live = replace(story.report, ended_at=utcnow(), legs=(), answered_at=None, end_is_guess=True)
    record_call(live)
    return story


def test_a_guessed_miss_becomes_the_answer_that_it_was(
    world: World, file: Path, catch_up: Callable[[], None]
) -> None:
    story = guessed(world)
    assert (story.call.outcome, story.call.guessed_end) == ("missed", True)
    file.write_text(lines([row(start=at(300), duration=65, linkedid="1.1", uniqueid="1.1")]))
    catch_up()
    call = story.call
    assert (call.outcome, call.guessed_end, call.talk, call.agent) == (
        "answered",
        False,
        60,
        world.anna,
    )
    assert abs((call.ended_at - call.started_at).total_seconds() - 65) < 1
    (leg,) = call.legs
    assert (leg.outcome, leg.channel, leg.ended_at) == ("answered", "1.1-PJSIP/101", call.ended_at)
    assert [d.owner for d in Deal.select()] == [world.anna]


def test_an_answered_call_gets_its_true_end(
    world: World, file: Path, catch_up: Callable[[], None]
) -> None:
    story = guessed(world, answered=True)
    file.write_text(lines([row(start=at(300), duration=65, linkedid="1.1", uniqueid="1.1")]))
    catch_up()
    assert (story.call.outcome, story.call.talk) == ("answered", 60)
    assert Event.of_kind("call.ended").count() == 1


def test_a_guess_is_not_replaced_by_a_guess(world: World) -> None:
    story = guessed(world)
    ended = story.call.ended_at
    later = ended + timedelta(seconds=50)
    record_call(replace(story.report, ended_at=later, end_is_guess=True))
    assert (story.call.ended_at, story.call.guessed_end) == (ended, True)


def test_what_was_heard_to_its_end_is_not_replaced(
    world: World, file: Path, catch_up: Callable[[], None]
) -> None:
    begun = utcnow() - timedelta(seconds=300)
    story = Story.begins(linkedid="1.1", at=begun).rings("PJSIP/102").ended()
    file.write_text(lines([row(start=at(300), linkedid="1.1", uniqueid="1.1")]))
    catch_up()
    assert (story.call.outcome, story.call.agent) == ("missed", None)


def test_calls_of_the_gap_are_entered_once_and_live_ones_are_left(
    world: World, file: Path, catch_up: Callable[[], None]
) -> None:
    Story.begins(linkedid="0.1", at=utcnow() - timedelta(seconds=600)).ended(60)
    before_it = row(start=at(2000), linkedid="2.1", uniqueid="2.1")
    missed = row(start=at(400), duration=9, disposition="NO ANSWER", linkedid="3.1", uniqueid="3.1")
    lives = row(start=at(90), duration=60, linkedid="live.1", uniqueid="live.1")
    file.write_text(lines([before_it, missed, lives]))
    for _ in range(2):
        catch_up()
    assert [c.linkedid for c in Call.select()] == ["0.1", "3.1"]
    assert Deal.select().count() == 1
    assert Call.get(Call.linkedid == "3.1").needs_call_back


def test_an_unreadable_source_is_said(
    world: World, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls = settings.Calls(cdr=str(file.parent / "none.csv"))
    reader = CatchUp(replace(world.settings, calls=calls), late=(0.1,))
    reader.begin(utcnow(), frozenset())
    until(lambda: "none.csv" in caplog.text, "a line in the log")
    reader.end()


def test_what_ends_unheard_during_a_gap_is_a_guess() -> None:
    ledger = new_ledger()
    for event in (*answered_call()[:-5], Connected(after(40)), *listed(90, TRUNK)):
        ledger.apply(event)
    report = ledger.report("1.1")
    assert report is not None
    assert not report.end_is_guess
    for event in (Connected(after(95)), *listed(99)):
        ledger.apply(event)
    report = ledger.report("1.1")
    assert report is not None
    assert report.end_is_guess
    assert report.ended_at == after(99)


def test_the_gap_begins_where_knowledge_ends(world: World) -> None:
    now = utcnow()
    assert history.gap_begins("asterisk", now) == now - timedelta(days=1)
    ended = Story.begins(linkedid="0.1", at=now - timedelta(hours=3)).ended(60).call.ended_at
    assert history.gap_begins("asterisk", now) == ended
    Story.begins(linkedid="0.2", at=now - timedelta(hours=4))
    assert history.gap_begins("asterisk", now) == now - timedelta(hours=4)
    assert history.gap_begins("branch", now) == now - timedelta(days=1)


def test_phones_keep_the_names_that_they_have_here(world: World) -> None:
    story = Story.begins(linkedid="1.1").rings("PJSIP/101", "PJSIP/102")
    told = [LegReport("PJSIP/102-0c", "PJSIP/102"), LegReport("PJSIP/103-0d", "PJSIP/103")]
    history.record(replace(story.report, legs=tuple(told)))
    assert {leg.channel for leg in story.call.legs} == {
        "1.1-PJSIP/101",
        "1.1-PJSIP/102",
        "PJSIP/103-0d",
    }


def heard_until_now() -> None:
    """What other tests did with the same Asterisk is before the gap."""
    Story.begins(number="+493011111111", linkedid="0.1", at=utcnow()).ended(0)


@pytest.mark.parametrize("kind", ["cdr-csv", "cel-custom"])
def test_calls_while_trichter_was_down(office: Office, kind: str) -> None:
    heard_until_now()
    with office.phones(p101="answer", p102="busy"):
        office.caller(ANSWERED[kind], name="Miriam Sander", way="observe", hold=1.2).run()
    with office.phones():
        office.caller(MISSED[kind], way="observe", rings_for=0.8).run()
    office.pbx.wait_idle()
    record = office.pbx.runtime / "log" / kind / "Master.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRICHTER_CALLS_CDR", str(record))
        patch.setenv("TRICHTER_CALLS_CDR_TIMEZONE", "UTC")
        office.listen()
        (answered,) = office.ended(ANSWERED[kind])
        (missed,) = office.ended(MISSED[kind])
    assert (answered.outcome, answered.agent, answered.did) == (
        "answered",
        office.world.anna,
        "+493055500",
    )
    # CDR knows whole seconds.
    assert near(answered.talk, lived(office, answered).talked, 1)
    legs = {leg.user.login: leg.outcome for leg in answered.legs}
    assert legs == {"anna": "answered", "ben": "busy", "olga": "missed"}
    assert (missed.outcome, missed.agent, missed.talk) == ("missed", None, None)
    assert missed.needs_call_back
    owners = {d.contact.name: d.owner for d in office.deals()}
    assert owners["Miriam Sander"] == office.world.anna


def test_the_end_that_was_not_heard(office: Office, parties: ExitStack) -> None:
    """Trichter hears a call begin, dies, and comes back long after its end."""
    heard_until_now()
    number = "+493044701192"
    record = office.pbx.runtime / "log" / "cel-custom" / "Master.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRICHTER_CALLS_CDR", str(record))
        listener = office.listen()
        scene = Scene(office, parties)
        phone = scene.anna
        outside = scene.customer(number).call("493055500")
        anna = picked_up(phone, outside, 1.2)
        office.event("call.answered")
        listener.kill()
        listener.wait()
        anna.hang_up()
        office.pbx.wait_idle()
        hung_up = utcnow()
        office.listen()
        (call,) = until(
            lambda: list(
                Call.select().where(
                    Call.number == number, Call.ended_at.is_null(False), ~Call.guessed_end
                )
            ),
            "the true end",
        )
    was = lived(office, call)
    assert call.ended_at <= hung_up
    assert (call.outcome, call.agent) == ("answered", office.world.anna)
    assert near(call.talk, was.talked, 1)
    assert call.deal.owner == office.world.anna
    assert Deal.select().where(Deal.contact == call.contact).count() == 1
