"""The folders of recordings, and whether what was recorded lately is in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from database import DATABASE_ERRORS
from doctor.check import FAULT, GOOD, NOTE, Check
from errors import Sentence, Words
from models import Call
from settings import Settings
from telephony import recorded
from verbs import recordings

LATELY = 20
"""The newest calls with a recording, whose files are looked for."""
LIMITS = {
    "missing": Words(
        "are they deleted, or on another machine? see docs/administrator.md, Recordings"
    ),
    "outside": Words("[recordings] folders: name the folder that they lie in"),
    "unreadable": Words("usermod -aG asterisk USER, for Trichter's user; then restart Trichter"),
    "refused": Words(
        "the dialplan's MixMonitor: a name in a folder of recordings, such as CALL.wav"
    ),
}
WHY = {
    "missing": Words("files missing"),
    "outside": Words("files outside"),
    "unreadable": Words("files unreadable"),
    "refused": Words("files refused"),
}
SUBJECT = Words("recordings")


def checks(settings: Settings, database_ready: bool) -> Iterator[Check]:
    folders = settings.recordings.folders
    used = _lately() if database_ready else []
    wanted = database_ready and (bool(used) or _by_rule())
    for folder in folders:
        if trouble := _trouble(Path(folder)):
            finding, fix = trouble
            # An exchange that records nothing need not have any.
            told = Sentence("{folder}: {finding}", folder=folder, finding=finding)
            yield Check(FAULT if wanted else NOTE, SUBJECT, told, fix)
        else:
            yield Check(GOOD, SUBJECT, folder)
    yield from _files(folders, used)


def _lately() -> list[Call]:
    has_one = Call.recording.is_null(False) & Call.ended_at.is_null(False)
    query = Call.select().where(has_one).order_by(Call.started_at.desc()).limit(LATELY)
    try:
        return list(query)
    except DATABASE_ERRORS:
        return []  # said already


def _by_rule() -> bool:
    try:
        return recordings.are_wanted()
    except DATABASE_ERRORS:
        return False  # said already


def _trouble(folder: Path) -> tuple[str, str] | None:
    try:
        if not folder.is_dir():
            return Words("there is no such folder"), Sentence(
                "[recordings] folders; or, where Asterisk records: {command}",
                command=f"install -d -o asterisk -g asterisk -m 2750 {folder}",
            )
    except OSError:
        pass  # a folder above it is closed to us
    if not os.access(folder, os.R_OK | os.X_OK):
        return Words("can't be read by this user"), LIMITS["unreadable"]
    return None


def _files(folders: tuple[str, ...], calls: list[Call]) -> Iterator[Check]:
    found: dict[str, list[str]] = {}
    for call in calls:
        name = str(call.recording)
        try:
            recorded.opened(folders, name, call.started_at)[0].close()
        except recorded.NotThere as error:
            found.setdefault(error.why, []).append(name)
    for why, names in found.items():
        finding = Sentence(
            "{why}: {some} of the last {all}, the newest: {newest}",
            some=len(names),
            all=len(calls),
            why=WHY[why],
            newest=repr(names[0][:120]),
        )
        yield Check(FAULT, SUBJECT, finding, LIMITS[why])
