"""Streams ask who may still listen; one of them looks for all."""

from __future__ import annotations

import peewee
import pytest

from models import User
from panel.doors import Doors
from tests.world import World

AWAKE = 60.0


def test_one_looks_for_all(world: World) -> None:
    doors, looked = Doors(), []

    def look(session_id: str) -> User | None:
        looked.append(session_id)
        return {"a": world.anna, "b": world.ben}.get(session_id)

    assert doors.seen("a", look, AWAKE)[0] == world.anna
    assert doors.seen("b", look, AWAKE)[0] == world.ben
    assert doors.seen("c", look, AWAKE)[0] is None
    looked.clear()
    assert doors.seen("a", look, AWAKE)[0] == world.anna
    assert looked == []
    # As old as that is too old for anybody.
    doors.seen("b", look, 1e-9)
    assert looked == ["a", "b", "c"]


def test_who_must_know_at_once_looks_alone(world: World) -> None:
    doors, there = Doors(), {"a": world.anna, "b": world.ben}
    doors.seen("a", there.get, AWAKE)
    first = doors.seen("b", there.get, AWAKE)
    there.clear()
    assert doors.seen("a", there.get, 0.0)[0] is None
    assert doors.seen("b", there.get, AWAKE) == first


def test_who_has_left_is_not_looked_at_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    doors, looked, now = Doors(), [], 1000.0

    def look(session_id: str) -> User | None:
        looked.append(session_id)
        return world.anna

    monkeypatch.setattr("panel.doors.time.monotonic", lambda: now)
    doors.seen("a", look, 2.0)
    doors.seen("b", look, 2.0)
    for _ in range(4):
        now += 20
        looked.clear()
        doors.seen("b", look, 2.0)
    assert looked == ["b"]


def test_an_error_is_everybodys_for_a_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    doors, asked = Doors(), []

    def broken(session_id: str) -> User | None:
        asked.append(session_id)
        raise peewee.OperationalError("disk I/O error")

    for one in ("a", "b", "c"):
        with pytest.raises(peewee.OperationalError):
            doors.seen(one, broken, AWAKE)
    assert asked == ["a"]
    monkeypatch.setattr("panel.doors.FAILED_SECONDS", 0.0)
    assert doors.seen("b", lambda _one: world.ben, AWAKE)[0] == world.ben
