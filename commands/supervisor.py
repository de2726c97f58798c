"""``trichter serve``: the processes under one parent, which restarts what dies."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

log = logging.getLogger("trichter.serve")

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
STEADY_AFTER = 30.0
END_WITHIN = 10.0
LOOK_EVERY = 0.2
# -P: no module of the folder in which it happens to be started, which may be anybody's.
PROGRAM = (sys.executable, "-P", "-m", "trichter")


@dataclass
class Child:
    """One process. After a quick death the wait before the next start doubles, up to 30 s."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    start_at: float = 0.0
    wait: float = FIRST_WAIT

    def tend(self) -> None:
        """Start it if it is due; note if it has died."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_at:
                self.process = subprocess.Popen(self.command)
                self.started = now
        elif (code := self.process.poll()) is not None:
            self._died(now, code)

    def _died(self, now: float, code: int) -> None:
        self.wait = FIRST_WAIT if now - self.started > STEADY_AFTER else self.wait
        log.error("%s ended with code %s; again in %.1f s", self.name, code, self.wait)
        self.process = None
        self.start_at = now + self.wait
        self.wait = min(self.wait * 2, LONGEST_WAIT)


class Supervisor:
    """Runs ``trichter NAME`` for each name. ``run()`` blocks until ``stop()``."""

    def __init__(self, names: list[str], program: tuple[str, ...] = PROGRAM) -> None:
        self.children = [Child(name, [*program, name]) for name in names]
        self._stop = threading.Event()

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> None:
        try:
            while not self._stop.wait(LOOK_EVERY):
                for child in self.children:
                    child.tend()
        finally:
            self._end_all()

    def _end_all(self) -> None:
        living = [c.process for c in self.children if c.process and c.process.poll() is None]
        for process in living:
            process.terminate()
        deadline = time.monotonic() + END_WITHIN
        for process in living:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("process %d did not end within %d s: killed", process.pid, END_WITHIN)
                process.kill()
                process.wait()
