"""What a page showed of a task, carried along in its form: to tell if somebody else changed it
since."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from flask import request

from models import Task

ALL = ("title", "kind", "due_at", "owner", "done")
DUE = ("due_at", "done")
"""What somebody goes by who only puts it off."""


def seen_of(task: Task, of: tuple[str, ...] = ALL) -> str:
    """A task as it is now, for a hidden field."""
    about = {
        "title": task.title,
        "kind": task.kind,
        "due_at": task.due_at.isoformat() if task.due_at else None,
        "owner": task.owner_id,
        "done": task.done_at is not None,
    }
    return json.dumps({name: about[name] for name in of})


def seen() -> dict[str, Any]:
    """What the form said that it showed, as verbs.tasks.change wants it; nothing, if it says
    nothing that can be read."""
    try:
        values = json.loads(request.form.get("seen", ""))
        about = {name: values[name] for name in ALL if name in values}
        if about.get("due_at") is not None:
            about["due_at"] = datetime.fromisoformat(about["due_at"])
    except (ValueError, TypeError, RecursionError):
        return {}
    return about
