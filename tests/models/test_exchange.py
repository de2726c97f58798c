"""record_watching, record_devices, record_queues: what an exchange shows of itself."""

from __future__ import annotations

from datetime import timedelta

from playhouse.test_utils import count_queries

from fields import utcnow
from models import Device, Event, QueueState
from tests.world import World
from verbs import users
from verbs.exchange import (
    EXCHANGE,
    QueueReport,
    record_devices,
    record_queues,
    record_watching,
)

NOW = utcnow().replace(microsecond=0)
LATER = NOW + timedelta(seconds=10)
ONLINE = {"PJSIP/101": "online", "PJSIP/102": "offline", "PJSIP/trunk": "online"}


def devices(pbx: str = "berlin") -> dict[str, tuple[str, object]]:
    return {d.endpoint: (d.state, d.at) for d in Device.select().where(Device.pbx == pbx)}


def queues(pbx: str = "berlin") -> dict[str, tuple[object, ...]]:
    rows = QueueState.select().where(QueueState.pbx == pbx)
    return {q.name: (q.waiting, q.talking, q.longest_since, q.at) for q in rows}


def test_an_exchange_is_watched_and_not_any_more(world: World) -> None:
    for connected, at, state in ((True, NOW, "online"), (True, LATER, "online")):
        record_watching("berlin", connected, at)
        assert devices() == {EXCHANGE: (state, at)}
    record_watching("munich", True, NOW)
    record_watching("berlin", False, LATER)
    assert devices() == {EXCHANGE: ("offline", LATER)}
    assert devices("munich") == {EXCHANGE: ("online", NOW)}


def test_only_users_phones_are_kept(world: World) -> None:
    record_devices("berlin", ONLINE, NOW)
    assert devices() == {"PJSIP/101": ("online", NOW), "PJSIP/102": ("offline", NOW)}


def test_only_what_changed_is_written(world: World) -> None:
    record_devices("berlin", ONLINE, NOW)
    with count_queries() as counted:
        record_devices("berlin", ONLINE, LATER)
    assert not [q for q in counted.get_queries() if not q.msg[0].startswith("SELECT")]
    assert set(devices().values()) == {("online", NOW), ("offline", NOW)}
    record_devices("berlin", {**ONLINE, "PJSIP/102": "online"}, LATER)
    assert devices() == {"PJSIP/101": ("online", NOW), "PJSIP/102": ("online", LATER)}
    # A phone that flaps all day is no history.
    assert not Event.select().where(Event.kind.startswith("device")).exists()


def test_a_phone_that_has_no_user_or_is_not_named_any_more_is_forgotten(world: World) -> None:
    record_watching("berlin", True, NOW)
    record_devices("berlin", ONLINE, NOW)
    record_devices("munich", ONLINE, NOW)
    users.disable(world.anna)
    record_devices("berlin", {"PJSIP/101": "online"}, LATER)
    assert devices() == {EXCHANGE: ("online", NOW)}
    assert set(devices("munich")) == {"PJSIP/101", "PJSIP/102"}
    users.add("new", "New", "seller", "correct horse", "PJSIP/101")
    record_devices("berlin", {"PJSIP/101": "online"}, LATER)
    assert devices()["PJSIP/101"] == ("online", LATER)


def test_an_odd_state_is_an_unknown_one(world: World) -> None:
    record_devices("berlin", {"PJSIP/101": "x" * 10_000}, NOW)
    assert devices() == {"PJSIP/101": ("unknown", NOW)}


def test_queues_fill_and_empty(world: World) -> None:
    record_queues("berlin", [QueueReport("sales", 2, 1, NOW), QueueReport("service", 0, 1)], NOW)
    record_queues("munich", [QueueReport("sales", 5, 0, NOW)], NOW)
    assert queues() == {"sales": (2, 1, NOW, NOW), "service": (0, 1, None, NOW)}
    record_queues("berlin", [QueueReport("sales", 2, 1, NOW)], LATER)
    assert queues() == {"sales": (2, 1, NOW, NOW), "service": (0, 0, None, LATER)}
    record_queues("berlin", [], LATER)
    assert queues()["sales"] == (0, 0, None, LATER)
    assert queues("munich") == {"sales": (5, 0, NOW, NOW)}
    with count_queries() as counted:
        record_queues("berlin", [], LATER + timedelta(seconds=1))
    assert not [q for q in counted.get_queries() if not q.msg[0].startswith("SELECT")]


def test_a_name_of_any_length(world: World) -> None:
    evil = "<b>\u202e" + "x" * 10_000
    record_queues("berlin", [QueueReport(evil, 1, 0, NOW), QueueReport(" \x00 ", 1, 0)], NOW)
    (name,) = queues()
    assert 3 <= len(name) <= 80
    record_queues("berlin", [QueueReport(evil, 2, 0, NOW)], LATER)
    assert queues() == {name: (2, 0, NOW, LATER)}
