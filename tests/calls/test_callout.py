"""Click-to-call on a real exchange (T7): the seller's phone first, then the customer; once, or not
at all, and with a reason."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from unittest.mock import patch

import pytest

import fields
import settings
from ari_app import callout
from doctor import asterisk
from fields import utcnow
from models import Call, CallRequest, Contact, Deal, Event, User
from settings import Calls
from tests.office import PATIENCE, Office, until
from tests.scene import Scene, converse
from tests.world import CUSTOMER
from verbs import requests

ENDS = ("done", "failed")
CONTEXT = {"TRICHTER_CALLS_OUTBOUND_CONTEXT": "phones"}


@pytest.fixture
def scene(office: Office, parties: ExitStack) -> Iterator[Scene]:
    """An office of its own: `trichter ari` is killed and started here."""
    office.listen(**CONTEXT)
    yield Scene(office, parties)
    parties.close()


def ask(scene: Scene, number: str = CUSTOMER, deal: Deal | None = None) -> CallRequest:
    return requests.call_out(scene.office.world.anna, number, "asterisk", deal)


def state(request: CallRequest) -> tuple[str, str]:
    now = CallRequest.get_by_id(request.id)
    return now.state, now.reason


def becomes(request: CallRequest, wanted: str, reason: str = "", timeout: float = PATIENCE) -> None:
    def so() -> bool:
        return state(request) == (wanted, reason)

    try:
        until(so, f"{wanted} {reason}", timeout)
    except AssertionError:
        raise AssertionError(f"{state(request)}, not {(wanted, reason)}") from None


def nothing_is_open() -> bool:
    return not CallRequest.select().where(CallRequest.state.not_in(ENDS)).exists()


def bakery(scene: Scene, number: str = "+494088812904") -> Deal:
    contact = Contact.of_number(number, "Jörg Holm", scene.office.world.anna)
    anna = scene.office.world.anna
    return Deal.open("Bakery", anna, anna, contact=contact)


def test_the_phone_rings_first_and_then_the_customer(scene: Scene) -> None:
    deal = bakery(scene)
    Deal.open("Newer", scene.office.world.anna, None, contact=deal.contact)
    outside, anna = scene.outside, scene.anna
    request = ask(scene, "+494088812904", deal)
    phone = anna.expect_call()
    assert (phone.number, phone.name) == ("+494088812904", "Jörg Holm · Unsorted")
    phone.ring()
    becomes(request, "ringing")
    assert outside.calls == []
    phone.answer()
    becomes(request, "talking")
    customer = outside.expect_call()
    assert (customer.called, customer.number) == ("04088812904", "101")
    customer.ring()
    customer.answer()
    converse(phone, customer, 0.2)
    call = until(lambda: CallRequest.get_by_id(request.id).call, "the call")
    customer.hang_up()
    phone.wait_ended()
    becomes(request, "done")
    (ended,) = scene.calls(1)
    assert ended == call
    assert (ended.direction, ended.number, ended.did) == ("outgoing", "+494088812904", None)
    assert (ended.outcome, ended.agent, ended.deal) == ("answered", scene.office.world.anna, deal)
    assert ended.linkedid == request.channel
    assert Deal.select().count() == 2
    attached = Event.of_kind("call.attached").get()
    assert (attached.user, attached.deal) == (scene.office.world.anna, deal)


def test_a_number_that_is_not_the_contacts(scene: Scene) -> None:
    """The card it was started from is the card it is on, whoever the number belongs to."""
    deal = bakery(scene)
    other = Contact.of_number(CUSTOMER, "Somebody Else", None)
    Deal.open("Other", scene.office.world.ben, None, contact=other)
    scene.outside.auto(answer_after=0.1, talk=0.3)
    scene.anna.auto(answer_after=0.1)
    request = ask(scene, CUSTOMER, deal)
    becomes(request, "done")
    (call,) = scene.calls(1)
    assert (call.deal, call.contact, call.number) == (deal, other, CUSTOMER)


def test_without_a_card_the_rules_say_what_it_makes(scene: Scene) -> None:
    scene.outside.auto(answer_after=0.1, talk=0.3)
    scene.anna.auto(answer_after=0.1)
    becomes(ask(scene), "done")
    (call,) = scene.calls(1)
    assert (call.direction, call.outcome) == ("outgoing", "answered")
    # By the rules that come with it an outgoing call makes nothing.
    assert (call.deal, call.contact, call.agent) == (None, None, scene.office.world.anna)


def test_the_customer_does_not_pick_up(scene: Scene) -> None:
    scene.outside.auto(reject=486)
    scene.anna.auto(answer_after=0.1)
    request = ask(scene)
    becomes(request, "done")
    (call,) = scene.calls(1)
    assert (call.direction, call.number, call.outcome) == ("outgoing", CUSTOMER, "busy")


def test_the_phone_is_busy(scene: Scene) -> None:
    scene.anna.auto(reject=486)
    becomes(ask(scene), "failed", "busy")
    (call,) = scene.calls(1)
    # The customer was never rung: no call of theirs that nobody picked up.
    assert (call.direction, call.outcome, call.answered_at) == ("outgoing", "failed", None)


def test_the_phone_is_rejected_by_hand(scene: Scene) -> None:
    scene.anna.auto(reject=603)
    becomes(ask(scene), "failed", "refused")


def test_the_phone_is_switched_off(scene: Scene) -> None:
    becomes(ask(scene), "failed", "no phone")


def test_the_phone_is_not_registered(scene: Scene) -> None:
    User.update(endpoint="PJSIP/softphone").where(User.login == "anna").execute()
    scene.office.world.anna.endpoint = "PJSIP/softphone"
    becomes(ask(scene), "failed", "no phone")


def test_the_phone_is_not_picked_up(office: Office, parties: ExitStack) -> None:
    """It rings as long as the administrator says, and no longer."""
    office.listen(TRICHTER_CALLS_OUTBOUND_SECONDS="2", **CONTEXT)
    scene = Scene(office, parties)
    phone = scene.anna.auto()
    request = ask(scene)
    becomes(request, "ringing")
    becomes(request, "failed", "no answer")
    since = phone.expect_call().since
    assert 1.5 < since["ended"] - since["ringing"] < 15
    parties.close()


def test_it_is_cancelled_while_the_phone_rings(scene: Scene) -> None:
    anna = scene.anna
    request = ask(scene)
    phone = anna.expect_call()
    phone.ring()
    becomes(request, "ringing")
    requests.cancel(CallRequest.get_by_id(request.id))
    assert phone.wait_ended() == "cancelled by the caller"
    becomes(request, "failed", "cancelled")


def test_it_is_hung_up_in_the_panel(scene: Scene) -> None:
    customer = scene.outside.auto(answer_after=0.1)
    scene.anna.auto(answer_after=0.1)
    request = ask(scene)
    outside = customer.expect_call()
    outside.wait_answered()
    becomes(request, "talking")
    requests.cancel(CallRequest.get_by_id(request.id))
    outside.wait_ended()
    becomes(request, "done")


def test_the_dialplan_has_no_such_context(office: Office, parties: ExitStack) -> None:
    office.listen(TRICHTER_CALLS_OUTBOUND_CONTEXT="nowhere")
    scene = Scene(office, parties)
    scene.anna.auto()
    becomes(ask(scene), "failed", "no way out")
    assert office.said("ari", "outbound_context: nowhere has no 03044701182")
    parties.close()


def test_the_call_goes_on_without_us(scene: Scene) -> None:
    """Killed while the phone rings: it is Asterisk that dials on."""
    anna, outside = scene.anna, scene.outside
    request = ask(scene, deal=bakery(scene))
    phone = anna.expect_call()
    phone.ring()
    becomes(request, "ringing")
    scene.office.processes[0].send_signal(signal.SIGKILL)
    scene.office.processes[0].wait()
    phone.answer()
    customer = outside.expect_call()
    customer.ring()
    customer.answer()
    converse(phone, customer, 0.2)
    scene.office.listen(**CONTEXT)
    becomes(request, "talking")
    customer.hang_up()
    becomes(request, "done")
    (call,) = scene.calls(1)
    assert (call.direction, call.outcome) == ("outgoing", "answered")
    assert call.deal.title == "Bakery"


def test_killed_between_claiming_and_dialling(scene: Scene) -> None:
    scene.office.processes[0].send_signal(signal.SIGKILL)
    scene.office.processes[0].wait()
    request = ask(scene)
    assert requests.claim(request)
    early = utcnow() - 2 * requests.WAITS
    CallRequest.update(claimed_at=early).where(CallRequest.id == request.id).execute()
    anna = scene.anna
    scene.office.listen(**CONTEXT)
    becomes(request, "failed", "exchange")
    assert anna.calls == []


def test_what_waited_too_long_is_never_dialled(scene: Scene) -> None:
    scene.office.processes[0].send_signal(signal.SIGKILL)
    scene.office.processes[0].wait()
    request = ask(scene)
    late = utcnow() - requests.WAITS - timedelta(seconds=1)
    CallRequest.update(created_at=late).where(CallRequest.id == request.id).execute()
    anna = scene.anna
    scene.office.listen(**CONTEXT)
    becomes(request, "failed", "expired")
    assert anna.calls == []


def test_two_processes_of_one_exchange_dial_once(scene: Scene) -> None:
    """The second takes the first one's place in Asterisk, and both see the row."""
    scene.office.run("ari", **CONTEXT)
    until(lambda: scene.office.said("ari", "another process has taken"), "the other one")
    scene.outside.auto(answer_after=0.1, talk=0.2)
    anna = scene.anna.auto(answer_after=0.1)
    for _ in range(5):
        becomes(ask(scene), "done")
    assert len(anna.calls) == 5
    scene.calls(5)


