"""What it costs to record one call: among a thousand recorded before, and among a million."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bench.history import DIDS, customer, stranger
from database import database
from fields import utcnow
from telephony.call_report import CallReport, LegReport
from tests.world import release, use
from verbs.calls import record_call

ROUNDS = 7
CUSTOMERS = 1000
"""Known customers who ring, in turn with strangers: one call in four is a stranger's."""


@dataclass(frozen=True)
class Cost:
    """Milliseconds for one call, median of the rounds: processor time, and by the clock."""

    cpu: float
    wall: float


def told(number: str, linkedid: str) -> Iterator[CallReport]:
    """The life of an answered call as the ledger reports it."""
    began = utcnow()
    leg = LegReport(f"{linkedid}.2", "PJSIP/101", rang_at=began)
    report = CallReport(
        "asterisk", linkedid, "incoming", began, number=number, did=DIDS[0], legs=(leg,)
    )
    yield replace(report, legs=())
    yield report
    at = began + timedelta(seconds=5)
    leg = replace(leg, answered_at=at)
    report = replace(report, answered_at=at, speaker="PJSIP/101", legs=(leg,))
    yield report
    at += timedelta(seconds=45)
    leg = replace(leg, ended_at=at, outcome="answered")
    yield replace(report, ended_at=at, talk=45, outcome="answered", legs=(leg,))


def compare(urls: Sequence[str], calls: int) -> list[Cost]:
    """Record ``calls`` calls a round in each of the databases, by turns."""
    spent: list[list[Cost]] = [[] for _ in urls]
    for turn in range(ROUNDS):
        for place, url in enumerate(urls):
            spent[place].append(_round(url, f"{turn}.", range(turn * calls, (turn + 1) * calls)))
    # The first round fills the caches.
    return [
        Cost(
            statistics.median(c.cpu for c in costs[1:]),
            statistics.median(c.wall for c in costs[1:]),
        )
        for costs in spent
    ]


def _round(url: str, mark: str, numbers: range) -> Cost:
    use(url)
    reports = [
        list(told(stranger(n) if n % 4 == 0 else customer(1 + n % CUSTOMERS), f"growth.{mark}{n}"))
        for n in numbers
    ]
    database.connect()
    cpu, wall = time.thread_time(), time.perf_counter()
    for call in reports:
        for report in call:
            record_call(report)
    each = 1000 / len(reports)
    cost = Cost((time.thread_time() - cpu) * each, (time.perf_counter() - wall) * each)
    release()
    return cost
