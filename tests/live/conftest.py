"""Streams as browsers hold them open: each read by a thread of its own, awaited through a queue."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from database import changes
from models import User
from panel import create_app
from panel.auth import SignedIn
from panel.tail import hub
from tests.world import World, world_on

PATIENCE = 10.0
"""Seconds after which something awaited counts as not coming."""

Listen = Callable[..., "Ear"]


class Ear:
    """One open stream of a user. ``next`` gives its messages, without heartbeats."""

    def __init__(self, app: Flask, user: User, path: str, headers: dict[str, str], browser: str):
        self.position = ""
        self.beats: queue.Queue[str] = queue.Queue()
        self._frames: queue.Queue[dict[str, str] | None] = queue.Queue()
        client = app.test_client()
        with client.session_transaction() as session:
            session.update(_user_id=SignedIn(user).get_id(), csrf_token=browser)
        self.status = 0
        self._request = (client, path, headers)
        self._open = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self._open.wait(PATIENCE), "no answer"

    def _read(self) -> None:
        client, path, headers = self._request
        response = client.get(path, headers=headers, buffered=False)
        self.status = response.status_code
        try:
            for chunk in response.iter_encoded() if self.status == 200 else ():
                self._sort(chunk.decode())
        finally:
            response.close()
            self._frames.put(None)
            self._open.set()

    def _sort(self, text: str) -> None:
        for frame in text.split("\n\n")[:-1]:
            lines = dict(line.split(": ", 1) for line in frame.splitlines() if ": " in line)
            # As browsers do: an id alone counts, too.
            self.position = lines.get("id", self.position)
            if "event" in lines:
                self._frames.put(lines)
            else:
                self.beats.put(lines.get("id", ""))
        self._open.set()

    def next(self) -> tuple[str, dict[str, Any]]:
        frame = self._frames.get(timeout=PATIENCE)
        assert frame is not None, "the stream ended"
        return frame["event"], json.loads(frame["data"])

    def until(self, name: str, kind: str) -> dict[str, Any]:
        """The next message of this kind; others before it are passed over."""
        while True:
            found, data = self.next()
            if (found, data.get("kind")) == (name, kind):
                return data

    def ended(self) -> list[str]:
        """Waits for the end; the names of the messages that still came."""
        names = []
        while frame := self._frames.get(timeout=PATIENCE):
            names.append(frame["event"])
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return names

    def nothing(self) -> bool:
        """Nothing came so far."""
        return self._frames.empty()


def stop_tail() -> None:
    hub.end_all("the test is over")
    # On PostgreSQL the tail waits for this, else up to its limit.
    with suppress(Exception):
        changes.announce()
    hub.stop()


@pytest.fixture
def quiet(world: World) -> Iterator[World]:
    """The world on SQLite, with the tail gone before its database goes."""
    yield world
    stop_tail()


@pytest.fixture
def anywhere(anywhere: World) -> Iterator[World]:
    """The world on each kind of database, with the tail gone before it."""
    yield anywhere
    stop_tail()


@pytest.fixture
def on_postgresql(on_postgresql: World) -> Iterator[World]:
    yield on_postgresql
    stop_tail()


@pytest.fixture(params=["postgresql", "mariadb"])
def concurrent(request: pytest.FixtureRequest) -> Iterator[World]:
    """The world on the databases in which several can write at once."""
    with world_on(request.getfixturevalue(f"{request.param}_url")) as made:
        yield made
        stop_tail()


def listening(world: World) -> Listen:
    """``listen("anna")`` opens her stream; ``last`` and ``header`` resume it."""
    app = create_app(world.settings)

    def listen(
        login: str,
        last: int | str | None = None,
        header: int | str | None = None,
        browser: str = "b",
    ) -> Ear:
        path = "/live" if last is None else f"/live?{urlencode({'last': last})}"
        headers = {} if header is None else {"Last-Event-ID": str(header)}
        return Ear(app, User.get(User.login == login), path, headers, browser)

    return listen


@pytest.fixture
def listen(quiet: World) -> Listen:
    return listening(quiet)


@pytest.fixture
def listen_anywhere(anywhere: World) -> Listen:
    return listening(anywhere)
