"""Listening in on a real exchange (T11): who hears whom, and that the call itself is left alone."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import pytest

from errors import Conflict, Refused
from models import Call, CallRequest, Event, Leg, User
from panel import audience
from tests.calls.test_callout import becomes
from tests.office import PATIENCE, Office, until
from tests.scene import DID, Scene, picked_up
from tests.softphone import Call as Talk
from tests.softphone import IncomingCall, OutgoingCall
from tests.softphone.media import CODECS
from verbs import requests

ENOUGH, SETTLED = 20, 10
"""Packets, fifty a second."""
SILENCE, QUIET = b"\xd5" * 8, 2
VOICE = bytes([5, 30, 60, 90, 133, 158, 188, 218])
"""In A-law, and how many different samples it has when it has passed through a snoop."""
HEARD_BY: dict[str, tuple[str, ...]] = {
    "listen": (),
    "whisper": ("anna",),
    "join": ("anna", "customer"),
}


class Office3(NamedTuple):
    """Anna talks with a customer, and the head has the third phone."""

    scene: Scene
    anna: IncomingCall
    customer: OutgoingCall
    call: Call

    def asks(self, kind: str) -> CallRequest:
        return requests.listen(self.scene.office.world.hugo, self.call, kind)

    def enters(self, kind: str) -> tuple[CallRequest, IncomingCall]:
        """The head's phone is picked up, and is where it should be."""
        phone = self.scene.olga
        request = self.asks(kind)
        hugo = phone.expect_call()
        assert (hugo.number, hugo.name) == ("101", "Anna Krüger")
        hugo.answer()
        becomes(request, "talking")
        return request, hugo


@pytest.fixture
def scene(office: Office, parties: ExitStack) -> Iterator[Scene]:
    office.listen()
    User.update(endpoint=None).where(User.login == "olga").execute()
    User.update(endpoint="PJSIP/103").where(User.login == "hugo").execute()
    office.world.hugo.endpoint = "PJSIP/103"
    yield Scene(office, parties)
    parties.close()


@pytest.fixture
def running(scene: Scene) -> Office3:
    phone = scene.anna
    customer = scene.customer().call(DID)
    anna = picked_up(phone, customer)
    call = until(lambda: Call.get_or_none(Call.answered_at.is_null(False)), "the call")
    return Office3(scene, anna, customer, call)


class Ears:
    """Who hears what: everybody but the one who speaks sends silence, as telephones do.

    What comes through a snoop is resampled, so it is not compared with what was sent: only one
    speaks at a time, and silence has two values at most.
    """

    def __init__(self, **talks: Talk) -> None:
        self.talks = talks
        self.loud: Counter[str] = Counter()
        self.all: Counter[str] = Counter()
        for name, talk in talks.items():
            talk.media.received = partial(self._received, name)  # type: ignore[method-assign]
            talk.media.voice = SILENCE
            talk.speak()

    def _received(self, name: str, packet: bytes) -> None:
        if len(packet) > 12 and packet[1] & 0x7F in CODECS:
            self.all[name] += 1
            self.loud[name] += len(set(packet[12:])) > QUIET

    def wait(self, count: Counter[str], names: Iterable[str]) -> None:
        """Until all of them have got enough of that."""
        wanted = {name: count[name] + ENOUGH for name in names}
        until(lambda: all(count[n] >= most for n, most in wanted.items()), f"packets: {self.loud}")

    def only(self, speaker: str, *hear: str) -> None:
        """While this one speaks these hear it, and the others hear silence."""
        self._settle()
        before = dict(self.loud)
        self.talks[speaker].media.voice = VOICE
        deaf = self.talks.keys() - {speaker, *hear}
        self.wait(self.loud, hear)
        self.wait(self.all, deaf)
        assert {n for n in deaf if self.loud[n] != before.get(n, 0)} == set(), f"of {speaker}"
        self.talks[speaker].media.voice = SILENCE

    def _settle(self) -> None:
        """What was said before has been heard: now there is silence everywhere."""
        begun = {name: (self.loud[name], self.all[name]) for name in self.talks}

        def silent(name: str) -> bool:
            if self.loud[name] != begun[name][0]:
                begun[name] = (self.loud[name], self.all[name])
            return self.all[name] >= begun[name][1] + SETTLED

        def all_silent() -> bool:
            return sum(map(silent, self.talks)) == len(self.talks)

        until(all_silent, f"silence: {self.loud}")


def kinds(prefix: str) -> list[str]:
    found = Event.select().where(Event.kind.startswith(prefix)).order_by(Event.id)
    return [event.kind for event in found]


def changed(times: int) -> bool:
    return len(kinds("listen.changed")) == times


def leftovers(scene: Scene) -> str:
    bridges = scene.office.pbx.cli("bridge show all")
    return "\n".join(
        line
        for line in (scene.office.pbx.cli("core show channels concise") + bridges).splitlines()
        if "trichter-ear" in line or "Snoop" in line
    )


def goes_on(running: Office3) -> None:
    """Customer and seller talk as before."""
    ears = Ears(anna=running.anna, customer=running.customer)
    ears.only("customer", "anna")
    ears.only("anna", "customer")


def check(ears: Ears, mode: str) -> None:
    """Who hears whom: the head hears both always, and is heard as the mode says."""
    ears.only("hugo", *HEARD_BY[mode])
    ears.only("anna", "customer", "hugo")
    ears.only("customer", "anna", "hugo")


