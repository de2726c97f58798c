"""The configuration: ``trichter.toml`` and environment variables, typed and checked.

Every key is also an environment variable ``TRICHTER_SECTION_KEY``, which wins over the file.
Unknown keys and bad values are errors that name the key, before anything starts.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers

from numbering import Prefixes

PLACES = (Path("trichter.toml"), Path("/etc/trichter/trichter.toml"))
NOTATIONS = ("national", "international", "e164")
DATABASE_SCHEMES = ("sqlite", "postgresql", "postgres", "mysql", "mariadb")


class SettingsError(Exception):
    """A configuration that can't be used; the message names the key and says what to write."""


def _url(*schemes: str) -> Any:
    def check(key: str, value: str) -> str:
        scheme, _, rest = value.partition("://")
        if scheme not in schemes or not rest.strip("/") or not _has_good_host(value):
            raise SettingsError(
                f"{key}: {_without_password(value)!r} is not an address that starts with "
                + ", ".join(f"{scheme}://" for scheme in schemes)
            )
        if scheme in ("http", "https") and "@" in urlsplit(value).netloc:
            raise SettingsError(f"{key}: no user and password in here, they have keys of their own")
        return value

    return check


def _has_good_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_host = parts.port != 0 and bool(parts.hostname)
    except ValueError:  # a port that is no number, or a bracket that is not closed
        return False
    # A database may be a file, or a server behind a local socket.
    return has_host or parts.scheme in DATABASE_SCHEMES


def _without_password(url: str) -> str:
    """What may stand in a message: no more than the start where there may be a password."""
    if not re.search("[@?]", url):
        return url
    return url.partition("://")[0] + "://…" if "://" in url else "…"


def _bind(key: str, value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise SettingsError(f"{key}: {value!r} is not HOST:PORT, for example 127.0.0.1:8080")
    return value


def _word(key: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value):
        raise SettingsError(f"{key}: {value!r} must be letters, digits, '_', '.' or '-'")
    return value


def _region(key: str, value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise SettingsError(f"{key}: {value!r} is not a country code such as DE, GB or US")
    return value


def _prefixes(key: str, value: tuple[str, ...]) -> tuple[str, ...]:
    try:
        Prefixes(value)
    except ValueError as error:
        raise SettingsError(f"{key}: {error}") from error
    return value


def _seconds(key: str, value: int) -> int:
    if not 1 <= value <= 300:
        raise SettingsError(f"{key}: {value} is not between 1 and 300 seconds")
    return value


def _records(key: str, value: str) -> str:
    """Nothing, a file, or the address of a database."""
    return _url(*DATABASE_SCHEMES)(key, value) if "://" in value else value


def _context(key: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,79}", value):
        raise SettingsError(f"{key}: {value!r} is not a context such as from-internal")
    return value


def _notation(key: str, value: str) -> str:
    if value not in NOTATIONS:
        raise SettingsError(f"{key}: {value!r} is none of {', '.join(NOTATIONS)}")
    return value


def _dialled(key: str, value: str) -> str:
    if not re.fullmatch(r"\+?[0-9]{0,12}", value):
        raise SettingsError(f"{key}: {value!r} must be digits, as they are dialled for a line")
    return value


def _timezone(key: str, value: str) -> str:
    try:
        if value:
            ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"{key}: {value!r} is no time zone such as Europe/Berlin") from error
    return value


def _folders(key: str, value: tuple[str, ...]) -> tuple[str, ...]:
    for folder in value:
        if not folder.startswith("/") or "\0" in folder:
            raise SettingsError(f"{key}: {folder!r} is not the whole path of a folder, from / on")
    return value


def _setting(default: Any, check: Any = None, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"check": check, "secret": secret})


@dataclass(frozen=True)
class Database:
    url: str = _setting("sqlite:///trichter.db", _url(*DATABASE_SCHEMES), secret=True)


@dataclass(frozen=True)
class Ari:
    url: str = _setting("http://127.0.0.1:8088", _url("http", "https"))
    username: str = _setting("trichter")
    password: str = _setting("", secret=True)
    app: str = _setting("trichter", _word)


@dataclass(frozen=True)
class Pbx:
    name: str = _setting("asterisk", _word)


@dataclass(frozen=True)
class Agi:
    bind: str = _setting("127.0.0.1:4573", _bind)


@dataclass(frozen=True)
class Panel:
    bind: str = _setting("127.0.0.1:8080", _bind)
    secret_key: str = _setting("", secret=True)
    public_url: str = _setting("http://127.0.0.1:8080", _url("http", "https"))


