"""A request to ARI as HTTP has it: address, log-in, path and parameters.

Asterisk 22 takes a request line of at most 4,096 bytes (else 400) and a body of at most 40,960
(else 413). It reads parameters from the query, from a form and from JSON alike.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

LONGEST_QUERY = 2000  # bytes; above it parameters travel as a form, to stay clear of 4,096 a line


def base_of(url: str) -> str:
    """The address of ARI for the configured address of Asterisk's HTTP server.

    `http://pbx:8088` and `http://pbx:8088/ari` mean the same; a `prefix` of http.conf stays in.
    Raises ValueError, without repeating the address, if it holds a password or is no http address.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError(
            "[ari] url must not hold a user or password: use [ari] username and password"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("[ari] url must be like http://127.0.0.1:8088")
    path = parts.path.rstrip("/").removesuffix("/ari")
    return f"{parts.scheme}://{parts.netloc}{path}/ari"


def authorization(username: str, password: str) -> str:
    """The value of the Authorization header (RFC 7617, UTF-8)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def text_of(value: Any) -> str:
    """A parameter as ARI reads it: booleans as true/false, lists joined by commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(text_of(item) for item in value)
    return str(value)


def path_with(template: str, ids: Mapping[str, Any]) -> str:
    """Fill `{channelId}` and its like, quoted. Raises TypeError for an id missing or empty."""

    def fill(match: re.Match[str]) -> str:
        given = ids.get(match[1])
        value = "" if given is None else text_of(given)
        if not value:
            raise TypeError(f"{template} needs a {match[1]}")
        # A name that is only dots would be taken for a step up in the path.
        dots = not value.strip(".")
        return value.replace(".", "%2E") if dots else quote(value, safe="", errors="replace")

    return re.sub(r"\{(\w+)\}", fill, template)


@dataclass(frozen=True)
class Content:
    """Parameters on their way: in the query, or in the body, whose type ``kind`` names."""

    query: str
    body: bytes | None = None
    kind: str = ""

    @classmethod
    def of(cls, method: str, parameters: Mapping[str, Any], body: Any) -> Content:
        """``body``: what goes as JSON, None for nothing; parameters that are None are left out."""
        text = {name: text_of(value) for name, value in parameters.items() if value is not None}
        fields = urlencode(text, quote_via=quote, errors="replace")
        if body is not None:
            data = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
            return cls(fields, data, "application/json")
        if len(fields) > LONGEST_QUERY and method in ("POST", "PUT"):
            return cls("", fields.encode("ascii"), "application/x-www-form-urlencoded")
        return cls(fields)
