"""The client against a real Asterisk, and its import beside everybody else's modules."""

import contextlib
import json
import logging
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from private_asterisk import PrivateAsterisk

from ari_app.client import (
    QUIET_EVENTS,
    AriError,
    Client,
    EventStream,
    Gone,
    Unauthorized,
    WrongState,
    connect,
)

CHECKOUT = Path(__file__).resolve().parent.parent
APP = CONTEXT = "test-client"
DIALPLAN = {
    "answer": ["Set(TEST=1)", "Answer()", "Wait(30)"],
    "ring": ["Wait(30)"],
    "stasis": ["Stasis(test-client,a,b)", "Set(AFTER=stasis)", "Wait(30)"],
}
PATIENCE = 30.0
QUICK: dict[str, Any] = {"ping_every": 0.3, "longest_pause": 0.3, "timeout": PATIENCE}


@pytest.fixture(scope="module")
def exchange() -> Iterator[PrivateAsterisk]:
    """A real Asterisk with a context of ours; not the one of all tests, for it is changed here."""
    with PrivateAsterisk() as asterisk:
        add_dialplan(asterisk)
        yield asterisk


def add_dialplan(asterisk: PrivateAsterisk) -> None:
    for extension, steps in DIALPLAN.items():
        for number, step in enumerate(steps, 1):
            quoted = step.replace(",", "\\,")
            asterisk.cli(f"dialplan add extension {extension},{number},{quoted} into {CONTEXT}")


@pytest.fixture
def client(exchange: PrivateAsterisk) -> Iterator[Client]:
    client = connect(exchange.ari_url, exchange.ari_username, exchange.ari_password, PATIENCE)
    yield client
    for channel in client.channels.list():
        with contextlib.suppress(Gone):
            channel.hangup()
    client.close()


class Listener:
    """An EventStream in a thread; `event()` waits for one."""

    def __init__(self, asterisk: PrivateAsterisk, app: str = APP, **options: Any) -> None:
        self.queue: queue.Queue[dict[str, Any]] = queue.Queue()
        self.connects: queue.Queue[Client] = queue.Queue()
        self.reasons: queue.Queue[str] = queue.Queue()
        credentials = {"username": asterisk.ari_username, "password": asterisk.ari_password}
        callbacks = {
            "on_event": self.queue.put,
            "on_connect": self.connects.put,
            "on_disconnect": self.reasons.put,
        }
        settings = {**QUICK, **credentials, **callbacks, **options}
        self.stream = EventStream(asterisk.ari_url, app=app, **settings)
        self.thread = threading.Thread(target=self.stream.run, daemon=True)

    def event(self, kind: str, **wanted: Any) -> dict[str, Any]:
        """The next event of this type whose channel has these values."""
        deadline = time.monotonic() + PATIENCE
        while True:
            event = self.queue.get(timeout=max(0.01, deadline - time.monotonic()))
            channel = event.get("channel") or {}
            if event["type"] == kind and wanted.items() <= channel.items():
                return event


@contextlib.contextmanager
def listening(asterisk: PrivateAsterisk, **options: Any) -> Iterator[Listener]:
    listener = Listener(asterisk, **options)
    listener.thread.start()
    try:
        yield listener
    finally:
        listener.stream.stop()
        listener.thread.join(PATIENCE)
        assert not listener.thread.is_alive()


def new_id() -> str:
    return f"test-{uuid.uuid4()}"


def local(client: Client, extension: str, **options: Any) -> Any:
    """One call that runs the extension at its far end and does nothing at its near end."""
    return client.channels.originateWithId(
        channelId=new_id(),
        endpoint=f"Local/{extension}@{CONTEXT}",
        context=CONTEXT,
        extension="ring",
        **options,
    )


