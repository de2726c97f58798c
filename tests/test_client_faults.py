"""The client against servers that hang, lie, drip and vanish."""

import contextlib
import json
import logging
import queue
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ari_app import link
from ari_app.client import (
    AriError,
    BadReply,
    Client,
    EventStream,
    Gone,
    NotYet,
    Unauthorized,
    Unreachable,
    Unsupported,
    WrongState,
    connect,
)
from tests.fake_ari import BINARY, PING, PONG, TEXT, FakeAri, Line, events, frame

PASSWORD = "geheim-äöü"
PATIENCE = 30.0
AT_ONCE = 10.0
"""Seconds, where the other way would be a minute or for ever: how busy the machine is shall not
matter."""
QUICK: dict[str, Any] = {
    "ping_every": 0.1,
    "silent_after": PATIENCE,
    "timeout": PATIENCE,
    "first_pause": 0.02,
    "longest_pause": 0.1,
    "replaced_pause": 0.4,
}


class Listener:
    """An EventStream in a thread, and what came out of it."""

    def __init__(self, url: str, **options: Any) -> None:
        self.events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.connects: queue.Queue[Client] = queue.Queue()
        self.reasons: queue.Queue[str] = queue.Queue()
        callbacks = {
            "on_event": self.events.put,
            "on_connect": self.connects.put,
            "on_disconnect": self.reasons.put,
        }
        settings = {**QUICK, **callbacks, **options}
        self.stream = EventStream(url, "trichter", PASSWORD, "trichter", **settings)
        self.thread = threading.Thread(target=self.stream.run, daemon=True)

    def stop(self) -> float:
        """Seconds that stopping took."""
        began = time.monotonic()
        self.stream.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        return time.monotonic() - began


@contextlib.contextmanager
def listening(url: str, **options: Any) -> Iterator[Listener]:
    listener = Listener(url, **options)
    listener.thread.start()
    try:
        yield listener
    finally:
        listener.stop()


def event(number: int) -> bytes:
    return json.dumps({"type": "Dial", "number": number}).encode()


def answering_pings(line: Line, _: int = 0) -> None:
    for opcode, data in line.frames():
        if opcode == PING:
            line.send(frame(data, PONG))


# ------------------------------------------------------------------ the event stream


def test_half_open_socket_is_noticed_and_replaced() -> None:
    def talk(line: Line, number: int) -> None:
        if number == 0:
            line.wait_closed()
        line.send(frame(event(number)))
        answering_pings(line)

    with events(talk) as server, listening(server.url, silent_after=1.0) as listener:
        assert "nothing heard" in listener.reasons.get(timeout=PATIENCE)
        assert listener.events.get(timeout=PATIENCE)["number"] == 1
        assert listener.stream.connected
        assert listener.stream.reason == ""


def test_pongs_alone_keep_a_quiet_connection() -> None:
    pongs = threading.Semaphore(0)

    def talk(line: Line, _: int) -> None:
        for _opcode, data in line.frames():
            line.send(frame(data, PONG))
            pongs.release()

    options = {"ping_every": 0.2, "silent_after": 2.0}
    with events(talk) as server, listening(server.url, **options) as listener:
        for _ in range(15):  # longer than silent_after
            assert pongs.acquire(timeout=PATIENCE)
        assert listener.stream.connected
        assert listener.reasons.empty()


def test_server_that_closes_at_once_is_tried_again_with_growing_pauses() -> None:
    with FakeAri(lambda server, line, number: None) as server:
        listener = Listener(server.url, first_pause=0.05, longest_pause=0.3)
        chosen: list[float] = []
        pause = listener.stream._pause

        def noted(failures: int) -> float:
            chosen.append(pause(failures))
            return chosen[-1]

        listener.stream._pause = noted  # type: ignore[method-assign]
        listener.thread.start()
        try:
            server.wait_for_lines(5)
            assert not listener.stream.connected
            assert "closed" in listener.stream.reason
            assert listener.reasons.empty(), "it was never open"
        finally:
            listener.stop()
        assert chosen[3] > 2 * chosen[0]
        assert server.at[4] - server.at[0] > sum(chosen[:4]) / 2, "they are kept"


def test_server_that_upgrades_and_closes_at_once_is_not_hammered() -> None:
    with events(lambda line, number: None) as server, listening(server.url) as listener:
        for _ in range(4):
            assert "closed" in listener.reasons.get(timeout=PATIENCE)
        assert not listener.stream.connected


