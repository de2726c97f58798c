"""A company on a private Asterisk: three sellers whose telephones answer at once, years of history,
and Trichter's processes, started and ended by turns."""

from __future__ import annotations

import resource
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from peewee import fn
from ports import LOOPBACK, free_port
from private_asterisk import AsteriskError, Ports, PrivateAsterisk

from bench.history import DIDS, History, customer, stranger
from bench.load import Telephone
from models import Call
from tests.office import Office, until

CUSTOMERS = 1000
"""Customers with an open deal who ring; one call in four is a stranger's."""
SETTLES_WITHIN = 20.0

# Two-leg calls, and no way out: a call that was not routed has failed.
DIALPLAN = """
[observe-only](+)
exten => _49305550X,1,Dial(PJSIP/10${EXTEN:-1},25,tk)
 same => n,Hangup()
[trichter-fallback](+)
exten => _49305550X,1,Hangup(21)
"""
# The 400 of a test are enough for 100 calls at once.
RTP = "[general]\nrtpstart=10000\nrtpend=29999\n"


def raise_file_limit() -> None:
    """Ten descriptors a call; only root could go above the hard limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Company:
    """``contacts`` of whom a tenth, or CUSTOMERS, have a deal open, and ``calls`` of the past. A
    context manager; then ``pbx`` and ``office`` are there."""

    def __init__(self, release: int, folder: Path, contacts: int, calls: int) -> None:
        port = free_port()
        self.pbx = PrivateAsterisk(
            release, ports=Ports(phone_101=port, phone_102=port, phone_103=port)
        )
        self._telephone = Telephone(port)
        self._folder, self._contacts, self._calls = folder, contacts, calls
        self._strangers = 0
        self.database = folder / "trichter.db"
        self.with_a_deal = max(CUSTOMERS, contacts // 10)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.pbx)
            self._adapt_exchange()
            stack.enter_context(self._telephone)
            self.office = Office(self.pbx, self._folder)
            stack.callback(self.office.close)
            history = History(str(self.database))
            history.add_departments()
            history.add_contacts(self._contacts, self.with_a_deal)
            history.add_calls(self._calls, self._contacts)
            history.close()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _adapt_exchange(self) -> None:
        (self.pbx.etc / "rtp.conf").write_text(RTP)
        with (self.pbx.etc / "extensions.conf").open("a") as dialplan:
            dialplan.write(DIALPLAN)
        self.pbx.cli("module reload res_rtp_asterisk.so")
        self.pbx.cli("dialplan reload")

    def callers(self, count: int) -> list[tuple[str, str]]:
        """So many: (number dialled, own number). Customers ring at their sellers' departments."""
        found = []
        for n in range(count):
            self._strangers += n % 4 == 0
            number = stranger(self._strangers) if n % 4 == 0 else customer(1 + n % CUSTOMERS)
            found.append((DIDS[n % 3], number))
        return found

    def last_call(self) -> int:
        """The id of the last call recorded."""
        return Call.select(fn.MAX(Call.id)).scalar() or 0

    def settle(self) -> bool:
        """Return when nobody is on the phone and all that was heard is written; False if that has
        not come about in time."""
        self.pbx.cli("channel request hangup all")
        unfinished = Call.select().where(Call.ended_at.is_null())
        try:
            self.pbx.wait_idle(SETTLES_WITHIN)
            if any(process.poll() is None for process in self.office.processes):
                until(lambda: not unfinished.clone().exists(), "all rows end", SETTLES_WITHIN)
        except (AsteriskError, AssertionError):
            return False
        return True

    @contextmanager
    def trichter(self) -> Iterator[None]:
        """With `trichter ari` connected and `trichter agi` listening."""
        processes = [self.office.listen(), self.office.run("agi")]
        until(self._agi_listens, "trichter agi")
        try:
            yield
        finally:
            for process in processes:
                self._stop(process)

    def _agi_listens(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.pbx.ports.agi), 1).close()
        except OSError:
            return False
        return True

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        process.wait(60)
        self.office.processes.remove(process)
