"""From Asterisk's event to the committed row: what another connection sees, and when."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

LOOK_EVERY = 0.001
"""Seconds between two looks; up to so much is added to what is measured."""
SEEN = """
SELECT 'answered', id, answered_at FROM calls WHERE id > ? AND answered_at IS NOT NULL
UNION ALL SELECT 'ended', id, ended_at FROM calls WHERE id > ? AND ended_at IS NOT NULL
UNION ALL SELECT 'spoke', id, answered_at FROM legs WHERE call_id > ? AND answered_at IS NOT NULL
UNION ALL SELECT 'left', id, ended_at FROM legs WHERE call_id > ? AND ended_at IS NOT NULL
"""


@dataclass
class Watch:
    """Another connection to the database. Every time in ``SEEN`` is that of an event of Asterisk's,
    and is written because of that event: the bridging of two phones, the end of a channel.

    ``delays``: milliseconds from the event until this connection has read it, for each.
    """

    path: Path
    since: int
    delays: list[float] = field(default_factory=list)

    def during(self, work: Callable[[], object]) -> None:
        """Look while ``work`` goes on in a thread, and for a second longer."""
        thread = threading.Thread(target=work)
        thread.start()
        seen: set[tuple[str, int]] = set()
        rows = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, isolation_level=None)
        try:
            version, until = None, float("inf")
            while time.monotonic() < until:
                now = rows.execute("PRAGMA data_version").fetchone()
                if now != version:
                    version = now
                    self._look(rows, seen)
                if until == float("inf") and not thread.is_alive():
                    until = time.monotonic() + 1
                time.sleep(LOOK_EVERY)
        finally:
            rows.close()
            thread.join()

    def _look(self, rows: sqlite3.Connection, seen: set[tuple[str, int]]) -> None:
        found = rows.execute(SEEN, (self.since,) * 4).fetchall()
        read_at = time.time() * 1000
        for what, row, at in found:
            if (what, row) not in seen:
                seen.add((what, row))
                self.delays.append(read_at - at)
