"""`bin/demo`, as somebody who has just cloned the project would run it."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import story

from models import Call, Deal
from tests.office import until
from tests.world import Story, World

ROOT = Path(__file__).resolve().parent.parent
FIRST, _, _, UNANSWERED, KNOWN = story.SCENES


@pytest.fixture(autouse=True)
def in_a_terminal() -> Iterator[None]:
    """Who starts the tests with nohup has SIGHUP ignored. Programs inherit that, and bin/demo then
    means to outlive its terminal."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def test_five_calls_are_on_the_board() -> None:
    done = subprocess.run(
        ["bin/demo", "--calls", "5", "--exit"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "Unsorted (4)" in lines
    assert "Miriam Sander +493044701182 anna 1" in lines
    assert "+491715552210 +491715552210 ben 1" in lines
    assert any(line.startswith("Tischlerei Voss") and line.endswith("call back") for line in lines)
    assert "Bäckerei Holm +49408812904 ben 1" in lines
    assert sum(line.startswith("Bäckerei Holm +") for line in lines) == 1
    assert "all calls are right" in lines


def trichters_of(folder: Path) -> list[psutil.Process]:
    """Processes whose configuration is below ``folder``, in whosever care they are now."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get("TRICHTER_CONFIG", "").startswith(str(folder)):
                found.append(process)
    return found


def attended() -> None:
    """Who runs the tests under nohup has SIGHUP ignored, and programs inherit that."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize("signals", [[signal.SIGINT] * 3, [signal.SIGHUP], [signal.SIGTERM]])
def test_leaves_nothing_behind(tmp_path: Path, signals: list[signal.Signals]) -> None:
    """An impatient Ctrl-C, Ctrl-C, Ctrl-C; a terminal that is closed; kill."""
    output = tmp_path / "output"
    with output.open("w") as out:
        demo = subprocess.Popen(
            ["bin/demo", "--port", "0"], cwd=ROOT, stdout=out, stderr=out, preexec_fn=attended
        )
    try:
        until(lambda: "calling:" in output.read_text(), output.name, timeout=60)
        folder = Path(output.read_text().split("Log of Trichter: ")[1].split()[0]).parent
        started = psutil.Process(demo.pid).children(recursive=True)
        assert trichters_of(folder)
        for number in signals:
            demo.send_signal(number)
        assert demo.wait(60) == 0
    finally:
        demo.kill()
        demo.wait()
    assert not folder.exists()
    assert not [process for process in started if process.is_running()]
    assert not trichters_of(folder)


def test_ends_cleanly_with_ctrl_c(tmp_path: Path) -> None:
    output = tmp_path / "output"
    with output.open("w") as out:
        demo = subprocess.Popen(["bin/demo", "--port", "0"], cwd=ROOT, stdout=out, stderr=out)
    try:
        until(lambda: "calling:" in output.read_text(), output.name, timeout=60)
        folder = Path(output.read_text().split("Log of Trichter: ")[1].split()[0]).parent
        assert folder.is_dir()
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    finally:
        demo.kill()
        demo.wait()
    assert not folder.exists()
    assert "Traceback" not in output.read_text()


@pytest.mark.parametrize("arguments", [["--exit"], ["--calls", "0"], ["--calls", "many"]])
def test_wrong_usage(arguments: list[str]) -> None:
    done = subprocess.run(["bin/demo", *arguments], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == 2


def call_of(scene: story.Scene, answers: str | None) -> Call:
    told = Story.begins(scene.number, linkedid=scene.number, name=scene.name).rings(
        "PJSIP/101", "PJSIP/102"
    )
    phone = {"anna": "PJSIP/101", "ben": "PJSIP/102"}
    return (told.answered(phone[answers]) if answers else told).ended().call


def test_right_calls_have_no_faults(world: World) -> None:
    assert not list(story.faults(FIRST, call_of(FIRST, "anna"), 0))
    assert not list(story.faults(UNANSWERED, call_of(UNANSWERED, None), 0))


def test_every_wrong_thing_is_noticed(world: World) -> None:
    by_ben = call_of(FIRST, "ben")
    assert len(list(story.faults(FIRST, by_ben, 0))) == 2
    assert any("made 0 deals" in fault for fault in story.faults(FIRST, by_ben, 1))
    assert list(story.faults(UNANSWERED, by_ben, 0))
    by_ben.deal.move_to(world.stage("Documents"), by=world.ben)
    assert any("stands in" in fault for fault in story.faults(FIRST, Call.get(), 0))
    Call.update(deal=None).execute()
    assert list(story.faults(FIRST, Call.get(), 0)) == ["made no deal"]


def test_second_deal_of_a_known_customer_is_noticed(world: World) -> None:
    call = call_of(KNOWN, "ben")
    assert any("more deals" in fault for fault in story.faults(KNOWN, call, 0))
    assert not any("more deals" in fault for fault in story.faults(KNOWN, call, 1))
    Deal.open("Second", world.ben, None, contact=call.contact)
    assert any("more deals" in fault for fault in story.faults(KNOWN, call, 1))