@pytest.mark.parametrize("mode", ["listen", "whisper", "join"])
def test_who_hears_whom(running: Office3, mode: str) -> None:
    request, hugo = running.enters(mode)
    check(Ears(anna=running.anna, customer=running.customer, hugo=hugo), mode)
    hugo.hang_up()
    becomes(request, "done")
    goes_on(running)
    until(lambda: not leftovers(running.scene), "the end of bridge and snoop")


def test_it_is_no_call_and_no_leg(running: Office3) -> None:
    request, hugo = running.enters("join")
    hugo.hang_up()
    becomes(request, "done")
    running.customer.hang_up()
    (call,) = running.scene.calls(1)
    assert call == running.call
    assert call.agent == running.scene.office.world.anna
    assert not Leg.select().where(Leg.channel.startswith("trichter-")).exists()


def test_from_one_to_the_other_while_it_runs(running: Office3) -> None:
    request, hugo = running.enters("listen")
    ears = Ears(anna=running.anna, customer=running.customer, hugo=hugo)
    check(ears, "listen")
    for number, mode in enumerate(("whisper", "join", "listen"), start=1):
        assert requests.listen_as(CallRequest.get_by_id(request.id), mode)
        until(partial(changed, number), mode)
        check(ears, mode)
    modes = [event.content["mode"] for event in Event.select() if event.kind[:7] == "listen."]
    assert modes == ["listen", "whisper", "join", "listen"]


def test_it_ends_with_the_call(running: Office3) -> None:
    request, hugo = running.enters("join")
    running.customer.hang_up()
    hugo.wait_ended()
    running.anna.wait_ended()
    becomes(request, "done")
    until(lambda: not leftovers(running.scene), "the end of bridge and snoop")
    (call,) = running.scene.calls(1)
    assert (call.outcome, call.agent.login) == ("answered", "anna")


def test_it_ends_in_the_panel(running: Office3) -> None:
    request, hugo = running.enters("listen")
    requests.cancel(CallRequest.get_by_id(request.id))
    hugo.wait_ended()
    becomes(request, "done")
    goes_on(running)


def test_the_trail(running: Office3) -> None:
    request, hugo = running.enters("whisper")
    hugo.hang_up()
    becomes(request, "done")
    world = running.scene.office.world
    until(lambda: kinds("listen.ended"), "the end")
    assert kinds("listen.") == ["listen.started", "listen.ended"]
    for event in Event.select().where(Event.kind.startswith("listen.")):
        assert (event.user, event.call, event.deal) == (world.hugo, running.call, None)
        assert event.content["mode"] == "whisper"
        assert event.content["whom"] == world.anna.id
        assert audience.call_for(event, world.anna) is None
        assert audience.deal_for(event, world.anna) is None
        assert audience.call_for(event, world.ada) == running.call.id


def test_the_heads_phone_is_not_picked_up(running: Office3) -> None:
    running.scene.olga.auto(reject=486)
    becomes(running.asks("listen"), "failed", "busy")
    assert kinds("listen.") == []
    goes_on(running)


def test_the_call_ends_before_the_head_picks_up(running: Office3) -> None:
    phone = running.scene.olga
    request = running.asks("listen")
    hugo = phone.expect_call()
    hugo.ring()
    running.customer.hang_up()
    running.scene.office.ended(count=1)
    hugo.answer()
    hugo.wait_ended()
    becomes(request, "failed", "over")
    until(lambda: not leftovers(running.scene), "the end of bridge and snoop")


@pytest.mark.parametrize("ringing", [True, False])
def test_killed_while_somebody_listens(running: Office3, ringing: bool) -> None:
    """What is left of it ends when we are back; the call has not noticed."""
    office = running.scene.office
    if ringing:
        phone = running.scene.olga
        request = running.asks("join")
        hugo = phone.expect_call()
        hugo.ring()
        becomes(request, "ringing")
    else:
        request, hugo = running.enters("join")
    office.processes[-1].send_signal(signal.SIGKILL)
    office.processes[-1].wait()
    goes_on(running)
    assert hugo.state != "ended"
    office.listen()
    hugo.wait_ended()
    becomes(request, "failed" if ringing else "done", "lost" if ringing else "")
    until(lambda: not leftovers(running.scene), "the end of bridge and snoop")
    goes_on(running)
    running.customer.hang_up()
    (call,) = running.scene.calls(1)
    assert (call.outcome, call.agent.login) == ("answered", "anna")
    assert kinds("listen.") == ([] if ringing else ["listen.started", "listen.ended"])


def test_ended_in_order(running: Office3) -> None:
    """`trichter ari` is told to end: nobody goes on listening where nobody sees it."""
    request, hugo = running.enters("join")
    office = running.scene.office
    office.processes[-1].terminate()
    office.processes[-1].wait(PATIENCE)
    hugo.wait_ended()
    goes_on(running)
    until(lambda: not leftovers(running.scene), "the end of bridge and snoop")
    office.listen()
    becomes(request, "done")


def test_who_may_and_when(running: Office3) -> None:
    world = running.scene.office.world
    with pytest.raises(Refused, match="Only a head"):
        requests.listen(world.anna, running.call, "listen")
    with pytest.raises(Refused, match="no phone"):
        requests.listen(world.ada, running.call, "listen")
    with pytest.raises(Refused, match="one of"):
        requests.listen(world.hugo, running.call, "sing")
    running.asks("listen")
    with pytest.raises(Conflict):
        running.asks("whisper")
    running.customer.hang_up()
    (call,) = running.scene.office.ended(count=1)
    with pytest.raises(Refused, match="Nobody is talking"):
        requests.listen(world.hugo, call, "listen")
