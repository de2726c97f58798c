"""The ledger: what the events of a call come to, in any order in which Asterisk may send them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_app.events import (
    Bridged,
    Channel,
    Connected,
    Dialled,
    Event,
    HungUp,
    Settled,
    Snapshot,
    Updated,
)
from ari_app.ledger import Ledger
from telephony.call_report import LegReport
from tests.calls.wires import (
    ANNA,
    BEN,
    CUSTOMER,
    OLGA,
    PHONES,
    START,
    TRUNK,
    after,
    answered_call,
    answers,
    channel,
    hangs_up,
    in_state,
    joined,
    left,
    listed,
    new_ledger,
    rings,
    told,
)


def outcomes(legs: Iterable[LegReport]) -> dict[str, str | None]:
    return {leg.endpoint: leg.outcome for leg in legs}


def test_answered() -> None:
    report = told(answered_call())
    assert (report.pbx, report.linkedid, report.direction) == ("asterisk", "1.1", "incoming")
    assert (report.number, report.name) == (CUSTOMER, "Miriam Sander")
    assert (report.did, report.started_at) == ("4930555000", START)
    assert (report.answered_at, report.ended_at) == (after(5), after(65))
    assert (report.talk, report.speaker, report.outcome) == (60, "PJSIP/101", "answered")
    assert report.legs == (
        LegReport("1.2", "PJSIP/101", after(0.1), after(5), after(65), "answered"),
    )


def test_while_it_lives() -> None:
    events = answered_call()
    ringing = told(events[:5])
    assert (ringing.answered_at, ringing.ended_at, ringing.outcome) == (None, None, None)
    assert (ringing.legs[0].rang_at, ringing.legs[0].outcome) == (after(0.1), None)
    talking = told(events[:9])
    assert (talking.answered_at, talking.speaker) == (after(5), "PJSIP/101")
    assert (talking.talk, talking.outcome) == (None, None)


def test_answer_is_the_bridge_not_the_word() -> None:
    """Rule 3: a phone that says ANSWER is not yet heard."""
    report = told([Updated(START, TRUNK), *rings(ANNA, 0), *answers(ANNA, 5)])
    assert (report.answered_at, report.speaker) == (None, None)


def test_not_answered() -> None:
    report = told(
        [Updated(START, TRUNK), *rings(ANNA, 0), *hangs_up(ANNA, 25, 26), *hangs_up(TRUNK, 26)]
    )
    assert (report.outcome, report.talk, report.speaker) == ("missed", None, None)
    assert (report.ended_at, outcomes(report.legs)) == (after(26), {"PJSIP/101": "missed"})


def test_the_caller_gives_up_while_it_rings() -> None:
    report = told(
        [Updated(START, TRUNK), *rings(ANNA, 0), *hangs_up(TRUNK, 4, 127), *hangs_up(ANNA, 4, 26)]
    )
    assert (report.outcome, report.ended_at) == ("missed", after(4))


def test_an_announcement_is_no_answer() -> None:
    """The dialplan answers, plays something and hangs up; nobody of the company was there."""
    up = in_state(TRUNK, "Up")
    report = told(
        [Updated(START, TRUNK), Updated(after(1), up), *joined(1, "hold", up), *hangs_up(up, 30)]
    )
    assert (report.outcome, report.answered_at, report.legs) == ("missed", None, ())


@pytest.mark.parametrize(("status", "cause"), [("BUSY", 16), ("", 17), ("BUSY", 17)])
def test_busy(status: str, cause: int) -> None:
    """Either the status or the cause may be the one that says so."""
    says = [Dialled(after(1), TRUNK, ANNA, status)]
    events = [Updated(START, TRUNK), *rings(ANNA, 0)[:2], *says, *hangs_up(ANNA, 1, cause)]
    report = told([*events, *hangs_up(TRUNK, 1)])
    assert (report.outcome, outcomes(report.legs)) == ("busy", {"PJSIP/101": "busy"})


def test_one_busy_and_one_not_answered_is_missed() -> None:
    events = [
        Updated(START, TRUNK),
        *rings(ANNA, 0)[:2],
        *rings(BEN, 0),
        *hangs_up(ANNA, 0.2, 17),
        *hangs_up(BEN, 20, 26),
        *hangs_up(TRUNK, 20),
    ]
    report = told(events)
    assert report.outcome == "missed"
    assert outcomes(report.legs) == {"PJSIP/101": "busy", "PJSIP/102": "missed"}


def test_one_busy_while_a_phone_of_nobody_rings_is_missed() -> None:
    kitchen = channel("1.9", "PJSIP/199", state="Down", number="199")
    events = [
        Updated(START, TRUNK),
        *rings(ANNA, 0)[:2],
        *rings(kitchen, 0),
        *hangs_up(ANNA, 0.2, 17),
        *hangs_up(kitchen, 20, 26),
        *hangs_up(TRUNK, 20),
    ]
    assert told(events).outcome == "missed"


def test_a_phone_that_is_not_there() -> None:
    """20: subscriber absent. The customer called in vain all the same."""
    report = told(
        [Updated(START, TRUNK), *rings(ANNA, 0)[:2], *hangs_up(ANNA, 1, 20), *hangs_up(TRUNK, 1)]
    )
    assert (report.outcome, outcomes(report.legs)) == ("missed", {"PJSIP/101": "failed"})


def test_ring_group_of_three() -> None:
    events = [
        Updated(START, TRUNK),
        *rings(ANNA, 0),
        *rings(BEN, 0),
        *rings(OLGA, 0),
        *answers(BEN, 5),
        *hangs_up(ANNA, 5, 26),
        *hangs_up(OLGA, 5, 26),
        *joined(5, "b1", TRUNK, BEN),
        *hangs_up(BEN, 35),
        *hangs_up(TRUNK, 35),
    ]
    report = told(events)
    assert (report.outcome, report.speaker, report.talk) == ("answered", "PJSIP/102", 30)
    assert outcomes(report.legs) == {
        "PJSIP/101": "missed",
        "PJSIP/102": "answered",
        "PJSIP/103": "missed",
    }


def test_a_queue_calls_through_local_channels() -> None:
    """The trunk meets one half, the phone the other; the halves are the same wire."""
    first = channel("1.5", "Local/101@phones", label="Local/101@phones-00000001;1")
    second = channel("1.6", "Local/101@phones", label="Local/101@phones-00000001;2")
    events = [
        Updated(START, TRUNK),
        *rings(first, 0),
        Updated(START, second),
        *rings(ANNA, 0, caller=second),
        *answers(ANNA, 5, caller=second),
        *joined(5, "b2", second, ANNA),
    ]
    assert told(events).answered_at is None, "nobody outside hears her yet"
    events += joined(6, "b1", TRUNK, first)
    report = told(events)
    assert (report.answered_at, report.speaker) == (after(6), "PJSIP/101")
    assert [leg.endpoint for leg in report.legs] == ["PJSIP/101"]
    for who in (TRUNK, first, second, ANNA):
        events += hangs_up(who, 66)
    report = told(events)
    assert (report.outcome, report.talk, report.ended_at) == ("answered", 60, after(66))


def test_two_members_of_a_queue_on_local_channels_do_not_hear_each_other() -> None:
    other = channel("1.7", "Local/102@phones", label="Local/102@phones-00000002;1")
    events = [Updated(START, TRUNK), Updated(START, other), *rings(BEN, 0)]
    assert told([*events, *joined(5, "b1", TRUNK, other), *joined(5, "b2", BEN)]).speaker is None


def test_a_blind_transfer() -> None:
    events = [
        *answered_call()[:9],
        *left(20, "b1", ANNA, TRUNK),
        *hangs_up(ANNA, 20),
        *rings(BEN, 20),
        *answers(BEN, 30),
        *joined(30, "b2", TRUNK, BEN),
    ]
    assert told(events).speaker == "PJSIP/102"
    report = told([*events, *hangs_up(BEN, 50), *hangs_up(TRUNK, 50)])
    assert (report.answered_at, report.talk) == (after(5), 15 + 20)
    assert (report.speaker, report.outcome) == ("PJSIP/102", "answered")
    assert [leg.answered_at for leg in report.legs] == [after(5), after(30)]


def test_a_transfer_that_nobody_takes_stays_with_the_first_speaker() -> None:
    events = [
        *answered_call()[:9],
        *left(20, "b1", ANNA, TRUNK),
        *hangs_up(ANNA, 20),
        *rings(BEN, 20),
        *hangs_up(BEN, 40, 26),
        *hangs_up(TRUNK, 40),
    ]
    report = told(events)
    assert (report.speaker, report.outcome, report.talk) == ("PJSIP/101", "answered", 15)


def test_two_who_talk_at_once_are_counted_once() -> None:
    events = [
        *answered_call()[:9],
        *rings(BEN, 20),
        *joined(30, "b1", TRUNK, ANNA, BEN)[2:],
        *hangs_up(ANNA, 50),
        *hangs_up(BEN, 65),
        *hangs_up(TRUNK, 65),
    ]
    report = told(events)
    assert (report.talk, report.speaker) == (60, "PJSIP/102")


def test_hold_is_not_talk() -> None:
    events = [*answered_call()[:9], *left(15, "b1", ANNA), *joined(25, "b1", TRUNK, ANNA)[1:]]
    report = told([*events, *hangs_up(ANNA, 45), *hangs_up(TRUNK, 45)])
    assert (report.answered_at, report.talk) == (after(5), 10 + 20)


def test_outgoing_and_internal() -> None:
    caller = channel("1.1", "PJSIP/101", number="101", exten="03044701182", state="Ring")
    outside = channel("1.2", "PJSIP/trunk", state="Down")
    assert told([Updated(START, caller)]).direction == "internal"
    events = [
        Updated(START, caller),
        *rings(outside, 0, caller=caller),
        *joined(5, "b1", caller, outside),
        *hangs_up(outside, 25),
        *hangs_up(caller, 25),
    ]
    report = told(events)
    assert (report.direction, report.number, report.did) == ("outgoing", "03044701182", "")
    assert (report.speaker, report.talk, report.outcome) == ("PJSIP/101", 20, "answered")
    inner = [
        Updated(START, caller),
        *rings(BEN, 0, caller=caller),
        *joined(5, "b1", caller, BEN),
        *hangs_up(BEN, 25),
        *hangs_up(caller, 25),
    ]
    report = told(inner)
    assert (report.direction, report.outcome, report.talk) == ("internal", "answered", 20)


@pytest.mark.parametrize(("cause", "outcome"), [(17, "busy"), (38, "failed"), (19, "missed")])
def test_outgoing_in_vain(cause: int, outcome: str) -> None:
    caller = channel("1.1", "PJSIP/101", exten="03044701182", state="Ring")
    outside = channel("1.2", "PJSIP/trunk", state="Down")
    events = [
        Updated(START, caller),
        *rings(outside, 0, caller=caller)[:2],
        *hangs_up(outside, 5, cause),
        *hangs_up(caller, 5),
    ]
    assert told(events).outcome == outcome


@pytest.mark.parametrize("sent", ["03044701182", ""])
def test_the_digit_that_gets_a_line_is_not_part_of_the_number(sent: str) -> None:
    caller = channel("1.1", "PJSIP/101", exten="903044701182", state="Ring")
    outside = channel("1.2", "PJSIP/trunk", state="Down", number="903044701182")
    report = told([Updated(START, caller), Dialled(START, caller, outside, "", sent)])
    assert (report.direction, report.number) == ("outgoing", sent or "903044701182")


def begun_by_a_program(*, seller_first: bool) -> list[Event]:
    """Asterisk dials one, then the other: it is told so by a click in another program."""
    seller = channel("1.1", "PJSIP/101", state="Down", created=0 if seller_first else 3)
    customer = channel("1.2", "PJSIP/trunk", state="Down", created=3 if seller_first else 0)
    if not seller_first:
        seller, customer = replace(seller, id="1.2"), replace(customer, id="1.1")
    first, second = (seller, customer) if seller_first else (customer, seller)
    sent = {seller.id: "", customer.id: "03044701182"}
    up = [in_state(first, "Up"), in_state(second, "Up")]
    return [
        Updated(START, first),
        Dialled(START, None, first, "", sent[first.id]),
        Updated(after(3), up[0]),
        Updated(after(3), second),
        Dialled(after(3), up[0], second, "", sent[second.id]),
        Updated(after(5), up[1]),
        *joined(5, "b1", *up),
        *hangs_up(up[0], 25),
        *hangs_up(up[1], 25),
    ]


@pytest.mark.parametrize("seller_first", [True, False])
def test_a_call_that_a_program_began_is_outgoing(seller_first: bool) -> None:
    ledger = new_ledger()
    for event in begun_by_a_program(seller_first=seller_first):
        ledger.apply(event)
        report = ledger.report("1.1")
        assert report is None or report.direction in ("internal", "outgoing")
    assert report is not None
    assert (report.direction, report.number, report.did) == ("outgoing", "03044701182", "")
    assert (report.outcome, report.talk, report.speaker) == ("answered", 20, "PJSIP/101")


def test_a_call_that_begins_on_a_local_channel_is_nobodys_until_somebody_joins() -> None:
    halves = [
        channel(f"1.{n}", "Local/101@phones", label=f"Local/101@phones-00000001;{n}", state="Ring")
        for n in (1, 2)
    ]
    ledger = new_ledger()
    for half in halves:
        ledger.apply(Updated(START, half))
    assert ledger.report("1.1") is None
    seller = channel("1.3", "PJSIP/101", state="Down", created=1)
    customer = channel("1.4", "PJSIP/trunk", state="Down", created=3)
    report = told([Updated(START, seller), Dialled(START, halves[1], seller, "")], ledger)
    assert report.direction == "internal"
    told([Updated(after(3), customer)], ledger)
    report = told([Dialled(after(3), halves[0], customer, "", "03044701182")], ledger)
    assert (report.direction, report.number) == ("outgoing", "03044701182")


def test_text_messages_are_no_call() -> None:
    """Asterisk has a channel for them that lives until it ends itself."""
    ledger = new_ledger()
    ledger.apply(Updated(START, channel("1.1", "Message/ast_msg_queue", number=CUSTOMER)))
    assert ledger.report("1.1") is None


def test_a_channel_of_which_nothing_tells_the_call() -> None:
    """ari.conf does not name the linkedid. If it comes to do so during a call, that is enough."""
    ledger = new_ledger()
    for event in (Updated(START, replace(TRUNK, linkedid="")), rings(ANNA, 0)[1]):
        ledger.apply(replace(event, caller=None) if isinstance(event, Dialled) else event)
    assert (ledger.unlinked, set(ledger.calls)) == (1, {"1.1"})
    assert ledger.apply(HungUp(after(1), replace(ANNA, linkedid=""), 16)) == {"1.1"}


# Ghosts, gaps and restarts


def test_what_is_gone_stays_gone() -> None:
    ledger = new_ledger()
    report = told(answered_call(), ledger)
    assert ledger.apply(Updated(after(66), ANNA)) == set()
    assert ledger.apply(rings(ANNA, 66)[1]) == set()
    assert ledger.apply(hangs_up(TRUNK, 67)[0]) == set()
    assert ledger.report("1.1") == report


def test_a_finished_call_is_forgotten_and_a_live_one_is_not() -> None:
    ledger = new_ledger()
    for event in answered_call()[:9]:
        ledger.apply(event)
    ledger.forget_finished("1.1")
    assert "1.1" in ledger.calls
    for event in answered_call()[9:]:
        ledger.apply(event)
    ledger.forget_finished("1.1")
    ledger.forget_finished("1.1")
    assert ledger.calls == {}
    for event in answered_call()[-4:]:
        ledger.apply(event)
    assert ledger.calls == {}, "late events wake nobody"


def test_only_so_many_ghosts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ari_app.heard.GONE_REMEMBERED", 10)
    ledger = new_ledger()
    for count in range(50):
        who = channel(f"{count}.1", "PJSIP/trunk", linkedid=f"{count}.1")
        ledger.apply(HungUp(START, who, 16))
        ledger.forget_finished(f"{count}.1")
    assert (len(ledger._gone), ledger.calls) == (10, {})


def test_what_ended_during_a_gap_ends_with_the_snapshot() -> None:
    gap: list[Event] = [Connected(after(70)), *listed(70)]
    report = told([*answered_call()[:9], *gap])
    assert (report.outcome, report.ended_at, report.talk) == ("answered", after(70), 65)
    missed = told([*answered_call()[:5], *gap])
    assert (missed.outcome, missed.ended_at) == ("missed", after(70))


def test_one_leg_ended_during_a_gap() -> None:
    report = told([*answered_call()[:9], Connected(after(30)), *listed(30, TRUNK)])
    assert (report.ended_at, report.legs[0].ended_at) == (None, after(30))


def test_a_gap_in_which_nothing_happened_changes_nothing() -> None:
    events = answered_call()
    up = in_state(ANNA, "Up")
    gap: list[Event] = [Connected(after(30)), *listed(30, TRUNK, up, b1=(TRUNK, up))]
    assert told([*events[:9], *gap, *events[9:]]) == told(events)


def test_a_bridge_that_was_left_during_a_gap() -> None:
    """Both still live, but not with each other: she holds him, or he is in an announcement."""
    events = [*answered_call()[:9], Connected(after(30)), *listed(30, TRUNK, in_state(ANNA, "Up"))]
    report = told([*events, *hangs_up(ANNA, 50), *hangs_up(TRUNK, 50)])
    assert (report.talk, report.outcome) == (25, "answered")


def test_what_came_between_connecting_and_the_list_is_newer_than_the_list() -> None:
    events = [
        *answered_call()[:5],
        Connected(after(4)),
        *answers(ANNA, 5),
        *joined(5, "b1", TRUNK, ANNA),
        *listed(4.5, TRUNK, in_state(ANNA, "Ringing")),
        *hangs_up(ANNA, 65),
        *hangs_up(TRUNK, 65),
    ]
    assert told(events).talk == 60


@pytest.mark.parametrize("then", [(TRUNK,), (TRUNK, ANNA)])
def test_a_bridge_that_changed_while_the_list_was_on_its_way(then: tuple[Channel, ...]) -> None:
    """Anna comes, or goes, after the list was made and before it is here."""
    comes = len(then) == 1
    now = (TRUNK, ANNA) if comes else (TRUNK,)
    up = in_state(ANNA, "Up")
    events: list[Event] = [
        *answered_call()[:5],
        *([] if comes else joined(5, "b1", TRUNK, ANNA)),
        Connected(after(10)),
        Bridged(after(11), "b1", tuple(who.id for who in now), up),
        *listed(12, TRUNK, up, b1=then),
        *hangs_up(ANNA, 65),
        *hangs_up(TRUNK, 65),
    ]
    assert told(events).talk == (54 if comes else 6)


def test_a_start_while_they_are_being_connected() -> None:
    """Who else is in the bridge is only known by the list."""
    up = in_state(ANNA, "Up")
    events: list[Event] = [
        Connected(after(4)),
        Bridged(after(5), "b1", (TRUNK.id, ANNA.id), up),
        *listed(6, TRUNK, up),
    ]
    report = told(events)
    assert (report.direction, report.answered_at) == ("incoming", after(5))


def test_a_start_in_the_middle_of_calls() -> None:
    app = "AppDial((Outgoing Line))"
    talking = channel("1.2", "PJSIP/101", app=app)
    ringing = channel("2.2", "PJSIP/102", linkedid="2.1", state="Ringing", app=app)
    second = channel("2.1", "PJSIP/trunk", linkedid="2.1", number="+4930999888")
    ledger = new_ledger()
    ledger.apply(Connected(after(30)))
    list_, settled = listed(30, ringing, talking, second, TRUNK, b1=(talking, TRUNK))
    touched = ledger.apply(list_) | ledger.apply(settled)
    assert touched == {"1.1", "2.1"}
    assert ledger.report("1.1").answered_at == after(30)
    assert ledger.report("1.1").direction == "incoming"
    other = ledger.report("2.1")
    assert (other.answered_at, other.legs[0].rang_at) == (None, after(30))


def test_users_that_become_known_during_a_call() -> None:
    """The database was away when Trichter started."""
    known: set[str] = set()
    ledger = Ledger("asterisk", lambda endpoint: endpoint in known)
    for event in answered_call()[:5]:
        ledger.apply(event)
    known |= PHONES
    report = told(answered_call()[5:], ledger)
    assert (report.outcome, report.speaker) == ("answered", "PJSIP/101")


# Orders


# Each list is one thing after the other; the lists of one moment may mix.
MOMENTS: list[list[list[Event]]] = [
    [[Updated(START, TRUNK)]],
    [rings(ANNA, 0)[:2], rings(BEN, 0)[:2]],
    [[e] for e in (*rings(ANNA, 0)[2:], *rings(BEN, 0)[2:])],
    [answers(BEN, 5)[:1], answers(BEN, 5)[1:], hangs_up(ANNA, 5, 26), joined(5, "b1", TRUNK, BEN)],
    [left(35, "b1", BEN, TRUNK), [Updated(after(35), TRUNK)]],
    [hangs_up(BEN, 35), hangs_up(TRUNK, 35)],
]


@st.composite
def orders(draw: st.DrawFn) -> list[Event]:
    """The call of MOMENTS, mixed as Asterisk may, some events twice, cut by reconnects."""
    events: list[Event] = []
    for moment in MOMENTS:
        waiting = [list(strand) for strand in moment]
        while waiting:
            strand = draw(st.sampled_from(waiting))
            events += [strand.pop(0)] * draw(st.integers(1, 2))
            waiting = [s for s in waiting if s]
    for cut in sorted(draw(st.sets(st.integers(0, len(events)), max_size=2)), reverse=True):
        at = getattr(events[cut - 1], "at", START)
        events[cut:cut] = [Connected(at), seen(events[:cut]), Settled(at)]
    return events


def seen(events: list[Event]) -> Snapshot:
    """What a list of everything would show after these events."""
    live: dict[str, Channel] = {}
    bridges: dict[str, tuple[str, ...]] = {}
    for event in events:
        who = getattr(event, "peer", None) or getattr(event, "channel", None)
        if isinstance(event, HungUp):
            live.pop(event.channel.id, None)
            bridges = {
                b: tuple(m for m in ms if m != event.channel.id) for b, ms in bridges.items()
            }
        elif who:
            live[who.id] = who
        if isinstance(event, Bridged):
            bridges[event.bridge] = event.members
    at = events[-1].at if events else START
    listed = tuple(Bridged(at, b, ms) for b, ms in bridges.items() if ms)
    return Snapshot(at, tuple(live.values()), listed)


@settings(max_examples=150, deadline=None)
@given(orders())
def test_any_order_that_asterisk_can_emit_gives_the_same_report(events: list[Event]) -> None:
    plain = [event for moment in MOMENTS for strand in moment for event in strand]
    assert told(events) == told(plain)
