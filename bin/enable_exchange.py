"""Puts into an existing Asterisk's configuration what Trichter needs and is not there, writes
trichter.toml and makes the database. The dialplan stays as it is. A second run changes nothing."""

from __future__ import annotations

import argparse
import os
import re
import secrets
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VARIABLES = "CHANNEL(linkedid),MIXMONITOR_FILENAME"
"""What ari.conf's sample has Asterisk tell of each channel."""
CHANNELVARS = r"^[ \t]*channelvars[ \t]*=>?[ \t]*([^;\n]*[^;\s])"
SAMPLE_PASSWORD = "change-this-password"  # noqa: S105 (what the sample says, to be replaced)


class CannotEnable(Exception):
    """One line that says what to do instead."""


@dataclass(frozen=True)
class Place:
    """Where things are; ``asterisk`` asks the running exchange (``asterisk -rx`` by default);
    ``language``: of the first funnel, en, de or ru."""

    etc: Path
    config: Path
    data: Path
    asterisk: tuple[str, ...]
    dry_run: bool
    language: str = "en"

    def ask(self, command: str) -> str:
        """What Asterisk's console says; '' if it does not run."""
        if not shutil.which(self.asterisk[0]):
            return ""
        asked = subprocess.run(
            [*self.asterisk, "-rx", command], capture_output=True, text=True, check=False
        )
        return asked.stdout if asked.returncode == 0 else ""


def enable(place: Place) -> Iterator[str]:
    """Do what is missing; yields a line for each step. Raises CannotEnable before any change."""
    if (place.etc.parent / "freepbx.conf").exists():
        raise CannotEnable("this is FreePBX, which writes these files itself: see the section "
                           "FreePBX of docs/administrator.md")  # fmt: skip
    if not place.etc.is_dir():
        raise CannotEnable(f"there is no folder {place.etc}: give Asterisk's with --asterisk-etc")
    password = secrets.token_urlsafe(18)
    yield _http(place)
    made_user = not _has(place.etc / "ari.conf", r"^\[trichter\]")
    yield _ari(place, password if made_user else None)
    yield _reload(place)
    yield _toml(place, password if made_user else "")
    yield _database(place)


def _http(place: Place) -> str:
    path = place.etc / "http.conf"
    if "Server Enabled" in place.ask("http show status") or _has(path, r"^\s*enabled\s*=\s*yes"):
        return f"{path}: the web server is enabled already, left as it is"
    return _append(place, path, _sample("http.conf"))


def _web_server(place: Place) -> str:
    """Where the running Asterisk listens, else where the sample lets it."""
    found = re.search(r"Bound to (\S+):(\d+)", place.ask("http show status"))
    host, port = found.groups() if found else ("127.0.0.1", "8088")
    return f"http://{'127.0.0.1' if host in ('0.0.0.0', '[::]') else host}:{port}"  # noqa: S104


def _ari(place: Place, password: str | None) -> str:
    path = place.etc / "ari.conf"
    if password is None:
        added = _name_variables(place, path)
        return f"{path}: has a user [trichter] already, {added or 'left as it is'}"
    sample = _sample("ari.conf").replace(SAMPLE_PASSWORD, password)
    # Of two such lines only the last one counts: ours names what theirs does, too.
    names = ",".join(dict.fromkeys([*VARIABLES.split(","), *_named_variables(path)]))
    sample = sample.replace(f"channelvars={VARIABLES}", f"channelvars={names}")
    done = _append(place, path, sample)
    if path.exists() and path.stat().st_mode & stat.S_IROTH:
        # Not done here: only who knows Asterisk's user can close it to all but that one.
        closed = f"chown asterisk: {path} && chmod 640 {path}"
        return f"{done}; everybody on this machine can read the password in it, so: {closed}"
    return done


def _named_variables(path: Path) -> list[str]:
    """Names of the last ``channelvars`` of a file; those with a bracket hold no comma."""
    lines = re.findall(CHANNELVARS, path.read_text(errors="replace"), re.M) if path.exists() else []
    return [name.strip() for name in lines[-1].split(",") if name.strip()] if lines else []


