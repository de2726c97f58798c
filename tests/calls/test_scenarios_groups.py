"""Several phones ring: ring groups, queues, and Local channels as FreePBX makes them."""

from models import Leg
from tests.office import until
from tests.scene import DID, Scene, converse, one_deal, picked_up

ALL_AT_ONCE = "4930555102"
IN_TURN = "4930555103"
NOBODY_THERE = "4930555105"
ONE_BY_ONE = "4930555106"
THROUGH_LOCAL = "4930555108"


def test_ring_group_all_at_once(scene: Scene, way: str) -> None:
    scene.anna.auto()
    ben = scene.ben.auto()
    outside = scene.customer(way=way).call(DID)
    scene.rung("anna ben")
    call = picked_up(ben, outside, 1.2)
    outside.hang_up()
    call.wait_ended()
    scene.only_call(rang="anna ben", answered="ben", agent="ben", talk=0.7)


def test_nobody_of_the_group_answers(scene: Scene, way: str) -> None:
    anna = scene.anna.auto()
    outside = scene.customer(way=way).call(DID)
    scene.rung("anna")
    outside.hang_up()
    anna.expect_call().wait_ended()
    scene.only_call(rang="anna", outcome="missed", talk=None, owner="anna")


def test_one_is_busy_and_the_caller_gives_up(scene: Scene) -> None:
    anna, ben = scene.anna, scene.ben
    outside = scene.customer().call(DID)
    waiting, rejected = anna.expect_call(), ben.expect_call()
    rejected.ring()
    scene.rung("ben")
    waiting.ring()
    scene.rung("anna ben")
    rejected.reject(486)
    until(lambda: Leg.select().where(Leg.outcome == "busy").exists(), "his phone to be busy")
    outside.hang_up()
    waiting.wait_ended()
    scene.only_call(rang="anna ben", outcome="missed", talk=None, owner="anna")


def test_group_one_after_the_other(scene: Scene) -> None:
    anna, ben = scene.anna.auto(), scene.ben.auto(answer_after=0)
    outside = scene.customer().call(ONE_BY_ONE)
    anna.expect_call().wait_ended()
    converse(ben.expect_call(), outside)
    outside.hang_up()
    scene.only_call(did=ONE_BY_ONE, rang="anna ben", answered="ben", agent="ben", wait=1)


def test_group_through_local_channels(scene: Scene) -> None:
    scene.anna.auto()
    ben = scene.ben.auto()
    outside = scene.customer().call(THROUGH_LOCAL)
    scene.rung("anna ben")
    picked_up(ben, outside, 0.5)
    outside.hang_up()
    scene.only_call(did=THROUGH_LOCAL, rang="anna ben", answered="ben", agent="ben", talk=0.5)


def test_nobody_answers_through_local_channels(scene: Scene) -> None:
    anna = scene.anna.auto()
    outside = scene.customer().call(THROUGH_LOCAL)
    scene.rung("anna")
    outside.hang_up()
    anna.expect_call().wait_ended()
    scene.only_call(did=THROUGH_LOCAL, rang="anna", outcome="missed", talk=None, owner="anna")


# Queues


def test_queue_all_at_once(scene: Scene) -> None:
    anna = scene.anna.auto()
    scene.ben.auto()
    outside = scene.customer().call(ALL_AT_ONCE)
    scene.rung("anna ben")
    picked_up(anna, outside, 0.5).hang_up()
    outside.wait_ended()
    scene.only_call(did=ALL_AT_ONCE, rang="anna ben", answered="anna", agent="anna", talk=0.5)


def test_queue_in_turn(scene: Scene) -> None:
    """Whose turn is next the queue remembers: two calls reach two people."""
    scene.anna.auto(answer_after=0)
    scene.ben.auto(answer_after=0)
    scene.olga.auto(answer_after=0)
    for number in ("+493044701182", "+493044701183"):
        outside = scene.customer(number).call(IN_TURN)
        outside.wait_answered()
        outside.hang_up()
        scene.office.pbx.wait_idle()
    first, second = scene.calls(2)
    assert first.outcome == second.outcome == "answered"
    assert first.agent != second.agent
    for call in (first, second):
        assert [leg.user for leg in call.legs] == [call.agent]
        assert call.deal.owner == call.agent


