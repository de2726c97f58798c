"""T5: the verbs for times in which nobody listened to a PBX. They are rows, since the process that
looks for the calls of such a time may die as well, and the next one must look for them again."""

from __future__ import annotations

from datetime import datetime

from database import database
from models import Silence
from verbs import history


def note(pbx: str, at: datetime) -> datetime:
    """A PBX is heard (again) from ``at`` on. Call it before anything that came later is recorded.
    Returns since when calls may be missing: longer if an earlier silence was not caught up with."""
    with database.atomic():
        begin = max(history.gap_begins(pbx, at), at - history.LONGEST_GAP)
        row, fresh = Silence.get_or_create(pbx=pbx, defaults={"since": begin, "until": at})
        if not fresh and row.until < at:
            Silence.update(until=at).where(Silence.id == row.id, Silence.until < at).execute()
    return max(row.since, at - history.LONGEST_GAP)


def caught_up(pbx: str, until: datetime) -> None:
    """All calls that ended before ``until`` are recorded. A later silence stays."""
    Silence.delete().where(Silence.pbx == pbx, Silence.until <= until).execute()
