"""What real Asterisks 22 and 16 told of forty situations (tests/recordings), replayed.

Each name says what people did; the table says what is true of it. The phones are 101 to 103, those
of the world's anna, ben and olga; the recordings were made by acts of tests/softphone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_app.events import Event, Updated
from ari_app.ledger import Ledger
from ari_app.recorder import Recorder
from ari_app.tape import Tape, masked, replay
from models import Call, Leg
from telephony.call_report import CallReport
from tests.calls.wires import PHONES
from tests.world import World

TAPES = Path(__file__).resolve().parent.parent / "recordings"
CUSTOMER, OTHER = "+491701234567", "+4930222"
GROUP, HOUSE = "4930999", "49305551"

Truth = tuple[str, str, str, str, str]
"""outcome, customer, number called, who spoke last, who picked up"""


def customer(outcome: str, did: str, spoke: str = "", picked_up: str = "") -> Truth:
    return outcome, CUSTOMER, did, spoke, picked_up


ANNA_ONLY = customer("answered", GROUP, "101", "101")
HANDED_ON = customer("answered", GROUP, "102", "101 102")
PICKED_UP = customer("answered", GROUP, "102", "102")
TRUTH: dict[str, Truth] = {
    "att_abandoned": ANNA_ONLY,
    "att_caller_gone": ANNA_ONLY,
    "att_keys": HANDED_ON,
    "att_keys_abort": ANNA_ONLY,
    "att_keys_blond": HANDED_ON,
    "att_keys_three": HANDED_ON,
    "att_refer_caller_first": HANDED_ON,
    "att_refer_second": HANDED_ON,
    "att_refer_seller_first": HANDED_ON,
    "att_ringing": HANDED_ON,
    "back": customer("answered", GROUP, "101", "101 102"),
    "blind_busy_stay": ANNA_ONLY,
    "blind_keys": HANDED_ON,
    "blind_out": ANNA_ONLY,
    "blind_refer": HANDED_ON,
    "blind_refer_noanswer": ANNA_ONLY,
    "box": customer("missed", HOUSE + "04"),
    "closed": customer("missed", HOUSE + "09"),
    "followme": customer("answered", HOUSE + "07"),
    "forward302": customer("answered", HOUSE + "06", "102", "102"),
    "forward302_out": customer("answered", HOUSE + "06"),
    "hold": ANNA_ONLY,
    "local": customer("answered", HOUSE + "08", "102", "102"),
    "local_attended": customer("answered", HOUSE + "08", "103", "102 103"),
    "local_transfer": customer("answered", HOUSE + "08", "103", "102 103"),
    "menu": customer("answered", HOUSE + "01", "101", "101"),
    "menu_hangup": customer("missed", HOUSE + "01"),
    "park_keys": HANDED_ON,
    "park_refer": HANDED_ON,
    "pickup_directed": PICKED_UP,
    "pickup_group": PICKED_UP,
    "queue_abandon": customer("missed", HOUSE + "02"),
    "queue_all": customer("answered", HOUSE + "02", "101", "101"),
    "queue_blind": customer("answered", HOUSE + "02", "102", "101 102"),
    "queue_empty": customer("missed", HOUSE + "05"),
    "queue_reject": customer("answered", HOUSE + "02", "102", "102"),
    "queue_timeout": customer("missed", HOUSE + "02"),
    "queue_turn": customer("answered", HOUSE + "03", "101", "101"),
}
CONSULTED = {"att_abandoned", "att_caller_gone"}
"""Here the colleagues' talk stays a call of its own: the customer never came into it."""


def events_of(act: str, release: int) -> list[Event]:
    return list(replay(TAPES / f"{act}-{release}.jsonl"))


def heard(events: list[Event]) -> dict[str, CallReport]:
    ledger = Ledger("asterisk", PHONES.__contains__)
    for event in events:
        ledger.apply(event)
    reports = {i: ledger.report(i) for i in ledger.calls}
    return {i: report for i, report in reports.items() if report}


def truth_of(report: CallReport) -> Truth:
    picked_up = sorted({leg.endpoint[-3:] for leg in report.legs if leg.answered_at})
    speaker = (report.speaker or "")[-3:]
    assert report.outcome
    return report.outcome, report.number, report.did, speaker, " ".join(picked_up)


@pytest.mark.parametrize("release", [22, 16])
@pytest.mark.parametrize("act", TRUTH)
def test_one_call_and_the_truth_about_it(act: str, release: int) -> None:
    reports = heard(events_of(act, release))
    incoming = [report for report in reports.values() if report.direction == "incoming"]
    assert [truth_of(report) for report in incoming] == [TRUTH[act]]
    assert len(reports) == (2 if act in CONSULTED else 1)
    assert all(report.ended_at for report in reports.values())


