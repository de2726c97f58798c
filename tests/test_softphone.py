"""The scriptable phone of the tests, proved against a real Asterisk on the sample configuration."""

import socket
from contextlib import ExitStack
from typing import Protocol

import pytest
from asterisk_runtime import SELLERS, TRUNKS
from ports import LOOPBACK
from private_asterisk import PrivateAsterisk

from tests.softphone import Call, Softphone, SoftphoneError
from tests.switched_off import SwitchedOff

CUSTOMER = "+491701234567"


class SwitchOn(Protocol):
    """switch_on("101"), switch_on("observe"), switch_on("outside")."""

    def __call__(self, who: str, user: str = "") -> Softphone: ...


@pytest.fixture
def switch_on(asterisk: PrivateAsterisk, parties: ExitStack) -> SwitchOn:
    """Phones at the places that the sample knows: sellers, trunks, and the world outside."""
    exchange = (LOOPBACK, asterisk.ports.sip)
    off = {
        seller: parties.enter_context(SwitchedOff(asterisk.ports.phone(seller)))
        for seller in SELLERS
    }

    def on(who: str, user: str = "") -> Softphone:
        if who in SELLERS:
            off[who].stop()
            port, password = asterisk.ports.phone(who), asterisk.passwords.phones
            phone = Softphone(port, who, password, pbx=exchange)
        elif who in TRUNKS:
            phone = Softphone(0, user or CUSTOMER, pbx=exchange, address=TRUNKS[who])
        elif who == "outside":
            phone = Softphone(asterisk.ports.customer, CUSTOMER, pbx=exchange)
        else:
            phone = Softphone(0, who, asterisk.passwords.softphone, pbx=exchange)
        return parties.enter_context(phone)

    return on


class Extension(Protocol):
    """extension("4930777", "Read(PIN,,4)"): a number on the watched trunk, for a test."""

    def __call__(self, number: str, *steps: str, context: str = "observe-only") -> None: ...


@pytest.fixture
def extension(asterisk: PrivateAsterisk, parties: ExitStack) -> Extension:
    def add(number: str, *steps: str, context: str = "observe-only") -> None:
        for place, step in enumerate(steps, 1):
            said = asterisk.cli(f"dialplan add extension {number},{place},{step} into {context}")
            assert "added" in said, said
        parties.callback(asterisk.cli, f"dialplan remove extension {number}@{context}")

    return add


@pytest.fixture
def anna(switch_on: SwitchOn) -> Softphone:
    return switch_on("101")


@pytest.fixture
def berta(switch_on: SwitchOn) -> Softphone:
    return switch_on("102")


@pytest.fixture
def customer(switch_on: SwitchOn) -> Softphone:
    """Carla, over the trunk that is only watched; it rings 101, 102 and 103."""
    return switch_on("observe")


# ---------------------------------------------------------------- one call


def test_answered_call_with_number_and_name(anna: Softphone, customer: Softphone) -> None:
    outside = customer.call("493055500", display="Carla Kürschner, GmbH")
    call = anna.expect_call()
    assert (call.caller_number, call.caller_name) == (CUSTOMER, "Carla Kürschner, GmbH")
    assert call.called == "101"
    call.ring()
    outside.wait_ringing()
    call.answer()
    outside.wait_answered()
    outside.hang_up()
    assert call.wait_ended() == "hung up by the other side"
    assert outside.ended_reason == "hung up"


def test_phone_hangs_up(anna: Softphone, customer: Softphone) -> None:
    outside = customer.call("493055500")
    call = anna.expect_call()
    call.answer()
    outside.wait_answered()
    call.hang_up()
    assert outside.wait_ended() == "hung up by the other side"
    call.hang_up()


@pytest.mark.parametrize(("status", "told"), [(486, "486 Busy Here"), (603, "403 Forbidden")])
def test_rejected(anna: Softphone, berta: Softphone, status: int, told: str) -> None:
    call = berta.call("101")
    anna.expect_call().reject(status)
    assert call.wait_ended() == told


def test_caller_gives_up(anna: Softphone, customer: Softphone) -> None:
    outside = customer.call("493055500")
    call = anna.expect_call()
    call.ring()
    outside.wait_ringing()
    outside.hang_up()
    assert outside.ended_reason == "cancelled"
    assert call.wait_ended() == "cancelled by the caller"


def test_colleague_is_quicker(anna: Softphone, berta: Softphone, customer: Softphone) -> None:
    outside = customer.call("493055500")
    slow, quick = anna.expect_call(), berta.expect_call()
    slow.ring()
    quick.answer()
    outside.wait_answered()
    assert slow.wait_ended() == "answered elsewhere"


def test_password_is_wrong(asterisk: PrivateAsterisk, anna: Softphone) -> None:
    with Softphone(0, "102", "wrong", pbx=(LOOPBACK, asterisk.ports.sip)) as intruder:
        assert intruder.call("101").wait_ended().startswith("401")
    with pytest.raises(SoftphoneError, match="a call of anybody: not within"):
        anna.expect_call(timeout=0.1)


