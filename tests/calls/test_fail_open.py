"""T5: whatever of Trichter is down or frozen, callers reach the same phones, and calls go on."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from database import database
from models import Call
from tests.calls.lived import lived, near
from tests.office import Office, until
from tests.scene import DID, Scene, converse, picked_up

STRANGER = "+493044701182"


@pytest.fixture
def scene(office: Office, parties: ExitStack) -> Iterator[Scene]:
    """Phones that ring as long as a test likes, and calls that last as long."""
    yield Scene(office, parties)
    parties.close()


def killed(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def test_killed_while_a_routed_call_is_up(office: Office, scene: Scene) -> None:
    ari = office.listen()
    phone = scene.anna
    outside = scene.customer(way="route").call(DID)
    anna = picked_up(phone, outside)
    office.event("call.answered")
    killed(ari)
    converse(anna, outside)
    outside.hang_up()
    assert anna.wait_ended() == "hung up by the other side"
    assert Call.get().ended_at is None
    office.listen()
    (call,) = office.ended()
    assert call.outcome == "answered"
    assert len(office.deals()) == 1


def test_killed_while_a_routed_call_rings(office: Office, scene: Scene) -> None:
    ari = office.listen()
    phone = scene.anna.auto()
    outside = scene.customer(way="route").call(DID)
    office.event("call.ringing")
    killed(ari)
    picked_up(phone, outside)
    office.listen()
    outside.hang_up()
    (call,) = office.ended()
    assert call.outcome == "answered"
    assert call.agent == office.world.anna
    assert [deal.owner for deal in office.deals()] == [office.world.anna]


def test_restarted_while_a_call_is_up(office: Office, scene: Scene) -> None:
    ari = office.listen()
    phone = scene.anna
    outside = scene.customer(way="route").call(DID)
    anna = picked_up(phone, outside)
    office.event("call.answered")
    killed(ari)
    office.listen()
    converse(anna, outside)
    outside.hang_up()
    (call,) = office.ended()
    assert call.outcome == "answered"
    assert call.agent == office.world.anna
    assert near(call.talk, lived(office, call).talked, 1)
    assert len(office.deals()) == 1


def test_nothing_listens_then_new_calls_reach_the_fallback(office: Office) -> None:
    with office.phones(p103="answer"):
        assert office.caller(STRANGER, hold=0.2).run() == "hung up"


def test_frozen_then_calls_reach_the_fallback_within_the_limit(
    office: Office, one_second: float
) -> None:
    """Trichter gets a second to decide."""
    ari = office.listen()
    ari.send_signal(signal.SIGSTOP)
    with office.phones(p103="answer"):
        assert office.caller(STRANGER, hold=0.2).run() == "hung up"
    ari.send_signal(signal.SIGCONT)
    (call,) = office.ended()
    assert call.outcome == "answered"
    assert call.agent == office.world.olga
    was = lived(office, call)
    assert was.dialled
    assert one_second * 0.8 < (was.dialled - was.begun).total_seconds() < one_second * 3


def test_database_locked_while_calls_come(office: Office) -> None:
    office.listen()
    with office.phones(p101="answer"), database.atomic():
        with office.caller(STRANGER, way="observe", hold=0.3) as caller:
            assert caller.wait() == "hung up"
        # The lock is held for longer than SQLite waits, so that the recorder really fails.
        until(lambda: office.said("ari", "wait to be recorded"), "the complaint of the recorder")
    (call,) = office.ended()
    assert call.outcome == "answered"
    assert call.agent == office.world.anna
    assert len(office.deals()) == 1


def test_wrong_password_is_said_and_tried_again(office: Office) -> None:
    office.run("ari", TRICHTER_ARI_PASSWORD="wrong")
    until(lambda: office.said("ari", "password"), "a word about the password")
    assert not office.said("ari", "Traceback")
    assert office.processes[-1].poll() is None


def test_asterisk_not_running_is_said_and_tried_again(office: Office) -> None:
    office.run("ari", TRICHTER_ARI_URL="http://127.0.0.1:9")
    until(lambda: office.said("ari", "is Asterisk running"), "a word about Asterisk")
    assert not office.said("ari", "Traceback")
    assert office.processes[-1].poll() is None
