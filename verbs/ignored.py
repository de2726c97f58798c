"""T10: numbers that make no contact and no deal, as administrators list them in the panel and in
the configuration."""

from __future__ import annotations

import time
from typing import Any

import fields
from database import database
from models import Call, IgnoredNumber

SECONDS = 2.0
"""After which those that were entered in the panel are read again."""
_read: tuple[float, Any, frozenset[str]] = (0.0, None, frozenset())


def listed() -> frozenset[str]:
    """Those of the panel: read again every two seconds at most, as each call asks for them."""
    global _read
    until, where, numbers = _read
    if time.monotonic() >= until or where is not database.obj:
        numbers = frozenset(row.e164 for row in IgnoredNumber.select(IgnoredNumber.e164))
        _read = (time.monotonic() + SECONDS, database.obj, numbers)
    return numbers


def forget() -> None:
    """Read them again next time: they have changed."""
    global _read
    _read = (0.0, None, frozenset())


def spares(number: Any) -> Any:
    """As a condition on a column: not ignored, neither in the panel nor by the configuration."""
    here = number.not_in(IgnoredNumber.select(IgnoredNumber.e164))
    return here & number.not_in(fields.ignored) if fields.ignored else here


def makes_customers(call: Call) -> bool:
    """Internal calls, hidden, ignored and own numbers make no contact and no deal."""
    if call.direction == "internal" or call.number is None or call.number in fields.own:
        return False
    return call.number not in fields.ignored and call.number not in listed()