def eventually(condition: Callable[[], bool]) -> None:
    """For what Asterisk tells nobody: asked again until it holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# ------------------------------------------------------------------ requests and objects


def test_connect_knows_the_version(exchange: PrivateAsterisk, client: Client) -> None:
    assert client.version() in exchange.cli("core show version")
    assert exchange.ari_password not in repr(client)


def test_wrong_password(exchange: PrivateAsterisk) -> None:
    with pytest.raises(Unauthorized, match=r"ari\.conf") as caught:
        connect(exchange.ari_url, exchange.ari_username, "wrong-secret")
    assert "wrong-secret" not in str(caught.value)


def test_variables_travel_in_the_body(client: Client) -> None:
    name = 'Bär "O\'Neill" <1>,&'
    channel = local(client, "ring", variables={"NAME": name, "EMPTY": ""}, callerId="Ä <123>")
    assert channel.json["caller"] == {"name": "Ä", "number": "123"}
    assert channel.getChannelVar(variable="NAME") == {"value": name}
    assert channel.getChannelVar(variable="EMPTY") == {"value": ""}


def test_variables_wrapped_as_other_versions_of_ari_py_want_them(client: Client) -> None:
    channel = local(client, "ring", variables={"variables": {"NAME": "x"}})
    assert channel.getChannelVar(variable="NAME") == {"value": "x"}


def test_false_and_empty_values_are_sent(client: Client) -> None:
    for given, kept in (("x", "x"), ("", ""), (0, "0"), (False, "false")):
        client.asterisk.setGlobalVar(variable="TEST_CLIENT", value=given)
        assert client.asterisk.getGlobalVar(variable="TEST_CLIENT") == {"value": kept}


def test_values_longer_than_a_request_line(client: Client) -> None:
    value = "ä<b>&'\"\n" * 1000
    client.request("POST", "/asterisk/variable", variable="TEST_CLIENT", value=value)
    read = client.request("GET", "/asterisk/variable", variable="TEST_CLIENT")
    assert read == {"value": value}


@pytest.mark.parametrize("channel_id", ["a/b", "ä?b#c", "..", "x y%20"])
def test_ids_of_any_characters(client: Client, channel_id: str) -> None:
    client.channels.originateWithId(
        channelId=channel_id, endpoint=f"Local/ring@{CONTEXT}", context=CONTEXT, extension="ring"
    )
    assert client.channels.get(channelId=channel_id).id == channel_id
    client.channels.hangup(channelId=channel_id)


def test_unknown_and_missing_parameters(client: Client) -> None:
    with pytest.raises(TypeError, match="nonsense"):
        client.channels.list(nonsense=1)
    with pytest.raises(TypeError, match="channelId"):
        client.channels.get()
    with pytest.raises(TypeError, match="EventStream"):
        client.events.eventWebsocket(app=APP)
    with pytest.raises(AttributeError, match="channels"):
        _ = client.nonsense
    with pytest.raises(AttributeError):
        _ = client.channels.nonsense


def test_what_is_gone_is_gone(client: Client) -> None:
    channel = local(client, "ring")
    channel.hangup()

    def answer() -> bool:
        with pytest.raises(AriError) as caught:
            channel.answer()
        return isinstance(caught.value, Gone)

    eventually(answer)
    with pytest.raises(Gone):
        client.channels.continueInDialplan(channelId=channel.id)
    with pytest.raises(Gone):
        client.bridges.get(bridgeId="none")


def test_a_channel_outside_stasis_is_in_the_wrong_state(client: Client) -> None:
    """Of such a channel ARI lets variables be read, not set."""
    channel = local(client, "ring")
    with pytest.raises(WrongState):
        channel.setChannelVar(variable="NAME", value="x")
    with pytest.raises(WrongState):
        client.channels.continueInDialplan(channelId=channel.id)


def test_api_docs_are_fetched_once_and_late(
    exchange: PrivateAsterisk, caplog: pytest.LogCaptureFixture
) -> None:
    # 'localhost' is another address than that of all other tests, so nothing of it is there yet.
    url = exchange.ari_url.replace("127.0.0.1", "localhost")
    caplog.set_level(logging.DEBUG, "urllib3")
    first = connect(url, exchange.ari_username, exchange.ari_password, PATIENCE)
    assert "api-docs" not in caplog.text
    threads = [threading.Thread(target=first.channels.list) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second = connect(url, exchange.ari_username, exchange.ari_password, PATIENCE)
    second.bridges.list()
    assert caplog.text.count("api-docs/channels.json") == 1
    first.close()
    second.close()


# ------------------------------------------------------------------ events


def kinds_of_a_call(exchange: PrivateAsterisk, listener: Listener) -> set[str]:
    """The types of all events of a call that the dialplan makes and nobody in ARI."""
    exchange.cli(f"channel originate Local/answer@{CONTEXT} extension ring@{CONTEXT}")
    kinds: set[str] = set()
    ended = 0
    while ended < 2:
        event = listener.queue.get(timeout=PATIENCE)
        kinds.add(event["type"])
        if event["type"] == "ChannelCreated":
            assert event["channel"]["channelvars"]["CHANNEL(linkedid)"]
        if event["type"] == "ChannelStateChange" and event["channel"]["state"] == "Up":
            exchange.cli("channel request hangup all")
        ended += event["type"] == "ChannelDestroyed"
    return kinds


def test_calls_of_the_dialplan_are_seen_without_the_talkative_events(
    exchange: PrivateAsterisk, client: Client
) -> None:
    with listening(exchange) as listener:
        listener.connects.get(timeout=PATIENCE)
        path = "/applications/{applicationName}"
        application = client.request("GET", path, applicationName=APP)
        assert application["events_disallowed"] == [{"type": kind} for kind in QUIET_EVENTS]
        kinds = kinds_of_a_call(exchange, listener)
        assert {"ChannelCreated", "ChannelStateChange", "ChannelDestroyed"} <= kinds
        assert not kinds & set(QUIET_EVENTS)
        assert listener.stream.connected
        assert listener.stream.last_event_at is not None


def test_without_filter_everything_is_seen(exchange: PrivateAsterisk) -> None:
    with listening(exchange, disallowed=()) as listener:
        listener.connects.get(timeout=PATIENCE)
        assert kinds_of_a_call(exchange, listener) & set(QUIET_EVENTS)


def test_stasis_and_back_to_the_dialplan(exchange: PrivateAsterisk, client: Client) -> None:
    with listening(exchange) as listener:
        listener.connects.get(timeout=PATIENCE)
        local(client, "stasis")
        start = listener.event("StasisStart")
        assert start["args"] == ["a", "b"]
        channel = start["channel"]["id"]
        path = "/channels/{channelId}"
        client.request("POST", f"{path}/answer", channelId=channel)
        listener.event("ChannelStateChange", id=channel, state="Up")
        name, value = "TRICHTER_DIAL_1", "PJSIP/101&PJSIP/102"
        client.request("POST", f"{path}/variable", channelId=channel, variable=name, value=value)
        assert client.request("POST", f"{path}/continue", channelId=channel) is None
        listener.event("StasisEnd", id=channel)
        read = client.request("GET", f"{path}/variable", channelId=channel, variable=name)
        assert read == {"value": value}
        client.request("DELETE", path, channelId=channel)
        listener.event("ChannelDestroyed", id=channel)


def test_big_events_arrive(exchange: PrivateAsterisk, client: Client) -> None:
    with listening(exchange) as listener:
        listener.connects.get(timeout=PATIENCE)
        name = "ä" * 5000
        client.channels.originateWithId(
            channelId=new_id(),
            endpoint=f"Local/stasis@{CONTEXT}",
            context=CONTEXT,
            extension="ring",
            variables={"CALLERID(name)": name},
        )
        start = listener.event("StasisStart")
        assert name in json.dumps(start, ensure_ascii=False)


def test_second_process_takes_the_application(exchange: PrivateAsterisk) -> None:
    with listening(exchange, replaced_pause=0.5) as first:
        first.connects.get(timeout=PATIENCE)
        with listening(exchange, replaced_pause=60.0) as second:
            second.connects.get(timeout=PATIENCE)
            assert "another process" in first.reasons.get(timeout=PATIENCE)
            # After its pause the first one is back, and the second one notices the same.
            first.connects.get(timeout=PATIENCE)
            assert "another process" in second.reasons.get(timeout=PATIENCE)
            assert not second.stream.connected


@pytest.fixture
def running(exchange: PrivateAsterisk) -> Iterator[Client]:
    """A client whose run() is at work in a thread, for ari-py's listeners."""
    client = connect(exchange.ari_url, exchange.ari_username, exchange.ari_password, PATIENCE)
    thread = threading.Thread(target=client.run, args=(APP, True))
    thread.start()
    # It is listed a moment before it hears of all channels.
    hears = "__AST_CHANNEL_ALL_TOPIC"
    eventually(
        lambda: (
            [hears]
            == [i for app in client.request("GET", "/applications") for i in app["channel_ids"]]
        )
    )
    yield client
    client.close()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_listeners_get_objects(running: Client, client: Client) -> None:
    seen: queue.Queue[Any] = queue.Queue()

    def started(objects: dict[str, Any], event: dict[str, Any], extra: str) -> None:
        channel = objects["channel"]
        channel.answer()
        channel.on_event("ChannelDestroyed", ended)
        seen.put((list(objects), extra, channel.id, event["args"]))
        bridge = running.bridges.create(type="mixing")
        bridge.addChannel(channel=channel.id)
        bridge.destroy()
        channel.hangup()

    def ended(channel: Any, _: dict[str, Any]) -> None:
        seen.put(channel.id)

    handles = [
        running.on_channel_event("StasisStart", started, extra="given"),
        running.on_bridge_event(
            "BridgeDestroyed", lambda bridge, _: seen.put(type(bridge).__name__)
        ),
    ]
    local(client, "stasis")
    fields, extra, channel_id, args = seen.get(timeout=PATIENCE)
    assert (fields, extra, args) == (["channel"], "given", ["a", "b"])
    assert {seen.get(timeout=PATIENCE), seen.get(timeout=PATIENCE)} == {"Bridge", channel_id}
    eventually(lambda: not running.event_listeners["ChannelDestroyed"])
    for handle in handles:
        handle.close()
    assert not any(running.event_listeners.values())


