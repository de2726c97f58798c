"""What the database's errors mean, and what a person should do about each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import peewee
from playhouse.pool import MaxConnectionsExceeded

# The pool's own error is no kind of Peewee's.
DATABASE_ERRORS: tuple[type[Exception], ...] = (peewee.PeeweeException, MaxConnectionsExceeded)
"""What any use of the database may raise; ``explain`` says what to do about it."""

ADVICE = {
    "readonly": "the database file or its folder can't be written by this user",
    "read-only": "the database file or its folder can't be written by this user",
    "unable to open": "check that the folder of the database file exists and can be written",
    "eadlock": "others wrote the same at that moment; try again",
    "Lock wait timeout": "another program holds the database; end it or try again",
    "locked": "another program holds the database; end it or try again",
    "not a database": "the file is something else; name another one in [database] url",
    "disk I/O": "look whether its disk is full or broken",
    "disk is full": "free some space on the database's disk",
    "no such table": "run 'trichter init' to create or update the tables",
    "no such column": "run 'trichter init' to create or update the tables",
    "doesn't exist": "run 'trichter init' to create or update the tables",
    "Unknown column": "run 'trichter init' to create or update the tables",
    'relation "': "run 'trichter init' to create or update the tables",
    'column "': "run 'trichter init' to create or update the tables",
    "does not exist": "create the database, then run 'trichter init'",
    "Unknown database": "create the database, then run 'trichter init'",
    "ccess denied": "check user and password in [database] url",
    "authentication": "check user and password in [database] url",
    "onnect": "check that the database server runs and that [database] url is right",
}
"""What to do, by words of the error; the first that fits."""

GONE = ("cannot rollback", "SAVEPOINT")
"""Words of errors that follow from another: SQLite itself rolls back when the disk is full, MariaDB
when two lock each other out; that it can't be done again is no news."""


class DatabaseTrouble(Exception):
    """The database can't be used. ``finding``: what is wrong, which may name hosts and accounts but
    never a password; ``advice``: what to do, fit for everybody. The message is both."""

    def __init__(self, finding: str, advice: str = "") -> None:
        super().__init__(f"{finding} — {advice}" if advice else finding)
        self.finding, self.advice = finding, advice


@contextmanager
def explained() -> Iterator[None]:
    """Turns the database's errors into DatabaseTrouble with a sentence that says what to do."""
    try:
        yield
    except DATABASE_ERRORS as error:
        raise trouble(error) from error


def explain(error: BaseException) -> str:
    """A database error and what a person should do about it, in one line."""
    return str(trouble(error))


def trouble(error: BaseException) -> DatabaseTrouble:
    """The same error, understood."""
    if isinstance(error, DatabaseTrouble):
        return error
    text = " ".join(str(_first(error)).split())[:300]
    advice = next((hint for mark, hint in ADVICE.items() if mark in text), "see the log")
    return DatabaseTrouble(f"database: {text}", advice)


def _first(error: BaseException) -> BaseException:
    """What went wrong before the transaction was found gone."""
    known: BaseException | None = error
    while known and any(mark in str(known) for mark in GONE):
        known = known.__context__
    return known or error
