"""Call-back tasks (T2): a missed call makes one where its rule says so, and a conversation with
that customer finishes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from database.prepared import Prepared
from models import Call, Contact, Deal, Task, User
from verbs import tasks

WITHIN = timedelta(hours=1)
"""How soon after it ended a missed call is to be returned."""
TITLE = tasks.OF_CALLS["call"]
TALKED = "talked"
"""What came of it, if the system saw that they have talked."""

_OF_CONTACT = Prepared(
    lambda contact: Task.select().where(
        Task.contact == contact, Task.kind == "call", Task.done_at.is_null()
    )
)
_OF_NUMBER = Prepared(
    lambda number: (
        Task.select()
        .join(Call)
        .where(
            Call.number == number,
            Call.direction == "incoming",
            Task.kind == "call",
            Task.done_at.is_null(),
        )
    )
)


def want(call: Call, contact: Contact | None, deal: Deal | None, owner: User | None) -> Task | None:
    """A task to call back, for the deal's owner, else for ``owner``; nobody's if that one is
    disabled. None: there is an open one already, for several missed calls one is enough."""
    due = (call.ended_at or call.started_at) + WITHIN
    open_ones = [*(_OF_CONTACT.models(contact.id) if contact else ()), *_open_ones(call)]
    if any(task.call_id or (task.due_at and task.due_at <= due) for task in open_ones):
        return None
    whose = deal.owner if deal else owner
    return tasks.add(
        TITLE.format(name=contact.name if contact else call.number),
        due,
        whose if whose and whose.active else None,
        by=None,
        kind="call",
        deal=deal,
        contact=contact,
        call=call,
    )


def talked(call: Call, at: datetime) -> None:
    """There was a conversation with the customer of this call at ``at``: what was wanted because of
    calls missed before is done."""
    of_contact: Any = _OF_CONTACT.models(call.contact_id) if call.contact_id else ()
    found = {task.id: task for task in (*of_contact, *_open_ones(call)) if task.call_id}
    for task in found.values():
        if task.call.started_at < at:
            tasks.finish(task, None, TALKED, at=at)


def _open_ones(call: Call) -> Any:
    return _OF_NUMBER.models(call.number) if call.number else ()
