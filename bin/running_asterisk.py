"""An Asterisk that is running, whoever started it: its console, and its end."""

import dataclasses
import json
import os
import select
import signal
import subprocess
from pathlib import Path

from asterisk_installation import AsteriskError
from ports import Ports

STATE = "state.json"


def ask(
    program: tuple[str, ...] | list[str], command: str, timeout: float
) -> subprocess.CompletedProcess[str]:
    """Have a running Asterisk execute a command of its console. AsteriskError if it hangs."""
    try:
        return subprocess.run(
            [*program, "-rx", command],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise AsteriskError(f"Asterisk does not answer '{command}'") from late


def answer(asked: subprocess.CompletedProcess[str]) -> str:
    """What Asterisk said. AsteriskError if it could not be asked."""
    if asked.returncode:
        raise AsteriskError(f"cannot ask Asterisk: {(asked.stderr or asked.stdout).strip()}")
    return asked.stdout


@dataclasses.dataclass(frozen=True)
class Running:
    """A private Asterisk that some process started, as its runtime folder tells."""

    runtime: Path
    pid: int
    command: tuple[str, ...]
    ports: Ports

    def save(self) -> None:
        """Leave word in the runtime folder."""
        told = {"pid": self.pid, "command": self.command, "ports": dataclasses.asdict(self.ports)}
        (self.runtime / STATE).write_text(json.dumps(told))

    @classmethod
    def find(cls, runtime: Path) -> "Running | None":
        """The one whose runtime folder this is, if it is alive."""
        try:
            told = json.loads((runtime / STATE).read_text())
            command = Path(f"/proc/{told['pid']}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        # The pid can be another's by now: its command line has to name this folder.
        if os.fsencode(str(runtime / "etc/asterisk.conf")) not in command:
            return None
        return cls(runtime, told["pid"], tuple(told["command"]), Ports(**told["ports"]))

    def cli(self, command: str, timeout: float = 10) -> str:
        """Output of a command of Asterisk's console."""
        return answer(ask(self.command, command, timeout))

    def stop(self, timeout: float = 10) -> None:
        """End it at once and return when it is gone."""
        watch = os.pidfd_open(self.pid)
        try:
            signal.pidfd_send_signal(watch, signal.SIGTERM)
            if not select.select([watch], [], [], timeout)[0]:
                signal.pidfd_send_signal(watch, signal.SIGKILL)
        finally:
            os.close(watch)
