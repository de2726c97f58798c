"""T5: whatever of Trichter is down or frozen, callers reach the same phones, and calls go on."""

import signal
import time

from database import database
from models import Call
from tests.office import Office, until

STRANGER = "+493044701182"
LIMIT = 1.0
"""Seconds that the dialplan gives Trichter to decide (asterisk_conf/extensions.conf)."""


def test_killed_while_a_routed_call_is_up(office: Office) -> None:
    ari = office.listen()
    with office.phones(p101="answer") as phones:
        with office.caller(STRANGER, hold=1.5) as caller:
            office.event("call.answered")
            ari.kill()
            ari.wait()
            assert caller.wait() == "hung up"
        phones["101"].wait_for("hung up by the other side")
    assert Call.get().ended_at is None
    office.listen()
    (call,) = office.ended()
    assert call.outcome == "answered"
    assert len(office.deals()) == 1


def test_killed_while_a_routed_call_rings(office: Office) -> None:
    ari = office.listen()
    with (
        office.phones(ring_seconds=1.0, p101="answer"),
        office.caller(STRANGER, hold=2.5) as caller,
    ):
        office.event("call.ringing")
        ari.kill()
        ari.wait()
        caller.wait_for("answered")
        office.listen()
        assert caller.wait() == "hung up"
    (call,) = office.ended()
    assert call.outcome == "answered"
    assert call.agent == office.world.anna
    assert [deal.owner for deal in office.deals()] == [office.world.anna]


def test_restarted_while_a_call_is_up(office: Office) -> None:
    ari = office.listen()
    with office.phones(p101="answer"), office.caller(STRANGER, hold=2.5) as caller:
        office.event("call.answered")
        ari.kill()
        ari.wait()
        office.listen()
        assert caller.wait() == "hung up"
    (call,) = office.ended()
    assert call.outcome == "answered"
    assert call.agent == office.world.anna
    assert call.talk in (2, 3)
    assert len(office.deals()) == 1


def test_nothing_listens_then_new_calls_reach_the_fallback(office: Office) -> None:
    with office.phones(p103="answer"):
        assert office.caller(STRANGER, hold=0.2).run() == "hung up"


def test_frozen_then_calls_reach_the_fallback_within_the_limit(office: Office) -> None:
    ari = office.listen()
    ari.send_signal(signal.SIGSTOP)
    with office.phones(p103="answer"):
        begun = time.monotonic()
        with office.caller(STRANGER, hold=0.2) as caller:
            caller.wait_for("ringing")
            waited = time.monotonic() - begun
            assert caller.wait() == "hung up"
    assert LIMIT * 0.8 < waited < LIMIT * 3
    ari.send_signal(signal.SIGCONT)
    (call,) = office.ended()
    assert call.outcome == "answered"
    assert call.agent == office.world.olga


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