def test_queue_member_rejects(scene: Scene) -> None:
    anna, ben = scene.anna, scene.ben
    outside = scene.customer().call(ALL_AT_ONCE)
    rejected = anna.expect_call()
    rejected.ring()
    rejected.reject(486)
    # The queue forgets why, if somebody answers at this very moment.
    until(lambda: Leg.select().where(Leg.outcome == "busy").exists(), "her phone to be busy")
    picked_up(ben, outside)
    outside.hang_up()
    call = scene.only_call(did=ALL_AT_ONCE, rang="anna ben", answered="ben", agent="ben")
    assert {leg.user.login: leg.outcome for leg in call.legs if leg.rang_at} == {
        "anna": "busy",
        "ben": "answered",
    }


def test_queue_member_times_out_and_is_rung_again(scene: Scene) -> None:
    anna = scene.anna.auto()
    outside = scene.customer().call(ALL_AT_ONCE)
    anna.expect_call().wait_ended()
    picked_up(anna, outside)
    outside.hang_up()
    call = scene.only_call(did=ALL_AT_ONCE, rang="anna", answered="anna", agent="anna", wait=2)
    assert [leg.outcome for leg in call.legs if leg.rang_at] == ["missed", "answered"]


def test_caller_leaves_the_queue(scene: Scene) -> None:
    anna = scene.anna.auto()
    outside = scene.customer().call(ALL_AT_ONCE)
    scene.rung("anna")
    outside.hang_up()
    anna.expect_call().wait_ended()
    scene.only_call(did=ALL_AT_ONCE, rang="anna", outcome="missed", talk=None, owner="anna")


def test_queue_with_nobody_in_it(scene: Scene) -> None:
    outside = scene.customer().call(NOBODY_THERE)
    outside.wait_heard()
    outside.hang_up()
    scene.only_call(did=NOBODY_THERE, outcome="missed", talk=None, owner="nobody")


def test_queue_gives_up_and_the_voice_box_takes_over(scene: Scene) -> None:
    anna = scene.anna.auto()
    outside = scene.customer().call(ALL_AT_ONCE)
    anna.expect_call().wait_ended()
    outside.wait_answered()
    outside.wait_heard()
    outside.hang_up()
    scene.only_call(
        did=ALL_AT_ONCE, rang="anna", outcome="missed", wait=3.5, talk=None, owner="anna"
    )


def test_queue_then_transfer(scene: Scene) -> None:
    anna = scene.anna
    outside = scene.customer().call(ALL_AT_ONCE)
    call = picked_up(anna, outside)
    ben = scene.ben.auto()
    assert call.transfer_blind("102") == 180
    picked_up(ben, outside)
    outside.hang_up()
    scene.only_call(did=ALL_AT_ONCE, rang="anna ben", answered="anna ben", agent="ben")
    assert one_deal().owner == scene.office.world.ben


def test_transfer_through_local_channels(scene: Scene) -> None:
    ben = scene.ben
    outside = scene.customer().call(THROUGH_LOCAL)
    call = picked_up(ben, outside)
    anna = scene.anna.auto()
    assert call.transfer_blind("101") == 180
    picked_up(anna, outside)
    outside.hang_up()
    scene.only_call(did=THROUGH_LOCAL, rang="anna ben", answered="anna ben", agent="anna")


def test_attended_transfer_through_local_channels(scene: Scene) -> None:
    ben = scene.ben
    outside = scene.customer().call(THROUGH_LOCAL)
    call = picked_up(ben, outside)
    call.hold()
    phone = scene.anna
    asked = ben.call("101")
    anna = picked_up(phone, asked)
    assert call.transfer_attended(asked) == 200
    converse(anna, outside, 0.5)
    outside.hang_up()
    scene.only_call(did=THROUGH_LOCAL, rang="anna ben", answered="anna ben", agent="anna", talk=0.7)
