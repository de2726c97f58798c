"""A user's own mobile is inside, though it is reached over a trunk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ari_app.events import Channel, Dialled, Event, Updated
from ari_app.record_files import CEL_CUSTOM
from ari_app.recorder import Recorder
from models import Call, Contact, Deal, Leg
from telephony.call_report import CallReport
from tests.calls.records import TRUNK as TRUNK_NAME
from tests.calls.records import event, found, lines, row
from tests.calls.wires import (
    BEN,
    CUSTOMER,
    MOBILE,
    PHONES_AND_MOBILE,
    START,
    TRUNK,
    after,
    answers,
    channel,
    hangs_up,
    in_state,
    joined,
    new_ledger,
    rings,
    told,
)
from tests.world import World
from verbs import users
from verbs.phones import known_endpoints

ENDPOINT = f"mobile/{MOBILE}"
NOTATIONS = ("+491710000101", "01710000101", "00491710000101")


def outward(target: str) -> list[Event]:
    """A customer's call is sent on to a number outside; who picks up there, talks for a minute."""
    out = channel("1.2", "PJSIP/trunk", state="Down", number="s", created=3)
    return [
        Updated(START, TRUNK),
        Updated(after(3), out),
        Dialled(after(3), TRUNK, out, "", target),
        *answers(out, 8),
        *joined(8, "b1", TRUNK, out),
        *hangs_up(out, 68),
        *hangs_up(TRUNK, 68),
    ]


@pytest.mark.parametrize("target", NOTATIONS)
def test_a_call_that_is_sent_to_a_users_mobile(target: str) -> None:
    report = told(outward(target), new_ledger(PHONES_AND_MOBILE))
    assert (report.direction, report.number, report.outcome) == ("incoming", CUSTOMER, "answered")
    assert (report.speaker, report.talk) == (ENDPOINT, 60)
    (leg,) = report.legs
    assert (leg.endpoint, leg.answered_at, leg.outcome) == (ENDPOINT, after(8), "answered")


def test_another_mobile_is_nobodys() -> None:
    report = told(outward("+491710000102"), new_ledger(PHONES_AND_MOBILE))
    assert (report.outcome, report.speaker, report.legs) == ("answered", None, ())


@pytest.mark.parametrize("number", NOTATIONS)
def test_a_call_from_a_users_mobile_to_a_colleague_is_internal(number: str) -> None:
    caller = replace(TRUNK, number=number)
    events = [Updated(START, caller), *rings(BEN, 0, caller), *answers(BEN, 5, caller)]
    events += [*joined(5, "b1", caller, BEN), *hangs_up(BEN, 65), *hangs_up(caller, 65)]
    report = told(events, new_ledger(PHONES_AND_MOBILE))
    assert (report.direction, report.outcome, report.talk) == ("internal", "answered", 60)
    assert [leg.endpoint for leg in report.legs] == [ENDPOINT, "PJSIP/102"]


def test_a_call_from_a_users_mobile_to_a_customer_is_outgoing() -> None:
    """Through the office, by a call-back or a code in the dialplan."""
    caller = replace(TRUNK, number=MOBILE)
    out = channel("1.2", "PJSIP/trunk", state="Down", created=3)
    events = [
        Updated(START, caller),
        Dialled(after(3), caller, out, "", CUSTOMER),
        *joined(8, "b1", caller, in_state(out, "Up")),
        *hangs_up(out, 28),
        *hangs_up(caller, 28),
    ]
    report = told(events, new_ledger(PHONES_AND_MOBILE))
    assert (report.direction, report.number, report.talk) == ("outgoing", CUSTOMER, 20)
    assert report.speaker == ENDPOINT


def test_the_user_is_the_agent(world: World) -> None:
    users.change(world.anna, mobile="0171 0000101")
    recorder = Recorder(new_ledger(known_endpoints()))
    recorder.take(outward(MOBILE))
    recorder.write()
    call, leg = Call.get(), Leg.get()
    assert (call.agent, leg.user, leg.endpoint) == (world.anna, world.anna, ENDPOINT)
    assert Deal.get().owner == world.anna


