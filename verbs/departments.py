"""Departments: the groups of users that calls ring at, as administrators set them up."""

from __future__ import annotations

from typing import Any

from database import database
from errors import Conflict, Refused
from fields import clean, normal_did
from models import Department, Event, User


def add(name: str, did: str = "", by: User | None = None) -> Department:
    """A department. ``did``: the called number it answers, '' for all. Raises Refused."""
    with database.atomic():
        values = _checked(name, did)
        department = Department.create(**values)
        Event.add("department.added", by=by, payload=values)
    return department


def change(
    department: Department,
    name: str,
    did: str,
    by: User | None = None,
    seen: tuple[str, str] | None = None,
) -> bool:
    """Another name or number. ``seen``: both, as the person saw them. False: nothing differs.
    Raises Refused, or Conflict if somebody else has changed them since."""
    with database.atomic():
        now = Department.get_by_id(department.id)
        if seen is not None and seen != (now.name, now.did):
            raise Conflict("Somebody else changed this just now. Look at it again.")
        was = {"name": now.name, "did": now.did}
        now.assign(**_checked(name, did, now.id))
        if not now.dirty_fields:
            return False
        now.save(only=now.dirty_fields)
        Event.add("department.changed", by=by, payload={"was": was, "now": now.name})
    return True


def remove(department: Department, by: User | None = None) -> None:
    """Raises Refused while somebody who is active belongs to it."""
    with database.atomic():
        if User.select().where(User.department == department, User.active).exists():
            raise Refused("Somebody belongs to this department: give them another one first.")
        User.update(department=None).where(User.department == department).execute()
        if Department.delete().where(Department.id == department.id).execute():
            Event.add("department.removed", by=by, payload={"name": department.name})


def _checked(name: str, did: str, own_id: int | None = None) -> dict[str, Any]:
    values = {"name": clean(name), "did": normal_did(did)}
    if not values["name"]:
        raise Refused("must not be empty", field="name")
    for key in ("name", "did"):
        found = Department.get_or_none(getattr(Department, key) == values[key])
        if values[key] and found and found.id != own_id:
            raise Refused(
                "{value} belongs to '{name}' already", field=key, value=values[key], name=found.name
            )
    return values
