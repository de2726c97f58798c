"""A call goes from one seller to another: it stays one call, of the one who spoke last (rule 4)."""

from typing import NamedTuple

import pytest

from tests.scene import DID, MOBILE, Scene, check, converse, one_deal, picked_up
from tests.softphone import IncomingCall, OutgoingCall

KEYS = 30.0
"""Seconds. Asterisk waits after the last key of a number before it takes it as whole."""


class Answered(NamedTuple):
    """The customer's phone, and Anna's."""

    outside: OutgoingCall
    anna: IncomingCall


def with_anna(scene: Scene, way: str = "observe", seconds: float = 0.1) -> Answered:
    """Anna talks with a customer; the other phones are off."""
    anna = scene.anna
    outside = scene.customer(way=way).call(DID)
    return Answered(outside, picked_up(anna, outside, seconds))


def with_both(scene: Scene, way: str = "observe") -> tuple[Answered, OutgoingCall, IncomingCall]:
    """Anna has the customer on hold, and asks Ben."""
    talk = with_anna(scene, way)
    talk.anna.hold()
    ben = scene.ben
    asked = scene.anna.call("102")
    return talk, asked, picked_up(ben, asked)


# Blind


def test_blind(scene: Scene, way: str) -> None:
    """Two sellers on one call, one after the other: the conversation is that of both."""
    outside, anna = with_anna(scene, way, 1.2)
    ben = scene.ben.auto()
    assert anna.transfer_blind("102") == 180
    picked_up(ben, outside, 1.4)
    outside.hang_up()
    scene.only_call(rang="anna ben", answered="anna ben", agent="ben", talk=2.6)
    assert one_deal().owner == scene.office.world.ben


def test_blind_with_keys(scene: Scene) -> None:
    outside, anna = with_anna(scene)
    ben = scene.ben.auto()
    anna.send_dtmf("##102")
    call = ben.expect_call(timeout=KEYS)
    call.answer()
    converse(call, outside)
    outside.hang_up()
    scene.only_call(rang="anna ben", answered="anna ben", agent="ben", talk=1.5)


def test_blind_to_one_who_rejects(scene: Scene) -> None:
    """The caller is lost then, but has talked: never missed (rule 6)."""
    outside, anna = with_anna(scene)
    ben = scene.ben.auto()
    assert anna.transfer_blind("102") == 180
    ben.expect_call().reject(486)
    outside.wait_ended()
    scene.only_call(rang="anna ben", answered="anna", agent="anna")


def test_blind_and_the_caller_gives_up(scene: Scene) -> None:
    outside, anna = with_anna(scene)
    ben = scene.ben.auto()
    assert anna.transfer_blind("102") == 180
    scene.rung("anna ben")
    outside.hang_up()
    ben.expect_call().wait_ended()
    scene.only_call(rang="anna ben", answered="anna", agent="anna")


def test_blind_to_a_mobile_phone_outside(scene: Scene) -> None:
    """The number stays the customer's."""
    world = scene.outside.auto()
    outside, anna = with_anna(scene)
    assert anna.transfer_blind(MOBILE) == 180
    picked_up(world, outside).hang_up()
    outside.wait_ended()
    scene.only_call(rang="anna", answered="anna", agent="anna")


def test_blind_and_back_again(scene: Scene, way: str) -> None:
    outside, anna = with_anna(scene, way)
    ben = scene.ben.auto()
    scene.anna.auto()
    assert anna.transfer_blind("102") == 180
    assert picked_up(ben, outside).transfer_blind("101") == 180
    picked_up(scene.anna, outside).hang_up()
    outside.wait_ended()
    scene.only_call(rang="anna ben", answered="anna ben", agent="anna")
    assert one_deal().owner == scene.office.world.anna


# Attended, by the button of the phone


