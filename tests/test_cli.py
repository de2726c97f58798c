"""The command line: exit codes 0, 1 and 2, one line for what a person can mend, no traceback."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import database
from commands.processes import on_stop
from models import Event, Funnel, Stage, User
from tests.cli import Run, runner
from tests.world import PASSWORD, Story, release, use
from trichter import main

ROOT = Path(__file__).parents[1]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/trichter.db"


@pytest.fixture
def run(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("user", "list")`` in this process, with a database of its own."""
    return runner(url, tmp_path, monkeypatch)


@pytest.fixture
def ready(run: Run) -> Run:
    """The same with the tables made."""
    assert run("init").exit_code == 0
    return run


def refusal(result: Result) -> str:
    """The one line that says what is wrong; exit code 1."""
    assert (result.exit_code, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("Error: ")
    return lines[0]


def process(*words: str, prefix: tuple[str, ...] = (), text: bytes = b"", **environ: str) -> str:
    """A real process that must fail in order: its message."""
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "trichter", *words],
        input=text,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        cwd="/",
        timeout=60,
        check=False,
    )
    message = done.stderr.decode()
    assert done.returncode == 1, message
    assert "Traceback" not in message
    return message


def add(run: Run, login: str = "anna", *more: str, text: str | bytes = PASSWORD + "\n") -> Result:
    words = ("user", "add", login, "--name", "Anna", "--role", "seller", "--password-stdin", *more)
    return run(*words, text=text)


def test_init_twice(run: Run) -> None:
    first, second = run("init"), run("init")
    assert (first.exit_code, first.stdout[:15]) == (0, "database ready,")
    ready, *then = second.stdout.splitlines()
    assert (second.exit_code, ready) == (0, "database ready, 0 migrations applied")
    assert then[0] == "Nobody can log in yet. Next:"
    add(run, "ada", "--role", "admin")
    assert run("init").stdout == "database ready, 0 migrations applied\n"


def test_the_first_funnel_in_another_language(run: Run, url: str) -> None:
    assert run("init", "--language", "de").exit_code == 0
    assert run("init").exit_code == 0
    use(url)
    assert [funnel.name for funnel in Funnel.select()] == ["Vertrieb"]
    assert [stage.name for stage in Stage.select()][:2] == ["Unsortiert", "Chance"]
    assert not [stage for stage in Stage.select() if stage.name in ("Lost", "Unsorted")]


