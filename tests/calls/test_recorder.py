"""From events to rows: nothing is lost while the database is away, and no call blocks others."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import peewee
import psycopg
import pytest

import database
from ari_app.app import Insiders, Recorder, Telephony
from ari_app.events import Connected, Event, Updated
from models import Call, Deal, User
from tests.calls.wires import (
    ANNA,
    CUSTOMER,
    TRUNK,
    after,
    answered_call,
    channel,
    hangs_up,
    in_state,
    new_ledger,
    rings,
    snapshot,
)
from tests.db_servers import postgresql_url
from tests.world import World, populate, release, use, world

__all__ = ["postgresql_url", "world"]

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
    monkeypatch.setattr("ari_app.app.RETRY_FIRST", 0.01)
    monkeypatch.setattr("ari_app.app.RETRY_LAST", 0.02)


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
    anew.take([Connected(after(90)), snapshot(90, still)])
    anew.write()
    assert outcomes() == {"1.1": "answered", "7": "missed", "8": None}
    assert not anew.check_unfinished


def test_a_restart_in_the_middle_of_a_call(world: World, recorder: Recorder) -> None:
    events = answered_call()
    recorder.take(events[:9])
    recorder.write()
    anew = Recorder(new_ledger())
    up = in_state(ANNA, "Up")
    anew.take([Connected(after(30)), snapshot(30, TRUNK, up, b1=(TRUNK, up)), *events[9:]])
    anew.write()
    call = Call.get()
    assert (call.answered_at, call.ended_at, call.talk) == (after(5), after(65), 60)
    assert Deal.select().count() == 1


def test_a_start_before_the_list_is_there(world: World, recorder: Recorder) -> None:
    """The first event is about a leg; that it is an incoming call is known a moment later."""
    recorder.take([Connected(after(0)), rings(ANNA, 0)[3]])
    recorder.write()
    recorder.take([snapshot(0.2, TRUNK, in_state(ANNA, "Ringing")), *answered_call()[5:]])
    recorder.write()
    call = Call.get()
    assert (call.direction, call.number, call.outcome) == ("incoming", CUSTOMER, "answered")
    assert call.deal.owner == world.anna


def test_who_is_inside_is_asked_again_and_remembered(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [0.0]
    monkeypatch.setattr("ari_app.app.time.monotonic", lambda: clock[0])
    insiders = Insiders()
    assert "PJSIP/101" in insiders
    User.add("kim", "Kim", "seller", "correct horse", "PJSIP/104")
    assert "PJSIP/104" not in insiders
    clock[0] += 3
    assert "PJSIP/104" in insiders
    database.database.execute_sql("ALTER TABLE users RENAME TO away")
    clock[0] += 3
    assert "PJSIP/104" in insiders
    assert "still using the phones known before" in caplog.text


# The thread that records


class Recording:
    """The recording thread of ``trichter ari`` alone: events come from the test."""

    def __init__(self, world: World) -> None:
        self.telephony = Telephony(world.settings)
        self.telephony.recorder.ledger = new_ledger()
        self.thread = threading.Thread(target=self.telephony._record)
        self.thread.start()

    def put(self, *events: Event) -> None:
        for event in events:
            self.telephony.events.put(event)

    def finish(self) -> None:
        """After all that was put is recorded."""
        self.telephony.events.put(None)
        self.thread.join(20)
        assert not self.thread.is_alive()
        self.telephony.routers.shutdown()


class Listener(logging.Handler):
    """Notes that a text was logged."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text, self.heard = text, threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self.text in record.getMessage():
            self.heard.set()


@pytest.fixture
def on_postgresql(hasty: None, postgresql_url: str) -> Iterator[World]:
    loaded = use(postgresql_url)
    made = populate()
    made.settings = loaded
    yield made
    release()


def test_the_thread_outlives_a_locked_database(
    other_writer: sqlite3.Connection, world: World
) -> None:
    listener = Listener("1 calls wait to be recorded")
    logger = logging.getLogger("trichter.ari")
    logger.addHandler(listener)
    recording = Recording(world)
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
    recording = Recording(on_postgresql)
    for linkedid in ("7", LONG, "\x00", "8"):
        recording.put(*of_call(linkedid))
    recording.finish()
    assert outcomes() == {"7": "answered", "8": "answered"}
    assert "call not recorded: " in caplog.text
    assert recording.telephony.recorder.due == {}


def test_a_fault_of_our_own_does_not_end_the_thread(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody has removed the funnel by hand: no deal can be made, other calls are recorded."""
    database.database.execute_sql("PRAGMA foreign_keys = 0")
    database.database.execute_sql("DELETE FROM funnels")
    hidden = channel("7.1", "PJSIP/trunk", linkedid="7.1")
    recording = Recording(world)
    recording.put(*answered_call(), Updated(after(0), hidden), *hangs_up(hidden, 5))
    recording.finish()
    assert outcomes() == {"7.1": "missed"}
    assert "call not recorded: " in caplog.text


def test_a_connection_that_the_server_ends(on_postgresql: World, postgresql_url: str) -> None:
    recording = Recording(on_postgresql)
    recording.put(*answered_call()[:9])
    until(lambda: outcomes() == {"1.1": None})
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    recording.put(*answered_call()[9:])
    until(lambda: "1.1" not in recording.telephony.recorder.ledger.calls)
    recording.finish()
    database.discard()  # the test's own connection was ended too
    assert outcomes() == {"1.1": "answered"}


def until(condition: Callable[[], object]) -> None:
    """For what another thread commits: there is nothing to wait on."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
