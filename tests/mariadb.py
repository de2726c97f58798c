"""MariaDB for the tests."""

import os
import pwd
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql

from tests import programs
from tests.server import Server, ServerFailed


class MariaDB(Server):
    scheme = "mysql"
    not_ready = pymysql.err.OperationalError
    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        super().__init__()
        self.program = programs.mariadbd()
        self.share = self._share()

    def _share(self) -> Path:
        """The folder with the messages and the SQL of the system tables."""
        prefix = self.program.path.parent.parent
        for name in ("share/mysql", "share/mariadb"):
            if list((prefix / name).glob("*_system_tables.sql")):
                return prefix / name
        raise ServerFailed(f"no system tables of MariaDB below {prefix}/share: install it anew")

    def options(self) -> dict[str, Any]:
        return {"env": self.program.environ()}

    def _base(self) -> list[str]:
        """What making the data and serving it have in common; no file of the machine is read."""
        return [
            str(self.program.path),
            "--no-defaults",
            f"--user={pwd.getpwuid(os.geteuid()).pw_name}",
            f"--datadir={self.data}",
            f"--tmpdir={self.folder}",
            f"--lc-messages-dir={self.share}",
            f"--character-sets-dir={self.share}/charsets",
            "--innodb-buffer-pool-size=32M",
            "--innodb-log-file-size=16M",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",  # for tests it was made
            "--sync-frm=0",
            "--innodb-use-native-aio=0",
        ]

    def make_data(self) -> None:
        self.data.mkdir()
        sql = ["create database mysql;", "use mysql;"]
        for name in ("system_tables", "performance_tables", "system_tables_data"):
            sql += [path.read_text() for path in self.share.glob(f"*_{name}.sql")]
        account = f"trichter@'127.0.0.1' IDENTIFIED BY '{self.password}'"
        sql += ["FLUSH PRIVILEGES;", f"GRANT ALL ON *.* TO {account};\n"]
        script = self.folder / "bootstrap.sql"
        script.write_text("\n".join(sql))
        with script.open("rb") as source:
            self.prepare(*self._base(), "--bootstrap", stdin=source)
        script.unlink()

    def command(self) -> list[str]:
        return [
            *self._base(),
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            f"--socket={self.folder}/socket",
            f"--pid-file={self.folder}/pid",
            "--innodb-fast-shutdown=2",  # nothing of it is needed again
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_unicode_ci",
            "--default-time-zone=+05:30",
        ]

    def connect(self) -> Any:
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="trichter",
            password=self.password,
            autocommit=True,
            connect_timeout=30,
        )

    def drop(self, name: str) -> None:
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            # A connection that a test left open would hold a lock that DROP waits for.
            cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", [name])
            for (number,) in cursor.fetchall():
                cursor.execute(f"KILL {number}")
            cursor.execute(f"DROP DATABASE IF EXISTS {name}")
