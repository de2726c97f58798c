"""A lasting fault is said now and then, not at every event."""

from __future__ import annotations

import logging
import time
from typing import Any


class Seldom:
    """Logs at most once in so many seconds, and then how many were left out."""

    def __init__(self, every: float, logger: logging.Logger) -> None:
        self.every = every
        self._logger = logger
        self._next = 0.0
        self._left_out = 0

    def log(self, level: int, message: str, *args: Any, exc_info: bool = False) -> None:
        """Log it, or count it."""
        if time.monotonic() < self._next:
            self._left_out += 1
            return
        more = f" ({self._left_out} more since the last such line)" if self._left_out else ""
        self._logger.log(level, message + more, *args, exc_info=exc_info)
        self._next, self._left_out = time.monotonic() + self.every, 0
