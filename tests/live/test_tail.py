"""The tail: every row once, in every database, whatever the order in which they are committed."""

from __future__ import annotations

import json
import logging
import queue
import threading
from typing import Any

import pytest

import database
from models import Deal, Event, User
from panel import event_reader, tail
from panel.event_reader import Reader
from panel.tail import Hub, Listener, hub
from tests.live.conftest import PATIENCE, Listen, listening
from tests.world import World


def deals(ear: Any, count: int) -> list[int]:
    return [ear.next()[1]["deal"] for _ in range(count)]


def open_deal(owner: User, title: str = "Roof") -> Deal:
    return Deal.open(title, owner, owner)


class Late:
    """A transaction of another connection that has written a row and not committed it yet."""

    def __init__(self, owner: User) -> None:
        self.deal = 0
        self._written, self._go = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(owner,))
        self._thread.start()
        assert self._written.wait(PATIENCE)

    def _run(self, owner: User) -> None:
        with database.database.connection_context(), database.database.atomic():
            self.deal = open_deal(owner, "Late").id
            self._written.set()
            self._go.wait(PATIENCE)

    def commit(self) -> None:
        self._go.set()
        self._thread.join(PATIENCE)


def test_each_row_once_in_order(anywhere: World) -> None:
    reader = Reader()
    first, second = open_deal(anywhere.anna), open_deal(anywhere.ben)
    assert [event.deal_id for event, _mark in reader.read()] == [first.id, second.id]
    assert reader.read() == []
    third = open_deal(anywhere.anna)
    ((event, mark),) = reader.read()
    assert (event.deal_id, mark) == (third.id, event.id)


def test_a_row_that_was_overtaken_still_comes(concurrent: World) -> None:
    reader = Reader()
    start = reader.mark
    late = Late(concurrent.anna)
    early = open_deal(concurrent.anna)
    ((event, mark),) = reader.read()
    assert (event.deal_id, mark) == (early.id, start)
    assert reader.read() == []
    late.commit()
    ((event, mark),) = reader.read()
    assert event.deal_id == late.deal
    assert mark == event.id + 1
    assert reader.read() == []


def test_a_row_in_flight_when_the_tail_starts_still_comes(concurrent: World) -> None:
    late = Late(concurrent.anna)
    open_deal(concurrent.anna)
    reader = Reader()
    assert reader.mark < reader.highest
    late.commit()
    ((event, _mark),) = reader.read()
    assert event.deal_id == late.deal


def test_a_browser_that_returns_gets_what_was_overtaken(concurrent: World) -> None:
    listen = listening(concurrent)
    ear = listen("anna")
    late = Late(concurrent.anna)
    early = open_deal(concurrent.anna)
    assert deals(ear, 1) == [early.id]
    position = ear.position
    hub.end_all("cut off")
    ear.ended()
    late.commit()
    again = listen("anna", header=position)
    assert sorted(deals(again, 2)) == sorted([early.id, late.deal])


