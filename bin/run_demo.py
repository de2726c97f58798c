"""A private Asterisk, all processes of Trichter, sellers' phones and callers over real SIP.

Everything runs on 127.0.0.1 and below one folder in /tmp, which goes at the end.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import story
from demonstration import BRISK, LIVELY, Demo, DemoError, panel_port
from private_asterisk import AsteriskError
from sip_parties import SippError

from errors import TrichterError

# Ctrl-C, kill, and a terminal that is closed.
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    arguments = _arguments()
    for number in ENDS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as with nohup
            signal.signal(number, _end)
    try:
        with ExitStack() as stack:
            demo = Demo(stack, panel_port(arguments.port))
            _introduce(demo)
            faults = _play(demo, arguments)
            if arguments.exit:
                print("\n".join(["", *story.board()]))
                marked = [f"WRONG  {fault}" for fault in faults]
                print("\n".join(["", *marked] if marked else ["", "all calls are right"]))
                return 1 if faults else 0
            print("No more calls; the panel stays. Ctrl-C ends all.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        print("\nended")
        return 0
    except (DemoError, AsteriskError, SippError, TrichterError) as error:
        print(f"bin/demo: {error}", file=sys.stderr)
        return 1
    finally:
        _end_strays()
    return 0


def _end(*_: object) -> None:
    """Only the first time: a second Ctrl-C would end us before what we started has ended."""
    for number in ENDS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_strays() -> None:
    """A phone that was just being started when the end came is in nobody's care."""
    for listed in Path("/proc/self/task").glob("*/children"):
        for pid in map(int, listed.read_text().split()):
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/demo", description=__doc__)
    parser.add_argument("--calls", type=int, metavar="N", help="place N calls (default: no end)")
    parser.add_argument("--exit", action="store_true", help="then check, print the board and end")
    parser.add_argument("--port", type=int, default=8080, help="of the panel (default: 8080)")
    arguments = parser.parse_args()
    if arguments.exit and not arguments.calls:
        parser.error("--exit goes with --calls N")
    if arguments.calls is not None and arguments.calls < 1:
        parser.error("--calls: 1 or more")
    return arguments


def _introduce(demo: Demo) -> None:
    ports, passwords = demo.pbx.ports, demo.pbx.passwords
    print(f"\nTrichter runs: http://{demo.panel}\n")
    print("\n".join(f"  {line}" for line in demo.people))
    print(
        "\nRing in with a softphone on this machine:\n"
        f"  server 127.0.0.1:{ports.sip} (UDP), user softphone, password {passwords.softphone},\n"
        "  then dial any number, for example 493055500\n"
        f"Log of Trichter: {demo.log}\n",
        flush=True,
    )


def _play(demo: Demo, arguments: argparse.Namespace) -> list[str]:
    faults: list[str] = []
    pace = BRISK if arguments.exit else LIVELY
    for scene in story.scenes(arguments.calls):
        print(f"calling: {scene.title}", flush=True)
        found = demo.place(scene, pace)
        for fault in found:
            print(f"  WRONG  {fault}", flush=True)
        faults += found
        time.sleep(pace.pause)
    return faults


if __name__ == "__main__":
    sys.exit(main())
