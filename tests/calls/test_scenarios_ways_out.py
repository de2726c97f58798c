"""Calls that leave the office: forwarded, followed to a mobile, outgoing; and internal ones.

A mobile phone outside is nobody's as far as the exchange can tell. Who talks there is a voice of
the office all the same, and the deal is of the one whose phone was tried last.
"""

import pytest

from models import Contact, Deal
from tests.scene import DID, MOBILE, OWN_MOBILE, STRANGER, Scene, check, picked_up

ONE_BY_ONE = "4930555106"
FOLLOW_ME = "4930555107"
TRUNKS_AND_FORMS = (("03044701182", "observe"), (STRANGER, "route"), ("493044701182", "observe"))


def test_phone_forwards_to_a_colleague(scene: Scene) -> None:
    scene.anna.auto(redirect="102")
    ben = scene.ben
    outside = scene.customer().call(ONE_BY_ONE)
    picked_up(ben, outside)
    outside.hang_up()
    scene.only_call(did=ONE_BY_ONE, rang="ben", answered="ben", agent="ben")


def test_phone_forwards_to_a_mobile_phone_outside(scene: Scene) -> None:
    """The number stays the customer's."""
    scene.anna.auto(redirect=MOBILE)
    mobile = scene.outside
    outside = scene.customer().call(ONE_BY_ONE)
    picked_up(mobile, outside, 1)
    outside.hang_up()
    scene.only_call(did=ONE_BY_ONE, talk=1, owner="anna")


def test_followed_to_a_mobile_phone_outside(scene: Scene) -> None:
    anna, mobile = scene.anna.auto(), scene.outside
    outside = scene.customer().call(FOLLOW_ME)
    anna.expect_call().wait_ended()
    picked_up(mobile, outside)
    outside.hang_up()
    scene.only_call(did=FOLLOW_ME, rang="anna", wait=1.2, owner="anna")


def test_followed_and_answered_at_the_desk(scene: Scene) -> None:
    anna = scene.anna
    outside = scene.customer().call(FOLLOW_ME)
    picked_up(anna, outside)
    outside.hang_up()
    scene.only_call(did=FOLLOW_ME, rang="anna", answered="anna", agent="anna")


# Outgoing


def test_outgoing_answered(scene: Scene) -> None:
    world = scene.outside
    call = scene.anna.call(STRANGER)
    picked_up(world, call, 1).hang_up()
    call.wait_ended()
    scene.only_call(
        direction="outgoing", did=None, answered="anna", agent="anna", talk=1, owner="no deal"
    )


@pytest.mark.parametrize(
    ("status", "outcome"), [(486, "busy"), (404, "failed")], ids=["busy", "wrong number"]
)
def test_outgoing_refused(scene: Scene, status: int, outcome: str) -> None:
    world = scene.outside
    call = scene.anna.call(STRANGER)
    world.expect_call().reject(status)
    call.wait_ended()
    scene.only_call(direction="outgoing", did=None, outcome=outcome, talk=None, owner="no deal")


def test_outgoing_not_answered(scene: Scene) -> None:
    world = scene.outside.auto()
    call = scene.anna.call(STRANGER)
    world.expect_call()
    call.wait_ringing()
    call.hang_up()
    scene.only_call(direction="outgoing", did=None, outcome="missed", talk=None, owner="no deal")


def test_outgoing_then_transferred(scene: Scene) -> None:
    world = scene.outside
    out = scene.anna.call(STRANGER)
    customer = picked_up(world, out)
    ben = scene.ben.auto()
    assert out.transfer_blind("102") == 180
    picked_up(ben, customer)
    customer.hang_up()
    scene.only_call(
        direction="outgoing",
        did=None,
        rang="ben",
        answered="anna ben",
        agent="ben",
        owner="no deal",
    )


# Neither in nor out


def test_internal(scene: Scene) -> None:
    ben = scene.ben
    call = scene.anna.call("102")
    picked_up(ben, call)
    call.hang_up()
    (row,) = scene.calls(1)
    assert (row.direction, row.outcome, row.contact, row.deal) == (
        *("internal", "answered"),
        *(None, None),
    )
    assert Contact.select().count() == Deal.select().count() == 0


def test_internal_not_answered(scene: Scene) -> None:
    ben = scene.ben.auto()
    call = scene.anna.call("102")
    ben.expect_call()
    call.wait_ringing()
    call.hang_up()
    (row,) = scene.calls(1)
    assert (row.direction, row.outcome) == ("internal", "missed")
    assert not row.needs_call_back


# Numbers


def test_hidden_number(scene: Scene, way: str) -> None:
    """No number, so no customer; the call itself is there."""
    anna = scene.anna
    hidden = scene.customer(way=way).call(DID, from_user="anonymous", from_host="anonymous.invalid")
    picked_up(anna, hidden)
    hidden.hang_up()
    scene.only_call(number=None, rang="anna", answered="anna", agent="anna", owner="no deal")
    assert Contact.select().count() == 0


def test_two_trunks_with_numbers_in_different_form(scene: Scene) -> None:
    anna, talks = scene.anna, []
    for number, way in TRUNKS_AND_FORMS:
        outside = scene.customer(number, way).call(DID)
        talks.append((outside, picked_up(anna, outside)))
        outside.hang_up()
        scene.office.pbx.wait_idle()
    for call, both in zip(scene.calls(3), talks, strict=True):
        check(call, both, rang="anna", answered="anna", agent="anna")
    assert Contact.select().count() == Deal.select().count() == 1


def test_call_from_a_sellers_own_mobile(scene: Scene) -> None:
    ben = scene.ben
    outside = scene.customer(OWN_MOBILE).call(DID)
    picked_up(ben, outside)
    outside.hang_up()
    scene.only_call(number=OWN_MOBILE, rang="ben", answered="ben", agent="ben", owner="no deal")
    assert Contact.select().count() == 0
