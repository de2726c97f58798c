"""T8 on real Asterisks: recordings that a rule begins, and those of the exchange's own dialplan."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from models import Call, CallRule, Event
from tests.office import until
from tests.scene import DID, PACKETS_A_SECOND, Scene, converse, picked_up
from tests.softphone import Call as Talk

RATE = 8000


@dataclass(frozen=True)
class Heard:
    """A recording: its length in seconds, and how often each sample is in it."""

    seconds: float
    samples: tuple[int, ...]

    @classmethod
    def of(cls, path: Path) -> Heard:
        with wave.open(str(path)) as file:
            assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (RATE, 2, 1)
            frames = file.readframes(file.getnframes())
        samples = memoryview(frames).cast("h").tolist()
        return cls(len(samples) / RATE, tuple(samples))

    def voice(self, talk: Talk) -> float:
        """Seconds in which the voice of a phone, and nobody else's, is heard."""
        own = {linear(sample) for sample in talk.media.voice}
        return sum(sample in own for sample in self.samples) / RATE


def linear(sample: int) -> int:
    """G.711 A-law → 16 bits (ITU-T G.711, table 1a)."""
    sample ^= 0x55
    exponent, mantissa = sample >> 4 & 7, sample & 15
    value = (mantissa << 4) + 8
    if exponent:
        value = value + 0x100 << exponent - 1
    return value if sample & 0x80 else -value


def speak_in_turn(one: Talk, other: Talk, seconds: float = 0.5) -> None:
    for speaker, listener in ((one, other), (other, one)):
        voice, ears = speaker.media, listener.media
        wanted = ears.heard_of(voice) + round(seconds * PACKETS_A_SECOND)
        speaker.speak()
        until(lambda v=voice, e=ears, w=wanted: e.heard_of(v) >= w, "to hear each other")  # type: ignore[misc]
        speaker.speak(False)


@pytest.fixture
def folder(scene: Scene) -> Path:
    return scene.office.pbx.runtime / "spool" / "recording"


@pytest.fixture
def recorded(scene: Scene) -> Iterator[None]:
    """A rule: all incoming calls of unknown numbers are recorded."""
    rule = (CallRule.situation == "incoming") & ~CallRule.known & (CallRule.did == "")
    before = CallRule.get(rule).effects
    CallRule.update(effects=f"{before} record").where(rule).execute()
    yield
    CallRule.update(effects=before).where(rule).execute()


def begun(folder: Path) -> str:
    """The name of the call's file, as soon as there is one."""
    recorded = Call.select().where(Call.recording.is_null(False))
    call: Call = until(lambda: recorded.clone().first(), "a recording")
    until(lambda: (folder / str(call.recording)).exists(), "the file")
    return str(call.recording)


def snoops(scene: Scene) -> int:
    return scene.office.pbx.cli("core show channels concise").count("Snoop/")


@pytest.mark.usefixtures("recorded")
def test_a_rule_records_both_sides(scene: Scene, folder: Path) -> None:
    anna = scene.anna
    outside = scene.customer().call(DID)
    talk = picked_up(anna, outside)
    name = begun(folder)
    speak_in_turn(outside, talk)
    outside.hang_up()
    (call,) = scene.calls(1)
    assert (call.outcome, call.agent.login, call.recording) == ("answered", "anna", name)
    heard = Heard.of(folder / name)
    assert 0.9 < heard.seconds < (call.talk or 0) + 1
    assert heard.voice(outside) > 0.25
    assert heard.voice(talk) > 0.25
    assert Event.of_kind("recording.begun").count() == 1


@pytest.mark.usefixtures("recorded")
def test_it_goes_on_through_a_transfer(scene: Scene, folder: Path) -> None:
    """The second phone's packets have lower numbers than the first one's: see recordings.py."""
    phone = scene.anna
    outside = scene.customer().call(DID)
    anna = phone.expect_call()
    anna.media.count_from(30000)
    anna.ring()
    anna.answer()
    converse(anna, outside)
    name = begun(folder)
    speak_in_turn(outside, anna)
    ben_phone = scene.ben.auto()
    assert anna.transfer_blind("102") == 180
    ben = picked_up(ben_phone, outside)
    assert snoops(scene) == 1
    speak_in_turn(ben, outside)
    outside.hang_up()
    (call,) = scene.calls(1)
    assert (call.agent.login, call.recording) == ("ben", name)
    heard = Heard.of(folder / name)
    assert min(heard.voice(outside), heard.voice(anna), heard.voice(ben)) > 0.25
    assert heard.seconds > 1.5, "it did not end with the transfer"