@pytest.mark.parametrize("first", ["customer", "seller"])
def test_attended(scene: Scene, way: str, first: str) -> None:
    talk, asked, ben = with_both(scene, way)
    assert talk.anna.transfer_attended(asked) == 200
    converse(ben, talk.outside, 0.5)
    (talk.outside if first == "customer" else ben).hang_up()
    talk.outside.wait_ended()
    ben.wait_ended()
    scene.only_call(rang="anna ben", answered="anna ben", agent="ben", talk=1.2)
    assert one_deal().owner == scene.office.world.ben


def test_attended_from_the_second_call(scene: Scene) -> None:
    """The button pressed while the colleague is on the line."""
    talk, asked, ben = with_both(scene)
    assert asked.transfer_attended(talk.anna) == 200
    converse(ben, talk.outside)
    ben.hang_up()
    talk.outside.wait_ended()
    scene.only_call(rang="anna ben", answered="anna ben", agent="ben")


def test_attended_while_the_colleague_rings(scene: Scene) -> None:
    outside, anna = with_anna(scene)
    ben = scene.ben.auto()
    anna.hold()
    asked = scene.anna.call("102")
    asked.wait_ringing()
    assert anna.transfer_attended(asked) == 200
    picked_up(ben, outside)
    outside.hang_up()
    scene.only_call(rang="anna ben", answered="anna ben", agent="ben")


def test_attended_and_given_up(scene: Scene) -> None:
    """Anna comes back to the customer: what she asked Ben was another call."""
    talk, asked, ben = with_both(scene)
    asked.hang_up()
    ben.wait_ended()
    talk.anna.resume()
    converse(talk.anna, talk.outside)
    talk.outside.hang_up()
    call, question = scene.calls(2)
    check(call, (talk.outside, talk.anna), rang="anna", answered="anna", agent="anna")
    assert (question.direction, question.outcome) == ("internal", "answered")
    assert one_deal().owner == scene.office.world.anna


def test_attended_and_the_customer_hangs_up_before(scene: Scene) -> None:
    talk, asked, ben = with_both(scene)
    talk.outside.hang_up()
    talk.anna.wait_ended()
    asked.hang_up()
    ben.wait_ended()
    call, question = scene.calls(2)
    check(call, (talk.outside, talk.anna), rang="anna", answered="anna", agent="anna")
    assert question.direction == "internal"


# Attended, with keys


def asks_ben_with_keys(scene: Scene) -> tuple[Answered, IncomingCall]:
    """Ben's phone rings."""
    talk = with_anna(scene)
    ben = scene.ben.auto()
    talk.anna.send_dtmf("*2102")
    return talk, ben.expect_call(timeout=KEYS)


def test_attended_with_keys(scene: Scene) -> None:
    talk, ben = asks_ben_with_keys(scene)
    ben.answer()
    converse(ben, talk.anna)
    talk.anna.hang_up()
    converse(ben, talk.outside)
    talk.outside.hang_up()
    scene.only_call(rang="anna ben", answered="anna ben", agent="ben", talk=1.5)


def test_attended_with_keys_and_given_up(scene: Scene) -> None:
    talk, ben = asks_ben_with_keys(scene)
    ben.answer()
    converse(ben, talk.anna)
    ben.hang_up()
    converse(talk.anna, talk.outside)
    talk.anna.hang_up()
    talk.outside.wait_ended()
    scene.only_call(rang="anna ben", answered="anna", agent="anna", talk=1)


def test_attended_with_keys_while_the_colleague_rings(scene: Scene) -> None:
    talk, ben = asks_ben_with_keys(scene)
    talk.anna.hang_up()
    ben.answer()
    converse(ben, talk.outside)
    ben.hang_up()
    talk.outside.wait_ended()
    scene.only_call(rang="anna ben", answered="anna ben", agent="ben", talk=1.2)


def test_all_three_with_keys(scene: Scene) -> None:
    talk, ben = asks_ben_with_keys(scene)
    ben.answer()
    converse(ben, talk.anna)
    talk.anna.send_dtmf("*3")
    converse(ben, talk.outside)
    converse(talk.anna, talk.outside)
    talk.anna.hang_up()
    converse(ben, talk.outside)
    talk.outside.hang_up()
    scene.only_call(rang="anna ben", answered="anna ben", agent="ben", talk=2)
