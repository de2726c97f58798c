"""A database server of the tests: what PostgreSQL and MariaDB have in common."""

import itertools
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

from ports import free_tcp_port

START_SECONDS = 60
ATTEMPTS = 3
STOP_SECONDS = 20


class ServerFailed(Exception):
    """A database server of the tests did not start; the message holds the end of its log."""


class Server(ABC):
    """A database server of this session, with a folder of its own."""

    scheme: ClassVar[str]
    # What `connect` raises while the server is starting, and the signal that ends it quickly.
    not_ready: ClassVar[type[Exception]]
    stop_signal: ClassVar[signal.Signals]

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"trichter-{self.scheme}-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.password = secrets.token_hex(12)
        self.port = 0
        self._names = (f"test_{number}" for number in itertools.count(1))
        self._process: subprocess.Popen[bytes] | None = None

    # What the two kinds differ in.

    @abstractmethod
    def make_data(self) -> None:
        """Create the data folder."""

    @abstractmethod
    def command(self) -> list[str]:
        """The command line of the server, which must stay in the foreground."""

    @abstractmethod
    def connect(self) -> Any:
        """A connection that commits each statement. Raises `not_ready`."""

    @abstractmethod
    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""

    def options(self) -> dict[str, Any]:
        """Arguments for subprocess that say as whom and with which libraries to run."""
        return {}

    # What they share.

    def start(self) -> None:
        """Make the data, start the server and wait until it answers. Raises ServerFailed."""
        self.make_data()
        if not any(self._launched() for _ in range(ATTEMPTS)):
            raise ServerFailed(f"{self.scheme} did not start:\n{self._log_end()}")

    def _launched(self) -> bool:
        """Try one port; False if the server ended, as when another program took the port."""
        self.port = free_tcp_port()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*with_parent(), *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                # Ctrl-C is for pytest, which then stops the server in order.
                start_new_session=True,
                **self.options(),
            )
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                self.connect().close()
                return True
            except self.not_ready:
                time.sleep(0.02)
        return False

    def create(self) -> str:
        """Make an empty database and return its name."""
        name = next(self._names)
        self.execute(f"CREATE DATABASE {name}")
        return name

    def url(self, name: str) -> str:
        return f"{self.scheme}://trichter:{self.password}@127.0.0.1:{self.port}/{name}"

    def execute(self, statement: str) -> None:
        with closing(self.connect()) as connection:
            connection.cursor().execute(statement)

    def stop(self) -> None:
        """Stop the server and remove all it has written."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.folder)

    def prepare(self, *command: str | Path, **options: Any) -> None:
        """Run a program that makes the data folder. Raises ServerFailed."""
        options = {**self.options(), **options}
        with self.log.open("ab") as log:
            words = [str(word) for word in command]
            done = subprocess.run(words, stdout=log, stderr=log, cwd=self.folder, **options)
        if done.returncode:
            raise ServerFailed(f"{Path(command[0]).name} failed:\n{self._log_end()}")

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""


def with_parent() -> list[str]:
    """The start of a command line that asks the kernel to end the program when pytest is killed."""
    return ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
