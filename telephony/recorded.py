"""Where the recording of a call lies: a name as the exchange gave it → a file that may be served.

Names come from a network and from other programs' databases, so they are hostile until proven
otherwise: what leads out of the recording folders, or to anything but a file, is not there.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

TYPES = {
    ".wav": "audio/wav",
    # Asterisk's WAV (wav49) is GSM in a WAV file: browsers can't play it, other programs can.
    ".WAV": "audio/wav",
    ".wav49": "audio/wav",
    ".gsm": "audio/gsm",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".webm": "audio/webm",
}
"""What is served, by the end of the name. No other file is a recording."""

LONGEST = 255
USUAL = ("monitor", "recording")
"""What Asterisk calls its folders of recordings."""
_DAY_IN_NAME = re.compile(r"-(\d{4})(\d{2})(\d{2})-\d{6}")
DAY = timedelta(days=1)


_NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}


class NotThere(Exception):
    """No such file in the recording folders. ``why`` is for the log and the doctor: missing,
    unreadable, outside (of the folders), or refused (no name of a file, or of something else)."""

    def __init__(self, why: str, name: str) -> None:
        super().__init__(f"{why}: {name[:LONGEST]!r}")
        self.why = why


def opened(folders: Iterable[str], name: str, at: datetime) -> tuple[BinaryIO, str]:
    """The recording ``name`` of a call that began ``at``, and its content type. Raises NotThere."""
    parts = Path(name).parts if 0 < len(name) <= LONGEST else ()
    if not parts or ".." in parts or not name.isprintable():
        raise NotThere("refused", name)
    roots = [Path(os.path.realpath(folder)) for folder in folders]
    why = "missing" if any(_leads_into(parts, root) for root in folders) else "outside"
    for place in (place for root in folders for place in _places(root, parts, at)):
        try:
            return _open(place, roots), TYPES[place.suffix]
        except _Refused as refusal:
            raise NotThere(str(refusal), name) from None
        except OSError as error:
            if error.errno not in _NO_FILE:
                why = "unreadable"
    raise NotThere(why, name)


def remove(folders: Iterable[str], name: str, at: datetime) -> bool:
    """Deletes the recording ``name`` of a call that began ``at``, in whatever forms it is kept.
    False: it is gone already. Raises NotThere for what is no recording of these folders or can't be
    deleted, and where a folder itself is missing, so that nobody knows."""
    known = list(folders)
    if not known or not all(Path(folder).is_dir() for folder in known):
        raise NotThere("unreadable", name)
    removed = False
    for _form in range(len(TYPES) + 1):
        try:
            file, _kind = opened(known, name, at)
        except NotThere as error:
            if error.why == "missing":
                return removed
            raise
        with file:
            _unlink(file, name)
        removed = True
    raise NotThere("refused", name)


def _unlink(file: BinaryIO, name: str) -> None:
    """The file that was opened, and no other that has taken its name since."""
    place = Path(f"/proc/self/fd/{file.fileno()}").readlink()
    try:
        folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        raise NotThere("unreadable", name) from None
    try:
        there, mine = (
            os.stat(place.name, dir_fd=folder, follow_symlinks=False),
            os.fstat(file.fileno()),
        )
        if (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino):
            raise NotThere("refused", name)
        os.unlink(place.name, dir_fd=folder)
    except OSError:
        raise NotThere("unreadable", name) from None
    finally:
        os.close(folder)


class _Refused(Exception):
    """It is there, but must not be served."""


def _leads_into(parts: tuple[str, ...], folder: str) -> bool:
    return bool(_below(parts, folder))


def _below(parts: tuple[str, ...], folder: str) -> tuple[str, ...]:
    """The part of a name that is below a recording folder; () if it is none of that folder. The
    exchange may have the folder at another place than we: what follows its usual name counts."""
    if parts[0] != "/":
        return parts
    root = Path(folder).parts
    if parts[: len(root)] == root:
        return parts[len(root) :]
    usual = [at for at, part in enumerate(parts[:-1]) if part in USUAL and part == root[-1]]
    return parts[usual[-1] + 1 :] if usual else ()


def _places(folder: str, parts: tuple[str, ...], at: datetime) -> Iterator[Path]:
    """Where it can be: as it is named, with the end of a kind that is served, and, of a bare name,
    in the folder of its day, as FreePBX keeps them."""
    below = _below(parts, folder)
    if not below:
        return
    days = [""] if len(below) > 1 else ["", *_days(below[0], at)]
    for day in days:
        place = Path(folder, day, *below)
        if place.suffix in TYPES:
            yield place
        else:
            yield from (place.with_name(place.name + end) for end in TYPES)


def _days(name: str, at: datetime) -> Iterator[str]:
    """FreePBX writes the day into the name; else that of the call, wherever the exchange stands."""
    if found := _DAY_IN_NAME.search(name):
        yield "/".join(found.groups())
    # By their names: the same moment here and in UTC is equal, and may be of two days.
    yield from dict.fromkeys(f"{day:%Y/%m/%d}" for day in (at.astimezone(), at, at - DAY, at + DAY))


def _open(place: Path, roots: list[Path]) -> BinaryIO:
    """The file, if it is one and, all links followed, within the folders. Raises OSError."""
    real = Path(os.path.realpath(place, strict=True))
    _check(real, roots)
    if not stat.S_ISREG(real.stat().st_mode):
        raise _Refused("refused")
    # Not blocking: it could have become a pipe since, in which nobody writes.
    handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # What was opened, not what the name meant a moment ago.
        _check(Path(f"/proc/self/fd/{handle}").readlink(), roots)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise _Refused("refused")
    except (_Refused, OSError):
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def _check(real: Path, roots: list[Path]) -> None:
    if not any(real.is_relative_to(root) for root in roots):
        raise _Refused("outside")
