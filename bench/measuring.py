"""What the benchmarks have in common as commands: options, how they end, where the figures go."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

Figures = dict[str, float]


def run(
    what: str,
    measure: Callable[[bool, int, Path], Figures],
    table: Callable[[Figures], str],
) -> None:
    """Measure, print, write. ``measure`` gets whether small figures will do, the release of
    Asterisk, and a folder that goes at the end. Exit code 1 if something could not be measured."""
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--json", type=Path, help="also write the figures into this file")
    parser.add_argument("--quick", action="store_true", help="small figures, one minute")
    parser.add_argument("--asterisk", type=int, choices=(22, 16), default=22)
    options = parser.parse_args()
    # Both end the processes that were started; a shell in the background has SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory(prefix="trichter-bench-") as folder:
            # One that an interrupt finds half made is in nobody's care, and goes with this one.
            tempfile.tempdir = folder
            figures = measure(options.quick, options.asterisk, Path(folder))
    except KeyboardInterrupt:
        sys.exit(130)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def machine(what: str) -> str:
    """What the figures belong to. A load above 0.5 before the run tells of a busy machine."""
    load, python = os.getloadavg()[0], platform.python_version()
    return f"{what}, Python {python}, {os.cpu_count()} cores, load before the run {load:.1f}"


def say(line: str) -> None:
    """How far it is, on standard error."""
    print(line, file=sys.stderr, flush=True)