@dataclass(frozen=True)
class Numbers:
    region: str = _setting("DE", _region)
    prefixes: tuple[str, ...] = _setting((), _prefixes)
    own: tuple[str, ...] = _setting(())
    ignore: tuple[str, ...] = _setting(())


@dataclass(frozen=True)
class Calls:
    owner_seconds: int = _setting(15, _seconds)
    department_seconds: int = _setting(25, _seconds)
    cdr: str = _setting("", _records, secret=True)
    cdr_timezone: str = _setting("", _timezone)
    outbound_context: str = _setting("from-internal", _context)
    outbound_format: str = _setting("national", _notation)
    outbound_prefix: str = _setting("", _dialled)


@dataclass(frozen=True)
class Recordings:
    folders: tuple[str, ...] = _setting(
        ("/var/spool/asterisk/monitor", "/var/spool/asterisk/recording"), _folders
    )


@dataclass(frozen=True)
class Settings:
    """All sections. ``path`` is the file read, or None if there was none."""

    database: Database = Database()
    ari: Ari = Ari()
    pbx: Pbx = Pbx()
    agi: Agi = Agi()
    panel: Panel = Panel()
    numbers: Numbers = Numbers()
    calls: Calls = Calls()
    recordings: Recordings = Recordings()
    path: Path | None = None


SECTIONS: dict[str, Any] = {
    f.name: type(f.default) for f in dataclasses.fields(Settings) if f.name != "path"
}


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the file that ``TRICHTER_CONFIG`` names (default: see ``PLACES``) and the environment.

    Raises SettingsError.
    """
    environ = os.environ if environ is None else environ
    path = find(environ)
    document = _read(path) if path else {}
    values: dict[str, Any] = {}
    for name, section in SECTIONS.items():
        given = document.pop(name, {})
        if not isinstance(given, dict):
            raise SettingsError(f"{name}: write it as a section, [{name}]")
        values[name] = _section(name, section, given, environ)
    if document:
        known = ", ".join(f"[{name}]" for name in SECTIONS)
        raise SettingsError(f"{path}: unknown section [{next(iter(document))}]; there are {known}")
    _refuse_unknown_variables(environ)
    return Settings(**values, path=path)


def find(environ: Mapping[str, str]) -> Path | None:
    """The configuration file in force, or None. Raises SettingsError if a named one is missing."""
    named = environ.get("TRICHTER_CONFIG")
    if named:
        if not Path(named).is_file():
            raise SettingsError(f"TRICHTER_CONFIG: there is no file {named}")
        return Path(named)
    return next((place for place in PLACES if place.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: can't be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _section(name: str, section: Any, given: dict[str, Any], environ: Mapping[str, str]) -> Any:
    fields = {f.name: f for f in dataclasses.fields(section)}
    for key in given:
        if key not in fields:
            raise SettingsError(f"{name}.{key}: unknown key; [{name}] knows {', '.join(fields)}")
    values = {}
    for key, f in fields.items():
        variable = f"TRICHTER_{name}_{key}".upper()
        if variable in environ:
            values[key] = _typed(variable, environ[variable], f, text=True)
        elif key in given:
            values[key] = _typed(f"{name}.{key}", given[key], f)
    return section(**values)


def _typed(key: str, value: Any, f: dataclasses.Field[Any], text: bool = False) -> Any:
    kind = type(f.default)
    if text and kind is int:
        value = int(value) if re.fullmatch(r"-?\d{1,9}", value) else value
    if text and kind is tuple:
        value = [part.strip() for part in value.split(",") if part.strip()]
    if kind is tuple and isinstance(value, list) and all(isinstance(v, str) for v in value):
        value = tuple(value)
    if type(value) is not kind:
        wanted = {int: "a whole number", str: "a text in quotes", tuple: "a list of texts"}[kind]
        shown = "the value" if f.metadata["secret"] else repr(value)
        raise SettingsError(f"{key}: {shown} must be {wanted}")
    check = f.metadata["check"]
    return check(key, value) if check else value


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    known = {"TRICHTER_CONFIG"} | {
        f"TRICHTER_{name}_{f.name}".upper()
        for name, section in SECTIONS.items()
        for f in dataclasses.fields(section)
    }
    for variable in environ:
        if variable.startswith("TRICHTER_") and variable not in known:
            raise SettingsError(f"{variable}: unknown setting; known: {', '.join(sorted(known))}")