def test_killed_at_any_moment(scene: Scene) -> None:
    """However it ends, the phone has rung once at most, and the request comes to an end."""
    chance = random.Random(7)
    scene.outside.auto(answer_after=0.1, talk=0.3)
    anna = scene.anna.auto(answer_after=0.2)
    for round_ in range(1, 9):
        before = len(anna.calls)
        request = ask(scene)
        # Nothing to wait for: any moment is as good.
        time.sleep(chance.uniform(0, 0.4))
        process = scene.office.processes[-1]
        process.send_signal(signal.SIGKILL)
        process.wait()
        scene.office.listen(**CONTEXT)
        until(nothing_is_open, "the end")
        assert len(anna.calls) - before <= 1, round_
        reached, _reason = state(request)
        assert reached in ENDS
    scene.office.pbx.wait_idle()
    # Without CDR, calls that came and went while nobody listened are not known.
    recorded = list(Call.select().where(Call.linkedid.startswith("trichter-call-")))
    assert len(recorded) <= len(anna.calls)
    assert {call.direction for call in recorded} == {"outgoing"}


@pytest.mark.parametrize(
    ("number", "region", "national", "international"),
    [
        ("+493044701182", "DE", "03044701182", "00493044701182"),
        ("+33142685300", "DE", "0033142685300", "0033142685300"),
        ("+493044701182", "US", "011493044701182", "011493044701182"),
        ("+14155552671", "US", "14155552671", "01114155552671"),
        ("+390669812345", "IT", "0669812345", "00390669812345"),
        ("+493044701182", "RU", "810493044701182", "810493044701182"),
    ],
)
def test_numbers_as_the_dialplan_expects_them(
    number: str, region: str, national: str, international: str
) -> None:
    with patch.object(fields, "region", region):
        assert callout.dialled(number, Calls()) == national
        assert callout.dialled(number, Calls(outbound_format="international")) == international
        e164 = Calls(outbound_format="e164", outbound_prefix="0")
        assert callout.dialled(number, e164) == "0" + number


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("OUTBOUND_CONTEXT", "from internal"),
        ("OUTBOUND_CONTEXT", "a,b"),
        ("OUTBOUND_CONTEXT", ""),
        ("OUTBOUND_FORMAT", "E.164"),
        ("OUTBOUND_PREFIX", "0&PJSIP/102"),
        ("OUTBOUND_PREFIX", "${X}"),
    ],
)
def test_settings_that_make_no_sense(key: str, value: str) -> None:
    with pytest.raises(settings.SettingsError, match=key):
        settings.load({f"TRICHTER_CALLS_{key}": value})


def test_the_doctor_knows_the_way_out(office: Office) -> None:
    def found(context: str) -> list[tuple[str, str]]:
        changed = {"TRICHTER_CALLS_OUTBOUND_CONTEXT": context}
        checks = asterisk.checks(settings.load(office.environment(**changed)), True)
        return [(c.mark, c.finding) for c in checks if c.subject == "click-to-call"]

    office.listen()
    assert found("phones") == [("ok", "dials out in phones")]
    assert found("nowhere") == [("note", "the dialplan has no context nowhere")]
    office.pbx.wait_idle()
    assert not Call.select().exists()
