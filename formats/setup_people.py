"""Departments and users in a setup file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from peewee import JOIN

from formats.setup_entries import Places, Wrong, entries, flag, table, text
from models import ROLES, Department, User
from verbs.users import LOCALES

DEPARTMENT_KEYS = ("name", "did", "was", "removed")
USER_KEYS = ("login", "name", "role", "department", "endpoint", "mobile", "language", "active")


@dataclass
class DepartmentWords:
    """``was``: the name that it had; ``place``: where it stands in the file."""

    name: str
    did: str = ""
    was: str = ""
    removed: bool = False
    place: str = ""


@dataclass
class UserWords:
    """``about``: columns as verbs.users takes them. A password is in no file."""

    login: str
    about: dict[str, str]
    active: bool = True
    place: str = ""


def departments(places: Places, value: Any) -> list[DepartmentWords]:
    """Raises Wrong."""
    found: dict[str, DepartmentWords] = {}
    for place, entry in entries(places, "department", value):
        table(place, entry, DEPARTMENT_KEYS)
        words = DepartmentWords(
            text(place, entry, "name"),
            text(place, entry, "did", ""),
            text(place, entry, "was", ""),
            flag(place, entry, "removed"),
            place,
        )
        if words.name in found:
            raise Wrong(f"{place}: {words.name!r} is there already; keep one of them")
        found[words.name] = words
    return list(found.values())


def users(places: Places, value: Any) -> list[UserWords]:
    """Raises Wrong."""
    found: dict[str, UserWords] = {}
    for place, entry in entries(places, "user", value):
        table(place, entry, USER_KEYS)
        words = UserWords(text(place, entry, "login"), _about(place, entry), place=place)
        words.active = flag(place, entry, "active", True)
        if words.login in found:
            raise Wrong(f"{place}: {words.login!r} is there already; keep one of them")
        if not words.active and (words.about["endpoint"] or words.about["mobile"]):
            raise Wrong(f"{place}: who is not active has no endpoint and no mobile")
        found[words.login] = words
    return list(found.values())


def _about(place: str, entry: Any) -> dict[str, str]:
    about = {key: text(place, entry, key, "") for key in ("department", "endpoint", "mobile")}
    about["name"] = text(place, entry, "name")
    for key, column, known in (("role", "role", ROLES), ("language", "locale", LOCALES)):
        about[column] = text(place, entry, key, known[0] if key == "language" else None)
        if about[column] not in known:
            raise Wrong(f"{place}: {key}: one of {', '.join(known)}")
    return about


def department_rows() -> Iterable[dict[str, Any]]:
    """What is set up now, as entries of a file."""
    for row in Department.select().order_by(Department.name):
        yield {"name": row.name, "did": row.did}


def user_rows() -> Iterable[dict[str, Any]]:
    """As above; what says nothing is left out."""
    people = User.select(User, Department).join(Department, JOIN.LEFT_OUTER).order_by(User.login)
    for user in people:
        words = {
            "login": user.login,
            "name": user.name,
            "role": user.role,
            "department": user.department.name if user.department else "",
            "endpoint": user.endpoint,
            "mobile": user.mobile,
            "language": user.locale,
        }
        said = {key: value for key, value in words.items() if value}
        yield said if user.active else {**said, "active": False}
