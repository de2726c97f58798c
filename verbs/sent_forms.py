"""What a form makes, it makes once, however often it is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from database import database
from fields import utcnow
from models import SentForm

KEPT = timedelta(days=7)
"""A window that is opened again after a night or a weekend sends its form once more."""


def once(key: str, make: Callable[[], Any]) -> int:
    """The id of the row that ``make`` makes; of a key that was used before, that of the row which
    it made then. Two at once wait for each other. If ``make`` raises, nothing is made, and the key
    is as good as new."""
    with database.atomic():
        form, is_new = SentForm.get_or_create(key=key)
        if is_new:
            form.made = make().id
            form.save(only=[SentForm.made])
            SentForm.delete().where(SentForm.at < utcnow() - KEPT).execute()
    return int(form.made)
