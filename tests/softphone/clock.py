"""How long things took, by the clocks of the phones: a test's own would measure the test."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import pairwise

from tests.softphone.talk import Talk


def lived(talks: Iterable[Talk]) -> tuple[float, float]:
    """What one call was to its people, by the clocks of their phones: seconds until two of them
    were on the line (or the last had left), and how long two or more were."""
    talks = list(talks)
    ends = {talk: talk.since.get("ended", time.monotonic()) for talk in talks}
    begun, over = min(talk.since["new"] for talk in talks), max(ends.values())
    lines = [(talk.since["answered"], ends[talk]) for talk in talks if "answered" in talk.since]
    moments = sorted({moment for line in lines for moment in line})
    shared = [
        (a, b) for a, b in pairwise(moments) if sum(up <= a and b <= down for up, down in lines) > 1
    ]
    waited = (shared[0][0] if shared else over) - begun
    return waited, sum(b - a for a, b in shared)
