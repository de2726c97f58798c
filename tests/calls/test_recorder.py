"""From events to rows: nothing is lost while the database is away, and no call blocks others."""

from __future__ import annotations

import itertools
import logging
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import peewee
import psycopg
import pytest

import database
from ari_app.events import Connected, Entered, Event, Settled, Snapshot, Updated
from ari_app.insiders import Insiders
from ari_app.recorder import Recorder
from ari_app.routing import Routing
from ari_app.writer import Recording
from models import Call, Deal
from telephony.call_report import CallReport
from tests.calls.wires import (
    ANNA,
    CUSTOMER,
    TRUNK,
    after,
    answered_call,
    channel,
    hangs_up,
    in_state,
    listed,
    new_ledger,
    rings,
)
from tests.world import World
from verbs import users
from verbs.calls import record_call
from verbs.phones import known_endpoints

LONG = "9" * 151
"""A linkedid that the column does not take; SQLite takes anything."""


def of_call(linkedid: str) -> list[Event]:
    """The same call under another id."""
    events = []
    for event in answered_call():
        changes = {
            name: replace(who, linkedid=linkedid, id=who.id.replace("1.", f"{linkedid}.", 1))
            for name in ("channel", "caller", "peer")
            if (who := getattr(event, name, None))
        }
        if members := getattr(event, "members", ()):
            changes["members"] = tuple(m.replace("1.", f"{linkedid}.", 1) for m in members)
        events.append(replace(event, **changes))
    return events


def outcomes() -> dict[str, str | None]:
    return {call.linkedid: call.outcome for call in Call.select().order_by(Call.id)}


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(new_ledger())


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A locked database is given up soon."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr("ari_app.writer.RETRY_FIRST", 0.01)
    monkeypatch.setattr("ari_app.writer.RETRY_LAST", 0.02)


