"""News reaches every open page in the same moment, and each then asks for what has changed. Where
many listen, they are told to take their time over it, each its own, and what all of them ask for is
made once."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterable

FEW = 10
"""So many windows may ask at once."""
EACH_MS = 15
LONGEST_MS = 6000
KEPT_SECONDS = 2.0
"""How old a part may get without any news: the age of a card is written in it."""
MOST_KEPT = 1000


def spread(windows: int) -> int:
    """Milliseconds over which so many windows are to spread what they ask for; 0 for few."""
    return 0 if windows <= FEW else min(windows * EACH_MS, LONGEST_MS)


class Once:
    """Parts of pages that look the same to many, kept until there is news.

    ``as_of`` counts the news that were there before the part was made: whoever asks because of news
    never gets what is older than it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._as_of = 0
        self._kept: dict[Hashable, tuple[float, str]] = {}

    def find(self, view: Hashable, names: Iterable[str], as_of: int) -> dict[str, str]:
        """Those of the parts that are there."""
        oldest = time.monotonic() - KEPT_SECONDS
        with self._lock:
            if as_of != self._as_of:
                return {}
            kept = {name: self._kept.get((view, name), (oldest, "")) for name in names}
        return {name: part for name, (made, part) in kept.items() if made > oldest}

    def keep(self, view: Hashable, parts: dict[str, str], as_of: int, made: float) -> None:
        """``made``: when making them began, on the monotonic clock."""
        with self._lock:
            if as_of < self._as_of:
                return
            if as_of > self._as_of or len(self._kept) > MOST_KEPT:
                self._as_of, self._kept = as_of, {}
            self._kept |= {(view, name): (made, part) for name, part in parts.items()}
