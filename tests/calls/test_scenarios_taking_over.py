"""Somebody takes a call that is another's: picked up, parked, on hold, in a conference."""

import pytest

from tests.scene import DID, Scene, converse, one_deal, picked_up

CONFERENCE = "4930555110"


@pytest.mark.parametrize("code", ["*8", "*8101"], ids=["group", "directed"])
def test_call_pick_up(scene: Scene, way: str, code: str) -> None:
    anna = scene.anna.auto()
    outside = scene.customer(way=way).call(DID)
    ringing = anna.expect_call()
    outside.wait_ringing()
    ben = scene.ben.call(code)
    converse(ben, outside, 0.5)
    ringing.wait_ended()
    outside.hang_up()
    ben.wait_ended()
    scene.only_call(rang="anna", answered="ben", agent="ben", talk=0.6)
    assert one_deal().owner == scene.office.world.ben


def test_parked_by_transfer(scene: Scene) -> None:
    anna = scene.anna
    outside = scene.customer().call(DID)
    call = picked_up(anna, outside)
    assert call.transfer_blind("700") == 200
    ben = scene.ben.call("701")
    converse(ben, outside, 0.5)
    outside.hang_up()
    ben.wait_ended()
    scene.only_call(rang="anna", answered="anna ben", agent="ben", talk=0.7)
    assert one_deal().owner == scene.office.world.ben


def test_parked_with_keys(scene: Scene) -> None:
    anna = scene.anna
    outside = scene.customer().call(DID)
    call = picked_up(anna, outside)
    call.send_dtmf("*7")
    call.wait_ended()  # she hears the number first
    ben = scene.ben.call("701")
    converse(ben, outside)
    outside.hang_up()
    ben.wait_ended()
    scene.only_call(rang="anna", answered="anna ben", agent="ben", talk=0.6)


def test_parked_and_the_caller_gives_up(scene: Scene) -> None:
    anna = scene.anna
    outside = scene.customer().call(DID)
    assert picked_up(anna, outside).transfer_blind("700") == 200
    outside.hang_up()
    scene.only_call(rang="anna", answered="anna", agent="anna")


def test_hold_and_resume(scene: Scene, way: str) -> None:
    anna = scene.anna
    outside = scene.customer(way=way).call(DID)
    call = picked_up(anna, outside, 0.5)
    call.hold()
    call.resume()
    converse(call, outside, 0.5)
    call.hang_up()
    outside.wait_ended()
    scene.only_call(rang="anna", answered="anna", agent="anna", talk=1)


def test_conference_with_a_customer(scene: Scene) -> None:
    """The one who came last spoke last."""
    outside = scene.customer().call(CONFERENCE)
    outside.wait_answered()
    anna = scene.anna.call("800")
    converse(anna, outside)
    ben = scene.ben.call("800")
    converse(ben, outside)
    anna.hang_up()
    outside.hang_up()
    ben.hang_up()
    scene.only_call(did=CONFERENCE, answered="anna ben", agent="ben")
    assert one_deal().owner == scene.office.world.ben


def test_conference_of_colleagues(scene: Scene) -> None:
    anna = scene.anna.call("800")
    anna.wait_answered()
    ben = scene.ben.call("800")
    converse(ben, anna)
    anna.hang_up()
    ben.hang_up()
    (call,) = scene.calls(1)
    assert (call.direction, call.outcome, call.deal) == ("internal", "answered", None)