@pytest.mark.parametrize("release", [22, 16])
def test_conference_of_three_is_one_call(release: int) -> None:
    (report,) = heard(events_of("conference", release)).values()
    assert (report.direction, report.outcome, len(report.absorbed)) == ("incoming", "answered", 2)
    assert {leg.endpoint for leg in report.legs if leg.answered_at} == {"PJSIP/101", "PJSIP/102"}


@pytest.mark.parametrize("release", [22, 16])
def test_call_waiting_is_two_calls(release: int) -> None:
    reports = heard(events_of("waiting", release)).values()
    assert sorted(report.number for report in reports) == [CUSTOMER, OTHER]
    assert {report.speaker for report in reports} == {"PJSIP/101"}


@pytest.mark.parametrize("act", TRUTH)
def test_rows_are_the_same_however_often_it_is_told(act: str, world: World) -> None:
    """Event by event, each written at once as a live process does; then once more, anew."""
    for _ in range(2):
        recorder = Recorder(Ledger("asterisk", PHONES.__contains__))
        for event in events_of(act, 22):
            recorder.take([event])
            recorder.write()
    (call,) = Call.select().where(Call.direction == "incoming")
    outcome, number, _did, spoke, picked_up = TRUTH[act]
    assert (call.outcome, call.number) == (outcome, number)
    assert str(call.agent.endpoint if call.agent else "")[-3:] == spoke
    answered = Leg.select().where(Leg.call == call, Leg.outcome == "answered")
    assert set(picked_up.split()) <= {leg.endpoint[-3:] for leg in answered}
    assert Call.select().count() == (2 if act in CONSULTED else 1)
    owner = call.deal.owner
    assert owner == (call.agent or owner), "the deal follows who spoke last"


@given(act=st.sampled_from(sorted(TRUTH)), doubled=st.sets(st.integers(0, 120)))
def test_events_that_come_twice_change_nothing(act: str, doubled: set[int]) -> None:
    events = events_of(act, 22)
    twice = [e for i, event in enumerate(events) for e in [event] * (2 if i in doubled else 1)]
    assert heard(twice) == heard(events)


@given(
    acts=st.lists(st.sampled_from(sorted(TRUTH)), min_size=2, max_size=3, unique=True),
    picks=st.lists(st.integers(0, 2), max_size=400),
)
def test_calls_at_the_same_time_do_not_mix(acts: list[str], picks: list[int]) -> None:
    queues = [events_of(act, 22) for act in acts]
    alone: dict[str, CallReport] = {}
    for queue in queues:
        alone |= heard(queue)
    turns = (queues[pick] for pick in picks if pick < len(queues))
    mixed = [queue.pop(0) for queue in turns if queue]
    assert heard(mixed + [event for queue in queues for event in queue]) == alone


def test_a_tape_without_names_holds_no_names_and_no_whole_numbers(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "tape", without_names=True)
    channel = {
        "id": "1795453051.125",
        "name": "PJSIP/trunk-0001",
        "state": "Ring",
        "creationtime": "2026-11-23T16:57:31.762+0000",
        "caller": {"number": "+491701234567", "name": "Inga Holm"},
        "dialplan": {"exten": "4930555104", "app_name": "Set", "app_data": "SECRET=x"},
        "channelvars": {"CHANNEL(linkedid)": "1795453051.125", "TOKEN": "geheim"},
    }
    tape.write(
        {
            "type": "ChannelCreated",
            "timestamp": "2026-11-23T16:57:31.762+0000",
            "channel": channel,
        }
    )
    tape.close()
    text = (tmp_path / "tape").read_text()
    assert not any(word in text for word in ("Inga", "1234567", "SECRET", "geheim"))
    (event,) = replay(tmp_path / "tape")
    assert isinstance(event, Updated)
    assert event.channel.linkedid == "1795453051.125"


def test_a_tape_keeps_the_queues_name(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "tape")
    at = "2026-11-23T16:57:31.762+0000"
    waits = {"exten": "s", "app_name": "Queue", "app_data": "sales-all,tk,,,120,agi-SECRET"}
    channel = {"id": "1.1", "name": "PJSIP/trunk-0001", "creationtime": at, "dialplan": waits}
    tape.write({"type": "ChannelCreated", "timestamp": at, "channel": channel})
    tape.close()
    assert "SECRET" not in (tmp_path / "tape").read_text()
    (event,) = replay(tmp_path / "tape")
    assert isinstance(event, Updated)
    assert event.channel.queue == "sales-all"


def test_masked_numbers_stay_different_from_ids() -> None:
    assert masked('"dialstring":"+491701234567@trunk"') == '"dialstring":"+491755555555@trunk"'
    assert masked('"id":"1795453051.125"') == '"id":"1795453051.125"'
