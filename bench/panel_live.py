"""Many live panels at once: streams held open by a process of their own (bench/ears.py),
and how long it takes until each of them has been told of a move."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from bench.load import percentile
from bench.panel_pages import cards_of
from bench.visitor import ROOT, Panel, Visitor
from tests.world import HASH

PER_HEAD = 6
"""Windows of one head of sales: as many as are served."""
WAITS = 5.0
"""Seconds after which a move that somebody was not told of has failed."""
PAUSE = 2.1
"""Seconds between two moves: as long as it takes until each stream has to look anew whether its
user may still listen."""


def add_heads(database: Path, streams: int) -> list[str]:
    """As many heads of sales as so many windows need: they see every move. Their logins."""
    logins = [f"watcher{n}" for n in range(-(-streams // PER_HEAD))]
    with closing(sqlite3.connect(database)) as rows, rows:
        rows.executemany(
            "INSERT INTO users (login, name, role, password_hash, locale, active, session_mark)"
            " VALUES (?, ?, 'head', ?, 'en', 1, '')",
            [(login, login, HASH) for login in logins],
        )
    return logins


class Streams:
    """So many open streams, each with the cookie of one of the visitors."""

    def __init__(self, panel: Panel, people: Sequence[Visitor], count: int) -> None:
        self._asked = {
            "address": panel.address, "cookies": [one.cookie for one in people], "count": count,
        }  # fmt: skip
        self.count = count
        self._told: SimpleQueue[tuple[int, float]] = SimpleQueue()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Returns when all of them are there."""
        command = [sys.executable, "-m", "bench.ears"]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin
            assert process.stdout
            reader = Thread(target=self._read, args=(process.stdout,), daemon=True)
            try:
                process.stdin.write(json.dumps(self._asked) + "\n")
                process.stdin.flush()
                if process.stdout.readline() != "open\n":
                    raise RuntimeError("not all streams could be opened")
                reader.start()
                yield
            finally:
                process.terminate()
                if reader.is_alive():
                    reader.join()

    def _read(self, lines: Iterator[str]) -> None:
        for line in lines:
            deal, at = line.split()
            self._told.put((int(deal), float(at)))

    def told_of(self, deal: int) -> list[float]:
        """When each of them was told of the deal, on the monotonic clock. Raises RuntimeError."""
        found: list[float] = []
        deadline = time.monotonic() + WAITS
        while len(found) < self.count:
            try:
                told, at = self._told.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                raise RuntimeError(f"{len(found)} of {self.count} were told of a move") from None
            found += [at] if told == deal else []
        return found


def moves_told(streams: Streams, movers: Sequence[Visitor], times: int) -> list[float]:
    """Milliseconds from sending a move to when a stream tells of it, for each move and stream."""
    dice, found = random.Random(5), []
    for n in range(times):
        mover = movers[n % len(movers)]
        deal, stage, stages = dice.choice(cards_of(mover))
        target = dice.choice([other for other in stages if other != stage])
        sent = time.monotonic()
        mover.ask(f"/deals/{deal}/moves", {"stage": target, "from": stage}, fragment=True)
        found += [(at - sent) * 1000 for at in streams.told_of(int(deal))]
        time.sleep(PAUSE)
    return found


def figures(
    database: Path, panel: Panel, movers: Sequence[Visitor], streams: int, times: int
) -> dict[str, float]:
    """What is told to so many panels, and what the server needs for it."""
    people = [Visitor(panel.address, login) for login in add_heads(database, streams)]
    lines = Streams(panel, people, streams)
    with lines.open():
        delays = moves_told(lines, movers, times)
        rss, pss = panel.memory()
    return {
        "live300_p95_ms": percentile(delays, 95),
        "live300_rss_mb": rss,
        "live300_p50_ms": percentile(delays, 50),
        "live300_max_ms": max(delays),
        "live300_pss_mb": pss,
    }
