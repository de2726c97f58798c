"""Set up this checkout: Python packages, front-end files, and the servers and browser of the tests.

Does only what has changed since the last time, and needs python3 (3.11 or newer) and the package
registries, nothing else beforehand. A .venv that works is kept with the Python it was made with;
remove the folder to change that.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import frontend
import packages
from asterisk_installation import AsteriskError, Installation
from sipp_party import SippError, sipp_command
from step import PRIVATE, ROOT, SetupError, Step, run, say

# What a step depends on: when one of them changes, it is done again.
PYTHON_FILES = ("bin/packages.py", "setup.cfg", "pyproject.toml", "constraints.txt")
FRONTEND_FILES = ("bin/frontend.py", "package.json", "package-lock.json")
STEPS = (
    Step("python", PYTHON_FILES, packages.works, packages.install),
    Step("frontend", FRONTEND_FILES, frontend.is_there, frontend.install),
)


def fetch_asterisk(everything: bool) -> None:
    """Asterisk, and the program that plays its callers. The demo is content with the system's."""
    if everything:
        for release in (22, 16):
            Installation.fetched(release)
    else:
        Installation.find(None)
    sipp_command()


def fetch_programs(everything: bool) -> None:
    """All that is not a package of Python or npm: quick when it is there. Raises SetupError."""
    try:
        fetch_asterisk(everything)
    except (AsteriskError, SippError) as error:
        raise SetupError(str(error)) from error
    if everything:
        why = "fetch the programs that the tests need"
        run(sys.executable, "-m", "tests.programs", why=why, cwd=ROOT)


def set_up(everything: bool) -> None:
    """Packages and programs at the same time: one mostly computes, the other mostly downloads."""
    with ThreadPoolExecutor(1) as pool:
        programs = pool.submit(fetch_programs, everything)
        for step in STEPS:
            step.run(everything)
        programs.result()


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    """Wait while another set-up works on this checkout. The lock goes with its process."""
    try:
        PRIVATE.mkdir(exist_ok=True)
        lock = os.open(PRIVATE / "setup.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except PermissionError:
        raise SetupError(
            f"{ROOT} is not set up and you may not write to it: "
            "run bin/setup as its owner, or work in a clone of your own"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/setup", description=__doc__)
    run_only = "only what running and bin/demo need: no test packages, servers or browser"
    parser.add_argument("--run-only", action="store_true", help=run_only)
    everything = not parser.parse_args().run_only
    started = time.monotonic()
    try:
        if not all(step.is_done(everything) for step in STEPS):
            with only_one():
                set_up(everything)
            say(f"done in {time.monotonic() - started:.0f} s")
        else:
            fetch_programs(everything)
    except (SetupError, OSError) as error:
        print(f"bin/setup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
