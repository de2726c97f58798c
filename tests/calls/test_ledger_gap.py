"""The list of what lives can be newer than events that are not read yet, and it is not the end of
a call that it lacks it: that may still come, with its time and its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ari_app.events import Connected, Dialled, Event, Settled, Updated
from ari_app.recorder import Recorder
from models import Call
from tests.calls.wires import (
    ANNA,
    START,
    TRUNK,
    after,
    answered_call,
    answers,
    hangs_up,
    in_state,
    joined,
    left,
    listed,
    new_ledger,
    rings,
    snapshot,
    told,
)
from tests.world import World

UP = in_state(ANNA, "Up")
RINGING = in_state(ANNA, "Ringing")


def test_what_the_list_lacks_may_have_ended_a_moment_ago() -> None:
    """Connected again at 4; at 70 the list is made and nobody is left; then comes what was."""
    events = answered_call()
    straight = told(events)
    late: list[Event] = [*events[:5], Connected(after(4)), snapshot(4), *events[5:]]
    report = told([*late, Settled(after(70))])
    assert (report, report.end_is_guess) == (straight, False)


def test_a_call_that_nothing_more_is_heard_of_ends_when_all_has_come() -> None:
    ledger = new_ledger()
    report = told([*answered_call()[:9], Connected(after(30)), snapshot(30)], ledger)
    assert (report.ended_at, report.end_is_guess) == (None, False)
    report = told([Settled(after(31))], ledger)
    assert (report.ended_at, report.end_is_guess, report.outcome) == (after(30), True, "answered")


def test_a_list_that_is_newer_does_not_tell_since_when() -> None:
    """Asked at 1, made at 10: she talks since 5."""
    behind = answered_call()[:9]
    events: list[Event] = [Connected(START), snapshot(0, TRUNK, UP, b1=(TRUNK, UP)), *behind]
    report = told([*events, Settled(after(10))])
    assert report.answered_at == after(5)
    assert report.legs[0].rang_at == after(0.1)


def test_since_when_it_rang_before_it_is_not_told_by_the_list_either() -> None:
    ringing = replace(RINGING, app="AppDial((Outgoing Line))")
    events: list[Event] = [Connected(START), snapshot(0, TRUNK, ringing)]
    report = told([*events, *rings(ANNA, 2), Settled(after(3))])
    assert report.legs[0].rang_at == after(2.1)


@pytest.mark.parametrize("app", ["AppDial((Outgoing Line))", "AppQueue((Outgoing Line))"])
def test_a_phone_that_rang_before_the_gap_rings_since_the_list(app: str) -> None:
    report = told([Connected(after(3)), *listed(3, TRUNK, replace(RINGING, app=app))])
    assert report.legs[0].rang_at == after(3)


def test_the_word_of_an_older_list_settles_nothing() -> None:
    """The connection was lost again before it came."""
    ledger = new_ledger()
    old = replace(snapshot(10), mark="old")
    new = replace(snapshot(20), mark="new")
    cut: list[Event] = [Connected(after(10)), old, Connected(after(20)), Settled(after(20), "old")]
    report = told([*answered_call()[:9], *cut, new, Settled(after(21), "old")], ledger)
    assert (report.ended_at, ledger.is_settled) == (None, False)
    report = told([Settled(after(22), "new")], ledger)
    assert (report.ended_at, ledger.is_settled) == (after(20), True)
    assert ledger.apply(Settled(after(23), "new")) == set()


def test_a_talk_of_which_only_the_end_is_heard() -> None:
    """They met in the gap: who leaves a bridge was in it."""
    gap: list[Event] = [Connected(after(8)), *left(20, "b1", UP, TRUNK), *hangs_up(UP, 20)]
    events = [*answered_call()[:5], *gap, *hangs_up(TRUNK, 20), *listed(8)]
    report = told(events)
    assert (report.outcome, report.answered_at, report.speaker) == (
        "answered",
        after(20),
        "PJSIP/101",
    )


def test_who_left_a_bridge_twice_was_not_in_it_again() -> None:
    events = answered_call()
    assert told([*events[:10], events[9], *events[10:]]) == told(events)


def test_the_rows_of_a_restart_keep_the_talk(world: World) -> None:
    """Answered before, ended between connecting and listing."""
    events = answered_call()
    first = Recorder(new_ledger())
    first.take(events[:9])
    first.write()
    anew = Recorder(new_ledger())
    anew.take([Connected(after(64)), *events[9:], snapshot(66)])
    anew.write()
    assert Call.get().ended_at is None, "nothing is said before all is known"
    anew.take([Settled(after(66))])
    anew.write()
    call = Call.get()
    assert (call.outcome, call.talk, call.ended_at) == ("answered", 60, after(65))
    assert (call.guessed_end, call.agent) == (False, world.anna)


def test_a_row_whose_end_is_still_on_its_way_is_not_given_up(world: World) -> None:
    """It rang at the old process; the new one has heard neither list nor event of it yet."""
    first = Recorder(new_ledger())
    first.take(answered_call()[:5])
    first.write()
    anew = Recorder(new_ledger())
    anew.take([Connected(after(4)), snapshot(66)])
    anew.write()
    assert Call.get().ended_at is None
    anew.take([*answers(ANNA, 5), *joined(5, "b1", TRUNK, UP), *answered_call()[9:]])
    anew.take([Settled(after(66))])
    anew.write()
    call = Call.get()
    assert (call.outcome, call.talk, call.guessed_end) == ("answered", 60, False)
    assert (call.answered_at, call.agent) == (after(5), world.anna)


def test_events_do_not_pile_up_when_no_list_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connection after connection is lost before the list is there."""
    monkeypatch.setattr("ari_app.ledger.MOST_WAITING", 5)
    ledger = new_ledger()
    straight = told(answered_call())
    touched: set[str] = set()
    for event in answered_call():
        touched |= ledger.apply(Connected(event.at)) | ledger.apply(event)
        assert ledger._gap
        assert len(ledger._gap.events) <= 6 + 1
    report = told([Connected(after(66)), *listed(66)], ledger)
    assert (report.outcome, report.talk) == (straight.outcome, straight.talk)
    assert touched == {"1.1"}