def test_ids_of_what_was_rolled_back_are_given_up(
    concurrent: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader()
    with database.database.atomic() as transaction:
        open_deal(concurrent.anna)
        transaction.rollback()
    open_deal(concurrent.anna)
    ((event, mark),) = reader.read()
    assert mark < event.id
    monkeypatch.setattr(event_reader, "LATE_SECONDS", -1)
    assert reader.read() == []
    assert reader.mark == event.id


def test_a_commit_wakes_the_tail(
    anywhere: World, listen_anywhere: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before the look that it takes anyhow."""
    monkeypatch.setattr(tail, "WAIT_SECONDS", 10 * PATIENCE)
    ear = listen_anywhere("anna")
    for _ in range(3):
        deal = open_deal(anywhere.anna)
        assert deals(ear, 1) == [deal.id]


def test_nobody_listens_nothing_runs(quiet: World, listen: Listen) -> None:
    threads = {thread.name for thread in threading.enumerate()}
    assert "tail" not in threads
    ear = listen("anna")
    assert hub.streams == 1
    thread = hub._thread
    assert thread
    assert thread.is_alive()
    hub.end_all("over")
    ear.ended()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert hub.streams == 0
    again = listen("anna")
    deal = open_deal(quiet.anna)
    assert deals(again, 1) == [deal.id]


class Records(logging.Handler):
    """The messages of a logger, to be awaited."""

    def __init__(self) -> None:
        super().__init__()
        self.said: queue.Queue[str] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self.said.put(record.getMessage())


@pytest.fixture
def said() -> Any:
    records = Records()
    tail.log.addHandler(records)
    yield records.said
    tail.log.removeHandler(records)


def test_trouble_is_logged_once_and_outlived(
    quiet: World, listen: Listen, said: queue.Queue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "RETRY_SECONDS", 0.02)
    tries: queue.Queue[int] = queue.Queue()
    read = Reader.read

    def counted(reader: Reader) -> Any:
        tries.put(1)
        return read(reader)

    monkeypatch.setattr(Reader, "read", counted)
    ear = listen("anna")
    database.database.execute_sql("ALTER TABLE events RENAME TO away")
    assert "no such table" in said.get(timeout=PATIENCE)
    while not tries.empty():
        tries.get()
    for _ in range(3):
        tries.get(timeout=PATIENCE)
    assert said.empty()
    database.database.execute_sql("ALTER TABLE away RENAME TO events")
    deal = open_deal(quiet.anna)
    assert said.get(timeout=PATIENCE) == "Live updates work again."
    assert deals(ear, 1) == [deal.id]


def test_a_connection_that_breaks_is_made_anew(
    on_postgresql: World, said: queue.Queue[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "RETRY_SECONDS", 0.02)
    ear = listening(on_postgresql)("anna")
    database.database.execute_sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert "database" in said.get(timeout=PATIENCE)
    deal = open_deal(on_postgresql.anna)
    assert deals(ear, 1) == [deal.id]
    assert "again" in said.get(timeout=PATIENCE)
    assert said.empty()


def moved(number: int, users: list[int]) -> Event:
    payload = json.dumps({"deal_for": users, "call_for": []})
    return Event(id=number, kind="deal.moved", deal=1, payload=payload)


def test_a_listener_that_does_not_keep_up_is_dropped(quiet: World) -> None:
    cut = threading.Event()
    slow, own = Listener(quiet.anna, abort=cut.set), Hub()
    own.join(slow)
    # As a thread does that is stuck in sending: it took one and never came back.
    slow._idle = False
    event = moved(1, [quiet.anna.id])
    own._hand_out([(event, 1)] * (tail.QUEUE_LENGTH + 1), threading.Event())
    assert slow.ended == "too slow"
    assert cut.is_set()
    assert own.streams == 0
    own.stop()


def test_irrelevant_news_move_the_position_on(quiet: World) -> None:
    listener = Listener(quiet.anna)
    own, other = moved(5, [quiet.anna.id]), moved(6, [])
    listener.offer(other, 4)
    assert listener.mark == 4
    listener.offer(own, 5)
    listener.offer(other, 6)
    # 5 is not sent yet: coming back after 6 would lose it.
    assert listener.mark == 4
    assert listener.take() == (own, 5)
    assert listener.mark == 5


def test_the_oldest_of_too_many_streams_ends(listen: Listen) -> None:
    ears = [listen("anna") for _ in range(tail.STREAMS_PER_USER)]
    other = listen("ben")
    more = listen("anna")
    assert ears[0].ended() == ["closed"]
    assert hub.streams == tail.STREAMS_PER_USER + 1
    assert more.nothing()
    assert other.nothing()


def test_streams_end_when_the_server_stops(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    ear = listen("anna")
    monkeypatch.setattr(hub, "alive", lambda: False)
    assert ear.ended() == []


def test_it_starts_anew_in_a_forked_process(quiet: World, listen: Listen) -> None:
    """What the copy of a running one does right after the fork."""
    listen("anna")
    running, copied = hub._thread, Hub()
    copied.alive = hub.alive
    assert running is not None
    vars(copied).update({**vars(hub)})
    Hub.__init__(copied)
    assert copied.streams == 0
    listener = Listener(quiet.anna)
    copied.join(listener)
    open_deal(quiet.anna)
    listener.wait(PATIENCE)
    assert listener.take()
    copied.stop()
