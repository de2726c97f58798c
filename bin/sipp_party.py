"""Running sipp with a scenario of tests/sipp, and reading what happens from its log."""

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import deb_root

SCENARIOS = deb_root.CHECKOUT / "tests" / "sipp"
# Longer than any test; a sipp that somebody forgot ends by itself.
LIFETIME = 3600
INSTALL_HINT = "install sipp with your system's package manager"


class SippError(Exception):
    """sipp cannot be had or does not run, or what was waited for did not happen."""


def sipp_command() -> list[str]:
    """How to call sipp: the one on PATH, else one fetched from Debian."""
    program = shutil.which("sipp")
    if program:
        return [program]
    try:
        root = deb_root.fetch(["sip-tester"])
        return [*deb_root.run_prefix(root), str(root / "usr/bin/sipp")]
    except deb_root.DebRootError as error:
        raise SippError(f"{error} ({INSTALL_HINT})") from error


def filled(name: str, words: dict[str, str]) -> str:
    """A scenario with its @WORDS@ replaced; words that are not given stay."""
    text = (SCENARIOS / name).read_text("latin-1")
    return re.sub(r"@([A-Z]+)@", lambda found: words.get(found[1], found[0]), text)


class Party:
    """A running sipp with a scenario and a log of events."""

    def __init__(self, scenario: str, words: dict[str, str]) -> None:
        self._text = filled(f"{scenario}.xml", words)
        self._folder = Path()
        self._events: list[str] = []
        self.process: subprocess.Popen[bytes] | None = None

    def _start(self, arguments: Sequence[str], lines: bytes = b"") -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="trichter-sip-"))
        (self._folder / "s.xml").write_text(self._text, "latin-1")
        command = [*sipp_command(), "-sf", "s.xml", "-nostdin"]
        if lines:
            (self._folder / "fields.csv").write_bytes(b"SEQUENTIAL\n" + lines)
            command += ["-inf", "fields.csv"]
        command += ["-trace_logs", "-log_file", "events", "-trace_err", "-error_file", "errors"]
        command += ["-timeout", str(LIFETIME), *arguments]
        with (self._folder / "screen").open("wb") as screen:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
            )

    def events(self) -> list[str]:
        """What has happened so far, one line an event; stays when it has been stopped."""
        path = self._folder / "events"
        if path.exists():
            lines = path.read_text("utf-8", "replace").splitlines()
            self._events = [line.strip() for line in lines if line.strip()]
        return self._events

    def wait_for(self, event: str, timeout: float = 30, count: int = 1) -> None:
        """Return when an event that begins with `event` has happened `count` times."""
        deadline = time.monotonic() + timeout
        while sum(line.startswith(event) for line in self.events()) < count:
            if time.monotonic() > deadline:
                raise SippError(f"no '{event}' within {timeout} s, but {self.events()}")
            if self._running().poll() not in (None, 0):
                raise SippError(f"sipp failed: {self.errors()}")
            time.sleep(0.01)  # sipp tells nobody when it writes its log

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise SippError("it has not been started")
        return self.process

    def errors(self) -> str:
        """What sipp complained about: unexpected messages, a port taken."""
        names = ("errors", "screen")
        texts = [(self._folder / name) for name in names if (self._folder / name).exists()]
        return "\n".join(path.read_text("utf-8", "replace")[-2000:] for path in texts)

    def stop(self) -> None:
        """End it, whatever it is doing."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.events()
        if self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> Self:
        """Run it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        if not self.process:
            try:
                self.start()
            except BaseException:  # Ctrl-C too: nobody else knows that sipp runs
                self.stop()
                raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
