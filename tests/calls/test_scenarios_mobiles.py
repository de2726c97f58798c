"""Users' own mobiles, and the queue that a caller waited in, on the real Asterisk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from private_asterisk import PrivateAsterisk

from models import Call, Contact, Deal
from tests.office import Office, until
from tests.scene import DID, MOBILE, STRANGER, Scene, picked_up
from verbs import users

ALL_AT_ONCE = "4930555102"
NOBODY_THERE = "4930555105"
ONE_BY_ONE = "4930555106"
FOLLOW_ME = "4930555107"


@pytest.fixture(scope="module")
def scenery(
    short_waits: PrivateAsterisk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """The office; Anna has told her mobile's number, as people write it."""
    office = Office(short_waits, tmp_path_factory.mktemp("mobiles"))
    users.change(office.world.anna, mobile="0171 0000101")
    office.listen()
    yield office
    office.close()


def places(call: Call) -> dict[str, str]:
    """Outcome of each leg, by endpoint."""
    return {leg.endpoint: leg.outcome for leg in call.legs}


def test_followed_to_the_own_mobile_outside(scene: Scene) -> None:
    anna, mobile = scene.anna.auto(), scene.outside
    outside = scene.customer().call(FOLLOW_ME)
    anna.expect_call().wait_ended()
    picked_up(mobile, outside, 1)
    outside.hang_up()
    call = scene.only_call(
        did=FOLLOW_ME, rang="anna", answered="anna", agent="anna", wait=1.2, talk=1
    )
    assert places(call) == {"PJSIP/101": "missed", f"mobile/{MOBILE}": "answered"}


def test_forwarded_to_the_own_mobile_outside(scene: Scene) -> None:
    scene.anna.auto(redirect=MOBILE)
    mobile = scene.outside
    outside = scene.customer().call(ONE_BY_ONE)
    picked_up(mobile, outside)
    outside.hang_up()
    call = scene.only_call(did=ONE_BY_ONE, rang="anna", answered="anna", agent="anna")
    assert places(call)[f"mobile/{MOBILE}"] == "answered"


@pytest.mark.parametrize("number", ["+491710000101", "01710000101"])
def test_call_from_the_own_mobile(scene: Scene, number: str) -> None:
    """A colleague answers: an internal call, and nobody becomes a customer."""
    ben = scene.ben
    outside = scene.customer(number).call(DID)
    picked_up(ben, outside)
    outside.hang_up()
    (call,) = scene.calls(1)
    assert (call.direction, call.outcome, call.agent.login) == ("internal", "answered", "ben")
    assert places(call)[f"mobile/{MOBILE}"] == "answered"
    assert Contact.select().count() == Deal.select().count() == 0


def test_outgoing_to_a_customer_is_not_to_a_mobile(scene: Scene) -> None:
    world = scene.outside
    call = scene.anna.call(STRANGER)
    picked_up(world, call).hang_up()
    call.wait_ended()
    scene.only_call(direction="outgoing", did=None, answered="anna", agent="anna", owner="no deal")


# Queues


def test_the_queue_is_told(scene: Scene) -> None:
    anna = scene.anna.auto()
    outside = scene.customer().call(ALL_AT_ONCE)
    scene.rung("anna")
    picked_up(anna, outside).hang_up()
    outside.wait_ended()
    call = scene.only_call(did=ALL_AT_ONCE, rang="anna", answered="anna", agent="anna")
    assert call.queue == "sales-all"


def test_the_queue_is_told_of_a_caller_who_left_it(scene: Scene) -> None:
    anna = scene.anna.auto()
    outside = scene.customer().call(ALL_AT_ONCE)
    scene.rung("anna")
    outside.hang_up()
    anna.expect_call().wait_ended()
    (call,) = scene.calls(1)
    assert (call.outcome, call.queue) == ("missed", "sales-all")


def test_who_was_not_let_into_a_queue_waited_in_none(scene: Scene) -> None:
    outside = scene.customer().call(NOBODY_THERE)
    outside.wait_ended()
    (call,) = scene.calls(1)
    assert (call.outcome, call.queue) == ("missed", None)


def test_the_queue_of_a_caller_who_waits_since_before_we_came(
    patient_queues: None, office: Office, parties: ExitStack
) -> None:
    scene = Scene(office, parties)
    anna = scene.anna.auto()
    outside = scene.customer().call(ALL_AT_ONCE)
    anna.expect_call()
    office.listen()
    until(lambda: Call.select().where(Call.queue == "sales-all").exists(), "the queue's name")
    outside.hang_up()
    (call,) = office.ended()
    assert (call.outcome, call.queue) == ("missed", "sales-all")
    parties.close()