@pytest.fixture
def other_writer(hasty: None, world: World, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another program that holds the database."""
    with closing(sqlite3.connect(tmp_path / "trichter.db", check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_one_call(world: World, recorder: Recorder) -> None:
    recorder.take(answered_call())
    recorder.write()
    call = Call.get()
    assert (call.number, call.outcome, call.talk, call.agent) == (
        CUSTOMER, "answered", 60, world.anna,
    )  # fmt: skip
    assert Deal.get().owner == world.anna
    assert (recorder.due, recorder.ledger.calls) == ({}, {})


def test_event_by_event_or_all_at_once_is_the_same(world: World, recorder: Recorder) -> None:
    for event in answered_call():
        recorder.take([event])
        recorder.write()
    step_by_step = dict(Call.get().__data__)
    at_once = Recorder(new_ledger())
    at_once.take(of_call("7"))
    at_once.write()
    other = dict(Call.get(Call.linkedid == "7").__data__)
    changed = {key for key in other if other[key] != step_by_step[key]}
    assert changed == {"id", "linkedid"}


def test_calls_stay_due_while_the_database_is_locked(
    recorder: Recorder, other_writer: sqlite3.Connection
) -> None:
    recorder.take(answered_call())
    for _ in range(2):
        with pytest.raises(peewee.OperationalError, match="locked"):
            recorder.write()
    assert list(recorder.due) == ["1.1"]
    other_writer.rollback()
    recorder.write()
    assert outcomes() == {"1.1": "answered"}


def test_an_odd_event_does_not_end_the_recording(
    world: World, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    odd = Updated(after(0), None)  # type: ignore[arg-type]
    recorder.take([odd, *answered_call(), odd])
    recorder.write()
    assert outcomes() == {"1.1": "answered"}
    assert caplog.text.count("event not understood: Updated") == 2


def test_what_was_live_and_is_gone_ends(world: World, recorder: Recorder) -> None:
    """``trichter ari`` was down when they hung up."""
    recorder.take([*answered_call()[:9], *of_call("7")[:5], *of_call("8")[:5]])
    recorder.write()
    assert outcomes() == {"1.1": None, "7": None, "8": None}
    anew = Recorder(new_ledger())
    still = channel("8.1", "PJSIP/trunk", linkedid="8", number=CUSTOMER)
    anew.take([Connected(after(90)), *listed(90, still)])
    anew.write()
    assert outcomes() == {"1.1": "answered", "7": "missed", "8": None}
    assert not anew.check_unfinished


def test_a_restart_in_the_middle_of_a_call(world: World, recorder: Recorder) -> None:
    events = answered_call()
    recorder.take(events[:9])
    recorder.write()
    anew = Recorder(new_ledger())
    up = in_state(ANNA, "Up")
    anew.take([Connected(after(30)), *listed(30, TRUNK, up, b1=(TRUNK, up)), *events[9:]])
    anew.write()
    call = Call.get()
    assert (call.answered_at, call.ended_at, call.talk) == (after(5), after(65), 60)
    assert Deal.select().count() == 1


def test_a_start_before_the_list_is_there(world: World, recorder: Recorder) -> None:
    """The first event is about a leg; that it is an incoming call is known a moment later."""
    recorder.take([Connected(after(0)), rings(ANNA, 0)[3]])
    recorder.write()
    recorder.take([*listed(0.2, TRUNK, in_state(ANNA, "Ringing")), *answered_call()[5:]])
    recorder.write()
    call = Call.get()
    assert (call.direction, call.number, call.outcome) == ("incoming", CUSTOMER, "answered")
    assert call.deal.owner == world.anna


def test_the_smaller_half_of_a_call_waits_for_the_list(world: World, recorder: Recorder) -> None:
    """A trunk's channel rings; only the list tells that it is a seller who dialled it."""
    seller = channel("1.1", "PJSIP/101", exten="03044701182")
    customer = channel("1.2", "PJSIP/trunk", state="Ringing", number="03044701182")
    recorder.take([Connected(after(0)), Updated(after(0), customer)])
    recorder.write()
    assert outcomes() == {}
    recorder.take([*listed(0.2, replace(seller, app="Dial(…)"), customer)])
    recorder.write()
    assert (Call.get().direction, Call.get().number) == ("outgoing", CUSTOMER)


def test_a_list_that_is_not_understood_holds_nothing_back(world: World, recorder: Recorder) -> None:
    odd = Snapshot(after(70), (None,), ())  # type: ignore[arg-type]
    recorder.take([Connected(after(0)), *answered_call(), odd, Settled(after(70))])
    recorder.write()
    assert outcomes() == {"1.1": "answered"}


def test_what_is_not_news_is_not_recorded_again(world: World, recorder: Recorder) -> None:
    told: list[CallReport] = []

    def noted(report: CallReport) -> Call:
        told.append(report)
        return record_call(report)

    with patch("ari_app.recorder.record_call", noted):
        for event in answered_call():
            for _ in range(2):
                recorder.take([event])
                recorder.write()
    assert len(told) > 3
    assert [a for a, b in itertools.pairwise(told) if a == b] == []
    assert outcomes() == {"1.1": "answered"}
    assert recorder.recorded == {}


def test_after_a_gap_all_is_told_anew(world: World, recorder: Recorder) -> None:
    """Another process may have written meanwhile, or what was written was restored from a copy."""
    recorder.take(answered_call()[:5])
    recorder.write()
    Call.delete().execute()
    recorder.take([answered_call()[4]])
    recorder.write()
    assert Call.select().count() == 0
    recorder.take([Connected(after(90)), *listed(90, TRUNK, ANNA)])
    recorder.write()
    assert outcomes() == {"1.1": None}


def test_one_of_the_lost_that_can_not_be_written(
    world: World, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """The others end, it is said which it was, and later calls are recorded as ever."""
    recorder.take([*answered_call()[:5], *of_call("7")[:9]])
    recorder.write()
    anew = Recorder(new_ledger())
    anew.take([Connected(after(90)), *listed(90)])
    database.database.execute_sql("PRAGMA foreign_keys = 0")
    database.database.execute_sql("DELETE FROM stages")
    database.database.execute_sql("UPDATE deals SET closed_at = 1")
    with pytest.raises(peewee.DoesNotExist):
        anew.write()
    anew.write_one_by_one()
    assert outcomes() == {"1.1": None, "7": "answered"}
    assert "call not recorded: CallReport(pbx='asterisk', linkedid='1.1'" in caplog.text
    assert not anew.is_behind


def test_a_refused_call_is_logged_when_it_begins_and_when_it_ends(
    world: World, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    with patch("ari_app.recorder.record_call", side_effect=ValueError("no")):
        for event in answered_call():
            recorder.take([event])
            recorder.write_one_by_one()
    assert caplog.text.count("call not recorded: ") == 2
    assert (recorder.refused, recorder.ledger.calls) == (set(), {})


def test_a_missing_linkedid_is_said_once(
    world: World, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        recorder.take([Updated(after(0), replace(TRUNK, linkedid=""))])
        recorder.write()
    assert caplog.text.count("channelvars=CHANNEL(linkedid)") == 1
    assert outcomes() == {}


def test_who_is_inside_is_asked_again_and_remembered(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [0.0]
    monkeypatch.setattr("ari_app.insiders.time.monotonic", lambda: clock[0])
    insiders = Insiders()
    assert "PJSIP/101" in insiders
    users.add("kim", "Kim", "seller", "correct horse", "PJSIP/104")
    assert "PJSIP/104" not in insiders
    clock[0] += 3
    assert "PJSIP/104" in insiders
    database.database.execute_sql("ALTER TABLE users RENAME TO away")
    clock[0] += 3
    assert "PJSIP/104" in insiders
    assert "still using the phones known before" in caplog.text


def test_in_portions_calls_that_are_over_come_first(world: World, recorder: Recorder) -> None:
    recorder.take([*of_call("7")[:5], *of_call("8")[:9], *answered_call()])
    written = []
    while recorder.is_behind:
        recorder.write(most=1)
        written.append(list(outcomes()))
    assert written == [["1.1"], ["1.1", "7"], ["1.1", "7", "8"]]
    assert outcomes() == {"1.1": "answered", "7": None, "8": None}


def test_in_portions_calls_that_begin_do_not_wait_for_all_that_ended(
    world: World, recorder: Recorder
) -> None:
    """For somebody's phone rings now. Of what is known of a call already, more can wait."""
    recorder.take(of_call("5")[:9])
    recorder.write()
    over = [event for n in range(10, 20) for event in of_call(f"{n}.0")]
    recorder.take([*over, *of_call("5")[9:10], *of_call("7")[:5], *of_call("8")[:5]])
    recorder.write(most=4)
    assert set(outcomes()) == {"5", "10.0", "11.0", "7", "8"}


def test_a_portion_is_no_smaller_than_a_fiftieth(world: World, recorder: Recorder) -> None:
    recorder.take([event for n in range(151) for event in of_call(f"{n}.0")])
    recorder.write(most=1)
    assert (len(outcomes()), len(recorder.due)) == (3, 148)


# The thread that records


class Recorded:
    """The recording thread of ``trichter ari`` alone: events come from the test."""

    def __init__(self, world: World, real_phones: bool = False) -> None:
        self.recording = Recording(world.settings.pbx.name)
        if not real_phones:
            self.recording.recorder.ledger = new_ledger()
        self.recording.start()

    def put(self, *events: Event) -> None:
        for event in events:
            self.recording.put(event)

    def finish(self) -> None:
        """After all that was put is recorded."""
        self.recording.end()


class Listener(logging.Handler):
    """Notes that a text was logged."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.heard = text, threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self.text in record.getMessage():
            self.heard.set()


@pytest.fixture
def on_postgresql(hasty: None, on_postgresql: World) -> World:
    return on_postgresql


def test_the_thread_outlives_a_locked_database(
    other_writer: sqlite3.Connection, world: World
) -> None:
    listener = Listener("1 calls wait to be recorded")
    logger = logging.getLogger("trichter.ari")
    logger.addHandler(listener)
    recording = Recorded(world)
    recording.put(*answered_call())
    try:
        assert listener.heard.wait(20)
    finally:
        logger.removeHandler(listener)
        other_writer.rollback()
        recording.finish()
    assert outcomes() == {"1.1": "answered"}


def test_a_call_that_can_not_be_written_does_not_block_others(
    on_postgresql: World, caplog: pytest.LogCaptureFixture
) -> None:
    recording = Recorded(on_postgresql)
    for linkedid in ("7", LONG, "\x00", "8"):
        recording.put(*of_call(linkedid))
    recording.finish()
    assert outcomes() == {"7": "answered", "8": "answered"}
    assert "call not recorded: " in caplog.text
    assert recording.recording.recorder.due == {}


def test_a_fault_of_our_own_does_not_end_the_thread(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody has removed the funnel by hand: no deal can be made, other calls are recorded."""
    database.database.execute_sql("PRAGMA foreign_keys = 0")
    database.database.execute_sql("DELETE FROM funnels")
    hidden = channel("7.1", "PJSIP/trunk", linkedid="7.1")
    recording = Recorded(world)
    recording.put(*answered_call(), Updated(after(0), hidden), *hangs_up(hidden, 5))
    recording.finish()
    assert outcomes() == {"7.1": "missed"}
    assert "call not recorded: " in caplog.text


def test_calls_wait_until_it_is_known_whose_the_phones_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine has started, and the database server takes longer than Asterisk."""
    listener = Listener("no calls yet")
    logging.getLogger("trichter.ari").addHandler(listener)
    away, endpoints = threading.Event(), known_endpoints

    def asked() -> frozenset[str]:
        if not away.is_set():
            raise peewee.OperationalError("connection refused")
        return endpoints()

    monkeypatch.setattr("ari_app.insiders.known_endpoints", asked)
    recording = Recorded(world, real_phones=True)
    recording.put(*answered_call())
    try:
        assert listener.heard.wait(20)
    finally:
        logging.getLogger("trichter.ari").removeHandler(listener)
        away.set()
        until(lambda: outcomes() == {"1.1": "answered"})
        recording.finish()


def test_nothing_is_said_of_calls_when_the_phones_were_never_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked() -> frozenset[str]:
        raise peewee.OperationalError("connection refused")

    monkeypatch.setattr("ari_app.insiders.known_endpoints", asked)
    recording = Recorded(world, real_phones=True)
    recording.put(*answered_call())
    recording.finish()
    assert outcomes() == {}


def test_a_database_that_is_away_is_not_asked_at_every_event(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = Counter[str]()

    def refuse(self: Recorder, most: int | None) -> None:
        attempts["made"] += 1
        raise peewee.OperationalError("connection refused")

    monkeypatch.setattr(Recorder, "write", refuse)
    monkeypatch.setattr("ari_app.writer.RETRY_FIRST", 30.0)
    monkeypatch.setattr("ari_app.writer.RETRY_LAST", 60.0)
    monkeypatch.setattr("ari_app.writer.BATCH", 1)
    recording = Recorded(world)
    recording.put(*answered_call() * 20)
    recording.finish()
    assert attempts["made"] == 2, "at the first event, and at the end"
    assert caplog.text.count("wait to be recorded") == 1


def test_where_calls_need_the_processors_all_is_recorded_a_little_later(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = itertools.count()
    monkeypatch.setattr("ari_app.giving_way.times", lambda: (next(busy) / 100, next(busy) / 100))
    monkeypatch.setattr("ari_app.giving_way.LEFT", 1.0)
    monkeypatch.setattr("ari_app.giving_way.FEW", 0)
    monkeypatch.setattr("ari_app.writer.PORTION", 2)
    portions = []

    def write(self: Recorder, most: int | None) -> None:
        portions.append(most)
        whole(self, most)

    whole = Recorder.write
    monkeypatch.setattr(Recorder, "write", write)
    recording = Recorded(world)
    calls = [of_call(f"{n}.0") for n in range(12)]
    recording.put(*(event for call in calls for event in call[:9]))
    until(lambda: len(outcomes()) == 12)
    recording.put(*(event for call in calls for event in call[9:]))
    until(lambda: set(outcomes().values()) == {"answered"})
    recording.finish()
    assert portions[0] is None
    assert set(portions[1:]) == {2}


def test_no_fault_ends_the_thread(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with (
        patch.object(Recorder, "write_one_by_one", side_effect=RuntimeError("odd")),
        patch.object(Recorder, "write", side_effect=ValueError("odd")),
    ):
        recording = Recorded(world)
        recording.put(*answered_call()[:5])
        until(lambda: "RuntimeError: odd; 1 calls wait" in caplog.text)
    recording.put(*answered_call()[5:])
    recording.finish()
    assert outcomes() == {"1.1": "answered"}


def test_a_call_that_asks_again_before_the_last_answer_is_through(world: World) -> None:
    """The dialplan leads it into Stasis twice; the second time must not wait for the time limit."""
    asks = Entered(after(0), TRUNK, ("route", "4930555000"))
    continued = []

    def request(method: str, path: str, **parameters: object) -> None:
        if path.endswith("/continue"):
            continued.append(parameters)
            if len(continued) == 1:
                routing.begin(asks)

    client: Any = SimpleNamespace(request=request)
    routing = Routing(world.settings, lambda: client)
    routing.begin(asks)
    until(lambda: len(continued) == 2)
    routing.end()


def test_a_connection_that_the_server_ends(on_postgresql: World, postgresql_url: str) -> None:
    recording = Recorded(on_postgresql)
    recording.put(*answered_call()[:9])
    until(lambda: outcomes() == {"1.1": None})
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    recording.put(*answered_call()[9:])
    until(lambda: "1.1" not in recording.recording.recorder.ledger.calls)
    recording.finish()
    database.discard()  # the test's own connection was ended too
    assert outcomes() == {"1.1": "answered"}


def until(condition: Callable[[], object]) -> None:
    """For what another thread commits: there is nothing to wait on."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
