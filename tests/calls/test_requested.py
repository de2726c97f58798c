"""What is asked of an exchange that refuses, is silent, or is away; and of a database that is."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from peewee import OperationalError

from ari_app.client import AriError, Gone, Unauthorized, Unreachable
from ari_app.requested import SETTLED, Requested
from models import CallRequest, Event, User
from tests.office import until
from tests.world import CUSTOMER, Story, World
from verbs import requests, users


class Exchange:
    """Answers as it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.channels: list[dict[str, Any]] = []
        self.refusal: Exception | None = None

    def request(self, method: str, path: str, **about: Any) -> Any:
        self.asked.append((method, path))
        if self.refusal and method == "POST":
            raise self.refusal
        if path in ("/channels", "/bridges"):
            return self.channels if path == "/channels" else []
        return {"value": "1"}

    @property
    def dialled(self) -> int:
        return self.asked.count(("POST", "/channels/{channelId}"))


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


@pytest.fixture
def requested(world: World, exchange: Exchange) -> Requested:
    made = Requested(world.settings, lambda: True)
    made._client = exchange  # type: ignore[assignment]
    return made


def ask(world: World) -> CallRequest:
    return requests.call_out(world.anna, CUSTOMER, "asterisk")


def now() -> tuple[str, str]:
    row = CallRequest.get()
    return row.state, row.reason


def later(seconds: timedelta = SETTLED) -> None:
    """Let that time have passed since the request was claimed."""
    CallRequest.update(claimed_at=CallRequest.get().claimed_at - seconds).execute()


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (AriError("500", 500), "no phone"),
        (AriError("400", 400), "no phone"),
        (Unauthorized("403", 403), "forbidden"),
        (Gone("404", 404), "no phone"),
    ],
)
def test_it_is_refused(
    world: World, requested: Requested, exchange: Exchange, refusal: AriError, reason: str
) -> None:
    ask(world)
    exchange.refusal = refusal
    requested._look()
    assert now() == ("failed", reason)
    requested._look()
    assert exchange.dialled == 1


def test_no_answer_is_not_asked_again(
    world: World, requested: Requested, exchange: Exchange
) -> None:
    """It may ring, and it may not: a second time it could ring twice."""
    request = ask(world)
    exchange.refusal = Unreachable("no answer within 2 s")
    for _ in range(3):
        requested._look()
        requested._check(exchange)  # type: ignore[arg-type]
    assert (now(), exchange.dialled) == (("claimed", ""), 1)
    later()
    exchange.channels = [{"id": request.channel, "state": "Up"}]
    requested._check(exchange)  # type: ignore[arg-type]
    assert now() == ("talking", "")


def test_no_answer_and_no_channel(world: World, requested: Requested, exchange: Exchange) -> None:
    ask(world)
    exchange.refusal = Unreachable("refused")
    requested._look()
    later()
    requested._check(exchange)  # type: ignore[arg-type]
    assert (now(), exchange.dialled) == (("failed", "exchange"), 1)


def test_not_connected_is_not_claimed(world: World, exchange: Exchange) -> None:
    requested = Requested(world.settings, lambda: False)
    requested._client = exchange  # type: ignore[assignment]
    ask(world)
    requested._look()
    assert (now(), exchange.dialled) == (("new", ""), 0)


def test_that_of_another_exchange_is_left_alone(
    world: World, requested: Requested, exchange: Exchange
) -> None:
    requests.call_out(world.anna, CUSTOMER, "elsewhere")
    requested._look()
    assert (now(), exchange.dialled) == (("new", ""), 0)


def test_two_processes_look_at_once(world: World, requested: Requested, exchange: Exchange) -> None:
    """Both have read the row before either has claimed it."""
    ask(world)
    other = Exchange()
    second = Requested(world.settings, lambda: True)
    second._client = other  # type: ignore[assignment]
    seen = requests.open_at("asterisk")
    with patch.object(requests, "open_at", lambda _pbx: [CallRequest.get_by_id(seen[0].id)]):
        requested._look()
    with patch.object(requests, "open_at", lambda _pbx: seen):
        second._look()
    assert exchange.dialled + other.dialled == 1


def test_hung_up_once(world: World, requested: Requested, exchange: Exchange) -> None:
    request = ask(world)
    requested._look()
    requests.cancel(request)
    for _ in range(3):
        requested._look()
    assert exchange.asked.count(("DELETE", "/channels/{channelId}")) == 1
    assert now() == ("ending", "")


