"""When more calls wait for the database than fit into memory. Pure.

A database may be away for days. What is forgotten meanwhile is looked for in Asterisk's own records
when it is back.
"""

from __future__ import annotations

from datetime import datetime

from ari_app.ledger import Ledger

MOST = 50_000
"""Calls that wait: about 260 MB (docs/limits.md), and more than an hour at ten calls a second."""
FORGOTTEN = (
    "more calls wait for the database than fit into memory: those that ended before %s are left to "
    "Asterisk's own records ([calls] cdr)"
)


def forget(ledger: Ledger, due: dict[str, None], most: int = MOST) -> datetime | None:
    """If more than ``most`` calls are due, forget a tenth, those that ended first. Returns when
    the last of them ended, None if there was room."""
    if len(due) <= most:
        return None
    known = ((linkedid, ledger.calls.get(linkedid)) for linkedid in due)
    ended = [(call.ended_at, linkedid) for linkedid, call in known if call and call.ended_at]
    oldest = sorted(ended)[: max(1, most // 10)]
    for _, linkedid in oldest:
        ledger.forget_finished(linkedid)
        del due[linkedid]
    return oldest[-1][0] if oldest else None
