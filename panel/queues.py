"""Queues of the exchange: who stands in them now, and what became of today's callers (T13)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from peewee import Case, fn

from fields import utcnow
from models import Call, QueueState
from panel.call_filters import midnight

SOON = 20
"""Seconds within which a queue's caller should be answered."""
FORGOTTEN = timedelta(days=7)
"""An exchange or a queue of which nothing was heard for so long is shown no more."""


@dataclass(frozen=True)
class Queue:
    """``now``: who stands in it, not known unless ``is_live``. The rest is today's: calls
    that were ``answered``, of them ``soon`` ones within SOON seconds, and after ``wait`` seconds on
    average; and those ``missed``."""

    pbx: str
    name: str
    is_live: bool
    now: QueueState = field(default_factory=QueueState)
    answered: int = 0
    soon: int = 0
    missed: int = 0
    wait: float | None = None


def queues_of(live: set[str]) -> list[Queue]:
    """Those in use: somebody stands in it now, or did lately, or was in it today."""
    found = {
        (state.pbx, state.name): Queue(state.pbx, state.name, True, state)
        for state in QueueState.select()
        if state.pbx in live and (utcnow() - state.at < FORGOTTEN or state.waiting or state.talking)
    }
    for pbx, name, answered, soon, missed, wait in _today():
        now = found[pbx, name].now if (pbx, name) in found else QueueState()
        average = None if wait is None else float(wait)
        found[pbx, name] = Queue(pbx, name, pbx in live, now, answered, soon, missed, average)
    return [found[key] for key in sorted(found)]


def _today() -> Any:
    """Of each queue: answered, soon answered, missed, and the average wait of the answered."""
    answered = Call.answered_at.is_null(False)
    soon = answered & (Call.wait <= SOON)
    missed = Call.answered_at.is_null() & Call.ended_at.is_null(False)
    return (
        Call.select(
            Call.pbx,
            Call.queue,
            *(fn.SUM(Case(None, [(which, 1)], 0)) for which in (answered, soon, missed)),
            fn.AVG(Case(None, [(answered, Call.wait)])),
        )
        .where(Call.started_at >= last_midnight(), Call.queue.is_null(False))
        .group_by(Call.pbx, Call.queue)
        .tuples()
    )


def last_midnight() -> datetime:
    """When today began on the clock of the panel's machine."""
    return midnight(utcnow().astimezone().date())
