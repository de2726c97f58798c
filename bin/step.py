"""Steps of set-up: what each depends on, and a note of what is done."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PRIVATE = ROOT / ".private"
STAMPS = PRIVATE / "setup.json"


class SetupError(Exception):
    """Set-up cannot go on; the message is one line and says what to do."""


def say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


def run(
    *command: str | Path, why: str, cwd: Path | None = None, env: dict[str, str] | None = None
) -> None:
    """Run a program. Its standard output goes to stderr: ours belongs to the calling script."""
    try:
        done = subprocess.run(
            [str(part) for part in command], stdout=sys.stderr, cwd=cwd, env=env, check=False
        )
    except OSError as error:
        raise SetupError(f"cannot {why}: {error}") from None
    if done.returncode:
        raise SetupError(f"cannot {why}: {Path(command[0]).name} ended with {done.returncode}")


def digest(*paths: str) -> str:
    """Fingerprint of the files a step depends on and of the place of the checkout."""
    result = hashlib.sha256(f"{ROOT}\n".encode())
    for path in paths:
        result.update(path.encode() + b"\0" + (ROOT / path).read_bytes())
    return result.hexdigest()


def stamps() -> dict[str, str]:
    try:
        return dict(json.loads(STAMPS.read_text()))
    except (OSError, ValueError):
        return {}


def write_stamp(step: str, value: str | None) -> None:
    """Note a step as done (None: no longer). Atomic: a kill leaves the old file."""
    changed = {**stamps(), step: value}
    kept = {name: mark for name, mark in changed.items() if mark is not None}
    fresh = STAMPS.with_suffix(".new")
    fresh.write_text(json.dumps(kept, indent=1) + "\n")
    fresh.replace(STAMPS)


Check = Callable[[], bool]
Work = Callable[[bool], None]


class Step:
    """A part of set-up with the files it depends on and a check that its result is still there."""

    def __init__(self, name: str, files: tuple[str, ...], there: Check, do: Work) -> None:
        self.name, self.files, self.there, self.do = name, files, there, do

    def is_done(self, everything: bool) -> bool:
        wanted = ("all",) if everything else ("all", "run")
        marks = [f"{digest(*self.files)} {extent}" for extent in wanted]
        return stamps().get(self.name) in marks and self.there()

    def run(self, everything: bool) -> None:
        if self.is_done(everything):
            return
        write_stamp(self.name, None)
        self.do(everything)
        write_stamp(self.name, f"{digest(*self.files)} {'all' if everything else 'run'}")
