"""F5: the reasons of loss that people choose from, as administrators set them."""

from __future__ import annotations

from collections.abc import Iterable

from database import database
from errors import Refused
from fields import clean
from models import Event, Reason, User


def offered() -> list[Reason]:
    """Those to choose from, in their order."""
    return list(Reason.select().where(Reason.active).order_by(Reason.position, Reason.id))


def set_reasons(names: Iterable[str], by: User | None) -> list[Reason]:
    """The reasons of loss that are offered, in this order; others are kept, but not offered."""
    wanted = list(dict.fromkeys(name for text in names if (name := clean(text, 120))))
    with database.atomic():
        Reason.update(active=False).execute()
        for place, name in enumerate(wanted):
            reason, _fresh = Reason.get_or_create(name=name)
            reason.position, reason.active = place, True
            reason.save()
        Event.add("reasons.changed", by=by, payload={"reasons": len(wanted)})
    return offered()


def offer_reason(name: str, by: User | None) -> None:
    """One reason more, after the others; offered already is just as well. Raises Refused."""
    if not clean(name, 120):
        raise Refused("must not be empty", field="reason")
    set_reasons([*(reason.name for reason in offered()), name], by)