def test_a_hang_up_that_was_not_answered_is_tried_again(
    world: World, requested: Requested, exchange: Exchange
) -> None:
    asked = ask(world)
    requested._look()
    requests.cancel(asked)
    wanted = ("DELETE", "/channels/{channelId}")
    answers = patch.object(exchange, "request", side_effect=Unreachable("no answer", None))
    with answers as unheard, pytest.raises(Unreachable):
        requested._look()
    assert unheard.call_args.args == wanted
    requested._look()
    assert exchange.asked.count(wanted) == 1


def test_who_was_disabled_gets_no_call(
    world: World, requested: Requested, exchange: Exchange
) -> None:
    ask(world)
    users.disable(User.get_by_id(world.anna.id))
    requested._look()
    assert now() == ("failed", "forbidden")
    assert exchange.dialled == 0


@pytest.mark.parametrize("role", ["seller", None])
def test_who_is_a_head_no_more_is_cut_off(
    world: World, requested: Requested, exchange: Exchange, role: str | None
) -> None:
    """A call that somebody makes goes on; listening to one does not."""
    User.update(endpoint="PJSIP/109").where(User.login == "hugo").execute()
    hugo = User.get(User.login == "hugo")
    call = Story.begins().rings("PJSIP/101").answered("PJSIP/101").call
    listens, calls = requests.listen(hugo, call, "listen"), ask(world)
    for request in (listens, calls):
        assert requests.claim(request)
        assert requests.picked_up(request)
    if role:
        users.change(hugo, role=role)
    else:
        users.disable(hugo)
    users.disable(User.get_by_id(world.anna.id))
    with patch.object(requested, "_check"):
        requested._look()
    assert CallRequest.get_by_id(listens.id).state == "ending"
    assert CallRequest.get_by_id(calls.id).state == "talking"
    assert exchange.asked == [("DELETE", "/channels/{channelId}")]


def test_talks_that_ended_unseen(world: World, requested: Requested, exchange: Exchange) -> None:
    request = ask(world)
    requested._look()
    requests.picked_up(request)
    requested._reconcile()
    assert now() == ("done", "")


def test_listening_that_ended_unseen_is_in_the_trail(
    world: World, requested: Requested, exchange: Exchange
) -> None:
    User.update(endpoint="PJSIP/109").where(User.login == "hugo").execute()
    call = Story.begins().rings("PJSIP/101").answered("PJSIP/101").call
    request = requests.listen(User.get(User.login == "hugo"), call, "listen")
    requests.claim(request)
    requests.picked_up(request)
    requested._reconcile()
    assert now() == ("done", "")
    assert Event.of_kind("listen.ended").count() == 1


def test_what_is_asked_for_is_noticed_at_once(
    world: World, exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the change of the database; the look from time to time is for what was overlooked."""
    monkeypatch.setattr("ari_app.requested.LOOK_EVERY", 3600.0)
    requested, looks = Requested(world.settings, lambda: True), 0
    real = requests.open_at

    def open_at(pbx: str) -> list[CallRequest]:
        nonlocal looks
        looks += 1
        return real(pbx)

    with patch.object(requests, "open_at", open_at):
        requested.connected(exchange, ())  # type: ignore[arg-type]
        try:
            # One of the comparison after connecting, one to begin with.
            until(lambda: looks >= 2, "the first look")
            ask(world)
            until(lambda: exchange.dialled, "the phone to be rung")
        finally:
            requested.end()


def test_a_database_that_is_away_and_comes_back(world: World, exchange: Exchange) -> None:
    """The threads live on, and what was asked meanwhile is done."""
    requested = Requested(world.settings, lambda: True)
    away, failed = threading.Event(), threading.Event()
    away.set()
    real = requests.open_at

    def open_at(pbx: str) -> list[CallRequest]:
        if away.is_set():
            failed.set()
            raise OperationalError("database is locked")
        return real(pbx)

    with patch.object(requests, "open_at", open_at):
        requested.connected(exchange, ())  # type: ignore[arg-type]
        try:
            assert failed.wait(10)
            ask(world)
            away.clear()
            until(lambda: exchange.dialled, "the phone to be rung")
        finally:
            requested.end()
    assert now() == ("claimed", "")


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"type": "Dial"},
        {"type": "Dial", "peer": None},
        {"type": "ChannelDestroyed", "channel": "x"},
        {"type": "ChannelDestroyed", "channel": {"id": 7}},
        {"type": "StasisStart", "channel": {"id": "1.1"}, "args": ["own", "record", "1"]},
    ],
)
def test_events_that_are_none_of_ours(requested: Requested, raw: dict[str, Any]) -> None:
    requested.heard(raw)
    assert requested._tasks.empty()
