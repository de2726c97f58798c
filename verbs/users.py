"""R3: the people who log in, as administrators set them up; and what ends their log-ins."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from werkzeug.security import generate_password_hash

from database import database, locked
from errors import Conflict, Refused
from fields import BadNumber, clean, normalise, utcnow
from models import ROLES, Contact, Deal, Department, EndedSession, Event, Task, User
from telephony.call_report import MOBILE
from verbs import tasks
from verbs.deals import assign

LOCALES = ("en", "de", "ru")
"""The languages of the panel, see panel/languages.py."""
LONGEST_SESSION = timedelta(days=7)
"""After which a cookie is worth nothing by itself."""
AT_ONCE = 50
"""Deals and tasks that are handed over in one transaction: calls write in between."""


def add(
    login: str,
    name: str,
    role: str,
    password: str,
    endpoint: str | None = None,
    department: str | None = None,
    mobile: str | None = None,
    locale: str = "en",
    by: User | None = None,
) -> User:
    """A new user. ``endpoint`` as Asterisk names it, e.g. PJSIP/101; ``mobile`` in any notation
    of a number. Raises Refused."""
    if not re.fullmatch(r"[a-z0-9._-]{1,40}", login):
        raise Refused("use 1 to 40 of a-z, 0-9, '.', '_' and '-'", field="login")
    about = {"name": name, "role": role, "endpoint": endpoint, "mobile": mobile, "locale": locale}
    with database.atomic():
        if User.select().where(User.login == login).exists():
            raise Refused("there is a user '{login}' already", field="login", login=login)
        checked = _checked({**about, "department": department})
        user = User.create(login=login, password_hash=_hash(password), **checked)
        Event.add("user.added", by=by, payload={"login": login, "role": role})
    return user


def change(
    user: User, by: User | None = None, seen: dict[str, Any] | None = None, **about: Any
) -> bool:
    """Change some of name, role, endpoint, mobile, department ('' for none), locale and active, the
    others stay. False: nothing differs. ``seen``: the columns' values as the person saw them.

    Raises Refused, or Conflict if somebody else has changed one of them since.
    """
    with database.atomic():
        if seen:
            _check_seen(user, seen)
        values = _checked({k: v for k, v in about.items() if k != "active"}, user.id)
        values["active"] = about.get("active", user.active)
        if values.get("role", "admin") != "admin" or not values["active"]:
            _keep_an_admin(user)
        user.assign(**values)
        changed = [field.name for field in user.dirty_fields]
        if changed:
            user.save(only=user.dirty_fields)
            Event.add("user.changed", by=by, payload={"login": user.login, "changed": changed})
    return bool(changed)


def set_password(user: User, password: str, by: User | None = None) -> None:
    """Also ends the user's sessions: they carry a mark of the old hash. Raises Refused."""
    with database.atomic():
        user.password_hash = _hash(password)
        user.save(only=[User.password_hash])
        _renew_sessions(user)
        Event.add("user.password", by=by, payload={"login": user.login})


def disable(user: User, by: User | None = None) -> None:
    """No log-in, no ringing; calls and deals stay. Endpoint and mobile become free. Raises Refused
    for the last administrator."""
    with database.atomic():
        _keep_an_admin(user)
        user.active, user.endpoint, user.mobile = False, None, None
        user.save(only=[User.active, User.endpoint, User.mobile])
        Event.add("user.disabled", by=by, payload={"login": user.login})


def open_work(user: User) -> tuple[int, int]:
    """How many open deals and open tasks are this user's."""
    return _deals_of(user).count(), _tasks_of(user).count()


def hand_over(user: User, heir: User, by: User | None) -> int:
    """The open deals, open tasks and contacts of a user get another owner. Returns how many deals.

    A few at a time, so that calls are recorded in between; broken off, it can be repeated. Raises
    Refused.
    """
    if heir.id == user.id or not heir.active:
        raise Refused("{login} is disabled", field="heir", login=heir.login)
    given = 0
    while deals := list(_deals_of(user).limit(AT_ONCE)):
        with database.atomic():
            given += sum(assign(deal, heir, by) for deal in deals)
    while some := list(_tasks_of(user).limit(AT_ONCE)):
        with database.atomic():
            for task in some:
                tasks.change(task, by, owner=heir)
    with database.atomic():
        Contact.update(owner=heir).where(Contact.owner == user).execute()
        about = {"login": user.login, "heir": heir.login, "deals": given}
        Event.add("user.handed_over", by=by, payload=about)
    return given