# What else a channel tells


def test_the_queue_in_which_a_caller_waited_last() -> None:
    waits = replace(TRUNK, app="Queue(sales-all,tk,,,120)")
    later = replace(TRUNK, app="Queue(service)")
    assert told([Updated(START, TRUNK)]).queue == ""
    events: list[Event] = [Updated(START, TRUNK), Dialled(after(1), waits, ANNA, "")]
    assert told(events).queue == "sales-all"
    assert told([*events, *hangs_up(ANNA, 2), Updated(after(3), later)]).queue == "service"
    assert told([*events, *hangs_up(TRUNK, 2)]).queue == "sales-all", "he has left it, it stays"
    assert told([Connected(START), *listed(1, waits)]).queue == "sales-all"


def test_a_phone_called_by_a_queue_waits_in_none() -> None:
    assert told([Updated(START, replace(TRUNK, app="AppQueue((Outgoing Line))"))]).queue == ""


def test_the_first_known_recording_stays() -> None:
    one, two = (replace(ANNA, recording=f"/r/{n}.wav") for n in (1, 2))
    assert told([Updated(START, TRUNK), Dialled(START, TRUNK, one, "")]).recording == "/r/1.wav"
    events: list[Event] = [
        Updated(START, replace(TRUNK, recording="/r/0.wav")),
        Dialled(START, TRUNK, two, ""),
    ]
    assert told(events).recording == "/r/0.wav"


def test_what_a_consultation_knows_comes_with_it() -> None:
    consultation = replace(ANNA, linkedid="2.1", id="2.1", app="Queue(help)", recording="/r/2.wav")
    ledger = new_ledger()
    for event in (Updated(START, consultation), *answered_call()[:9]):
        ledger.apply(event)
    report = told([Updated(after(9), replace(consultation, linkedid="1.1"))], ledger)
    assert (report.queue, report.recording, report.absorbed) == ("help", "/r/2.wav", ("2.1",))


def test_queue_and_recording_are_in_the_row(world: World) -> None:
    recorder = Recorder(new_ledger())
    told_so = replace(TRUNK, app="Queue(sales-all)", recording="/r/1.wav")
    recorder.take([Updated(START, told_so), *answered_call()])
    recorder.write()
    assert (Call.get().queue, Call.get().recording) == ("sales-all", "/r/1.wav")
