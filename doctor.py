"""``trichter doctor``: every dependency and setting Trichter needs, each with a fix."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import peewee

import database
from agi_scripts.protocol import FAILURE
from ari_app.client import AriError, Client, Gone, Unauthorized
from ari_app.events import LINKEDID
from ari_app.records import opened
from ari_app.row import Clock, SourceError, shown
from models import Call, User
from settings import Settings

GOOD, NOTE, FAULT = "ok", "note", "FAULT"
OLDEST = 16
SAMPLE_PASSWORD = "change-this-password"  # noqa: S105 (known to everybody)
RELOAD = "asterisk -rx 'module reload res_ari.so'"
HTMX = Path(__file__).parent / "panel" / "static" / "vendor" / "htmx.min.js"
MOST_BYTES = 64 * 1024
NO_ARI = 404
SLOW = timedelta(minutes=10)
"""By which CDR may be late: it can be written in batches."""


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
    yield from _records(settings)
    yield from _panel(settings)
    yield from _agi(settings)


def _configuration(settings: Settings) -> Iterator[Check]:
    if settings.path is None:
        yield Check(NOTE, "configuration", "no trichter.toml, defaults and environment only")
    else:
        yield Check(GOOD, "configuration", str(settings.path))
        mode = settings.path.stat().st_mode
        in_address = urlsplit(settings.database.url).password
        secrets = (settings.ari.password, settings.panel.secret_key, in_address)
        if mode & stat.S_IROTH and any(secrets):
            yield Check(
                FAULT,
                "configuration",
                "holds a secret and can be read by everybody",
                f"chmod o-rwx {settings.path}",
            )
    if settings.ari.password == SAMPLE_PASSWORD:
        fix = "write one of your own into ari.conf and trichter.toml; then: " + RELOAD
        yield Check(FAULT, "ari.password", "is the sample's, which everybody knows", fix)
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
            finding = f"tables are missing or old: {len(pending)} to be applied"
            yield Check(FAULT, "database", finding, "trichter init")
            return
        database.try_to_write()
        yield Check(GOOD, "database", settings.database.url.split(":", 1)[0])
        yield from _database_file()
        yield from _people()
    except (database.DatabaseTrouble, peewee.PeeweeException) as error:
        known = isinstance(error, database.DatabaseTrouble)
        text = str(error) if known else database.explain(error)
        finding, _, fix = text.removeprefix("database: ").partition(" — ")
        yield Check(FAULT, "database", finding, fix)


def _database_file() -> Iterator[Check]:
    if not isinstance(database.database.obj, peewee.SqliteDatabase):
        return
    file = Path(database.database.obj.database).resolve()
    is_reached = all(folder.stat().st_mode & stat.S_IXOTH for folder in file.parents)
    if is_reached and file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        yield Check(
            FAULT,
            "database file",
            "holds customers and password hashes, and every user of this machine can open it",
            f"chmod o-rwx {file}*",
        )


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
        checks = (_linkedid, _rights, _application, _phones if database_ready else None)
        for check in checks:
            if check:
                yield from check(settings, client.request)
    except ValueError:
        yield Check(NOTE, "asterisk", "a version of its own; 16 and newer are known to work")
    except AriError as error:
        yield Check(FAULT, "asterisk", str(error), _way_in(error))
    finally:
        client.close()


def _way_in(error: AriError) -> str:
    if isinstance(error, Unauthorized):
        return "trichter.toml [ari]: the name and password of Trichter's section in ari.conf"
    if error.status == NO_ARI:
        return f"ari.conf [general]: enabled=yes; then: {RELOAD}"
    return (
        "http.conf [general]: enabled=yes; then: asterisk -rx 'module reload http'. "
        "[ari] url is the address that this shows: asterisk -rx 'http show status'"
    )


Ask = Callable[..., Any]


def _linkedid(settings: Settings, ask: Ask) -> Iterator[Check]:
    """Only a live channel shows what ari.conf puts on it."""
    channels = ask("GET", "/channels")
    fix = f"ari.conf [general]: channelvars={LINKEDID}; then: {RELOAD}"
    if not channels:
        yield Check(NOTE, "linkedid", "can't be seen without a call; check again during one", fix)
    elif all(LINKEDID in (c.get("channelvars") or {}) for c in channels):
        yield Check(GOOD, "linkedid", "on every channel")
    else:
        yield Check(FAULT, "linkedid", "missing: legs of a call can't be told to be one call", fix)


def _rights(settings: Settings, ask: Ask) -> Iterator[Check]:
    """Rights come before the look for the channel, which is none."""
    try:
        ask("DELETE", "/channels/{channelId}", channelId="trichter-doctor")
    except Unauthorized:
        fix = f"to route, ari.conf [{settings.ari.username}]: read_only=no; then: {RELOAD}"
        yield Check(NOTE, "ari user", "may only read: calls are recorded, but not routed", fix)
    except Gone:
        return


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


def _records(settings: Settings) -> Iterator[Check]:
    """Where the calls are found that nobody heard."""
    subject, source = "calls.cdr", settings.calls.cdr
    if not source:
        fix = "[calls] cdr: Asterisk's Master.csv or CDR database; see asterisk_conf/cdr.conf"
        yield Check(NOTE, subject, "not set: calls while Trichter is away are not entered", fix)
        return
    try:
        with opened(source, Clock(settings.calls.cdr_timezone)) as tables:
            kinds = " and ".join(table.kind.upper() for table in tables)
    except SourceError as error:
        fix = "name a file or database that this user may read; asterisk -rx 'cdr show status'"
        yield Check(FAULT, subject, str(error), fix)
        return
    if "://" not in source and _has_stopped(Path(source)):
        fix = "asterisk -rx 'cdr show status' and 'cel show status'; is it the right file?"
        yield Check(FAULT, subject, f"{source} does not grow, though there are calls", fix)
    else:
        yield Check(GOOD, subject, f"{kinds} from {shown(source)}")


def _has_stopped(file: Path) -> bool:
    """Whether calls have ended since it was last written."""
    written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    try:
        latest = Call.select(peewee.fn.MAX(Call.ended_at)).where(~Call.guessed_end).scalar()
    except database.DATABASE_ERRORS:
        return False  # said above
    return bool(latest) and latest - written > SLOW


def _panel(settings: Settings) -> Iterator[Check]:
    subject, keys = "trichter panel", "[panel] bind and public_url"
    if not HTMX.is_file():
        fix = "bin/setup --run-only, in Trichter's folder; before an installation with pip"
        yield Check(FAULT, subject, f"{HTMX} is missing, pages are not live", fix)
    request = b"GET /healthz HTTP/1.0\r\n\r\n"
    yield _server(subject, settings.panel.bind, keys, request, _health, "start 'trichter serve'")


def _health(answer: bytes) -> str:
    health = json.loads(answer.partition(b"\r\n\r\n")[2])
    return "" if health["status"] == "ok" else str(health["advice"])


def _agi(settings: Settings) -> Iterator[Check]:
    """Nobody is called "unknown", so the right answer is to set nothing."""
    request = b"agi_network: yes\nagi_network_script: lookup_caller\nagi_callerid: unknown\n\n"
    idle = "only needed for dialplans that use AGI"
    yield _server("trichter agi", settings.agi.bind, "[agi] bind", request, _look_up, idle)


def _look_up(answer: bytes) -> str:
    if answer not in (b"", FAILURE):
        raise ValueError("no AGI")
    return "see the log of 'trichter agi'" if answer else ""


def _server(
    subject: str, bind: str, keys: str, request: bytes, trouble: Callable[[bytes], str], idle: str
) -> Check:
    try:
        advice = trouble(_said(bind, request))
    except ConnectionRefusedError:
        return Check(NOTE, subject, "not running", idle)
    except (OSError, ValueError, TypeError, LookupError):
        fix = f"end it, or set {keys} to another address"
        return Check(FAULT, subject, f"on {bind} answers another program, or none", fix)
    if advice:
        return Check(FAULT, subject, "can't use the database", advice)
    return Check(GOOD, subject, f"answers on {bind}")


def _said(bind: str, request: bytes) -> bytes:
    """All that a server answers within a second or two. Raises OSError."""
    host, _, port = bind.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=2) as connection:
        connection.sendall(request)
        answer = b""
        while (got := connection.recv(4096)) and len(answer) < MOST_BYTES:
            answer += got
        return answer
