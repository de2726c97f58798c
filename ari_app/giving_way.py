"""Calls come first: where there is too little processor for all, recording leaves it to Asterisk.

A lower priority of its thread would not do: Python runs one thread at a time, and one that is put
off while it is that one would put off with it those that read events and decide where calls go.
"""

from __future__ import annotations

from pathlib import Path

CROWDED = 0.5
"""Waiting for a processor, as a share of the time worked, from which on all are needed by others.
Alone on the machine it is next to nothing."""
LEFT = 4.0
"""Seconds left to others after each second of work, while it is crowded."""
LONGEST = 2.0
"""Seconds left to others at once."""
FEW = 5
"""Calls that wait to be recorded up to which way is given to nobody: it does not take long."""
TIMES = Path("/proc/thread-self/schedstat")
"""Of the thread that reads it: nanoseconds that it has worked, and that it has waited for a
processor. Source: Documentation/scheduler/sched-stats.rst of Linux."""


class GivingWay:
    """For one thread, which asks ``rest`` after each piece of work. ``is_needed``: as it was then.
    Where the system does not tell, nobody is given way to."""

    def __init__(self) -> None:
        self.is_needed = False
        self._worked, self._waited = 0.0, 0.0

    def rest(self, waiting: int) -> float:
        """Seconds to do nothing, where so many calls were waiting to be recorded before the work
        that is done now."""
        worked, waited = times()
        work, wait = worked - self._worked, waited - self._waited
        self._worked, self._waited = worked, waited
        self.is_needed = waiting > FEW and wait > CROWDED * work
        return min(LONGEST, LEFT * work) if self.is_needed else 0.0


def times() -> tuple[float, float]:
    """Seconds that this thread has worked, and waited for a processor; zeros if none can tell."""
    try:
        worked, waited, _slices = map(int, TIMES.read_text("ascii").split())
    except (OSError, ValueError):
        return 0.0, 0.0
    return worked / 1e9, waited / 1e9