def test_connection_that_breaks_within_a_frame() -> None:
    def talk(line: Line, number: int) -> None:
        if number == 0:
            line.send(frame(event(0)) + frame(event(1))[:9])
            return
        line.send(frame(event(2)))
        answering_pings(line)

    with events(talk) as server, listening(server.url) as listener:
        assert [listener.events.get(timeout=PATIENCE)["number"] for _ in range(2)] == [0, 2]
        assert "closed" in listener.reasons.get(timeout=PATIENCE)


def test_frame_that_drips_for_ever_is_given_up() -> None:
    def talk(line: Line, number: int) -> None:
        if number:
            return answering_pings(line)
        for byte in frame(b" " * 60000):
            line.send(bytes([byte]))
            time.sleep(0.02)
        return None

    with events(talk) as server, listening(server.url, silent_after=0.5) as listener:
        assert "nothing heard" in listener.reasons.get(timeout=PATIENCE)


def test_frame_in_small_pieces_arrives() -> None:
    def talk(line: Line, _: int) -> None:
        for byte in frame(event(7)):
            line.send(bytes([byte]))
            time.sleep(0.005)
        answering_pings(line)

    with events(talk) as server, listening(server.url) as listener:
        assert listener.events.get(timeout=PATIENCE)["number"] == 7


def test_handshake_that_drips_or_hangs_is_given_up() -> None:
    def handler(server: FakeAri, line: Line, number: int) -> None:
        line.request()
        for byte in b"HTTP/1.1 101 Switching Protocols\r\n" + b"X: y\r\n" * 1000:
            line.send(bytes([byte]))
            time.sleep(0.02)

    with FakeAri(handler) as server, listening(server.url, timeout=0.2) as listener:
        server.wait_for_lines(2)
        assert "no answer" in listener.stream.reason


def test_big_and_fragmented_messages_arrive_whole() -> None:
    name = "ÄÖ" * 100_000
    big = json.dumps({"type": "Dial", "name": name}, ensure_ascii=False).encode()

    def talk(line: Line, _: int) -> None:
        line.send(frame(big))
        line.send(frame(big[:1001], TEXT, last=False) + frame(b"", PING))
        line.send(frame(big[1001:], opcode=0))
        answering_pings(line)

    with events(talk) as server, listening(server.url) as listener:
        assert listener.events.get(timeout=PATIENCE)["name"] == name
        assert listener.events.get(timeout=PATIENCE)["name"] == name


