import dataclasses
import logging
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from ports import free_tcp_port

import agi_scripts
import models
from agi_scripts import protocol, reading, server
from agi_scripts.server import CannotListen, Server
from ari_app import router
from database import POOL_SIZE, database
from settings import Agi
from tests.agi.serving import serving
from tests.agi.speaking import ask, connect, converse, environment
from tests.world import CUSTOMER, Story, World, populate, release, use

CHECKOUT = Path(agi_scripts.__file__).parent.parent
SHOWN = {"CALLERID(name)": "Carla · Unsorted"}
LOCK_SECONDS = 0.05


@pytest.fixture
def running(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server in a world with one customer, Carla, whose open deal is Anna's."""
    monkeypatch.setattr(reading, "LOCK_SECONDS", LOCK_SECONDS)
    Story.begins(name="Carla").rings("PJSIP/101").answered("PJSIP/101").ended()
    with serving(world.settings) as started:
        yield started


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert not [r for r in caplog.records if r.exc_info]
    return [r.getMessage() for r in caplog.records if r.name == "trichter.agi"]


# What it answers ------------------------------------------------------------------------------


def test_the_three_paths(running: Server, world: World) -> None:
    assert ask(running, "lookup_caller").variables == SHOWN
    assert ask(running, "open_deal").variables["TRICHTER_OWNER"] == "anna"
    assert ask(running, "route_call").variables == SHOWN | {
        "TRICHTER_DIAL_1": "PJSIP/101",
        "TRICHTER_SECONDS_1": "15",
        "TRICHTER_DIAL_2": "PJSIP/102",
        "TRICHTER_SECONDS_2": "25",
    }


def test_the_called_number_is_the_argument_or_the_extension(running: Server) -> None:
    service = models.Department.name == "Service"
    models.Department.update(did="+4930777").where(service).execute()
    unknown = {"callerid": "anonymous"}
    for changes in ({"arg_1": "030777"}, {"extension": "4930777"}):
        said = ask(running, "route_call", **unknown, **changes).variables
        assert said["TRICHTER_DIAL_1"] == "PJSIP/103"


def test_an_unknown_path_fails(running: Server, caplog: pytest.LogCaptureFixture) -> None:
    paths: list[str | bytes] = ["", "lookup", "../etc/passwd", "lookup_caller/x", b"\xe4<b>"]
    for path in paths:
        assert ask(running, path).failed
    assert len(lines(caplog)) == len(paths)
    assert all("lookup_caller, route_call, open_deal" in line for line in lines(caplog))


def test_odd_numbers_find_nothing_and_let_the_call_through(running: Server) -> None:
    numbers: list[str | bytes] = ["unknown", "anonymous", "", "1" * 40, "letters", b"\xff\x80"]
    for number in [*numbers, "x" * 10_000]:
        answered = ask(running, "lookup_caller", callerid=number)
        assert (answered.variables, answered.failed) == ({}, False)


def test_odd_names_do_not_matter(running: Server) -> None:
    names: list[str | bytes] = ["x" * 10_000, b"\xff\xfe", '"; <script>', "a\nb", ""]
    for name in names:
        assert ask(running, "lookup_caller", calleridname=name).variables == SHOWN


def test_many_at_once(running: Server) -> None:
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(ask(running, "lookup_caller").variables))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [SHOWN] * 20


def test_every_kind_of_database(database_url: str) -> None:
    """With more callers at once than connections: those to a server are given back."""
    loaded = use(database_url)
    try:
        populate()
        Story.begins(name="Carla").rings("PJSIP/101").answered("PJSIP/101")
        with serving(loaded) as started:
            for path in ("lookup_caller", "route_call", "open_deal"):
                assert "" not in [*ask(started, path).variables.values()][:2]
            idle = [connect(started) for _ in range(POOL_SIZE + 1)]
            for connection in idle:
                connection.sendall(environment())
            assert [converse(connection).variables for connection in idle] == [SHOWN] * len(idle)
    finally:
        release()


# What goes wrong ------------------------------------------------------------------------------


def test_a_request_cut_in_the_middle(running: Server, caplog: pytest.LogCaptureFixture) -> None:
    connection = connect(running)
    connection.sendall(environment()[:150])
    connection.shutdown(socket.SHUT_WR)
    assert converse(connection).failed
    assert lines(caplog) == ["/?: the request was cut off; the call goes on without it"]
    assert ask(running, "lookup_caller").variables == SHOWN


def test_a_connection_reset(running: Server) -> None:
    connection = connect(running)
    connection.sendall(environment()[:150])
    # Closing with this option sends RST.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    assert ask(running, "lookup_caller").variables == SHOWN