def end_session(user: User, key: str) -> None:
    """The log-in with this key is over, wherever its cookie was copied to. Twice is no error."""
    with database.atomic():
        EndedSession.delete().where(EndedSession.at < utcnow() - LONGEST_SESSION).execute()
        EndedSession.get_or_create(key=key, defaults={"user": user})


def end_all_sessions(user: User, by: User | None = None) -> None:
    """All log-ins of a user are over, in every browser."""
    with database.atomic():
        _renew_sessions(user)
        Event.add("user.logged_out", by=by, payload={"login": user.login})


def _renew_sessions(user: User) -> None:
    user.session_mark = secrets.token_hex(16)
    user.save(only=[User.session_mark])
    EndedSession.delete().where(EndedSession.user == user).execute()


def _deals_of(user: User) -> Any:
    return Deal.select().where(Deal.owner == user, Deal.closed_at.is_null())


def _tasks_of(user: User) -> Any:
    return Task.select().where(Task.owner == user, Task.done_at.is_null())


def _keep_an_admin(user: User) -> None:
    """Locked, so that two administrators can't take the role from each other at once."""
    admins = [u.id for u in locked(User.select().where(User.role == "admin", User.active))]
    if admins == [user.id]:
        raise Refused("The last administrator stays one: make somebody else one first.")


def _check_seen(user: User, seen: dict[str, Any]) -> None:
    now = locked(User.select().where(User.id == user.id)).get()
    if any(now.__data__[key] != value for key, value in seen.items()):
        raise Conflict("Somebody else changed this just now. Look at it again.")


def _checked(about: dict[str, Any], own_id: int | None = None) -> dict[str, Any]:
    """Columns for what is said of a user."""
    values = {key: ABOUT_A_USER[key](value) for key, value in about.items()}
    for key in ("endpoint", "mobile"):
        value = values.get(key)
        holder = value and User.get_or_none(getattr(User, key) == value)
        if holder and holder.id != own_id:
            raise Refused(
                "{value} belongs to '{login}' already",
                field=key,
                value=value,
                login=holder.login,
            )
    return values


def _hash(password: str) -> str:
    if not 8 <= len(password) <= 200:
        raise Refused("8 to 200 characters", field="password")
    return generate_password_hash(password)


def _endpoint(text: str | None) -> str | None:
    if not text or not text.strip():
        return None
    is_one = re.fullmatch(r"[A-Za-z0-9]{2,10}/[A-Za-z0-9_.+@-]{1,60}", text.strip())
    # Two users at one place would take each other's calls.
    if not is_one or text.strip().startswith(MOBILE):
        raise Refused(
            "'{value}' is not TECHNOLOGY/NAME, for example PJSIP/101", field="endpoint", value=text
        )
    return text.strip()


def _mobile(text: str | None) -> str | None:
    try:
        return normalise(text) if text and text.strip() else None
    except BadNumber as error:
        raise Refused("{error}", field="mobile", error=error) from error


def _name(text: str) -> str:
    if not clean(text):
        raise Refused("must not be empty", field="name")
    return clean(text)


def _one_of(key: str, known: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in known:
            raise Refused("one of {known}", field=key, known=", ".join(known))
        return text

    return read


def _department(text: str | None) -> Department | None:
    group = clean(text)
    return Department.get_or_create(name=group)[0] if group else None


ABOUT_A_USER: dict[str, Callable[[Any], Any]] = {
    "name": _name,
    "role": _one_of("role", ROLES),
    "endpoint": _endpoint,
    "mobile": _mobile,
    "department": _department,
    "locale": _one_of("locale", LOCALES),
}
"""What can be said of a user, and what makes a column's value of it or raises Refused."""
