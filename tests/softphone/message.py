"""SIP messages as text: parsing, building, addresses (RFC 3261, 7, 19.1 and 20)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

Headers = Iterable[tuple[str, str]]

REASONS = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    302: "Moved Temporarily",
    404: "Not Found",
    408: "Request Timeout",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    501: "Not Implemented",
    503: "Service Unavailable",
    603: "Decline",
}
SHORT_FORMS = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "k": "supported",
}


def token() -> str:
    """For tags, branches and call ids."""
    return secrets.token_hex(8)


def branch() -> str:
    """A new branch of a Via header, with the cookie of RFC 3261, 8.1.1.7."""
    return "z9hG4bK" + token()


def _key(name: str) -> str:
    lower = name.strip().lower()
    return SHORT_FORMS.get(lower, lower)


@dataclass
class Message:
    """A request or a response."""

    start: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: str = ""

    @classmethod
    def parse(cls, data: bytes) -> Message | None:
        """A datagram; None for what is no SIP, such as the blank lines that keep a NAT open."""
        text = data.decode("utf-8", "surrogateescape")
        head, _, body = text.partition("\r\n\r\n")
        lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        if "SIP/2.0" not in lines[0]:
            return None
        pairs = (line.partition(":") for line in lines[1:])
        return cls(lines[0], [(name.strip(), value.strip()) for name, _, value in pairs], body)

    def encode(self) -> bytes:
        """As it goes out, with Content-Length."""
        body = self.body.encode("utf-8", "surrogateescape")
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        return head.encode("utf-8", "surrogateescape") + body

    def every(self, name: str) -> list[str]:
        """All values of a header; for Via and routes one each, however they were written."""
        values = [value for key, value in self.headers if _key(key) == _key(name)]
        if _key(name) in ("via", "route", "record-route"):
            return [part.strip() for value in values for part in _split(value)]
        return values

    def first(self, name: str) -> str:
        """The first value of a header, or an empty text."""
        return next(iter(self.every(name)), "")

    @property
    def is_response(self) -> bool:
        return self.start.startswith("SIP/2.0 ")

    @property
    def status(self) -> int:
        return int(self.start.split()[1])

    @property
    def reason(self) -> str:
        """Status and phrase of a response: 486 Busy Here."""
        return self.start.partition(" ")[2]

    @property
    def method(self) -> str:
        """Of a request, or of the request that a response answers."""
        return self.first("CSeq").split()[-1] if self.is_response else self.start.split()[0]

    @property
    def uri(self) -> str:
        return self.start.split()[1]

    @property
    def number(self) -> int:
        """The number in CSeq."""
        return int(self.first("CSeq").split()[0])

    @property
    def branch(self) -> str:
        """Of the topmost Via."""
        return parameter(self.first("Via"), "branch")


def _split(value: str) -> list[str]:
    """At the commas that are neither in quotes nor in angle brackets."""
    return re.findall(r'(?:"(?:\\.|[^"\\])*"|<[^>]*>|[^,"<])+', value)


def parameter(value: str, name: str) -> str:
    """A parameter of a header, behind the address: `tag` of `<sip:x>;tag=1`."""
    outside = re.sub(r'"(?:\\.|[^"\\])*"|<[^>]*>', "", value)
    found = re.search(rf";\s*{name}\s*=\s*([^;\s]+)", outside, re.IGNORECASE)
    return found[1] if found else ""


def address(value: str) -> str:
    """The URI of an address header."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"', "", value)
    found = re.search(r"<([^>]*)>", bare)
    return found[1] if found else bare.partition(";")[0].strip()


def display(value: str) -> str:
    """The name of an address header, without quotes; empty where there is none."""
    quoted = re.match(r'\s*"((?:\\.|[^"\\])*)"', value)
    if quoted:
        return re.sub(r"\\(.)", r"\1", quoted[1])
    return value.partition("<")[0].strip() if "<" in value else ""


def user(uri: str) -> str:
    """What stands before the @ of a SIP URI, %XX decoded, without parameters."""
    found = re.match(r"sips?:([^@;]*)[^@]*@", uri)
    raw = found[1] if found else ""
    encoded = raw.encode("utf-8", "surrogateescape")
    plain = re.sub(rb"%([0-9A-Fa-f]{2})", lambda hexed: bytes([int(hexed[1], 16)]), encoded)
    return plain.decode("utf-8", "surrogateescape")


def escaped(text: str) -> str:
    """A text as the user of a SIP URI."""
    return re.sub(
        rb"[^A-Za-z0-9_.!~*'()&=+$,?/-]",
        lambda odd: b"%%%02X" % odd[0][0],
        text.encode("utf-8", "surrogateescape"),
    ).decode()


def name_address(uri: str, name: str | None = None) -> str:
    """An address header with an optional name."""
    if name is None:
        return f"<{uri}>"
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{uri}>'