def test_very_many_events_are_fetched_by_several(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    told = SimpleNamespace(monotonic=time.monotonic, sleep=naps.append)
    monkeypatch.setattr(link, "time", told)
    monkeypatch.setattr(link, "WINDOW", 0.0)
    monkeypatch.setattr(link, "MANY", 0)
    arrived = threading.Semaphore(0)

    def talk(line: Line, _: int) -> None:
        for number in range(3):
            line.send(frame(event(number)))
            assert arrived.acquire(timeout=PATIENCE)
        answering_pings(line)

    with events(talk) as server, listening(server.url) as listener:
        for number in range(3):
            assert listener.events.get(timeout=PATIENCE)["number"] == number
            arrived.release()
    assert set(naps) == {link.NAP}


def test_junk_is_passed_over_and_logged_once_and_short(caplog: pytest.LogCaptureFixture) -> None:
    junk = [
        b"{",
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"{}",
        b'{"type": 5}',
        b"[" * 100_000,
        b"\xff\xfe",
    ]

    def talk(line: Line, _: int) -> None:
        for payload in junk:
            line.send(frame(payload))
        line.send(frame(b"\x00\xff" * 5000, BINARY))
        line.send(frame(b'{"type": "Dial", "name": "\xe4"}'))
        answering_pings(line)

    caplog.set_level(logging.WARNING)
    with events(talk) as server, listening(server.url) as listener:
        assert listener.events.get(timeout=PATIENCE)["name"] == "\ufffd"
        assert listener.stream.connected
        assert listener.reasons.empty()
    lines = [record.getMessage() for record in caplog.records if "not an ARI" in record.message]
    assert len(lines) == 1
    assert len(lines[0]) < 260


def test_events_during_on_connect_are_delivered_meanwhile_and_in_order() -> None:
    count = 500
    numbers: list[int] = []
    all_there = threading.Event()
    seen_by_on_connect: queue.Queue[bool] = queue.Queue()

    def talk(line: Line, _: int) -> None:
        line.send(b"".join(frame(event(number)) for number in range(count)))
        answering_pings(line)

    def on_event(received: dict[str, Any]) -> None:
        numbers.append(received["number"])
        if len(numbers) == count:
            all_there.set()

    def on_connect(client: Client) -> None:
        seen_by_on_connect.put(all_there.wait(PATIENCE))
        client.request("GET", "/channels")

    with (
        events(talk) as server,
        listening(server.url, on_event=on_event, on_connect=on_connect),
    ):
        assert seen_by_on_connect.get(timeout=PATIENCE)
        assert numbers == list(range(count))


@pytest.mark.parametrize("error", [Gone("gone"), ZeroDivisionError("oops")])
def test_failing_on_connect_means_another_connection(error: Exception) -> None:
    errors = [error]
    done = threading.Event()

    def on_connect(_: Client) -> None:
        if errors:
            raise errors.pop()
        done.set()

    with (
        events(answering_pings) as server,
        listening(server.url, on_connect=on_connect) as listener,
    ):
        assert "set-up after connecting failed" in listener.reasons.get(timeout=PATIENCE)
        assert done.wait(PATIENCE)
        assert listener.stream.connected


def test_failing_callbacks_do_not_stop_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    seen: queue.Queue[int] = queue.Queue()

    def talk(line: Line, number: int) -> None:
        line.send(frame(event(number)) + frame(event(number + 100)))

    def on_event(received: dict[str, Any]) -> None:
        seen.put(received["number"])
        raise ZeroDivisionError

    def on_disconnect(_: str) -> None:
        raise ZeroDivisionError

    options = {"on_event": on_event, "on_disconnect": on_disconnect}
    with events(talk) as server, listening(server.url, **options):
        assert [seen.get(timeout=PATIENCE) for _ in range(4)] == [0, 100, 1, 101]
    assert "on_event failed" in caplog.text
    assert "on_disconnect failed" in caplog.text


def test_slow_on_event_is_not_taken_for_a_dead_line() -> None:
    done = threading.Event()

    def talk(line: Line, _: int) -> None:
        line.send(frame(event(1)))
        answering_pings(line)

    def on_event(_: dict[str, Any]) -> None:
        time.sleep(1.5)  # longer than silent_after: this is the fault under test
        done.set()

    options = {"on_event": on_event, "silent_after": 1.0}
    with events(talk) as server, listening(server.url, **options) as listener:
        assert done.wait(PATIENCE)
        assert listener.stream.connected
        assert listener.reasons.empty()


def test_replaced_application_is_told_and_not_fought_over(caplog: pytest.LogCaptureFixture) -> None:
    at: queue.Queue[float] = queue.Queue()

    def talk(line: Line, number: int) -> None:
        at.put(time.monotonic())
        if number == 0:
            line.send(frame(b'{"type": "ApplicationReplaced", "application": "trichter"}'))
        answering_pings(line)

    with events(talk) as server, listening(server.url, replaced_pause=1.0) as listener:
        reason = listener.reasons.get(timeout=PATIENCE)
        assert "another process" in reason
        assert not listener.stream.connected
        assert listener.stream.reason == reason
        told = at.get(timeout=PATIENCE)
        # Nothing is dialled meanwhile.
        assert at.get(timeout=PATIENCE) > told + 0.95
    assert "another process" in caplog.text


def test_asterisk_without_event_filter() -> None:
    def handler(server: FakeAri, line: Line, number: int) -> None:
        while True:
            _, headers, _ = line.request()
            if "upgrade" in headers:
                line.upgrade(headers)
                line.send(frame(b'{"type": "ChannelVarset"}') + frame(event(1)))
                return answering_pings(line)
            line.answer("404 Not Found", b'{"message": "Resource not found"}')

    with FakeAri(handler) as server, listening(server.url) as listener:
        listener.connects.get(timeout=PATIENCE)
        assert listener.events.get(timeout=PATIENCE)["number"] == 1


def test_a_user_who_may_only_read_is_enough_to_observe(caplog: pytest.LogCaptureFixture) -> None:
    def handler(server: FakeAri, line: Line, number: int) -> None:
        while True:
            _, headers, _ = line.request()
            if "upgrade" in headers:
                line.upgrade(headers)
                line.send(frame(event(1)))
                return answering_pings(line)
            line.answer("403 Forbidden", b'{"message": "Write access denied"}')

    with FakeAri(handler) as server, listening(server.url) as listener:
        listener.connects.get(timeout=PATIENCE)
        assert listener.events.get(timeout=PATIENCE)["number"] == 1
    assert "read_only=no" in caplog.text


def test_wrong_password_says_so_keeps_trying_and_is_not_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    mended = threading.Event()

    def handler(server: FakeAri, line: Line, number: int) -> None:
        while True:
            first, headers, _ = line.request()
            server.requests.append(first)
            if not mended.is_set():
                line.answer("401 Unauthorized", b'{"message": "Authentication required"}')
            elif "upgrade" in headers:
                line.upgrade(headers)
                return answering_pings(line)
            else:
                line.answer()

    with FakeAri(handler) as server, listening(server.url) as listener:
        server.wait_for_lines(4)
        assert "wrong user or password" in listener.stream.reason
        mended.set()
        listener.connects.get(timeout=PATIENCE)
        assert "geheim" not in repr(server.requests)
    told = [record for record in caplog.records if "wrong user or password" in record.getMessage()]
    assert len(told) == 1, "once, not at every attempt"
    assert "geheim" not in caplog.text


def test_redirect_of_the_stream_is_not_followed() -> None:
    with events(answering_pings) as elsewhere:

        def handler(server: FakeAri, line: Line, number: int) -> None:
            line.request()
            line.answer("302 Found", extra=f"Location: ws://127.0.0.1:{elsewhere.port}/\r\n")

        with FakeAri(handler) as server, listening(server.url) as listener:
            server.wait_for_lines(2)
            assert "does not speak websocket" in listener.stream.reason
        assert not elsewhere.at


@pytest.mark.parametrize(
    "garbage", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 101 Hm\r\n\r\n", b"\x00\n"]
)
def test_stream_from_something_else_entirely(garbage: bytes) -> None:
    def handler(server: FakeAri, line: Line, number: int) -> None:
        line.request()
        line.send(garbage)
        line.wait_closed()

    with FakeAri(handler) as server, listening(server.url, timeout=0.3) as listener:
        server.wait_for_lines(2)
        assert listener.stream.reason
        assert not listener.stream.connected


def test_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with events(answering_pings) as server, listening(server.url) as listener:
        assert listener.connects.get(timeout=PATIENCE).request("GET", "/channels") == {}


def test_stop_is_prompt_while_connected() -> None:
    with events(lambda line, number: line.wait_closed()) as server:
        listener = Listener(server.url, silent_after=60.0)
        listener.thread.start()
        listener.connects.get(timeout=PATIENCE)
        assert listener.stop() < AT_ONCE
        assert listener.reasons.get(timeout=PATIENCE) == "stopped"
        assert not listener.stream.connected


def test_stop_is_prompt_in_a_pause() -> None:
    with FakeAri(lambda server, line, number: None) as server:
        listener = Listener(server.url, first_pause=60.0, longest_pause=60.0)
        listener.thread.start()
        server.wait_for_lines(1)
        assert listener.stop() < AT_ONCE


def test_stop_is_prompt_within_the_handshake() -> None:
    with FakeAri(lambda server, line, number: line.wait_closed()) as server:
        listener = Listener(server.url, timeout=60.0)
        listener.thread.start()
        server.wait_for_lines(1)
        assert listener.stop() < AT_ONCE


def test_stopped_before_it_began() -> None:
    with FakeAri(lambda server, line, number: None) as server:
        listener = Listener(server.url)
        listener.stream.stop()
        listener.thread.start()
        assert listener.stop() < AT_ONCE
        assert not server.at


# ------------------------------------------------------------------ requests


def http(answer: bytes) -> FakeAri:
    """Answers every request with the same bytes, then closes."""

    def handler(server: FakeAri, line: Line, number: int) -> None:
        line.request()
        line.send(answer)

    return FakeAri(handler)


def reply(status: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_server_that_never_answers() -> None:
    with FakeAri(lambda server, line, number: line.wait_closed()) as server:
        began = time.monotonic()
        with pytest.raises(Unreachable, match="no answer from"):
            connect(server.url, "trichter", PASSWORD, timeout=0.2)
        assert time.monotonic() - began < AT_ONCE
        assert len(server.at) == 1, "a time-out is not tried again"


def test_nobody_listens() -> None:
    with FakeAri(lambda server, line, number: None) as server:
        url = server.url
    with pytest.raises(Unreachable, match="is Asterisk running"):
        connect(url, "trichter", PASSWORD)


def test_body_that_drips_is_given_up() -> None:
    def handler(server: FakeAri, line: Line, number: int) -> None:
        line.request()
        line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        while True:
            line.send(b" ")
            time.sleep(0.02)

    with FakeAri(handler) as server:
        began = time.monotonic()
        with pytest.raises(BadReply, match="too slowly"):
            connect(server.url, "trichter", PASSWORD, timeout=0.5)
        assert time.monotonic() - began < AT_ONCE


STATUSES = [
    ("400 Bad Request", b'{"message": "Invalid"}', AriError, "Invalid"),
    ("401 Unauthorized", b'{"message": "Authentication required"}', Unauthorized, "ari.conf"),
    ("403 Forbidden", b'{"message": "Write access denied"}', Unauthorized, "read_only=no"),
    ("404 Not Found", b'{"message": "Channel not found"}', Gone, "Channel not found"),
    ("404 Not Found", b'{"message": "Resource not found"}', Unsupported, "Resource not found"),
    ("404 Not Found", b"<html>Not Found</html>", Unreachable, "no ARI"),
    ("409 Conflict", b'{"message": "Channel not in Stasis"}', WrongState, "not in Stasis"),
    ("412 Precondition Failed", b'{"message": "Invalid state"}', WrongState, "Invalid state"),
    ("422 Unprocessable Entity", b"[1]", NotYet, "422"),
    ("503 Service Unavailable", b'{"message": "Asterisk not booted"}', Unreachable, "not booted"),
    ("302 Found", b"", AriError, "302"),
    ("500 Internal Server Error", b'{"message": "Allocation failed"}', AriError, "Allocation"),
]


@pytest.mark.parametrize(("status", "body", "kind", "words"), STATUSES)
def test_status_becomes_a_typed_error(
    status: str, body: bytes, kind: type[AriError], words: str
) -> None:
    with http(reply(status, body)) as server, contextlib.closing(client_of(server)) as client:
        with pytest.raises(kind, match=words) as caught:
            client.request("POST", "/channels/{channelId}/answer", channelId="1.2")
        assert type(caught.value) is kind
        assert caught.value.status == int(status[:3])


@pytest.mark.parametrize(
    "answer",
    [
        reply("200 OK", b"<html>"),
        reply("200 OK", b'{"system": '),
        reply("200 OK", b"[" * 100_000),
        reply("200 OK", b"[1]"),
        reply("200 OK"),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    ],
)
def test_what_is_not_ari_is_a_bad_reply(answer: bytes) -> None:
    with http(answer) as server, pytest.raises(BadReply):
        connect(server.url, "trichter", PASSWORD, timeout=PATIENCE)


def test_api_docs_that_are_none() -> None:
    with (
        http(reply("200 OK", b'{"apis": []}')) as server,
        contextlib.closing(client_of(server)) as client,
        pytest.raises(BadReply),
    ):
        client.channels.list()


def client_of(server: FakeAri) -> Client:
    return Client(server.url, "trichter", PASSWORD, timeout=PATIENCE)


def test_connection_closed_while_idle_is_replaced_and_nothing_is_sent_twice() -> None:
    closed = threading.Event()

    def handler(server: FakeAri, line: Line, number: int) -> None:
        server.requests.append(line.request()[0])
        line.answer()
        line.raw.shutdown(2)
        closed.set()

    with FakeAri(handler) as server, contextlib.closing(client_of(server)) as client:
        for number in range(3):
            client.request("POST", "/channels/{channelId}/answer", channelId=number)
            assert closed.wait(PATIENCE)
            closed.clear()
        assert len(server.requests) == 3


@pytest.mark.parametrize(("method", "times"), [("POST", 1), ("GET", 2), ("PUT", 2), ("DELETE", 2)])
def test_only_what_may_be_done_twice_is_sent_again(method: str, times: int) -> None:
    def handler(server: FakeAri, line: Line, number: int) -> None:
        server.requests.append(line.request()[0])

    with FakeAri(handler) as server, contextlib.closing(client_of(server)) as client:
        with pytest.raises(Unreachable, match="closed the connection"):
            client.request(method, "/channels")
        assert len(server.requests) == times


def test_connections_are_kept_and_their_number_is_limited() -> None:
    def handler(server: FakeAri, line: Line, number: int) -> None:
        while True:
            line.request()
            line.answer()

    with FakeAri(handler) as server:
        with contextlib.closing(Client(server.url, "trichter", PASSWORD, pool_size=2)) as client:
            threads = [
                threading.Thread(target=lambda: [client.request("GET", "/x") for _ in range(20)])
                for _ in range(6)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert 1 <= len(server.at) <= 2


def test_a_full_pool_does_not_wait_for_ever() -> None:
    with FakeAri(lambda server, line, number: line.wait_closed()) as server:
        client = Client(server.url, "trichter", PASSWORD, timeout=0.3, pool_size=1)
        outcomes: queue.Queue[str] = queue.Queue()

        def ask() -> None:
            with pytest.raises(Unreachable) as caught:
                client.request("GET", "/channels")
            outcomes.put(str(caught.value))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert len([outcomes.get(timeout=PATIENCE) for _ in threads]) == 3
        for thread in threads:
            thread.join()
        client.close()


class Echo(FakeAri):
    """Remembers requests in full."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        super().__init__(self._serve)

    def _serve(self, _: FakeAri, line: Line, number: int) -> None:
        while True:
            self.seen.append(line.request())
            line.answer("204 No Content")


REQUESTS = [
    ({"a": 0, "b": False, "c": "", "d": None, "e": True}, "?a=0&b=false&c=&e=true"),
    ({"channel": ["1.2", "1.3"]}, "?channel=1.2%2C1.3"),
    ({"value": "a b+c&d=ü\n"}, "?value=a%20b%2Bc%26d%3D%C3%BC%0A"),
    ({"value": "\udcff"}, "?value=%3F"),
]


@pytest.mark.parametrize(("parameters", "query"), REQUESTS)
def test_parameters_of_request(parameters: dict[str, Any], query: str) -> None:
    with Echo() as server, contextlib.closing(client_of(server)) as client:
        assert client.request("POST", "/x", **parameters) is None
        assert server.seen[0][0] == f"POST /ari/x{query} HTTP/1.1"


@pytest.mark.parametrize(
    ("channel_id", "path"),
    [("1.2", "1.2"), ("a/b?c#d%", "a%2Fb%3Fc%23d%25"), ("..", "%2E%2E"), ("ä ;1", "%C3%A4%20%3B1")],
)
def test_ids_are_quoted(channel_id: str, path: str) -> None:
    with Echo() as server, contextlib.closing(client_of(server)) as client:
        client.request("DELETE", "/channels/{channelId}", channelId=channel_id)
        assert server.seen[0][0] == f"DELETE /ari/channels/{path} HTTP/1.1"


@pytest.mark.parametrize("ids", [{}, {"channelId": ""}, {"channelId": None}])
def test_id_missing_or_empty_reaches_no_server(ids: dict[str, Any]) -> None:
    with Echo() as server, contextlib.closing(client_of(server)) as client:
        with pytest.raises(TypeError, match="channelId"):
            client.request("DELETE", "/channels/{channelId}", **ids)
        assert not server.seen


def test_long_values_travel_as_a_form_and_json_as_a_body() -> None:
    with Echo() as server, contextlib.closing(client_of(server)) as client:
        client.request("POST", "/x", value="ä" * 3000)
        client.request("POST", "/x", json={"variables": {"NAME": "ä\udcff"}}, timeout=0)
        first, headers, body = server.seen[0]
        assert first == "POST /ari/x HTTP/1.1"
        assert headers["content-type"] == "application/x-www-form-urlencoded"
        assert body == b"value=" + b"%C3%A4" * 3000
        first, headers, body = server.seen[1]
        assert first == "POST /ari/x?timeout=0 HTTP/1.1"
        assert json.loads(body) == {"variables": {"NAME": "ä?"}}


def test_password_is_only_in_the_header(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Echo() as server, contextlib.closing(client_of(server)) as client:
        client.request("GET", "/channels")
        first, headers, _ = server.seen[0]
        assert headers["authorization"] == "Basic dHJpY2h0ZXI6Z2VoZWltLcOkw7bDvA=="
        assert "geheim" not in first + caplog.text + repr(client) + repr(client.rest)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://pbx:8088", "http://pbx:8088/ari"),
        ("http://pbx:8088/", "http://pbx:8088/ari"),
        ("http://pbx:8088/ari/", "http://pbx:8088/ari"),
        ("https://pbx/asterisk", "https://pbx/asterisk/ari"),
    ],
)
def test_addresses(url: str, base: str) -> None:
    with contextlib.closing(Client(url, "u", "p")) as client:
        assert client.rest.base == base


@pytest.mark.parametrize(
    "url", ["pbx:8088", "ftp://pbx", "http://", "http://u:secret@pbx:8088", ""]
)
def test_addresses_that_will_not_do(url: str) -> None:
    with pytest.raises(ValueError, match=r"\[ari\] url") as caught:
        Client(url, "u", "p")
    assert "secret" not in str(caught.value)
