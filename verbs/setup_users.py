"""A user of a setup file becomes one here."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from models import User
from verbs import users


def user(words: Any) -> Iterable[str]:
    """What changes, a line each (see setup_people.UserWords). Raises Refused."""
    row = User.get_or_none(User.login == words.login)
    if row is None:
        # Nobody knows it: no file holds passwords, so one has to be set before the first log-in.
        users.add(words.login, password=secrets.token_urlsafe(32), **words.about)
        yield f"+ user {words.login}; to log in: trichter user password {words.login}"
        row = User.get(User.login == words.login)
    elif users.change(row, None, None, active=row.active or words.active, **words.about):
        yield f"~ user {words.login}"
    if not words.active and row.active:
        users.disable(row)
        yield f"- user {words.login}: disabled"