def _name_variables(place: Place, path: Path) -> str:
    """Names that an earlier Trichter did not ask for are put to the others; says which."""
    named = _named_variables(path)
    missing = [name for name in VARIABLES.split(",") if name not in named]
    if not named or not missing:
        return ""
    if not place.dry_run:
        text = path.read_text()
        last = [*re.finditer(CHANNELVARS, text, re.M)][-1]
        path.write_text(f"{text[: last.end()]},{','.join(missing)}{text[last.end() :]}")
    return f"channelvars names {', '.join(missing)} now"


def _toml(place: Place, password: str) -> str:
    if place.config.exists():
        return f"{place.config}: is there already, left as it is"
    text = (ROOT / "docs" / "trichter.toml").read_text()
    text = text.replace('password = ""  ', f'password = "{password}"  ')
    text = text.replace('secret_key = ""', f'secret_key = "{secrets.token_hex(32)}"')
    text = text.replace("http://127.0.0.1:8088", _web_server(place))
    text = text.replace("/var/lib/trichter", str(place.data.absolute()))
    if not place.dry_run:
        place.config.parent.mkdir(parents=True, exist_ok=True)
        place.config.touch(mode=0o600)
        place.config.write_text(text)
    known = "" if password else ", but write the password of ari.conf's [trichter] into it"
    return f"{place.config}: written{known}"


def _reload(place: Place) -> str:
    commands = ("module reload http", "module reload res_ari.so")
    if not place.ask("core show version"):
        return "Asterisk does not run: start it, and it has the new settings"
    if not place.dry_run:
        for command in commands:
            place.ask(command)
    return "Asterisk: " + ", ".join(commands)


def _database(place: Place) -> str:
    if place.dry_run:
        return f"{place.data}: trichter init"
    place.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    done = subprocess.run(
        [sys.executable, "-m", "trichter", "init", "--language", place.language],
        cwd=ROOT,
        env={**os.environ, "TRICHTER_CONFIG": str(place.config)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotEnable((done.stderr or done.stdout).strip().splitlines()[-1])
    return done.stdout.strip()


def _sample(name: str) -> str:
    return (ROOT / "asterisk_conf" / name).read_text()


def _has(path: Path, pattern: str) -> bool:
    return path.exists() and bool(re.search(pattern, path.read_text(errors="replace"), re.M))


def _append(place: Place, path: Path, text: str) -> str:
    """Put a sample at the end of a file; of a file that is missing or empty it is all there is."""
    if not _has(path, r"^\[general\]"):
        text = text.replace("[general](+)", "[general]")
    if not place.dry_run:
        made = not path.exists()
        with path.open("a") as file:
            # The last line of what stands there need not have an end.
            file.write("\n" + text)
        if made:
            shutil.copymode(place.etc / "asterisk.conf", path)
            owner = (place.etc / "asterisk.conf").stat()
            os.chown(path, owner.st_uid, owner.st_gid)
    return f"{path}: lines put at its end"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/enable", description=__doc__)
    parser.add_argument("--asterisk-etc", type=Path, default=Path("/etc/asterisk"))
    parser.add_argument("--config", type=Path, default=Path("/etc/trichter/trichter.toml"))
    parser.add_argument("--data", type=Path, default=Path("/var/lib/trichter"))
    parser.add_argument("--asterisk", default="asterisk", help="how Asterisk's console is asked")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    names = "of the first funnel's stages (default: en)"
    parser.add_argument("--language", choices=("en", "de", "ru"), default="en", help=names)
    given = parser.parse_args()
    console = tuple(given.asterisk.split())
    place = Place(
        given.asterisk_etc, given.config, given.data, console, given.dry_run, given.language
    )
    try:
        for line in enable(place):
            print(("would: " if given.dry_run else "") + line, flush=True)
    except (CannotEnable, OSError) as fault:
        print(f"bin/enable: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