@pytest.mark.usefixtures("recorded")
def test_death_of_trichter_costs_neither_call_nor_recording(scene: Scene, folder: Path) -> None:
    """Killed while it records, and back before the call ends: one file with all of it."""
    before = {path.name for path in folder.iterdir()} if folder.exists() else set()
    phone = scene.anna
    outside = scene.customer().call(DID)
    anna = picked_up(phone, outside)
    name = begun(folder)
    listener = scene.office.processes[-1]
    listener.kill()
    listener.wait()
    speak_in_turn(outside, anna)
    scene.office.listen()
    speak_in_turn(outside, anna)
    assert snoops(scene) == 1
    outside.hang_up()
    (call,) = scene.calls(1)
    assert call.recording == name
    assert {path.name for path in folder.iterdir()} - before == {name}
    heard = Heard.of(folder / name)
    assert heard.voice(outside) > 0.5
    assert heard.voice(anna) > 0.5


@pytest.mark.usefixtures("recorded")
def test_death_between_two_snoops(scene: Scene, folder: Path) -> None:
    """Killed when the old one had ended and the new one was not there yet: the file goes on."""
    phone = scene.anna
    outside = scene.customer().call(DID)
    anna = picked_up(phone, outside)
    name = begun(folder)
    speak_in_turn(outside, anna)
    listener = scene.office.processes[-1]
    listener.kill()
    listener.wait()
    channels = scene.office.pbx.cli("core show channels concise").splitlines()
    (snoop,) = (line.partition("!")[0] for line in channels if line.startswith("Snoop/"))
    scene.office.pbx.cli(f"channel request hangup {snoop}")
    anna.speak()  # a packet has to pass until it is gone
    until(lambda: not snoops(scene), "the end of the snoop")
    anna.speak(False)
    scene.office.listen()
    until(lambda: snoops(scene), "the next snoop")
    speak_in_turn(outside, anna)
    outside.hang_up()
    scene.calls(1)
    # Each half is half a second and a little.
    assert Heard.of(folder / name).voice(outside) > 0.75


@pytest.mark.usefixtures("recorded")
def test_answered_while_trichter_was_away(scene: Scene, folder: Path) -> None:
    """What is left of the call is recorded."""
    listener = scene.office.processes[-1]
    listener.kill()
    listener.wait()
    phone = scene.anna
    outside = scene.customer().call(DID)
    anna = picked_up(phone, outside)
    scene.office.listen()
    name = begun(folder)
    speak_in_turn(outside, anna)
    outside.hang_up()
    (call,) = scene.calls(1)
    assert Heard.of(folder / name).voice(anna) > 0.25
    assert call.recording == name


def test_the_other_rule_records_what_sellers_dial(scene: Scene, folder: Path) -> None:
    rule = (CallRule.situation == "outgoing") & ~CallRule.known
    effects = CallRule.get(rule).effects
    CallRule.update(effects=f"{effects} record").where(rule).execute()
    try:
        customer, dialled = scene.outside, scene.anna.call("03044701182")
        answer = picked_up(customer, dialled)
        name = begun(folder)
        speak_in_turn(dialled, answer)
        dialled.hang_up()
        scene.calls(1)
    finally:
        CallRule.update(effects=effects).where(rule).execute()
    heard = Heard.of(folder / name)
    assert min(heard.voice(dialled), heard.voice(answer)) > 0.25


def test_without_a_rule_nothing_is_recorded(scene: Scene, folder: Path) -> None:
    before = set(folder.iterdir())
    phone = scene.anna
    outside = scene.customer().call(DID)
    picked_up(phone, outside, seconds=1)
    assert snoops(scene) == 0
    outside.hang_up()
    (call,) = scene.calls(1)
    assert (call.outcome, call.recording) == ("answered", None)
    assert set(folder.iterdir()) == before


def test_what_the_dialplan_records_is_known(scene: Scene) -> None:
    """MixMonitor with a relative name, as many dialplans have it."""
    monitor = scene.office.pbx.runtime / "spool" / "monitor"
    extension, context = "4930555777", "observe-only"
    for step in ("1,MixMonitor,${UNIQUEID}.wav", "2,Dial,PJSIP/101"):
        scene.office.pbx.cli(f"dialplan add extension {extension},{step} into {context} replace")
    try:
        anna = scene.anna
        outside = scene.customer().call(extension)
        talk = picked_up(anna, outside)
        speak_in_turn(outside, talk)
        outside.hang_up()
        (call,) = scene.calls(1)
    finally:
        scene.office.pbx.cli(f"dialplan remove extension {extension}@{context}")
    assert call.recording == f"{monitor}/{call.linkedid}.wav"
    heard = Heard.of(monitor / f"{call.linkedid}.wav")
    assert heard.voice(outside) > 0.25
    assert heard.voice(talk) > 0.25
