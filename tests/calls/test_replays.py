"""Rule 8: recordings of real calls, told in another order, twice, among others, cut and restarted
at any point. See tests/calls/replays.py for what Asterisk may do and what it may not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

import database
from ari_app.events import Connected, Event, Settled
from ari_app.gap import channels_of
from ari_app.recorder import Recorder
from models import Call, Deal, Phone
from models import Event as News
from telephony.call_report import CallReport
from tests.calls.replays import (
    MOMENT,
    connecting,
    events_of,
    forget_all,
    listed_after,
    record,
    rows,
    swapped,
    talks,
    tapes,
)
from tests.calls.wires import new_ledger
from tests.world import World

PLACES = st.integers(0, 200)
TAPES = st.sampled_from(tapes())
AHEAD = st.integers(0, 6)

in_rows = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
in_reports = settings(max_examples=100, deadline=None)


@pytest.fixture
def quick(world: World) -> Iterator[World]:
    """The world on a database that does not wait for the disk."""
    database.database.execute_sql("PRAGMA synchronous = OFF")
    yield world
    STRAIGHT.clear()


STRAIGHT: dict[str, tuple[dict[str, Any], dict[str, int | None]]] = {}


def straight(tape: str) -> tuple[dict[str, Any], dict[str, int | None]]:
    """Rows and talks of a recording that was heard from beginning to end by one process."""
    if tape not in STRAIGHT:
        forget_all()
        record(events_of(tape))
        STRAIGHT[tape] = rows(), talks()
    return STRAIGHT[tape]


def reports(events: list[Event]) -> dict[str, CallReport]:
    ledger = new_ledger()
    for event in events:
        ledger.apply(event)
    found = {linkedid: ledger.report(linkedid) for linkedid in ledger.calls}
    return {linkedid: report for linkedid, report in found.items() if report}


def close(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 5 * MOMENT


def alike(one: Any, other: Any) -> bool:
    """Equal, but for a few milliseconds."""
    if isinstance(one, datetime):
        return isinstance(other, datetime) and close(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[k], other[k]) for k in one)
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


def place_in(events: tuple[Event, ...], at: int) -> int:
    """From after the first event to before the last."""
    return 1 + at % max(1, len(events) - 1)


def check_invariants(answered_before: set[str]) -> None:
    """What holds whatever was lost."""
    calls = list(Call.select())
    ends = Counter(e.call_id for e in News.of_kind("call.ended"))
    for call in calls:
        assert call.ended_at, "no call lives for ever"
        assert call.outcome in ("answered", "missed", "busy", "failed")
        assert (call.outcome == "answered") == (call.answered_at is not None)
        assert call.wait is not None
        assert call.wait >= 0
        assert call.talk is None or call.talk >= 0
        assert ends[call.id] <= 1 + (call.outcome == "answered"), "at most one miss"
    now = {c.linkedid for c in calls if c.answered_at}
    assert len(now) >= len(answered_before & {c.linkedid for c in calls})
    assert answered_before & {c.linkedid for c in calls} <= now, "an answer is not taken back"
    assert len({phone.e164 for phone in Phone}) == Phone.select().count()
    deals = Counter(deal.contact_id for deal in Deal.select().where(Deal.closed_at.is_null()))
    assert all(count == 1 for count in deals.values()), "one deal for a customer"


@in_rows
@given(tape=TAPES, at=PLACES, ahead=AHEAD)
@example(tape="att_refer_caller_first-22", at=34, ahead=3)  # two calls become one meanwhile
@example(tape="conference-22", at=12, ahead=0)  # the customer of the conference has gone
@example(tape="att_keys_blond-16", at=39, ahead=3)  # over in a moment, in a bridge of before
@example(tape="att_abandoned-16", at=30, ahead=0)  # the talk is over, the call is not
def test_a_restart_at_any_point(quick: World, tape: str, at: int, ahead: int) -> None:
    """No event is lost, though the list may be newer than some; the rows are as ever. Only how long
    they talked the new process knows less well: what lay between two talks counts as talk."""
    expected, talked = straight(tape)
    events = events_of(tape)
    told = connecting(list(events), place_in(events, at), ahead)
    cut = next(i for i, event in enumerate(told) if isinstance(event, Connected))
    # Of wires alone the new process can't tell that they are a call; it guesses that it has ended.
    rest = (c for event in events[cut:] for c in channels_of(event))
    assume(not all(c.is_nobodys for c in rest))
    forget_all()
    record(told[:cut])
    record(told[cut:])
    found = rows()
    if tape.startswith("conference"):
        # Of several who talk at once, the new process does not know who came last.
        for of_call in (*found.values(), *(expected := deepcopy(expected)).values()):
            del of_call["agent"], of_call["owner"]
    assert alike(found, expected)
    for linkedid, talk in talks().items():
        call = Call.get(Call.linkedid == linkedid)
        if talk is None:
            # A mobile outside, nobody's, spoke for the company: it left no leg to tell.
            by_phones = any(leg.answered_at for leg in call.legs)
            assert talked[linkedid] is None or not by_phones
        elif call.answered_at is None:
            assert talk == talked[linkedid]
        else:
            longest = (call.ended_at - call.answered_at).total_seconds() + 1
            assert (talked[linkedid] or 0) - 1 <= talk <= longest
    check_invariants(set())


@in_rows
@given(tape=TAPES, at=PLACES, lost=st.integers(0, 25), restarted=st.booleans())
def test_a_gap_anywhere(quick: World, tape: str, at: int, lost: int, restarted: bool) -> None:
    """Events are lost, with the process or with the connection only."""
    events = list(events_of(tape))
    begin = place_in(events_of(tape), at)
    end = min(len(events), begin + lost)
    forget_all()
    recorder = record(events[:begin])
    answered = {c.linkedid for c in Call.select().where(Call.answered_at.is_null(False))}
    if restarted:
        recorder = Recorder(new_ledger())
    moment = events[end - 1].at
    gap: list[Event] = [Connected(moment), listed_after(events[:end]), Settled(moment)]
    record([*gap, *events[end:]], recorder)
    assert {c.linkedid for c in Call} <= {e.channel.id for e in events if has_channel(e)}
    check_invariants(answered)


def has_channel(event: Event) -> bool:
    return getattr(event, "channel", None) is not None


@in_reports
@given(tape=TAPES, at=PLACES, ahead=AHEAD)
def test_a_connection_made_anew_without_a_loss(tape: str, at: int, ahead: int) -> None:
    events = events_of(tape)
    told = connecting(list(events), place_in(events, at), ahead)
    plain = reports(list(events)).items()
    # A call that lived when the connection was made may have been told better elsewhere.
    found = {i: replace(r, end_is_guess=False) for i, r in reports(told).items()}
    assert found == {i: replace(r, end_is_guess=False) for i, r in plain}


@st.composite
def mixed(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """One to three recordings: one after the other, and all at once, in another order that
    Asterisk could have told them in, some of it twice."""
    chosen = draw(st.lists(TAPES, min_size=1, max_size=3, unique_by=lambda t: t))
    queues = [swapped(events_of(tape), draw(st.lists(PLACES, max_size=30))) for tape in chosen]
    plain = [event for tape in chosen for event in events_of(tape)]
    twice = draw(st.sets(PLACES, max_size=20))
    turns = (queues[p] for p in draw(st.lists(st.integers(0, 2), max_size=200)) if p < len(queues))
    told = [queue.pop(0) for queue in turns if queue]
    told += [event for queue in queues for event in queue]
    return plain, [e for i, e in enumerate(told) for e in [e] * (1 + (i in twice))]


@in_reports
@given(mixed())
def test_any_order_among_others_and_twice(streams: tuple[list[Event], list[Event]]) -> None:
    plain, told = streams
    expected, found = reports(plain), reports(told)
    assert found.keys() == expected.keys()
    for linkedid, report in found.items():
        truth = expected[linkedid]
        for name in ("direction", "number", "did", "outcome", "speaker", "queue", "end_is_guess"):
            assert getattr(report, name) == getattr(truth, name), name
        assert set(report.absorbed) == set(truth.absorbed)
        assert close(report.answered_at, truth.answered_at)
        assert close(report.ended_at, truth.ended_at)
        assert abs((report.talk or 0) - (truth.talk or 0)) <= 1
        legs = {leg.channel: leg for leg in report.legs}
        assert legs.keys() == {leg.channel for leg in truth.legs}
        for leg in truth.legs:
            assert (legs[leg.channel].outcome, legs[leg.channel].endpoint) == (
                leg.outcome,
                leg.endpoint,
            )
            assert close(legs[leg.channel].answered_at, leg.answered_at)


def test_what_must_not_change_places_does_not() -> None:
    """The two last words of a call: its phone leaves the bridge, and is gone."""
    tape = events_of("hold-22")
    ended = swapped(tape, range(len(tape)))
    assert sorted(map(repr, ended)) == sorted(map(repr, tape))
    assert ended != list(tape), "some may, and did"
    for kind in ("Updated", "HungUp"):
        for who in {e.channel.id for e in tape if has_channel(e)}:
            told = [
                [e for e in events if type(e).__name__ == kind and e.channel.id == who]
                for events in (ended, tape)
            ]
            assert told[0] == told[1]
    assert timedelta(0) < MOMENT < timedelta(seconds=0.1)
