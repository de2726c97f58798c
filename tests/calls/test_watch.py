"""T13: phones and queues as ``trichter ari`` sees them, from events and on the real Asterisk."""

from __future__ import annotations

import json
import logging
import signal
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ports import LOOPBACK

from ari_app import watch
from ari_app.client import Client, Unreachable
from ari_app.floor import KINDS, Floor
from ari_app.watch import Watch
from fields import utcnow
from models import Device, QueueState
from tests.office import PATIENCE, Office, until
from tests.scene import Scene
from tests.softphone import Softphone
from tests.world import World
from verbs import users
from verbs.exchange import BEAT, EXCHANGE, QueueReport

NOW = utcnow()
STAMP = NOW.isoformat()
RECORDINGS = Path(__file__).parents[1] / "recordings"


def channel(number: str, app: str = "", data: str = "", name: str = "") -> dict[str, Any]:
    return {
        "id": number,
        "name": name or f"PJSIP/trunk-{number}",
        "state": "Up",
        "creationtime": (NOW - timedelta(seconds=60)).isoformat(),
        "dialplan": {"app_name": app, "app_data": data},
    }


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": STAMP, **fields}


def bridge(*members: str, kind: str = "mixing") -> dict[str, Any]:
    return {"id": "b", "bridge_type": kind, "channels": list(members)}


def waiting(floor: Floor, number: str = "1", at: datetime = NOW) -> None:
    floor.hear(event("ChannelCreated", channel=channel(number)), at)
    caller = channel(number, "Queue", "sales,tk,,,120")
    floor.hear(event("Dial", caller=caller, peer=channel("9"), dialstatus=""), at)


def test_waits_talks_and_is_gone() -> None:
    floor = Floor()
    floor.list_channels([], NOW)
    waiting(floor)
    assert floor.queues() == [QueueReport("sales", 1, 0, NOW)]
    both = bridge("1", "9")
    in_queue = channel("1", "Queue", "sales,tk,,,120")
    floor.hear(event("ChannelEnteredBridge", channel=in_queue, bridge=both), NOW)
    assert floor.queues() == [QueueReport("sales", 0, 1)]
    # The member hangs up: the caller is still in Queue(), but has been served.
    floor.hear(event("ChannelLeftBridge", channel=in_queue, bridge=bridge()), NOW)
    assert [(q.waiting, q.talking) for q in floor.queues()] in ([], [(0, 0)])
    floor.hear(event("ChannelDestroyed", channel=in_queue, cause=16), NOW)
    assert floor.queues() == []


def test_the_longest_wait_is_that_of_the_first() -> None:
    floor = Floor()
    floor.list_channels([], NOW)
    waiting(floor, "1", NOW + timedelta(seconds=5))
    waiting(floor, "2", NOW)
    waiting(floor, "1", NOW + timedelta(seconds=9))
    assert floor.queues() == [QueueReport("sales", 2, 0, NOW)]


def test_a_list_older_than_what_was_told_since_changes_nothing() -> None:
    floor = Floor()
    floor.list_channels([channel("3", "Queue", "sales")], NOW)
    later, told = NOW + timedelta(seconds=2), NOW + timedelta(seconds=3)
    waiting(floor, "1", told)
    waiting(floor, "2", told)
    floor.hear(event("ChannelDestroyed", channel=channel("3"), cause=16), told)
    floor.list_channels([channel("2"), channel("3", "Queue", "sales")], later)
    assert floor.queues() == [QueueReport("sales", 2, 0, told)]
    floor.list_channels([], told + timedelta(seconds=1))
    assert floor.queues() == []


def test_into_another_queue_and_out_by_the_list() -> None:
    floor = Floor()
    floor.list_channels([channel("1", "Queue", "sales")], NOW)
    # Who was there before is taken to wait since the call began.
    assert floor.queues() == [QueueReport("sales", 1, 0, NOW - timedelta(seconds=60))]
    later = NOW + timedelta(seconds=2)
    floor.list_channels([channel("1", "Queue", "service,t")], later)
    assert floor.queues() == [QueueReport("service", 1, 0, later)]
    floor.list_channels([channel("1", "VoiceMail", "101")], later)
    assert floor.queues() == []
    floor.list_channels([], later)
    assert not floor.needs_look


def test_looks_only_while_somebody_is_alone() -> None:
    floor = Floor()
    looks = [floor.needs_look]
    floor.list_channels([channel("0", name="Message/ast_msg_queue")], NOW)
    looks.append(floor.needs_look)
    floor.hear(event("ChannelCreated", channel=channel("1")), NOW)
    looks.append(floor.needs_look)
    floor.list_bridges([bridge("1", "2")], NOW)
    looks.append(floor.needs_look)
    floor.hear(event("BridgeDestroyed", bridge=bridge()), NOW)
    looks.append(floor.needs_look)
    assert looks == [True, False, True, False, True]


