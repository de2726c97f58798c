"""PostgreSQL for the tests."""

import os
import pwd
import shutil
import signal
from pathlib import Path
from typing import Any

import psycopg

from tests import programs
from tests.server import Server


class PostgreSQL(Server):
    scheme = "postgresql"
    not_ready = psycopg.OperationalError
    stop_signal = signal.SIGINT  # ends sessions that a test left open; SIGTERM would wait for them

    def __init__(self) -> None:
        super().__init__()
        self.program = programs.postgres()
        self.binaries = self.program.path.parent
        if os.geteuid() == 0:
            self._give_to_nobody()

    def _give_to_nobody(self) -> None:
        """PostgreSQL refuses to run as root, and another user may not reach the checkout."""
        nobody = pwd.getpwnam("nobody")
        os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        if self.program.root is None:
            return
        copy = self.folder / "root"
        for part in ("usr/lib/postgresql", "usr/share/postgresql"):
            shutil.copytree(self.program.root / part, copy / part, symlinks=True)
        links = Path(self.program.environment["LD_LIBRARY_PATH"])
        # LLVM is half of it all and only serves the compiler for long queries, which is off.
        shutil.copytree(links, copy / "libraries", ignore=shutil.ignore_patterns("libLLVM*"))
        self.binaries = copy / self.binaries.relative_to(self.program.root)

    def options(self) -> dict[str, Any]:
        environment = {**self.program.environ(), "LC_ALL": "C", "TZ": "UTC"}
        if os.geteuid() != 0:
            return {"env": environment}
        if self.program.root is not None:
            environment["LD_LIBRARY_PATH"] = str(self.folder / "root" / "libraries")
        nobody = pwd.getpwnam("nobody")
        return {
            "env": {**environment, "HOME": str(self.folder)},
            "user": nobody.pw_uid,
            "group": nobody.pw_gid,
            "extra_groups": [],
        }

    def make_data(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password)
        if os.geteuid() == 0:
            os.chown(secret, pwd.getpwnam("nobody").pw_uid, -1)
        # Debian's binaries look for their files where they were built to be, or beside themselves.
        self.prepare(
            self.binaries / "initdb",
            *("--pgdata", self.data, "--username=trichter", "--pwfile", secret),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
        )
        secret.unlink()

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "timezone": "<+0530>-05:30",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "32MB",
            "jit": "off",
            "autovacuum": "off",
        }
        words = [str(self.binaries / "postgres"), "-D", str(self.data)]
        return words + [
            part for name, value in settings.items() for part in ("-c", f"{name}={value}")
        ]

    def connect(self) -> Any:
        return psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=30)

    def drop(self, name: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