def test_registered(asterisk: PrivateAsterisk, switch_on: SwitchOn) -> None:
    phone = switch_on("softphone")
    phone.register()
    place = f"sip:softphone@{LOOPBACK}:{phone.port}"
    assert place in asterisk.cli("pjsip show contacts")
    phone.close()
    assert place not in asterisk.cli("pjsip show contacts")


def test_failure_tells_what_was_said(anna: Softphone, customer: Softphone) -> None:
    outside = customer.call("493055500")
    call = anna.expect_call()
    with pytest.raises(SoftphoneError, match=r"(?s)to be answered: not within.*INVITE sip:493055"):
        outside.wait_answered(0.1)
    outside.hang_up()
    call.wait_ended()
    with pytest.raises(SoftphoneError, match="cannot answer: ended cancelled by the caller"):
        call.answer()
    with pytest.raises(SoftphoneError, match="it ended: cancelled"):
        outside.wait_answered()


# ---------------------------------------------------------------- conversation


def test_speech_hold_and_resume(anna: Softphone, customer: Softphone) -> None:
    outside = customer.call("493055500")
    call = anna.expect_call()
    call.answer()
    outside.wait_answered()
    outside.speak()
    call.wait_heard()
    call.hold()
    assert call.media.direction == "sendonly"
    assert call.media.remote
    assert call.media.remote.direction == "recvonly"
    call.resume()
    assert call.media.direction == "sendrecv"
    call.wait_heard()


def test_keys_reach_the_other_side(anna: Softphone, customer: Softphone) -> None:
    outside = customer.call("493055500")
    call = anna.expect_call()
    call.answer()
    outside.wait_answered()
    outside.send_dtmf("0123456789*#")
    call.wait_digits("0123456789*#")


def test_keys_reach_the_exchange(extension: Extension, customer: Softphone) -> None:
    extension("4930777", "Read(PIN,,4)", "Hangup(${IF($[${PIN}=4711]?21:17)})")
    call = customer.call("4930777")
    call.wait_answered()
    call.send_dtmf("4711")
    assert call.wait_ended() == "hung up by the other side"
    assert call.cause == 21


def test_two_calls_at_once_at_one_phone(anna: Softphone, customer: Softphone) -> None:
    first, second = customer.call("1"), customer.call("2", from_user="+4930123")
    one, two = anna.expect_call(CUSTOMER), anna.expect_call("+4930123")
    one.answer()
    first.wait_answered()
    one.hold()
    two.answer()
    second.wait_answered()
    two.wait_connected(second)
    second.hang_up()
    two.wait_ended()
    one.resume()
    assert {one.state, first.state} == {"answered"}
    assert {one.number, two.number} == {CUSTOMER, "+4930123"}


def test_calls_a_number_outside(anna: Softphone, switch_on: SwitchOn) -> None:
    world = switch_on("outside")
    call = anna.call("+493012345")
    outside = world.expect_call()
    assert outside.called == "+493012345"
    outside.answer()
    call.wait_answered()
    call.hang_up()


# ---------------------------------------------------------------- by itself


def test_habits(anna: Softphone, berta: Softphone, customer: Softphone) -> None:
    anna.auto(answer_after=0.05, talk=0.05, lines=1)
    berta.auto(reject=486)
    outside = customer.call("493055500")
    outside.wait_answered()
    assert outside.wait_ended() == "hung up by the other side"
    anna.auto(lines=1)
    ringing = berta.call("101")
    ringing.wait_ringing()
    assert berta.call("101").wait_ended() == "486 Busy Here"
    ringing.hang_up()


# ---------------------------------------------------------------- forwarding and transfers


def test_forwarded_by_the_phone(anna: Softphone, berta: Softphone, switch_on: SwitchOn) -> None:
    charlie = switch_on("103")
    call = charlie.call("101")
    anna.expect_call().redirect("102")
    forwarded = berta.expect_call()
    assert forwarded.caller_number == "103"
    forwarded.answer()
    call.wait_answered()


def in_conversation(seller: Softphone, customer: Softphone) -> tuple[Call, Call]:
    """The seller's side of it, and the customer's."""
    outside = customer.call("493055500")
    call = seller.expect_call()
    call.answer()
    call.wait_connected(outside)
    return call, outside


def test_blind_transfer(anna: Softphone, berta: Softphone, customer: Softphone) -> None:
    berta.auto()
    call, outside = in_conversation(anna, customer)
    berta.expect_call().wait_ended()
    assert call.transfer_blind("102") == 180
    assert call.ended_reason == "hung up"
    second = berta.expect_call()
    assert second.caller_number == CUSTOMER
    second.answer()
    second.wait_connected(outside)
    outside.hang_up()
    second.wait_ended()


