"""bin/deb-root: all or nothing, again after a failure, two at once, other people's folders."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tests.asterisk_fixtures  # noqa: F401  (puts bin/ on the path)

# isort: split
import deb_root

COMMAND = [sys.executable, str(Path(__file__).resolve().parent.parent / "bin" / "deb-root")]
PATIENCE = 250
# Small, but with libc and its other dependencies.
SMALL = "hello"


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    process = start(*arguments, **environment)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.endswith(".lock"))


def test_fetched_program_runs_and_folder_is_used_again(tmp_path: Path) -> None:
    target = tmp_path / "root"
    first, second = (start("--into", str(target), SMALL) for _ in range(2))
    said = {process.communicate(timeout=PATIENCE)[0] for process in (first, second)}
    assert said == {f"{target}\n"}
    assert leftovers(tmp_path) == ["root"]

    stamp = json.loads((target / deb_root.STAMP).read_text())
    assert stamp["suite"] == deb_root.host_suite()
    assert stamp["packages"] == [SMALL]
    assert {SMALL, "libc6"} <= stamp["versions"].keys()

    program = [*deb_root.run_prefix(target), str(target / "usr/bin/hello")]
    greeting = subprocess.run(program, capture_output=True, text=True, check=True)
    assert greeting.stdout == "Hello, world!\n"

    # Nothing is asked of apt any more.
    assert run("--into", str(target), SMALL, PATH="/nowhere")[0] == 0


@pytest.mark.parametrize(
    "arguments", [["--suite", "nosuchsuite", SMALL], ["no-such-package-as-this"]]
)
def test_failed_download_leaves_nothing(tmp_path: Path, arguments: list[str]) -> None:
    code, out, err = run("--into", str(tmp_path / "root"), *arguments)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "nosuchsuite" in err or "no-such-package" in err
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_interrupted_download_is_no_installation(tmp_path: Path, number: signal.Signals) -> None:
    process = start("--into", str(tmp_path / "root"), SMALL)
    while not list(tmp_path.glob("root.tmp-*")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "root" not in leftovers(tmp_path)
    if number is not signal.SIGKILL:
        assert leftovers(tmp_path) == []


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "root.tmp-abc").mkdir()
    code, _, _ = run("--into", str(tmp_path / "root"), "no-such-package-as-this")
    assert code == 1
    assert leftovers(tmp_path) == []


def test_machine_without_apt_says_what_to_install(tmp_path: Path) -> None:
    code, out, err = run("--into", str(tmp_path / "root"), SMALL, PATH=str(tmp_path))
    assert (code, out) == (1, "")
    assert "package manager" in err
    assert len(err.splitlines()) == 1


def test_asterisk_without_debian_says_what_to_install(tmp_path: Path) -> None:
    # Own cache and a copy of the program: this checkout has an Asterisk already.
    copy = tmp_path / "checkout" / "bin"
    copy.mkdir(parents=True)
    for source in Path(COMMAND[1]).parent.iterdir():
        if source.is_file():
            (copy / source.name).write_bytes(source.read_bytes())
    done = subprocess.run(
        [sys.executable, str(copy / "asterisk"), "fetch"],
        capture_output=True,
        text=True,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 1
    assert "install Asterisk 16 or newer" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_offline_is_said(tmp_path: Path) -> None:
    # A proxy that is not there: apt takes it from the environment.
    proxy = "http://127.0.0.1:9"
    code, _, err = run("--into", str(tmp_path / "root"), SMALL, http_proxy=proxy, https_proxy=proxy)
    assert code == 1
    assert "is this machine online?" in err
    assert leftovers(tmp_path) == []


def test_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "thesis.txt").write_text("mine")
    code, _, err = run("--into", str(tmp_path / "root"), SMALL)
    assert code == 1
    assert "something else" in err
    assert (tmp_path / "root" / "thesis.txt").read_text() == "mine"


def finished(folder: Path, suite: str, packages: list[str]) -> Path:
    folder.mkdir(parents=True)
    stamp = {"suite": suite, "packages": packages, "versions": {}}
    (folder / deb_root.STAMP).write_text(json.dumps(stamp))
    return folder


def test_finished_folder_of_another_user_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, cache = tmp_path / "checkout", tmp_path / "cache"
    monkeypatch.setattr(deb_root, "stores", lambda: [checkout, cache])
    theirs = finished(checkout / "sid-asterisk", "sid", ["asterisk"])
    assert deb_root.fetch(["asterisk"], "sid") == theirs


def test_folder_of_other_packages_is_not_taken_for_ours(tmp_path: Path) -> None:
    folder = finished(tmp_path / "sid-asterisk", "sid", ["asterisk"])
    assert deb_root.is_finished(folder, "sid", ["asterisk"])
    assert not deb_root.is_finished(folder, "bullseye", ["asterisk"])
    assert not deb_root.is_finished(folder, "sid", ["asterisk", "sox"])
    (folder / deb_root.STAMP).write_text('{"suite": "sid"')
    assert not deb_root.is_finished(folder, "sid", ["asterisk"])