def test_music_in_a_holding_bridge_is_no_talk() -> None:
    floor = Floor()
    floor.list_channels([channel("1", "Queue", "sales"), channel("2")], NOW)
    floor.list_bridges([bridge("1", "2", kind="holding")], NOW)
    assert [(q.waiting, q.talking) for q in floor.queues()] == [(1, 0)]


def test_phones() -> None:
    floor = Floor()
    floor.list_endpoints([{"technology": "PJSIP", "resource": "101", "state": "online"}, None, {}])
    seen = {"technology": "PJSIP", "resource": "102", "state": None}
    for kind in ("EndpointStateChange", "PeerStatusChange", "ContactStatusChange"):
        floor.hear(event(kind, endpoint=seen), NOW)
    assert floor.devices == {"PJSIP/101": "online", "PJSIP/102": "unknown"}
    floor.hear(event("PeerStatusChange", endpoint={**seen, "state": "offline"}), NOW)
    assert floor.devices["PJSIP/102"] == "offline"


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("odd", [None, 1, [], {}, {"id": 1}, {"channels": [None]}, "x" * 10_000])
def test_odd_events_change_nothing(kind: str, odd: Any) -> None:
    floor = Floor()
    fields = {"channel": odd, "caller": odd, "bridge": odd, "endpoint": odd, "peer": odd}
    floor.hear({"type": kind, **fields}, NOW)
    floor.list_channels(odd, NOW)
    floor.list_bridges(odd, NOW)
    floor.list_endpoints(odd)
    assert (floor.queues(), floor.devices) == ([], {})


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("queue_*.jsonl")), ids=lambda p: p.stem)
def test_recorded_calls_leave_no_queue_behind(path: Path) -> None:
    """Recordings hold no arguments of applications: the queue's name is put in again."""
    floor, most = Floor(), (0, 0)
    floor.list_channels([], NOW)
    for line in path.read_text().splitlines():
        raw = json.loads(line)
        for who in ("channel", "caller"):
            if (raw.get(who) or {}).get("dialplan", {}).get("app_name") == "Queue":
                raw[who]["dialplan"]["app_data"] = "sales,tk"
        if raw["type"] in KINDS:
            floor.hear(raw, NOW)
        for queue in floor.queues():
            most = max(most, (queue.talking, queue.waiting))
    assert floor.queues() == []
    # In an empty queue nobody is dialled, and no event tells of it.
    assert most >= (0, 1) or "empty" in path.stem


