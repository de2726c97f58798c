"""Calls at a rate over real SIP: callers, and a telephone that answers at once, played by sipp."""

from __future__ import annotations

import csv
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from asterisk_runtime import TRUNKS
from ports import LOOPBACK, free_port
from sipp_party import SippError, sipp_command

HERE = Path(__file__).parent
HOLD = 1.0
"""Seconds that a conversation lasts."""
PATIENCE = 2.0
"""A caller who has no answer after so many seconds counts as a failed call."""
LATE = 1.5
"""Seconds that a run may take longer than its rate says; else sipp did not keep up."""
# Not the default behaviours: a call that gets no answer is left alone and counted.
SILENT = ("-nostdin", "-nd", "-timer_resol", "1", "-trace_err", "-error_file", "errors")


@dataclass(frozen=True)
class Placed:
    """What came of a run: calls a second, calls placed and failed, whether all were placed in time,
    and the milliseconds from INVITE to answer of each one answered."""

    rate: float
    calls: int
    failed: int
    in_time: bool
    delays: tuple[float, ...] = field(repr=False)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which so many percent lie; NaN where there are fewer than two."""
    if len(values) < 2:
        return float("nan")
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


class Telephone:
    """A telephone at ``port`` that answers every call at once; a context manager."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="trichter-bench-")
        command = [*sipp_command(), "-sf", str(HERE / "phone.xml"), *SILENT]
        self._process = _started(
            [*command, "-i", LOOPBACK, "-p", str(self.port)], self._folder.name
        )
        return self

    def __exit__(self, *_: object) -> None:
        _end(self._process)
        self._folder.cleanup()


def place(way: str, sip_port: int, rate: float, callers: Sequence[tuple[str, str]]) -> Placed:
    """One call for each of ``callers`` (number dialled, caller's number), ``rate`` a second, over
    the trunk ``way``. Returns when all have ended. Raises SippError."""
    with tempfile.TemporaryDirectory(prefix="trichter-bench-") as name:
        folder, address = Path(name), TRUNKS[way]
        _write_scenario(folder, callers)
        command = [
            *sipp_command(), f"{LOOPBACK}:{sip_port}", "-i", address, "-p", str(free_port(address)),
            "-sf", "caller.xml", "-inf", "callers.csv", "-m", str(len(callers)), "-l", "1000000",
            "-r", f"{rate * 10:.0f}", "-rp", "10000", *SILENT,
            "-trace_stat", "-stf", "counted.csv", "-trace_logs", "-log_file", "answers",
        ]  # fmt: skip
        begun, expected = time.monotonic(), len(callers) / rate + HOLD
        _run(command, folder, expected + 60)
        return _outcome(folder, rate, time.monotonic() - begun < expected + LATE)


def _write_scenario(folder: Path, callers: Sequence[tuple[str, str]]) -> None:
    text = (HERE / "caller.xml").read_text()
    for word, seconds in (("@HOLD@", HOLD), ("@PATIENCE@", PATIENCE)):
        text = text.replace(word, f"{seconds * 1000:.0f}")
    (folder / "caller.xml").write_text(text)
    lines = "".join(f"{did};{number}\n" for did, number in callers)
    (folder / "callers.csv").write_text("SEQUENTIAL\n" + lines)


def _started(command: Sequence[str], folder: str | Path) -> subprocess.Popen[bytes]:
    null = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=null, stdout=null, stderr=null, cwd=folder)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


def _run(command: Sequence[str], folder: Path, seconds: float) -> None:
    process = _started(command, folder)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired as late:
        raise SippError(f"sipp did not end within {seconds:.0f} s") from late
    finally:
        _end(process)
    if code not in (0, 1):  # 1: some calls failed
        errors = folder / "errors"
        said = errors.read_text("utf-8", "replace")[-500:] if errors.exists() else "nothing"
        raise SippError(f"sipp ended with {code} and said: {said}")


def _outcome(folder: Path, rate: float, in_time: bool) -> Placed:
    with (folder / "counted.csv").open(newline="") as file:
        counted = list(csv.DictReader(file, delimiter=";"))[-1]
    calls, failed = int(counted["TotalCallCreated"]), int(counted["FailedCall(C)"])
    return Placed(rate, calls, failed, in_time, tuple(_delays(folder / "answers")))


def _delays(answers: Path) -> list[float]:
    """Milliseconds, from lines `seconds microseconds seconds microseconds`: sipp's own table of
    response times counts in steps of four."""
    found = []
    for line in answers.read_text().splitlines() if answers.exists() else ():
        begun, begun_us, answered, answered_us = map(float, line.split())
        found.append((answered - begun) * 1000 + (answered_us - begun_us) / 1000)
    return found
