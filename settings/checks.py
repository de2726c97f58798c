"""What the values of the configuration have to look like: each check gets the key, for its message,
and the value, which it returns. They raise SettingsError."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from babel.numbers import list_currencies

from telephony.numbering import Prefixes

NOTATIONS = ("national", "international", "e164")
DATABASE_SCHEMES = ("sqlite", "postgresql", "postgres", "mysql", "mariadb")


class SettingsError(Exception):
    """A configuration that can't be used; the message names the key and says what to write."""


def url(*schemes: str) -> Any:
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


def bind(key: str, value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise SettingsError(f"{key}: {value!r} is not HOST:PORT, for example 127.0.0.1:8080")
    return value


def word(key: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value):
        raise SettingsError(f"{key}: {value!r} must be letters, digits, '_', '.' or '-'")
    return value


def region(key: str, value: str) -> str:
    if value not in phonenumbers.SUPPORTED_REGIONS:
        raise SettingsError(f"{key}: {value!r} is not a country code such as DE, GB or US")
    return value


def currency(key: str, value: str) -> str:
    if value not in list_currencies():
        raise SettingsError(f"{key}: {value!r} is not a currency code such as EUR, CHF or USD")
    return value


def prefixes(key: str, value: tuple[str, ...]) -> tuple[str, ...]:
    try:
        Prefixes(value)
    except ValueError as error:
        raise SettingsError(f"{key}: {error}") from error
    return value


def seconds(key: str, value: int) -> int:
    if not 1 <= value <= 300:
        raise SettingsError(f"{key}: {value} is not between 1 and 300 seconds")
    return value


def records(key: str, value: str) -> str:
    """Nothing, a file, or the address of a database."""
    return url(*DATABASE_SCHEMES)(key, value) if "://" in value else value


def context(key: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,79}", value):
        raise SettingsError(f"{key}: {value!r} is not a context such as from-internal")
    return value


def notation(key: str, value: str) -> str:
    if value not in NOTATIONS:
        raise SettingsError(f"{key}: {value!r} is none of {', '.join(NOTATIONS)}")
    return value


def dialled(key: str, value: str) -> str:
    if not re.fullmatch(r"\+?[0-9]{0,12}", value):
        raise SettingsError(f"{key}: {value!r} must be digits, as they are dialled for a line")
    return value


def timezone(key: str, value: str) -> str:
    try:
        if value:
            ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise SettingsError(f"{key}: {value!r} is no time zone such as Europe/Berlin") from error
    return value


def folders(key: str, value: tuple[str, ...]) -> tuple[str, ...]:
    for folder in value:
        if not folder.startswith("/") or "\0" in folder:
            raise SettingsError(f"{key}: {folder!r} is not the whole path of a folder, from / on")
    return value
