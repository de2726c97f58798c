"""`trichter ari` is stopped between connecting and listing what lives, and a call goes on without
it. When it goes on too, the list is newer than the events that it has not read yet."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest

from ari_app.events import Settled
from ari_app.rest import Unauthorized
from ari_app.settling import Settling
from models import Call
from tests.calls.gate import Gate
from tests.calls.lived import lived, near
from tests.office import PATIENCE, Office, until
from tests.scene import DID, Scene, picked_up

NUMBER = "+493044701195"
CLOSE = timedelta(seconds=0.2)


@pytest.fixture
def gate(office: Office) -> Iterator[Gate]:
    with Gate(office.pbx.ports.http) as opened:
        yield opened


@pytest.fixture
def scene(office: Office, parties: ExitStack) -> Iterator[Scene]:
    """The phones of Ben and Olga ring, and are not picked up."""
    scene = Scene(office, parties)
    for phone in scene.ben, scene.olga:
        phone.auto()
    yield scene
    parties.close()


@contextmanager
def stopped(office: Office, gate: Gate) -> Iterator[None]:
    """A new process is stopped when it has asked what lives, and goes on afterwards."""
    process = office.run("ari", TRICHTER_ARI_URL=gate.url)
    assert gate.asked.wait(PATIENCE)
    process.send_signal(signal.SIGSTOP)
    yield
    process.send_signal(signal.SIGCONT)
    gate.let_in()


def as_it_was(office: Office, call: Call) -> None:
    was = lived(office, call)
    assert was.answered
    assert call.agent.login == "anna"
    assert (call.outcome, call.guessed_end) == ("answered", False)
    assert abs(call.answered_at - was.answered) < CLOSE
    assert abs(call.ended_at - was.ended) < CLOSE
    assert near(call.talk, was.talked)
    assert {leg.user.login: leg.outcome for leg in call.legs} == {
        "anna": "answered",
        "ben": "missed",
        "olga": "missed",
    }
    assert call.deal.owner.login == "anna"


def test_a_call_that_came_and_went_meanwhile(office: Office, gate: Gate, scene: Scene) -> None:
    with stopped(office, gate):
        phone = scene.anna
        outside = scene.customer(NUMBER).call(DID)
        picked_up(phone, outside, 1).hang_up()
        office.pbx.wait_idle()
    (call,) = office.ended(NUMBER)
    as_it_was(office, call)


def test_a_call_that_rang_when_the_last_process_died(
    office: Office, gate: Gate, scene: Scene
) -> None:
    listener = office.listen()
    phone = scene.anna.auto()
    outside = scene.customer(NUMBER).call(DID)
    office.event("call.ringing")
    listener.kill()
    listener.wait()
    with stopped(office, gate):
        assert Call.get().answered_at is None
        picked_up(phone, outside, 1).hang_up()
        office.pbx.wait_idle()
    (call,) = office.ended(NUMBER)
    as_it_was(office, call)


def test_a_call_that_lives_when_it_goes_on(office: Office, gate: Gate, scene: Scene) -> None:
    """What the list tells is so now; since when, the events tell."""
    with stopped(office, gate):
        phone = scene.anna
        outside = scene.customer(NUMBER).call(DID)
        anna = picked_up(phone, outside, 1)
    office.event("call.answered")
    assert Call.get().ended_at is None
    anna.hang_up()
    (call,) = office.ended(NUMBER)
    as_it_was(office, call)


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
