"""A private Asterisk without root, on the sample configuration of asterisk_conf/.

    with PrivateAsterisk() as pbx:
        print(pbx.ari_url, pbx.ari_password, pbx.cli("core show channels"))

It runs on 127.0.0.1 with ports of its own and keeps everything it writes in one runtime folder, so
any number of them run side by side and beside the Asterisk of the machine. Callers and phones for
it are in sip_parties.
"""

import contextlib
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import asterisk_runtime
import deb_root
from asterisk_installation import AsteriskError, Installation
from asterisk_runtime import Passwords
from ports import Ports
from running_asterisk import STATE, Running, answer, ask

__all__ = ["AsteriskError", "Installation", "Passwords", "Ports", "PrivateAsterisk", "Running"]

STOP_SECONDS = 10
# Asterisk's limit for the path of its control socket, which is <runtime>/run/asterisk.ctl.
LONGEST_RUNTIME = 107 - len("/run/asterisk.ctl")


class PrivateAsterisk:
    """One Asterisk: start(), stop(), cli(); also a context manager.

    release  22 or 16 for a fetched one; None prefers the Asterisk on PATH
    runtime  folder for everything it writes; default: a new one below /tmp, removed by stop()
    conf     folder with the configuration samples; default asterisk_conf/ of this checkout
    ports    see Ports; those left at 0 are picked among the free ones
    passwords  see Passwords; left out they are made up

    Attributes after start(): ports, passwords, runtime, ari_url, ari_username, ari_password,
    process (subprocess.Popen).
    """

    ari_username = "trichter"

    def __init__(
        self,
        release: int | None = 22,
        *,
        runtime: Path | None = None,
        conf: Path | None = None,
        ports: Ports | None = None,
        passwords: Passwords | None = None,
    ) -> None:
        self.release = release
        self.conf = (conf or deb_root.CHECKOUT / "asterisk_conf").resolve()
        self.ports = (ports or Ports()).filled()
        self.passwords = passwords or Passwords()
        self._own_runtime = runtime is None
        self.runtime = runtime.absolute() if runtime else Path()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def ari_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.http}"

    @property
    def ari_password(self) -> str:
        return self.passwords.ari

    @property
    def etc(self) -> Path:
        """The folder of generated configuration, which includes the samples."""
        return self.runtime / "etc"

    def start(self, timeout: float = 60) -> Self:
        """Start and wait until every module is loaded. AsteriskError after `timeout` seconds."""
        installation = Installation.find(self.release)
        try:
            self.ports.check_free()
        except OSError as error:
            raise AsteriskError(str(error)) from error
        self._make_runtime()
        modules, data = installation.modules, installation.data
        asterisk_runtime.write(self.runtime, self.conf, self.ports, self.passwords, modules, data)
        self._command = [*installation.program, "-C", str(self.etc / "asterisk.conf")]
        self.process = self._launch()
        try:
            self._wait_booted(self.process, time.monotonic() + timeout)
        except BaseException:
            self.stop()
            raise
        return self

    def _launch(self) -> subprocess.Popen[bytes]:
        with (self.runtime / "console.log").open("wb") as console:
            process = subprocess.Popen(
                [*self._command, "-f", "-n"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                cwd=self.runtime,
                start_new_session=True,  # Ctrl-C reaches us first; we stop it in order
            )
        Running(self.runtime, process.pid, tuple(self._command), self.ports).save()
        return process

    def _make_runtime(self) -> None:
        if self._own_runtime:
            self.runtime = Path(tempfile.mkdtemp(prefix="trichter-pbx-", dir="/tmp"))
        if len(str(self.runtime)) > LONGEST_RUNTIME:
            raise AsteriskError(
                f"runtime folder {self.runtime} is too long a path for Asterisk's control socket: "
                f"{LONGEST_RUNTIME} characters at most"
            )
        if Running.find(self.runtime):
            raise AsteriskError(f"an Asterisk runs in {self.runtime} already; stop it first")

    def _wait_booted(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        while True:
            asked = self._ask("core waitfullybooted", max(1.0, deadline - time.monotonic()))
            if "fully booted" in asked.stdout:
                return
            if process.poll() is not None or time.monotonic() > deadline:
                raise AsteriskError(f"Asterisk did not start: {self._last_error()}")
            time.sleep(0.02)  # the control socket has no event that tells when it appears

    def _ask(self, command: str, timeout: float) -> subprocess.CompletedProcess[str]:
        return ask(self._command, command, timeout)

    def cli(self, command: str, timeout: float = 30) -> str:
        """Output of a command of Asterisk's console. AsteriskError if it cannot be asked."""
        asked = self._ask(command, timeout)
        return answer(asked)

    def wait_idle(self, timeout: float = 30) -> None:
        """Return when no channel is left. AsteriskError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not self.cli("core show channels count").startswith("0 active channels"):
            if time.monotonic() > deadline:
                raise AsteriskError(f"still on the phone: {self.cli('core show channels')}")
            time.sleep(0.02)

    def log(self) -> str:
        """What Asterisk has logged since the start."""
        path = self.runtime / "log" / "messages"
        return path.read_text(errors="replace") if path.exists() else ""

    def _last_error(self) -> str:
        console = (self.runtime / "console.log").read_text(errors="replace")
        lines = [line for line in (console + self.log()).splitlines() if "ERROR" in line]
        return (lines or console.splitlines() or ["it said nothing"])[-1].strip()

    def wait(self) -> int:
        """Return when Asterisk has ended by itself: its exit code."""
        if self.process is None:
            raise AsteriskError("Asterisk is not started")
        return self.process.wait()

    def stop(self) -> None:
        """End it and its calls at once; its runtime folder goes too, unless it was given."""
        if self.process is not None:
            _end(self.process)
            self.process = None
        if self._own_runtime and self.runtime != Path():
            shutil.rmtree(self.runtime, ignore_errors=True)
        elif self.runtime != Path():
            (self.runtime / STATE).unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM is `core stop now` and works while the control socket is not there yet.

    In the first moments of its start Asterisk misses it, so it is told again.
    """
    for _ in range(STOP_SECONDS):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(1)
    if process.poll() is None:
        process.kill()
    process.wait()