def test_a_web_browser(running: Server) -> None:
    connection = connect(running)
    connection.sendall(b"GET /lookup_caller HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert converse(connection).failed


@hypothesis_settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.binary(min_size=1, max_size=2000))
def test_binary_junk(running: Server, junk: bytes) -> None:
    connection = connect(running)
    connection.sendall(junk)
    connection.shutdown(socket.SHUT_WR)
    assert converse(connection).failed


def test_more_than_any_exchange_says(running: Server, caplog: pytest.LogCaptureFixture) -> None:
    connection = connect(running)
    with connection, pytest.raises(ConnectionError):
        connection.sendall(b"x" * 65536 * 500)
    assert ask(running, "lookup_caller").variables == SHOWN
    assert "more than 128 kB" in lines(caplog)[0]


def test_a_peer_that_says_nothing(
    running: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(protocol, "SECONDS", 0.05)
    assert converse(connect(running)).failed
    assert "not complete" in lines(caplog)[0]


def test_a_peer_that_drips(running: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never idle for long, and never done: the whole request has a limit."""
    monkeypatch.setattr(protocol, "SECONDS", 0.1)
    ended = threading.Event()
    connection = connect(running)

    def drip() -> None:
        while not ended.wait(0.01):
            try:
                connection.sendall(b"a")
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert connection.recv(100) == b"failure\n"
    finally:
        ended.set()
        dripping.join()
        connection.close()


def test_asterisk_refuses_a_variable(running: Server, caplog: pytest.LogCaptureFixture) -> None:
    connection = connect(running)
    connection.sendall(environment())
    assert converse(connection, reply=b"510 Invalid or unknown command\n").failed
    assert "510" in lines(caplog)[0]


def test_the_caller_hangs_up_meanwhile(running: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    connection = connect(running)
    connection.sendall(environment(network_script="route_call"))
    assert not converse(connection, reply=b"HANGUP\n").failed
    assert lines(caplog) == ["/route_call: the caller hung up"]


def test_a_busy_server_refuses_at_once(
    running: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    idle = [connect(running) for _ in range(2)]
    # The third is accepted after the others.
    assert converse(connect(running)).failed
    assert lines(caplog) == ["a call is not looked up: there are 2 already"]
    idle[0].sendall(environment())
    assert converse(idle[0]).variables == SHOWN
    idle[1].close()


def test_a_locked_database(running: Server, world: World, caplog: pytest.LogCaptureFixture) -> None:
    release()
    holder = sqlite3.connect(str(database.obj.database), isolation_level=None)
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        for path in ("lookup_caller", "route_call", "open_deal"):
            answered = ask(running, path)
            assert (answered.variables, answered.failed) == ({}, True)
    finally:
        holder.close()
    assert len(lines(caplog)) == 3
    assert all("locked" in line and "\n" not in line for line in lines(caplog))
    assert ask(running, "lookup_caller").variables == SHOWN


def test_a_database_without_tables_or_folder(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for place, advice in (
        (tmp_path, "trichter init"),
        (tmp_path / "gone", "check that the folder"),
    ):
        loaded = use(f"sqlite:///{place}/trichter.db")
        try:
            with serving(loaded) as started:
                assert ask(started, "route_call").failed
        finally:
            release()
        assert advice in lines(caplog)[-1]


def test_database_faults_are_one_line_and_pass(
    running: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = (
        peewee.OperationalError("attempt to write a readonly database"),
        peewee.OperationalError("server closed the connection unexpectedly\nThis probably means"),
        peewee.InterfaceError("connection already closed"),
    )
    for fault in faults:

        def fails(*_: object, fault: peewee.PeeweeException = fault) -> None:
            raise fault

        with monkeypatch.context() as patched:
            patched.setattr(router, "outside_number", fails)
            assert ask(running, "lookup_caller").failed
        assert ask(running, "lookup_caller").variables == SHOWN
    assert len(lines(caplog)) == len(faults)
    assert not any("\n" in line for line in lines(caplog))


def test_a_mistake_of_ours_lets_the_call_through(
    running: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(router, "outside_number", None)
    assert ask(running, "lookup_caller").failed
    assert [r.levelname for r in caplog.records if r.exc_info] == ["ERROR"]


def test_no_reading_transaction_stays_open(running: Server) -> None:
    """It would keep the write-ahead log growing, and the next look-up would read the past."""
    for path in ("lookup_caller", "route_call", "open_deal"):
        ask(running, path)
    file = str(database.obj.database)
    Story.begins("+4930111222", "2.2", name="Nora").rings("PJSIP/102").answered("PJSIP/102")
    with sqlite3.connect(file) as other:
        busy, *_ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    other.close()
    assert busy == 0
    assert ask(running, "lookup_caller", callerid="+4930111222").variables["CALLERID(name)"]


# Beginning and end ----------------------------------------------------------------------------


def test_a_port_that_is_taken(world: World) -> None:
    with serving(world.settings) as first:
        second = dataclasses.replace(world.settings, agi=Agi(bind=f"127.0.0.1:{first.port}"))
        says = rf"\[agi\] bind: .*:{first.port} .*in use"
        with pytest.raises(CannotListen, match=says) as refused:
            Server(second)
    assert "\n" not in str(refused.value)


def test_stopping_ends_calls_under_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "END_SECONDS", 0.05)
    with serving(world.settings) as started:
        idle = connect(started)
        ask(started, "lookup_caller")
    assert idle.recv(100) in (b"", b"failure\n")
    idle.close()
    assert not [t for t in threading.enumerate() if t.name == "agi"]
    started.stop()


def test_the_process_ends_with_sigterm(world: World, tmp_path: Path) -> None:
    script = (
        "import logging, settings, agi_scripts.server as s;"
        "logging.basicConfig(level='INFO', format='%(message)s');"
        "s.serve(settings.load())"
    )
    port = free_tcp_port()
    environ = os.environ | {
        "PYTHONPATH": str(CHECKOUT),
        "TRICHTER_DATABASE_URL": world.settings.database.url,
        "TRICHTER_AGI_BIND": f"127.0.0.1:{port}",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env=environ,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"FastAGI listens on 127.0.0.1:{port}\n"
        connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        connection.sendall(environment())
        assert not converse(connection).failed
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stderr.read() == "FastAGI ended\n"


# Spawned --------------------------------------------------------------------------------------


def spawn(
    script: str, said: bytes, *arguments: str, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    """A script as Asterisk starts it; ``said`` is all it is told, replies included."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRICHTER_")}
    return subprocess.run(
        [sys.executable, "-m", f"agi_scripts.{script}", *arguments],
        input=said,
        capture_output=True,
        env=kept | {"PYTHONPATH": str(CHECKOUT)} | environ,
        timeout=30,
        check=False,
    )