def test_who_calls_from_the_own_mobile_is_no_customer(world: World) -> None:
    users.change(world.anna, mobile=MOBILE)
    recorder = Recorder(new_ledger(known_endpoints()))
    caller = replace(TRUNK, number=MOBILE)
    recorder.take([Updated(START, caller), *rings(BEN, 0, caller), *hangs_up(BEN, 9)])
    recorder.take(hangs_up(caller, 9))
    recorder.write()
    assert (Call.get().direction, Call.get().needs_call_back) == ("internal", False)
    assert not Contact.select().exists()


# What Asterisk wrote down


def one(source: Path, text: str) -> CallReport:
    source.write_text(text)
    (report,) = found(source, inside=PHONES_AND_MOBILE)
    assert isinstance(report, CallReport)
    return report


def follow_me() -> list[dict[str, str]]:
    desk = row("PJSIP/101-0b", "NO ANSWER", duration=15, lastdata="PJSIP/101,15")
    sent = "PJSIP/01710000101@trunk,20,tk"
    return [
        desk,
        row("PJSIP/trunk-0c", begin="09:00:15", lastdata=sent, sequence=2, duration=65),
    ]


def test_cdr_of_a_call_sent_to_a_users_mobile(tmp_path: Path) -> None:
    report = one(tmp_path / "Master.csv", lines(follow_me()))
    assert (report.direction, report.outcome, report.speaker) == ("incoming", "answered", ENDPOINT)
    assert {leg.endpoint: leg.outcome for leg in report.legs} == {
        "PJSIP/101": "missed",
        ENDPOINT: "answered",
    }


def test_cdr_of_a_call_from_a_users_mobile(tmp_path: Path) -> None:
    report = one(tmp_path / "Master.csv", lines([row(src="01710000101")]))
    assert (report.direction, report.outcome) == ("internal", "answered")


def test_cdr_knows_the_queue(tmp_path: Path) -> None:
    waited = row(app="Queue", lastdata="sales-all,tk,,,120")
    assert one(tmp_path / "Master.csv", lines([waited])).queue == "sales-all"


def cel_of(target: str, app: str = "Dial") -> list[dict[str, str]]:
    trunk, out = ("1.1", TRUNK_NAME), ("1.2", "PJSIP/trunk-0000000b")
    bridge = {"bridge_id": "b1"}
    return [
        event("CHAN_START", 0, *trunk, cid_num=CUSTOMER, exten="493055500"),
        event("APP_START", 0, *trunk, appname=app, appdata=target),
        event("CHAN_START", 0.1, *out),
        event("ANSWER", 5, *out),
        event("BRIDGE_ENTER", 5, *out, extra=bridge),
        event("BRIDGE_ENTER", 5, *trunk, extra=bridge),
        event("CHAN_END", 65, *out),
        event("CHAN_END", 65, *trunk),
    ]


def test_cel_of_a_call_sent_to_a_users_mobile(tmp_path: Path) -> None:
    text = lines(cel_of(f"PJSIP/{MOBILE}@trunk,20"), CEL_CUSTOM)
    report = one(tmp_path / "cel.csv", text)
    assert (report.speaker, report.talk, report.outcome) == (ENDPOINT, 60, "answered")


def test_cel_knows_the_queue(tmp_path: Path) -> None:
    text = lines(cel_of("sales-all,tk", app="Queue"), CEL_CUSTOM)
    assert one(tmp_path / "cel.csv", text).queue == "sales-all"


def test_a_channel_without_a_number_is_nobodys_mobile() -> None:
    hidden: Channel = replace(TRUNK, number="anonymous")
    assert told([Updated(START, hidden)], new_ledger(PHONES_AND_MOBILE)).direction == "incoming"
