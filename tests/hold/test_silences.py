"""Times in which nobody listened are remembered until they are caught up with, whatever dies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import settings
from ari_app.catchup import CatchUp
from ari_app.events import Connected, Updated
from ari_app.overflow import forget
from ari_app.recorder import Recorder, RecordsRead
from fields import utcnow
from models import Call, Event, Silence
from tests.calls.records import lines, row
from tests.calls.test_recorder import of_call
from tests.calls.wires import START, TRUNK, after, hangs_up, listed, new_ledger
from tests.office import until
from tests.world import Story, World
from verbs import history, silences


def spans() -> list[tuple[object, object]]:
    return [(silence.since, silence.until) for silence in Silence.select()]


def test_a_silence_lasts_from_the_last_that_is_known(anywhere: World) -> None:
    now = utcnow().replace(microsecond=0)
    Story.begins(linkedid="0.1", at=now - timedelta(minutes=9)).ended(60)
    assert silences.note("asterisk", now) == now - timedelta(minutes=8)
    assert spans() == [(now - timedelta(minutes=8), now)]


def test_a_second_silence_does_not_shorten_the_first(anywhere: World) -> None:
    """The process dies after it has heard a call, and before it has caught up with the gap."""
    now = utcnow().replace(microsecond=0)
    first = silences.note("asterisk", now - timedelta(minutes=5))
    Story.begins(linkedid="0.1", at=now - timedelta(minutes=4)).ended(60)
    assert silences.note("asterisk", now) == first
    assert spans() == [(first, now)]


def test_an_earlier_end_changes_nothing(anywhere: World) -> None:
    now = utcnow().replace(microsecond=0)
    silences.note("asterisk", now)
    silences.note("asterisk", now - timedelta(hours=1))
    assert [until for _, until in spans()] == [now]


def test_caught_up_ends_what_was_read_and_no_more(anywhere: World) -> None:
    now = utcnow().replace(microsecond=0)
    silences.note("asterisk", now)
    silences.note("branch", now)
    silences.caught_up("asterisk", now - timedelta(seconds=1))
    assert Silence.select().count() == 2
    silences.caught_up("asterisk", now)
    assert [silence.pbx for silence in Silence.select()] == ["branch"]


def test_a_silence_is_read_a_month_back_at_most(world: World) -> None:
    now = utcnow()
    silences.note("asterisk", now - timedelta(days=90))
    assert silences.note("asterisk", now) == now - history.LONGEST_GAP


def caught_up(
    world: World, file: Path, late: tuple[float, ...], is_over: Callable[[], bool]
) -> None:
    """Read the gap as long as it takes."""
    calls = settings.Calls(cdr=str(file), cdr_timezone="UTC")
    reader = CatchUp(replace(world.settings, calls=calls), late=late)
    reader.begin(utcnow(), frozenset())
    try:
        until(is_over, "the gap to be over")
    finally:
        reader.end()


def test_what_the_last_process_did_not_read_is_read_now(world: World, tmp_path: Path) -> None:
    now = utcnow()
    Story.begins(linkedid="0.1", at=now - timedelta(seconds=600)).ended(60)
    silences.note("asterisk", now - timedelta(seconds=100))
    # Heard after that gap, by a process that died before it had read the gap.
    Story.begins(linkedid="0.2", at=now - timedelta(seconds=60)).ended(10)
    begin = (now - timedelta(seconds=300)).isoformat()
    missed = row(start=begin, duration=9, disposition="NO ANSWER", linkedid="1.1", uniqueid="1.1")
    file = tmp_path / "Master.csv"
    file.write_text(lines([missed]))
    caught_up(world, file, (0.1,), lambda: not Silence.select().exists())
    assert Call.get(Call.linkedid == "1.1").outcome == "missed"


def test_a_row_that_asterisk_writes_late_is_found(world: World, tmp_path: Path) -> None:
    now = utcnow()
    Story.begins(linkedid="0.1", at=now - timedelta(seconds=600)).ended(60)
    file = tmp_path / "Master.csv"
    file.touch()
    calls = settings.Calls(cdr=str(file), cdr_timezone="UTC")
    read: list[int] = []
    reader = CatchUp(replace(world.settings, calls=calls), lambda: read.append(1), late=(0.5,))
    reader.begin(now, frozenset())
    try:
        until(lambda: Silence.select().exists(), "the first reading")
        begin = (now - timedelta(seconds=30)).isoformat()
        file.write_text(lines([row(start=begin, duration=9, linkedid="1.1", uniqueid="1.1")]))
        until(lambda: Call.select().where(Call.linkedid == "1.1").exists(), "the late row")
        until(lambda: not Silence.select().exists(), "the end of the silence")
        assert read
    finally:
        reader.end()


def heard_and_gone(has_records: bool) -> Recorder:
    """A call of which only the beginning was heard; it is not in the list after the gap."""
    recorder = Recorder(new_ledger(), has_records)
    recorder.take(of_call("7")[:5])
    recorder.write()
    recorder.take([Connected(after(90)), *listed(90)])
    return recorder


def test_nothing_is_guessed_before_the_records_are_read(world: World) -> None:
    recorder = heard_and_gone(has_records=True)
    recorder.write()
    assert Call.get().ended_at is None
    assert not recorder.is_behind
    recorder.take([RecordsRead()])
    recorder.write()
    call = Call.get()
    assert (call.outcome, call.guessed_end) == ("missed", True)


def test_what_the_records_say_is_told_once(world: World) -> None:
    recorder = heard_and_gone(has_records=True)
    recorder.write()
    Story(recorder.ledger.report("7")).answered("PJSIP/101").ended(65)  # type: ignore[arg-type]
    recorder.take([RecordsRead()])
    recorder.write()
    assert Call.get().outcome == "answered"
    assert Event.of_kind("call.ended").count() == 1


def test_what_was_heard_in_part_is_in_doubt(world: World, tmp_path: Path) -> None:
    """The list has the customer alone, who hangs up: nobody knows who spoke with him before."""
    now = (utcnow() - START).total_seconds()
    trunk = replace(TRUNK, created=after(now - 300))
    recorder = Recorder(new_ledger(), has_records=False)
    recorder.take([Connected(after(now - 240)), *listed(now - 240, trunk)])
    recorder.take(hangs_up(trunk, now - 235))
    recorder.write()
    call = Call.get()
    assert (call.outcome, call.guessed_end) == ("missed", True)
    file = tmp_path / "Master.csv"
    known = row(start=trunk.created.isoformat(), duration=65, linkedid="1.1", uniqueid="1.1")
    file.write_text(lines([known]))
    caught_up(world, file, (0.1,), lambda: not Silence.select().exists())
    call = Call.get()
    assert (call.outcome, call.guessed_end, call.agent) == ("answered", False, world.anna)


def test_what_was_heard_from_its_begin_is_not_in_doubt(world: World) -> None:
    recorder = Recorder(new_ledger(), has_records=True)
    trunk = replace(TRUNK, created=after(90))
    recorder.take([Connected(after(60)), *listed(60), Updated(after(90), trunk)])
    recorder.take(hangs_up(trunk, 99))
    recorder.write()
    assert not Call.get().guessed_end


def test_without_records_it_is_guessed_at_once(world: World) -> None:
    heard_and_gone(has_records=False).write()
    assert Call.get().guessed_end


def test_the_silence_is_noted_before_anything_after_it(world: World) -> None:
    recorder = Recorder(new_ledger(), has_records=True)
    recorder.take([Connected(after(0)), *listed(0), *of_call("7")])
    recorder.write()
    (silence,) = Silence.select()
    assert silence.since < silence.until == after(0)


def test_many_that_wait_are_written_as_they_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever dies in between leaves no hole behind."""
    monkeypatch.setattr("ari_app.precedence.PART", 2)
    recorder = Recorder(new_ledger())
    for linkedid in "5", "6", "7":
        recorder.take(of_call(linkedid)[:5])
    for linkedid in "7", "6", "5":
        recorder.take(of_call(linkedid)[5:])
    ends = {"7": 1, "6": 2, "5": 3}
    for linkedid, known in recorder.ledger.calls.items():
        for side in known.sides.values():
            side.gone_at = after(65 + ends[linkedid])
    recorder.write()
    assert [call.linkedid for call in Call.select().order_by(Call.id)] == ["7", "6", "5"]