def test_the_database_is_nothing_for_other_users_of_the_machine(run: Run, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        run("init")
        assert (tmp_path / "trichter.db").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    "words",
    [
        ["no-such-command"],
        ["user", "add", "anna"],
        ["user", "add", "anna", "--name", "Anna", "--role", "boss"],
        ["export", "secrets"],
        ["export", "calls", "--format", "xml"],
        ["user", "list", "stray"],
        ["--no-such-option"],
    ],
)
def test_wrong_usage_is_2(run: Run, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr


def test_help_is_0(run: Run) -> None:
    assert "every call" in run("--help").stdout
    assert run("user", "add", "--help").exit_code == 0


@pytest.mark.parametrize("command", [["doctor"], ["user", "add"], ["rules", "load"]])
def test_help_needs_no_configuration(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRICHTER_CONFIG", "/nowhere/trichter.toml")
    refused = CliRunner().invoke(main, ["doctor"])
    assert refused.exit_code == 1
    shown = CliRunner().invoke(main, [*command, "--help"])
    assert (shown.exit_code, shown.output.startswith("Usage:")) == (0, True)


def test_the_life_of_a_user(ready: Run) -> None:
    result = add(ready, "anna", "--endpoint", "PJSIP/101", "--department", "Sales")
    assert (result.exit_code, result.stdout) == (0, "added anna\n")
    listed = json.loads(ready("user", "list", "--format", "json").stdout)
    assert listed == [
        {
            "login": "anna",
            "name": "Anna",
            "role": "seller",
            "endpoint": "PJSIP/101",
            "mobile": None,
            "department": "Sales",
            "active": True,
        }
    ]
    assert (
        ready("user", "password", "anna", "--password-stdin", text="new horse\r\n").exit_code == 0
    )
    assert ready("user", "disable", "anna").stdout == "disabled anna\n"
    line = ready("user", "list").stdout
    assert line.split() == ["anna", "seller", "-", "Sales", "Anna", "disabled"]
    again = ("user", "change", "anna", "--enable", "--mobile", "0171 0000101", "--department", "")
    assert ready(*again).stdout == "changed anna\n"
    (listed,) = json.loads(ready("user", "list", "--format", "json").stdout)
    assert (listed["active"], listed["mobile"], listed["department"]) == (
        True,
        "+491710000101",
        None,
    )
    assert listed["name"] == "Anna"


def test_the_password_comes_from_standard_input(ready: Run, url: str) -> None:
    add(ready, text="correct horse\r\nsecond line\n")
    use(url)
    assert User.get().check_password("correct horse")
    assert not [e for e in Event.select() if "horse" in e.payload]
    release()


def test_what_users_can_not_be(ready: Run) -> None:
    add(ready, "anna", "--endpoint", "PJSIP/101")
    assert "there is a user 'anna' already" in refusal(add(ready))
    assert "belongs to 'anna'" in refusal(add(ready, "ben", "--endpoint", "PJSIP/101"))
    assert "login" in refusal(add(ready, "Big Ben"))
    assert "endpoint" in refusal(add(ready, "ben", "--endpoint", "101"))
    assert "password: 8 to 200" in refusal(add(ready, "ben", text=""))
    assert "password" in refusal(add(ready, "ben", text=b"gr\xfc\xdfe vom pferd\n"))
    assert "no user 'ben'" in refusal(ready("user", "disable", "ben"))
    assert "no user 'ben'" in refusal(ready("user", "change", "ben", "--name", "Ben"))
    assert "'12' is not a telephone number" in refusal(
        ready("user", "change", "anna", "--mobile", "12")
    )
    assert "no user 'ben'" in refusal(
        ready("user", "password", "ben", "--password-stdin", text="correct horse")
    )
    assert len(json.loads(ready("user", "list", "--format", "json").stdout)) == 1


def test_verbose_logs_no_password(ready: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    words = ("user", "add", "anna", "--name", "Anna", "--role", "seller", "--password-stdin")
    assert ready("--verbose", *words, text=PASSWORD).exit_code == 0
    assert "scrypt" not in caplog.text
    assert PASSWORD not in caplog.text


def test_export(ready: Run, url: str) -> None:
    use(url)
    Story.begins().rings("PJSIP/101").answered("PJSIP/101").ended()
    release()
    assert [
        c["outcome"] for c in json.loads(ready("export", "calls", "--format", "json").stdout)
    ] == ["answered"]
    assert ready("export", "deals").stdout.count("\n") == 2
    assert ready("export", "contacts").stdout.startswith("id,name,company,")


def test_tables_that_are_missing(run: Run) -> None:
    assert "run 'trichter init'" in refusal(run("user", "list"))


def test_a_wrong_configuration(run: Run, tmp_path: Path) -> None:
    assert "TRICHTER_PANEL_BIND" in refusal(run("user", "list", TRICHTER_PANEL_BIND="here"))
    assert "TRICHTER_PANEL_BNID" in refusal(run("init", TRICHTER_PANEL_BNID="x"))
    assert "no file" in refusal(run("init", TRICHTER_CONFIG="nowhere.toml"))
    (tmp_path / "own.toml").write_text("[pannel]\n")
    assert "pannel" in refusal(run("init", TRICHTER_CONFIG="own.toml"))
    assert "numbers.ignore" in refusal(run("init", TRICHTER_NUMBERS_IGNORE="nobody"))
    assert "sqlite:///FILE" in refusal(run("init", TRICHTER_DATABASE_URL="sqlite://x"))
    assert "name the database" in refusal(run("init", TRICHTER_DATABASE_URL="mysql://h/"))


def test_a_folder_that_is_missing(run: Run) -> None:
    message = refusal(run("init", TRICHTER_DATABASE_URL="sqlite:////no/such/folder/x.db"))
    assert "folder of the database file" in message


def test_a_file_that_is_no_database(run: Run, tmp_path: Path) -> None:
    (tmp_path / "trichter.db").write_bytes(b"Dear diary, " * 500)
    assert "not a database" in refusal(run("init"))
    assert "not a database" in refusal(run("user", "list"))


def test_a_database_that_is_locked(
    ready: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(tmp_path / "trichter.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "another program holds the database" in refusal(add(ready))
    assert add(ready).exit_code == 0


def test_a_database_that_is_read_only(ready: Run, tmp_path: Path, url: str) -> None:
    path = tmp_path / "trichter.db"
    with closing(sqlite3.connect(path)) as own:
        own.execute("PRAGMA journal_mode = delete")
    path.chmod(0o444)
    tmp_path.chmod(0o555)
    # Without its capabilities, root may not write either.
    weak = ("setpriv", "--inh-caps=-all", "--bounding-set=-all") if os.geteuid() == 0 else ()
    assert shutil.which("setpriv") or not weak
    words = ("user", "add", "anna", "--name", "Anna", "--role", "seller", "--password-stdin")
    try:
        message = process(*words, prefix=weak, text=b"correct horse", TRICHTER_DATABASE_URL=url)
    finally:
        tmp_path.chmod(0o755)
    assert "can't be written" in message


@pytest.mark.parametrize("server", ["postgresql", "mysql"])
def test_a_server_that_is_not_there(server: str, unused_port: int) -> None:
    address = f"{server}://trichter:s3cr3t@127.0.0.1:{unused_port}/trichter"
    message = process("init", TRICHTER_DATABASE_URL=address)
    assert "check that the database server runs" in message
    assert "s3cr3t" not in message


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_servers_that_refuse(kind: str, run: Run, request: pytest.FixtureRequest) -> None:
    address: str = request.getfixturevalue(f"{kind}_url")
    password = request.getfixturevalue(f"{kind}_server").password
    assert "run 'trichter init'" in refusal(run("user", "list", TRICHTER_DATABASE_URL=address))
    wrong = refusal(run("init", TRICHTER_DATABASE_URL=address.replace(password, "wr0ng")))
    assert "check user and password" in wrong
    assert "wr0ng" not in wrong
    missing = refusal(run("init", TRICHTER_DATABASE_URL=address.rpartition("/")[0] + "/nowhere"))
    assert "create the database" in missing


@pytest.fixture
def unused_port() -> int:
    from ports import free_tcp_port

    return free_tcp_port()


def test_told_twice_to_stop() -> None:
    """`trichter serve` and systemd tell every process, often while the first is being obeyed."""
    lock, ended, before = threading.Lock(), threading.Event(), signal.getsignal(signal.SIGTERM)

    def stop() -> None:
        with lock:
            assert not ended.is_set(), "stopped once"
            os.kill(os.getpid(), signal.SIGTERM)
            ended.set()

    interrupt = signal.getsignal(signal.SIGINT)
    try:
        on_stop(stop)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert ended.wait(10)
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)


def test_a_reader_that_goes_away(ready: Run, url: str) -> None:
    """As in ``trichter export calls | head -0``."""
    use(url)
    for count in range(300):
        Story.begins("", f"{count}.1")
    release()
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "trichter", "export", "calls"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "TRICHTER_DATABASE_URL": url, "PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
