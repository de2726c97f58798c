"""``trichter doctor``: every dependency and setting Trichter needs, each with a fix."""

from __future__ import annotations

import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import peewee

import database
from ari_app.client import AriError, Client
from ari_app.events import LINKEDID
from models import User
from settings import Settings

GOOD, NOTE, FAULT = "ok", "note", "FAULT"
OLDEST = 16


@dataclass(frozen=True)
class Check:
    """One finding. ``mark``: ok, note (works, but read it) or FAULT; ``fix``: what to do."""

    mark: str
    subject: str
    finding: str
    fix: str = ""


def run(settings: Settings) -> Iterator[Check]:
    """All checks, in the order in which faults are best mended."""
    yield from _configuration(settings)
    ready = True
    for check in _database(settings):
        ready = ready and check.mark != FAULT
        yield check
    yield from _asterisk(settings, ready)
    yield from _agi(settings)


def _configuration(settings: Settings) -> Iterator[Check]:
    if settings.path is None:
        yield Check(NOTE, "configuration", "no trichter.toml, defaults and environment only")
    else:
        yield Check(GOOD, "configuration", str(settings.path))
        mode = settings.path.stat().st_mode
        secrets = (settings.ari.password, settings.panel.secret_key)
        if mode & stat.S_IROTH and any(secrets):
            yield Check(
                FAULT,
                "configuration",
                "holds a secret and can be read by everybody",
                f"chmod o-rwx {settings.path}",
            )
    if len(settings.panel.secret_key) < 16:
        yield Check(
            NOTE,
            "panel.secret_key",
            "not set, or shorter than 16 characters: a restart logs everybody out",
            "set it to a long random text, as from: openssl rand -hex 32",
        )


def _database(settings: Settings) -> Iterator[Check]:
    try:
        pending = database.pending()
        database.database.execute_sql("SELECT 1")
        if pending:
            yield Check(FAULT, "database", f"{len(pending)} updates wait", "trichter init")
            return
        yield Check(GOOD, "database", settings.database.url.split(":", 1)[0])
        yield from _people()
    except (database.DatabaseTrouble, peewee.PeeweeException) as error:
        known = isinstance(error, database.DatabaseTrouble)
        text = str(error) if known else database.explain(error)
        finding, _, fix = text.removeprefix("database: ").partition(" — ")
        yield Check(FAULT, "database", finding, fix)


def _people() -> Iterator[Check]:
    if not User.select().where(User.active).exists():
        yield Check(NOTE, "users", "there are none", "trichter user add LOGIN --name … --role …")
    elif not User.endpoints():
        yield Check(
            FAULT,
            "users",
            "none has a phone, so no call can be told to be a customer's",
            "trichter user add LOGIN … --endpoint PJSIP/101",
        )


def _asterisk(settings: Settings, database_ready: bool) -> Iterator[Check]:
    client = Client(settings.ari.url, settings.ari.username, settings.ari.password)
    try:
        version = client.version()
        mark = GOOD if int(version.split(".")[0]) >= OLDEST else FAULT
        yield Check(mark, "asterisk", version, "" if mark == GOOD else "use Asterisk 16 or newer")
        for check in (_linkedid, _application, _phones if database_ready else None):
            if check:
                yield from check(settings, client.request)
    except ValueError:
        yield Check(NOTE, "asterisk", "a version of its own; 16 and newer are known to work")
    except AriError as error:
        yield Check(FAULT, "asterisk", str(error), "see [ari] in trichter.toml, and ari.conf")
    finally:
        client.close()


Ask = Callable[..., Any]


def _linkedid(settings: Settings, ask: Ask) -> Iterator[Check]:
    """Only a live channel shows what ari.conf puts on it."""
    channels = ask("GET", "/channels")
    fix = f"ari.conf [general]: channelvars={LINKEDID}; then: asterisk -rx 'module reload res_ari'"
    if not channels:
        yield Check(NOTE, "linkedid", "can't be seen without a call; check again during one", fix)
    elif all(LINKEDID in (c.get("channelvars") or {}) for c in channels):
        yield Check(GOOD, "linkedid", "on every channel")
    else:
        yield Check(FAULT, "linkedid", "missing: legs of a call can't be told to be one call", fix)


def _application(settings: Settings, ask: Ask) -> Iterator[Check]:
    names = {app.get("name") for app in ask("GET", "/applications")}
    if settings.ari.app in names:
        yield Check(GOOD, "trichter ari", f"connected as {settings.ari.app}")
    else:
        yield Check(NOTE, "trichter ari", "not connected", "start 'trichter serve'")


def _phones(settings: Settings, ask: Ask) -> Iterator[Check]:
    known = {f"{e['technology']}/{e['resource']}" for e in ask("GET", "/endpoints")}
    for user in User.select().where(User.active, User.endpoint.is_null(False)).order_by(User.login):
        if user.endpoint not in known:
            yield Check(
                FAULT,
                f"phone of {user.login}",
                f"Asterisk has no endpoint {user.endpoint}",
                "see 'pjsip show endpoints'; names are case-sensitive",
            )


def _agi(settings: Settings) -> Iterator[Check]:
    host, _, port = settings.agi.bind.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        yield Check(GOOD, "trichter agi", f"listens on {settings.agi.bind}")
    except OSError:
        yield Check(NOTE, "trichter agi", "not running", "only needed for dialplans that use AGI")