class FakeClient(Client):
    """Answers what is written in ``lists``; an exception is raised."""

    def __init__(self, **lists: Any) -> None:
        self.lists = {"/endpoints": [], "/channels": [], "/bridges": [], **lists}
        self.asked: list[str] = []

    def request(self, method: str, template: str, /, *, json: Any = None, **params: Any) -> Any:
        self.asked.append(template)
        answer = self.lists[template]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def seen(world: World, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Watched step by step: its thread waits for ever."""
    monkeypatch.setattr(Watch, "_run", lambda self: self._ending.wait())
    online = [{"technology": "PJSIP", "resource": "101", "state": "online"}]
    stepped = Watch("berlin", lambda: True)
    stepped.connected(FakeClient(**{"/endpoints": online}), ())
    stepped.step()
    return stepped


def state(endpoint: str) -> str | None:
    row = Device.get_or_none(Device.pbx == "berlin", Device.endpoint == endpoint)
    return str(row.state) if row else None


def test_a_queue_is_written_when_it_changes(seen: Watch) -> None:
    assert (state(EXCHANGE), state("PJSIP/101")) == ("online", "online")
    seen.heard(event("ChannelCreated", channel=channel("1", "Queue", "sales")))
    seen.heard(event("ChannelVarset", channel=channel("2", "Queue", "other")))
    seen.step()
    row = QueueState.get()
    assert (row.pbx, row.name, row.waiting, row.talking) == ("berlin", "sales", 1, 0)
    seen.step()
    assert QueueState.get().at == row.at
    seen.heard(event("ChannelDestroyed", channel=channel("1"), cause=16))
    seen.step()
    assert QueueState.get().waiting == 0
    seen.end()


def test_nothing_is_asked_or_written_while_nothing_happens(
    seen: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = seen._client
    assert isinstance(client, FakeClient)
    assert sorted(client.asked) == ["/bridges", "/channels", "/endpoints"]
    started = watch.monotonic()
    monkeypatch.setattr(watch, "monotonic", lambda: started + 0.001)
    seen.step()
    was = Device.get(Device.endpoint == EXCHANGE).at
    client.asked.clear()
    seen.step()
    assert client.asked == []
    assert Device.get(Device.endpoint == EXCHANGE).at == was
    monkeypatch.setattr(watch, "monotonic", lambda: started + BEAT.total_seconds() + 1)
    seen.step()
    assert client.asked == []
    assert Device.get(Device.endpoint == EXCHANGE).at > was
    seen.end()


def test_a_new_users_phone_is_known_with_the_next_beat(
    seen: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert seen._client
    seen.heard(event("PeerStatusChange", endpoint=endpoint("777", "online")))
    seen.step()
    assert state("PJSIP/777") is None
    users.add("new", "New", "seller", "correct horse", "PJSIP/777")
    later = watch.monotonic() + BEAT.total_seconds()
    monkeypatch.setattr(watch, "monotonic", lambda: later)
    seen.step()
    assert state("PJSIP/777") == "online"
    seen.end()


def endpoint(number: str, state: str) -> dict[str, str]:
    return {"technology": "PJSIP", "resource": number, "state": state}


def test_a_stream_that_broke_makes_the_rows_old(seen: Watch) -> None:
    seen._is_connected = lambda: False
    seen.step()
    assert state(EXCHANGE) == "offline"
    gone = Device.get(Device.endpoint == EXCHANGE).at
    seen.step()
    assert Device.get(Device.endpoint == EXCHANGE).at == gone
    seen._is_connected = lambda: True
    seen.step()
    # Connected, but not listed yet: nothing is known.
    assert state(EXCHANGE) == "offline"
    seen.connected(FakeClient(), ())
    seen.step()
    assert state(EXCHANGE) == "online"
    assert state("PJSIP/101") is None
    seen.end()


def test_an_exchange_that_does_not_answer_is_said_and_asked_again(
    seen: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    client = FakeClient(**{"/endpoints": Unreachable("it is away")})
    seen.connected(client, ())
    with caplog.at_level(logging.WARNING):
        seen.step()
    assert "it is away" in caplog.text
    assert state("PJSIP/101") == "online"
    client.lists["/endpoints"] = [endpoint("101", "offline")]
    seen.step()
    assert state("PJSIP/101") == "offline"
    seen.end()


# On the real exchange


def watched(connected: bool = True) -> bool:
    device = Device.get_or_none(Device.endpoint == EXCHANGE)
    return device is not None and (device.state == "online") == connected


def device_of(name: str) -> str:
    device = Device.get_or_none(Device.endpoint == name)
    return device.state if device else ""


def test_phones_come_and_go(office: Office) -> None:
    users.add("soft", "Soft", "seller", "correct horse", "PJSIP/softphone")
    process = office.listen()
    until(watched, "the exchange is watched")
    until(lambda: device_of("PJSIP/softphone") == "offline", "it is listed")
    assert device_of("PJSIP/101") == "online"
    assert not device_of("PJSIP/trunk")
    pbx = (LOOPBACK, office.pbx.ports.sip)
    with Softphone(0, "softphone", office.pbx.passwords.softphone, pbx=pbx) as phone:
        phone.register()
        until(lambda: device_of("PJSIP/softphone") == "online", "it registers")
        phone.register(expires=0)
        until(lambda: device_of("PJSIP/softphone") == "offline", "it goes")
    process.send_signal(signal.SIGTERM)
    process.wait(PATIENCE)
    assert watched(connected=False)


def test_callers_wait_in_a_queue_and_talk(patient_queues: None, scene: Scene) -> None:
    def is_now(waiting: int, talking: int) -> bool:
        row = QueueState.get_or_none(QueueState.name == "sales-all")
        return row is not None and (row.waiting, row.talking) == (waiting, talking)

    first = scene.customer().call("4930555102")
    until(lambda: is_now(1, 0), "one waits")
    since = QueueState.get().longest_since
    second = scene.customer("+493044701183").call("4930555102")
    until(lambda: is_now(2, 0), "two wait")
    assert QueueState.get().longest_since == since
    # Which of the two her phone rings for is up to the queue.
    anna = scene.anna.auto(answer_after=0, lines=1)
    until(lambda: is_now(1, 1), "one talks")
    anna.auto()
    next(call for call in anna.calls if call.state == "answered").hang_up()
    until(lambda: is_now(1, 0), "one waits again")
    for caller in (first, second):
        caller.hang_up()
    until(lambda: is_now(0, 0), "it is empty")
    assert QueueState.get().longest_since is None