def test_failing_listener_does_not_stop_the_next(running: Client, client: Client) -> None:
    seen: queue.Queue[Any] = queue.Queue()
    running.exception_handler = seen.put

    def failing(*_: Any) -> None:
        raise ZeroDivisionError

    running.on_channel_event("ChannelCreated", failing)
    running.on_event("ChannelCreated", lambda event: seen.put(event["type"]))
    local(client, "ring")
    assert isinstance(seen.get(timeout=PATIENCE), ZeroDivisionError)
    assert seen.get(timeout=PATIENCE) == "ChannelCreated"


def test_listeners_for_what_does_not_exist(client: Client) -> None:
    with pytest.raises(ValueError, match="Nonsense"):
        client.on_channel_event("Nonsense", print)
    with pytest.raises(ValueError, match="BridgeCreated carries no Channel"):
        client.on_channel_event("BridgeCreated", print)


def test_an_event_without_the_object_passes_none(client: Client) -> None:
    """ChannelHangupRequest has one channel field, and events may lack what the model has."""
    seen: list[Any] = []
    handle = client.on_channel_event(
        "ChannelHangupRequest", lambda channel, event: seen.append(channel)
    )
    channel = local(client, "ring")
    of_channel = channel.on_event("ChannelHangupRequest", lambda *_: seen.append("never"))
    client.dispatch({"type": "ChannelHangupRequest"})
    assert seen == [None]
    handle.close()
    of_channel.close()


