"""FastAGI as Asterisk uses it: a connection a call, its environment, one answer a variable."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ports import LOOPBACK

from bench.history import DIDS, customer

ANSWER = b"200 result=1\n"
ENVIRONMENT = """\
agi_network: yes
agi_network_script: {script}
agi_request: agi://127.0.0.1/{script}
agi_channel: PJSIP/trunk-00000001
agi_language: en
agi_type: PJSIP
agi_uniqueid: 1700000000.1
agi_version: 22.10.1
agi_callerid: {number}
agi_calleridname: unknown
agi_callingpres: 0
agi_callingani2: 0
agi_callington: 0
agi_callingtns: 0
agi_dnid: {did}
agi_rdnis: unknown
agi_context: trichter-inbound-agi
agi_extension: {did}
agi_priority: 3
agi_enhanced: 0.0
agi_accountcode:
agi_threadid: 140000000000000

"""


@dataclass
class Asked:
    """Milliseconds that each look-up took, those that set nothing, and the seconds of all."""

    times: list[float] = field(default_factory=list)
    unanswered: int = 0
    seconds: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds


class Caller:
    """One that asks again and again, for any of the customers with a deal open."""

    def __init__(self, port: int, script: str, customers: int, seed: int) -> None:
        self._port, self._script, self._customers = port, script, customers
        self._random = random.Random(seed)

    def ask(self) -> int:
        """One look-up; how many variables were set."""
        number = customer(1 + self._random.randrange(self._customers))
        said = ENVIRONMENT.format(script=self._script, number=number, did=DIDS[0])
        count = 0
        with socket.create_connection((LOOPBACK, self._port), 10) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(said.encode())
            while got := connection.recv(4096):
                lines = got.count(b"\n")
                count += lines
                connection.sendall(ANSWER * lines)
        return count


def ask_for(
    seconds: float, callers: int, port: int, script: str, customers: int, warm: int = 50
) -> Asked:
    """So many callers at once, one look-up after the other, for so long."""
    asked, lock = Asked(), threading.Lock()
    those = [Caller(port, script, customers, seed) for seed in range(callers)]
    for caller in those:
        for _ in range(warm // callers):
            caller.ask()
    begun = time.perf_counter()
    threads = [
        threading.Thread(target=_ask_until, args=(c.ask, begun + seconds, asked, lock))
        for c in those
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked.seconds = time.perf_counter() - begun
    return asked


def _ask_until(ask: Callable[[], int], deadline: float, asked: Asked, lock: threading.Lock) -> None:
    times, unanswered = [], 0
    while (begun := time.perf_counter()) < deadline:
        unanswered += not ask()
        times.append((time.perf_counter() - begun) * 1000)
    with lock:
        asked.times += times
        asked.unanswered += unanswered
