"""Machines pick up: menus, voice boxes, announcements. None of them is an answer (rule 3)."""

from tests.scene import Scene, picked_up

MENU = "4930555101"
VOICE_BOX = "4930555104"
CLOSED = "4930555109"


def test_menu_then_the_queue(scene: Scene) -> None:
    anna = scene.anna
    outside = scene.customer().call(MENU)
    outside.wait_answered()
    outside.wait_heard()
    outside.send_dtmf("1")
    picked_up(anna, outside, 0.5).hang_up()
    outside.wait_ended()
    scene.only_call(did=MENU, rang="anna", answered="anna", agent="anna", wait=0.5, talk=0.5)


def test_caller_hangs_up_in_the_menu(scene: Scene) -> None:
    outside = scene.customer().call(MENU)
    outside.wait_answered()
    outside.wait_heard()
    outside.hang_up()
    call = scene.only_call(did=MENU, outcome="missed", talk=None, owner="nobody")
    assert call.needs_call_back


def test_voice_box(scene: Scene) -> None:
    anna = scene.anna.auto()
    outside = scene.customer().call(VOICE_BOX)
    anna.expect_call().wait_ended()
    outside.wait_answered()
    outside.wait_heard()
    outside.hang_up()
    call = scene.only_call(
        did=VOICE_BOX, rang="anna", outcome="missed", wait=1.3, talk=None, owner="anna"
    )
    assert call.needs_call_back


def test_answered_before_the_voice_box(scene: Scene) -> None:
    anna = scene.anna
    outside = scene.customer().call(VOICE_BOX)
    picked_up(anna, outside)
    outside.hang_up()
    scene.only_call(did=VOICE_BOX, rang="anna", answered="anna", agent="anna")


def test_outside_the_opening_hours(scene: Scene) -> None:
    outside = scene.customer().call(CLOSED)
    outside.wait_heard()
    outside.hang_up()
    call = scene.only_call(did=CLOSED, outcome="missed", talk=None, owner="nobody")
    assert call.needs_call_back