def configuration(tmp_path: Path, world: World) -> str:
    path = tmp_path / "my.toml"
    path.write_text(f'[database]\nurl = "{world.settings.database.url}"\n')
    return str(path)


def test_spawned_scripts_find_their_configuration(world: World, tmp_path: Path) -> None:
    Story.begins(name="Carla").rings("PJSIP/101").answered("PJSIP/101")
    config = configuration(tmp_path, world)
    said = environment(arg_1="-m", extension="s") + b"200 result=1\n" * 5
    ran = spawn("lookup_caller", said, TRICHTER_CONFIG=config)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.decode() == 'SET VARIABLE CALLERID(name) "Carla · Unsorted"\n'
    ran = spawn("route_call", said, "493055500", TRICHTER_CONFIG=config)
    assert ran.returncode == 0
    names = b"TRICHTER_DIAL_1,TRICHTER_SECONDS_1,TRICHTER_DIAL_2,TRICHTER_SECONDS_2"
    assert b'SET VARIABLE ARRAY(%s) "PJSIP/101,15,PJSIP/102,25"\n' % names in ran.stdout
    ran = spawn("open_deal", said, TRICHTER_CONFIG=config)
    names = b"TRICHTER_DEAL,TRICHTER_STAGE,TRICHTER_OWNER,TRICHTER_CONTACT"
    assert b'SET VARIABLE ARRAY(%s) "1,Unsorted,anna,Carla"\n' % names in ran.stdout


def test_spawned_scripts_fail_in_one_line(world: World, tmp_path: Path) -> None:
    config = configuration(tmp_path, world)
    gone = f"sqlite:///{tmp_path}/gone/t.db"
    for said, environ in (
        (environment()[:100], {"TRICHTER_CONFIG": config}),
        (environment(), {"TRICHTER_CONFIG": "/nowhere.toml"}),
        (environment(), {"TRICHTER_DATABASE_URL": gone}),
        (environment(), {"TRICHTER_DATABASE_URL": "nonsense"}),
    ):
        ran = spawn("lookup_caller", said, **environ)
        assert (ran.returncode, ran.stdout) == (1, b"")
        text = ran.stderr.decode()
        assert text.startswith("trichter lookup_caller: ")
        assert text.endswith("; the call goes on without it\n")
        assert text.count("\n") == 1


def test_spawned_script_of_a_caller_who_hangs_up(world: World, tmp_path: Path) -> None:
    config = configuration(tmp_path, world)
    ran = spawn("route_call", environment() + b"HANGUP\n", TRICHTER_CONFIG=config)
    assert (ran.returncode, ran.stderr) == (0, b"")


def test_a_customer_without_a_deal_is_still_shown(running: Server, world: World) -> None:
    models.Deal.get().move_to(world.stage("Lost"), by=world.anna, reason="Too dear")
    assert ask(running, "lookup_caller", callerid=CUSTOMER).variables == {"CALLERID(name)": "Carla"}
