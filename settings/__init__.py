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

from settings import checks
from settings.checks import SettingsError

PLACES = (Path("trichter.toml"), Path("/etc/trichter/trichter.toml"))


def _setting(default: Any, check: Any = None, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"check": check, "secret": secret})


@dataclass(frozen=True)
class Database:
    url: str = _setting("sqlite:///trichter.db", checks.url(*checks.DATABASE_SCHEMES), secret=True)


@dataclass(frozen=True)
class Ari:
    url: str = _setting("http://127.0.0.1:8088", checks.url("http", "https"))
    username: str = _setting("trichter")
    password: str = _setting("", secret=True)
    app: str = _setting("trichter", checks.word)


@dataclass(frozen=True)
class Pbx:
    name: str = _setting("asterisk", checks.word)


@dataclass(frozen=True)
class Agi:
    bind: str = _setting("127.0.0.1:4573", checks.bind)


@dataclass(frozen=True)
class Panel:
    bind: str = _setting("127.0.0.1:8080", checks.bind)
    secret_key: str = _setting("", secret=True)
    public_url: str = _setting("http://127.0.0.1:8080", checks.url("http", "https"))
    currency: str = _setting("EUR", checks.currency)


@dataclass(frozen=True)
class Numbers:
    region: str = _setting("DE", checks.region)
    prefixes: tuple[str, ...] = _setting((), checks.prefixes)
    own: tuple[str, ...] = _setting(())
    ignore: tuple[str, ...] = _setting(())


@dataclass(frozen=True)
class Calls:
    owner_seconds: int = _setting(15, checks.seconds)
    department_seconds: int = _setting(25, checks.seconds)
    cdr: str = _setting("", checks.records, secret=True)
    cdr_timezone: str = _setting("", checks.timezone)
    outbound_context: str = _setting("from-internal", checks.context)
    outbound_format: str = _setting("national", checks.notation)
    outbound_prefix: str = _setting("", checks.dialled)
    outbound_seconds: int = _setting(30, checks.seconds)


@dataclass(frozen=True)
class Recordings:
    folders: tuple[str, ...] = _setting(
        ("/var/spool/asterisk/monitor", "/var/spool/asterisk/recording"), checks.folders
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
