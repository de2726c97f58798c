"""The database, its file and the people in it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import peewee

import database
from doctor.check import FAULT, GOOD, NOTE, Check
from errors import Sentence, Words
from models import User
from settings import Settings
from verbs.phones import known_endpoints

SUBJECT = Words("database")
PEOPLE = Words("users")


def checks(settings: Settings) -> Iterator[Check]:
    try:
        pending = database.pending()
        database.database.execute_sql("SELECT 1")
        if pending:
            number = len(pending)
            told = Sentence("tables are missing or old: {number} to be applied", number=number)
            yield Check(FAULT, SUBJECT, told, "trichter init")
            return
        database.try_to_write()
        yield Check(GOOD, SUBJECT, settings.database.url.split(":", 1)[0])
        yield from _file()
        yield from _people()
    except (database.DatabaseTrouble, peewee.PeeweeException) as error:
        known = isinstance(error, database.DatabaseTrouble)
        text = str(error) if known else database.explain(error)
        finding, _, fix = text.removeprefix("database: ").partition(" — ")
        yield Check(FAULT, SUBJECT, finding, fix)


def _file() -> Iterator[Check]:
    if not isinstance(database.database.obj, peewee.SqliteDatabase):
        return
    file = Path(database.database.obj.database).resolve()
    is_reached = all(folder.stat().st_mode & stat.S_IXOTH for folder in file.parents)
    if is_reached and file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        yield Check(
            FAULT,
            Words("database file"),
            Words(
                "holds customers and password hashes, and every user of this machine can open it"
            ),
            f"chmod o-rwx {file}*",
        )


def _people() -> Iterator[Check]:
    people = User.select().where(User.active)
    if not people.exists():
        fix = "trichter user add LOGIN --name … --role …"
        yield Check(NOTE, PEOPLE, Words("there are none"), fix)
        return
    if not people.where(User.role == "admin").exists():
        finding = Words("none is an administrator, so nobody can open the page Setup")
        yield Check(NOTE, PEOPLE, finding, "trichter user add LOGIN --name … --role admin")
    if not known_endpoints():
        yield Check(
            FAULT,
            PEOPLE,
            Words("none has a phone, so no call can be told to be a customer's"),
            "trichter user add LOGIN … --endpoint PJSIP/101",
        )