def test_blind_transfer_watched_to_its_end(
    anna: Softphone, berta: Softphone, customer: Softphone
) -> None:
    berta.auto()
    call, _outside = in_conversation(anna, customer)
    berta.expect_call().wait_ended()
    assert call.transfer_blind("102", hang_up=False) == 180
    berta.expect_call().answer()
    assert call.wait_transferred() == 200
    assert call.state == "answered"
    call.hang_up()


def test_blind_transfer_to_nowhere(anna: Softphone, customer: Softphone) -> None:
    call, outside = in_conversation(anna, customer)
    assert call.transfer_blind("999") >= 400
    assert call.state == outside.state == "answered"


@pytest.mark.parametrize("seller_first", [True, False])
def test_attended_transfer(
    anna: Softphone, berta: Softphone, customer: Softphone, seller_first: bool
) -> None:
    call, outside = in_conversation(anna, customer)
    berta.expect_call().wait_ended()
    call.hold()
    question = anna.call("102")
    answered = berta.expect_call()
    answered.answer()
    question.wait_answered()
    assert call.transfer_attended(question) == 200
    question.wait_ended()
    answered.wait_connected(outside)
    quick, other = (answered, outside) if seller_first else (outside, answered)
    quick.hang_up()
    assert other.wait_ended() == "hung up by the other side"


def test_attended_transfer_abandoned(
    anna: Softphone, berta: Softphone, customer: Softphone
) -> None:
    call, outside = in_conversation(anna, customer)
    berta.expect_call().wait_ended()
    call.hold()
    question = anna.call("102")
    berta.expect_call().ring()
    question.wait_ringing()
    question.hang_up()
    call.resume()
    call.wait_connected(outside)


def test_transfer_before_the_colleague_answers(
    anna: Softphone, berta: Softphone, customer: Softphone
) -> None:
    call, outside = in_conversation(anna, customer)
    berta.expect_call().wait_ended()
    call.hold()
    question = anna.call("102")
    asked = berta.expect_call()
    asked.ring()
    question.wait_ringing()
    assert call.transfer_attended(question) == 200
    asked.answer()
    asked.wait_connected(outside)


def test_blind_transfer_by_keys(
    anna: Softphone, berta: Softphone, customer: Softphone, extension: Extension
) -> None:
    extension("4930778", "Dial(PJSIP/101,25,t)")
    outside = customer.call("4930778")
    call = anna.expect_call()
    call.answer()
    call.wait_connected(outside)
    call.send_dtmf("##102")
    second = berta.expect_call()
    second.answer()
    call.wait_ended()
    second.wait_connected(outside)


# ---------------------------------------------------------------- what the wire does to us


def test_lost_and_foreign_datagrams(anna: Softphone) -> None:
    """An INVITE sent twice is one call; what is no SIP is ignored; an unknown dialog is 481."""
    request = (
        f"{{}} sip:101@{LOOPBACK} SIP/2.0\r\nVia: SIP/2.0/UDP {LOOPBACK};branch=z9hG4bK1\r\n"
        "From: <sip:x@y>;tag=1\r\nTo: <sip:101@y>{}\r\nCall-ID: 1\r\nCSeq: 1 {}\r\n\r\n"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(30)
        peer.connect((LOOPBACK, anna.port))
        peer.send(b"\r\n\r\n")
        peer.send(request.format("BYE", ";tag=2", "BYE").encode())
        assert peer.recv(9999).startswith(b"SIP/2.0 481")
        invite = request.format("INVITE", "", "INVITE").encode()
        peer.send(invite)
        peer.send(invite)
        assert peer.recv(9999) == peer.recv(9999)
        call = anna.expect_call()
        call.reject(486)
        busy = peer.recv(9999)
        assert busy.startswith(b"SIP/2.0 486")
        assert peer.recv(9999) == busy  # again, for nobody has acknowledged it
        tag = busy.partition(b"\r\nTo: <sip:101@y>")[2].partition(b"\r")[0].decode()
        peer.send(request.format("ACK", tag, "ACK").encode())
    assert len(anna.calls) == 1


def test_nobody_hears_us() -> None:
    """An INVITE is repeated, and may not be cancelled before somebody has reacted to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.settimeout(30)
        deaf.bind((LOOPBACK, 0))
        with Softphone(pbx=deaf.getsockname()) as phone:
            call = phone.call("1")
            invite, caller = deaf.recvfrom(9999)
            assert deaf.recv(9999) == invite
            with pytest.raises(SoftphoneError, match="to end: not within"):
                call.hang_up(timeout=0.1)
            trying = invite.replace(b"INVITE sip:", b"SIP/2.0 100 Trying\r\nX: ", 1)
            deaf.sendto(trying, caller)
            assert deaf.recv(9999).startswith(b"CANCEL sip:1@")
            gone = trying.replace(b"100 Trying", b"487 Gone").replace(b"\r\nTo: <", b"\r\nTo: x <")
            deaf.sendto(gone, caller)
            assert call.wait_ended() == "cancelled"
            while not (ack := deaf.recv(9999)).startswith(b"ACK sip:1@"):
                assert ack.startswith(b"CANCEL")