# ------------------------------------------------------------------ an exchange that goes away


@pytest.fixture
def own_exchange() -> Iterator[PrivateAsterisk]:
    """An Asterisk of our own, for it does not survive the test."""
    with PrivateAsterisk() as asterisk:
        yield asterisk


def test_killed_and_restarted_asterisk(own_exchange: PrivateAsterisk) -> None:
    client = connect(
        own_exchange.ari_url, own_exchange.ari_username, own_exchange.ari_password, PATIENCE
    )
    with listening(own_exchange) as listener:
        listener.connects.get(timeout=PATIENCE)
        assert own_exchange.process is not None
        own_exchange.process.kill()
        assert "closed" in listener.reasons.get(timeout=PATIENCE)
        with pytest.raises(AriError):
            client.channels.list()
        eventually(lambda: "is Asterisk running" in listener.stream.reason)
        again = PrivateAsterisk(ports=own_exchange.ports, passwords=own_exchange.passwords)
        with again:
            listener.connects.get(timeout=PATIENCE)
            assert listener.stream.connected
            assert listener.stream.reason == ""
            add_dialplan(again)
            assert client.channels.list() == []
            local(client, "answer")
            listener.event("ChannelCreated")
    client.close()


def test_wrong_password_keeps_trying_and_works_when_it_is_mended(
    own_exchange: PrivateAsterisk, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(own_exchange, username="second", password="new-secret") as listener:
        eventually(lambda: "wrong user or password" in listener.stream.reason)
        conf = own_exchange.etc / "ari.conf"
        user = "\n[second]\ntype=user\nread_only=no\npassword=new-secret\n"
        conf.write_text(conf.read_text() + user)
        own_exchange.cli("module reload res_ari.so")
        listener.connects.get(timeout=PATIENCE)
        assert listener.stream.connected
    assert "wrong user or password" in caplog.text
    assert "new-secret" not in caplog.text


def test_read_only_user_is_told_what_is_missing(own_exchange: PrivateAsterisk) -> None:
    conf = own_exchange.etc / "ari.conf"
    conf.write_text(conf.read_text() + "\n[reader]\ntype=user\nread_only=yes\npassword=x\n")
    own_exchange.cli("module reload res_ari.so")
    client = connect(own_exchange.ari_url, "reader", "x")
    with pytest.raises(Unauthorized, match="read_only=no"):
        client.request("POST", "/bridges")
    client.close()


# ------------------------------------------------------------------ the import

HYGIENE = """
import sys, threading, urllib

stop, wrong = threading.Event(), []

def peep():
    # Imports the Python 2 names all the time, in another thread, while the client is imported.
    while not stop.is_set():
        for name in ("urlparse", "swagger_model", "processors", "http_client"):
            try:
                __import__(name)
            except ImportError:
                continue
            wrong.append(name)
        if hasattr(urllib, "urlencode"):
            wrong.append("urllib.urlencode")

before = set(sys.modules)
threads = [threading.Thread(target=peep)]
threads += [threading.Thread(target=__import__, args=("ari_app.client",)) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads[1:]:
    thread.join()
stop.set()
threads[0].join()

import ari_app.client, client, model, models
from ari_app import compat
assert not wrong, wrong
assert (client.MINE, model.MINE, models.MINE) == (1, 2, 3)
assert issubclass(ari_app.client.Client, compat._importer.modules["ari.client"].Client)
foreign = {"ari", "swaggerpy", "urlparse", "swagger_model", "processors", "http_client"}
assert not foreign & {name.partition(".")[0] for name in sys.modules}, sys.modules.keys() & foreign
assert ari_app.client.Client("http://127.0.0.1:1", "u", "p").rest.base == "http://127.0.0.1:1/ari"
try:
    import ari
except ImportError:
    pass
else:
    raise AssertionError("ari imports")
print("clean")
"""

BROKEN = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == "swaggerpy":
            raise ModuleNotFoundError("No module named 'swaggerpy'", name=name)

sys.meta_path.insert(0, Absent())
try:
    import ari_app.client
except ImportError as error:
    assert "swaggerpy" in str(error), error
else:
    raise AssertionError("imported without swaggerpy")
for name in ("client", "model", "urlparse", "ari", "ari_app.client", "ari_app.compat"):
    assert name not in sys.modules, name
del sys.meta_path[0]
import ari_app.client
print("clean")
"""


def interpreters() -> list[str]:
    """The running Python, and others that the product supports and that happen to be here."""
    found = {(sys.version_info.major, sys.version_info.minor): sys.executable}
    for minor in (11, 12, 13):
        names = sorted(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python3"))
        path = shutil.which(f"python3.{minor}")
        for candidate in [*map(str, names), *([path] if path else [])]:
            version = subprocess.run([candidate, "-c", ""], capture_output=True, check=False)
            if version.returncode == 0:
                found.setdefault((3, minor), candidate)
    return list(found.values())


def run_python(python: str, code: str, folder: Path) -> str:
    """Run code with the packages of the running Python; what it needs of them is pure Python."""
    packages = [path for path in sys.path if path.endswith("-packages")]
    paths = [str(folder), str(CHECKOUT), *packages]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run(
        [python, "-B", "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("python", interpreters())
def test_import_leaves_no_trace(python: str, tmp_path: Path) -> None:
    for value, name in enumerate(("client", "model", "models"), 1):
        (tmp_path / f"{name}.py").write_text(f"MINE = {value}\n")
    assert run_python(python, HYGIENE, tmp_path) == "clean\n"


def test_import_that_fails_leaves_no_trace_and_can_be_tried_again(tmp_path: Path) -> None:
    assert run_python(sys.executable, BROKEN, tmp_path) == "clean\n"
