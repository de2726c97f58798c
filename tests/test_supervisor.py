"""``trichter serve``: what dies is started again, later and later; SIGTERM ends all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands import supervisor
from commands.supervisor import Child, Supervisor

TINY = """
import os, pathlib, signal, sys, threading
how, folder, name = sys.argv[1:]
with (pathlib.Path(folder) / name).open("a") as log:
    log.write(f"{os.getpid()}\\n")
if how == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (pathlib.Path(folder) / "deaf").touch()
if how == "dies":
    sys.exit(3)
threading.Event().wait()
"""
OFFICE = """
import signal, sys
from commands.supervisor import Supervisor
serving = Supervisor(["ari", "panel"], tuple(sys.argv[1:]))
signal.signal(signal.SIGTERM, lambda *_: serving.stop())
serving.run()
"""


def program(how: str, folder: Path) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", TINY, how, str(folder))


def pids(folder: Path, name: str) -> list[int]:
    """Processes started for a name so far, in order."""
    path = folder / name
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """There is nothing to wait on across processes but what they have written."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def running() -> Iterator[Callable[[Supervisor], None]]:
    """Runs supervisors in threads, and ends them with the test."""
    started: list[tuple[Supervisor, threading.Thread]] = []

    def run(serving: Supervisor) -> None:
        thread = threading.Thread(target=serving.run)
        thread.start()
        started.append((serving, thread))

    yield run
    for serving, thread in started:
        serving.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LOOK_EVERY", 0.01)


def test_what_is_killed_is_started_again(
    tmp_path: Path, running: Callable[[Supervisor], None]
) -> None:
    running(Supervisor(["ari", "agi"], program("lives", tmp_path)))
    until(lambda: pids(tmp_path, "ari") and pids(tmp_path, "agi"))
    first = pids(tmp_path, "ari")[0]
    os.kill(first, signal.SIGKILL)
    until(lambda: len(pids(tmp_path, "ari")) == 2)
    assert len(pids(tmp_path, "agi")) == 1
    assert is_alive(pids(tmp_path, "ari")[1])


def lives_and_dies(child: Child, clock: list[float], seconds: float) -> None:
    child.tend()
    assert child.process
    child.process.wait(20)
    clock[0] += seconds
    child.tend()


def test_pauses_double_and_begin_anew_after_a_steady_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: clock[0])
    child = Child("agi", [*program("dies", tmp_path), "agi"])
    pauses = []
    for _ in range(9):
        clock[0] = child.start_at
        lives_and_dies(child, clock, 0)
        pauses.append(child.start_at - clock[0])
        child.tend()
        assert child.process is None, "not before its time"
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    clock[0] = child.start_at
    lives_and_dies(child, clock, supervisor.STEADY_AFTER + 1)
    assert child.start_at - clock[0] == 0.5
    assert "agi ended with code 3; again in 0.5 s" in caplog.text


def test_sigterm_ends_all(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OFFICE, *program("lives", tmp_path)]
    parent = subprocess.Popen(command, cwd=Path(supervisor.__file__).parents[1])
    until(lambda: pids(tmp_path, "ari") and pids(tmp_path, "panel"))
    parent.terminate()
    assert parent.wait(20) == 0
    assert not [p for name in ("ari", "panel") for p in pids(tmp_path, name) if is_alive(p)]


def test_who_does_not_listen_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "END_WITHIN", 0.2)
    serving = Supervisor(["ari"], program("stubborn", tmp_path))
    thread = threading.Thread(target=serving.run)
    thread.start()
    until(lambda: (tmp_path / "deaf").exists())
    serving.stop()
    thread.join(20)
    assert not is_alive(pids(tmp_path, "ari")[0])
    assert "killed" in caplog.text


def test_a_program_that_is_missing_leaves_nobody_behind(tmp_path: Path) -> None:
    serving = Supervisor(["ari", "agi"], program("lives", tmp_path))
    serving.children[1].command = [str(tmp_path / "missing")]
    with pytest.raises(FileNotFoundError):
        serving.run()
    assert not [pid for pid in pids(tmp_path, "ari") if is_alive(pid)]


def test_by_default_it_runs_this_very_trichter() -> None:
    child = Supervisor(["panel"]).children[0]
    assert child.command == [sys.executable, "-P", "-m", "trichter", "panel"]