def test_who_does_not_fit_into_memory_is_left_to_the_records(world: World) -> None:
    told: list[frozenset[str]] = []
    recorder = Recorder(new_ledger(), True, lambda _until, known: told.append(known))
    for linkedid in "5", "6", "7":
        recorder.take(of_call(linkedid))
    assert forget(recorder.ledger, recorder.due, most=3) is None
    until_when = forget(recorder.ledger, recorder.due, most=2)
    assert until_when == after(65)
    assert (len(recorder.due), len(recorder.ledger.calls)) == (2, 2)
    recorder.forgotten_until = until_when
    recorder.write()
    assert told == [frozenset({"6", "7"})]
    assert Silence.select().count() == 1


def test_a_missed_call_that_is_known_late_was_called_back(world: World) -> None:
    """The conversation was heard; the call before it was found in the records afterwards."""
    now = utcnow()
    Story.begins(linkedid="2", at=now).rings("PJSIP/101").answered("PJSIP/101").ended(60)
    Story.begins(linkedid="1", at=now - timedelta(seconds=30)).rings("PJSIP/102").ended(9)
    assert [call.needs_call_back for call in Call.select()] == [False, False]
    assert Event.of_kind("call.called_back").count() == 1
    Story.begins(linkedid="3", at=now + timedelta(seconds=90)).rings("PJSIP/102").ended(9)
    assert Call.get(Call.linkedid == "3").needs_call_back
