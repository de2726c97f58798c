"""`trichter ari` is stopped between connecting and listing what lives, and a call goes on without
it. When it goes on too, the list is newer than the events that it has not read yet."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from ari_app.events import Settled
from ari_app.rest import Unauthorized
from ari_app.settling import Settling
from fields import utcnow
from models import Call
from tests.calls.gate import Gate
from tests.office import Office, until

NUMBER = "+493044701195"
CLOSE = timedelta(seconds=0.7)


@pytest.fixture
def gate(office: Office) -> Iterator[Gate]:
    with Gate(office.pbx.ports.http) as opened:
        yield opened


def as_it_was(call: Call, answered: datetime, ended: datetime) -> None:
    assert call.agent.login == "anna"
    assert (call.outcome, call.guessed_end, call.talk) == ("answered", False, 1)
    assert abs(call.answered_at - answered) < CLOSE
    assert abs(call.ended_at - ended) < CLOSE
    assert {leg.user.login: leg.outcome for leg in call.legs} == {
        "anna": "answered",
        "ben": "missed",
        "olga": "missed",
    }
    assert call.deal.owner.login == "anna"


def test_a_call_that_came_and_went_meanwhile(office: Office, gate: Gate) -> None:
    process = office.run("ari", TRICHTER_ARI_URL=gate.url)
    assert gate.asked.wait(15)
    process.send_signal(signal.SIGSTOP)
    with office.phones(p101="answer"):
        office.caller(NUMBER, way="observe", hold=1).run()
    office.pbx.wait_idle()
    ended = utcnow()
    process.send_signal(signal.SIGCONT)
    gate.let_in()
    (call,) = office.ended(NUMBER)
    as_it_was(call, ended - timedelta(seconds=1.1), ended)


def test_a_call_that_rang_when_the_last_process_died(office: Office, gate: Gate) -> None:
    listener = office.listen()
    with (
        office.phones(ring_seconds=4, p101="answer"),
        office.caller(NUMBER, way="observe", hold=1) as caller,
    ):
        office.event("call.ringing")
        listener.kill()
        listener.wait()
        process = office.run("ari", TRICHTER_ARI_URL=gate.url)
        assert gate.asked.wait(15)
        process.send_signal(signal.SIGSTOP)
        assert Call.get().answered_at is None
        caller.wait()
    office.pbx.wait_idle()
    ended = utcnow()
    process.send_signal(signal.SIGCONT)
    gate.let_in()
    (call,) = office.ended(NUMBER)
    as_it_was(call, ended - timedelta(seconds=1.1), ended)


def test_a_call_that_lives_when_it_goes_on(office: Office, gate: Gate) -> None:
    """What the list tells is so now; since when, the events tell."""
    process = office.run("ari", TRICHTER_ARI_URL=gate.url)
    assert gate.asked.wait(15)
    process.send_signal(signal.SIGSTOP)
    with (
        office.phones(ring_seconds=1.5, p101="answer") as phones,
        office.caller(NUMBER, way="observe", hold=4) as caller,
    ):
        phones["101"].wait_for("answered")
        answered = utcnow()
        process.send_signal(signal.SIGCONT)
        gate.let_in()
        office.event("call.answered")
        call = Call.get()
        assert abs(call.answered_at - answered) < CLOSE
        assert call.ended_at is None
        caller.wait()
    (call,) = office.ended(NUMBER)
    assert (call.outcome, call.talk, call.agent.login) == ("answered", 4, "anna")


class ReadOnly:
    """Asterisk refuses to send our event."""

    def request(self, *_args: object, **_params: object) -> None:
        raise Unauthorized("read-only", 403)


def test_without_the_right_to_send_an_event_time_must_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ari_app.settling.STEP", 0.01)
    monkeypatch.setattr("ari_app.settling.PUBLISHED", 0.01)
    put: list[object] = []
    settling = Settling("trichter", put.append)
    settling.begin(ReadOnly(), "m1")  # type: ignore[arg-type]
    until(lambda: put, "the word that all has come")
    (settled,) = put
    assert isinstance(settled, Settled)
    assert settled.mark == "m1"
