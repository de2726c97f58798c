"""Asterisk's side of AGI, for tests: its environment, and its reading of commands (res_agi.c)."""

from __future__ import annotations

import itertools
import socket
from dataclasses import dataclass, field

from agi_scripts.server import Server

ENVIRONMENT = {
    "agi_network": "yes",
    "agi_network_script": "lookup_caller",
    "agi_request": "agi://127.0.0.1/lookup_caller",
    "agi_channel": "PJSIP/trunk-00000001",
    "agi_language": "en",
    "agi_type": "PJSIP",
    "agi_uniqueid": "1700000000.1",
    "agi_version": "22.10.1",
    "agi_callerid": "+493044701182",
    "agi_calleridname": "Müller",
    "agi_callingpres": "0",
    "agi_dnid": "unknown",
    "agi_rdnis": "unknown",
    "agi_context": "trichter-inbound-agi",
    "agi_extension": "493055500",
    "agi_priority": "3",
    "agi_enhanced": "0.0",
    "agi_accountcode": "",
    "agi_threadid": "140000000000000",
}


def environment(**changes: str | bytes) -> bytes:
    """The lines that begin a request; ``changes`` without 'agi_', e.g. callerid="unknown"."""
    said = ENVIRONMENT | {f"agi_{name}": value for name, value in changes.items()}
    lines = (
        name.encode() + b": " + (value if isinstance(value, bytes) else value.encode())
        for name, value in said.items()
    )
    return b"\n".join([*lines, b"", b""])


def words(line: bytes) -> list[bytes]:
    """A command as Asterisk splits it: quotes hold blanks, a backslash makes the next literal."""
    found: list[bytearray] = []
    quoted = escaped = False
    between = True
    for byte in line.rstrip(b"\n"):
        sign = bytes([byte])
        if sign == b'"' and not escaped:
            quoted = not quoted
            if quoted and between:
                found.append(bytearray())
                between = False
        elif sign in b" \t" and not quoted and not escaped:
            between = True
        elif sign == b"\\" and not escaped:
            escaped = True
            continue
        else:
            if between:
                found.append(bytearray())
                between = False
            found[-1] += sign
        escaped = False
    return [bytes(word) for word in found]


@dataclass
class Answered:
    """What a request led to. ``failed``: AGISTATUS would be FAILURE."""

    variables: dict[str, str] = field(default_factory=dict)
    failed: bool = False


def split(name: str, value: str) -> dict[str, str]:
    """What one command sets; ARRAY() sets several, and to nothing those without a value."""
    if not name.startswith("ARRAY("):
        return {name: value}
    names = name.removeprefix("ARRAY(").removesuffix(")").split(",")
    return dict(itertools.zip_longest(names, value.split(","), fillvalue=""))


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def converse(connection: socket.socket, reply: bytes = b"200 result=1\n") -> Answered:
    """Do as Asterisk does until the server ends the connection."""
    answered = Answered()
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            if line == b"failure\n":
                answered.failed = True
                break
            command, variable, name, value = words(line)
            assert (command, variable) == (b"SET", b"VARIABLE")
            answered.variables |= split(name.decode(), value.decode())
            connection.sendall(reply)
    return answered


def ask(server: Server, script: str | bytes, **changes: str | bytes) -> Answered:
    """One whole request."""
    connection = connect(server)
    connection.sendall(environment(network_script=script, **changes))
    return converse(connection)
