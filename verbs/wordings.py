"""Texts of the panel that the company sets itself."""

from __future__ import annotations

from collections.abc import Mapping

from database import database
from errors import Conflict, Refused
from fields import clean
from models import Event, User, Wording

LENGTHS = {"company": 40, "login_line": 200, "popup_hint": 200}
"""What there is, and how many characters each may have: the name beside the brand, a line on the
log-in page, a hint in the pop-up card."""


def texts() -> dict[str, str]:
    """All of them; '' for what is not set."""
    found = {row.name: row.text for row in Wording.select()}
    return {name: found.get(name, "") for name in LENGTHS}


def change(
    wanted: Mapping[str, str], by: User | None = None, seen: Mapping[str, str] | None = None
) -> bool:
    """Set those given. ``seen``: what the person saw. False: nothing differs. Raises Refused for
    one that there is not or that is too long, or Conflict if somebody else changed one."""
    with database.atomic():
        now = texts()
        if any(now[name] != text for name, text in (seen or {}).items()):
            raise Conflict("Somebody else changed this just now. Look at it again.")
        values = {name: _checked(name, text) for name, text in wanted.items()}
        changed = {name: text for name, text in values.items() if now[name] != text}
        for name, text in changed.items():
            row, _fresh = Wording.get_or_create(name=name)
            row.text = text
            row.save()
        if changed:
            Event.add("texts.changed", by=by, payload={"changed": sorted(changed)})
    return bool(changed)


def _checked(name: str, text: str) -> str:
    if name not in LENGTHS:
        raise Refused("one of {names}", field=name, names=", ".join(LENGTHS))
    written = clean(text, LENGTHS[name] + 1)
    if len(written) > LENGTHS[name]:
        raise Refused("at most {most} characters", field=name, most=LENGTHS[name])
    return written
