"""AGI: what Asterisk says of the call, and how variables are set on it.

Everything read here can come from the network: any bytes, any length, cut anywhere. What is wrong
ends with AgiError within ``SECONDS``; the call goes on in the dialplan.

Source of the rules: res_agi.c of Asterisk. The environment is lines 'agi_name: value' up to an
empty one; a command is one line of at most 2,047 bytes whose words may stand in quotes, where a
backslash makes the next character literal; nothing in it is expanded.
"""

from __future__ import annotations

import os
import re
import select
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fields import clean

SECONDS = 10.0
MOST_BYTES = 128 * 1024
LONGEST_COMMAND = 2047
# This word instead of a command makes AGISTATUS FAILURE, for FastAGI and spawned scripts alike.
FAILURE = b"failure\n"

_ENVIRONMENT = re.compile(r"(agi_[a-z0-9_]{1,40}): ?(.*)", re.DOTALL)
_VARIABLE = re.compile(
    r"[A-Z][A-Z0-9_]{0,60}|CALLERID\(name\)|ARRAY\([A-Z][A-Z0-9_]{0,60}(,[A-Z][A-Z0-9_]{0,60})+\)"
)


class AgiError(Exception):
    """A request that is cut, silent, hostile or refused; one line for the log."""


class HungUp(AgiError):
    """The caller has gone, which is normal."""


@dataclass(frozen=True)
class Request:
    """What a look-up needs to know of the call. ``script``: the path that was asked for.

    ``number`` and ``did`` (the called number) are as Asterisk wrote them: hostile until normalised.
    """

    script: str = ""
    number: str = ""
    did: str = ""

    @classmethod
    def of(cls, said: Mapping[str, str], arguments: Sequence[str] | None = None) -> Request:
        """From the environment; ``arguments`` of a spawned script, else those in it.

        The called number is the first argument, else the extension, else what was dialled.
        """
        if arguments is None:
            arguments = [said.get("agi_arg_1", "")]
        extension = said.get("agi_extension", "")
        # 's' is no number: a subroutine, or a trunk that sends none.
        called = extension if extension != "s" else said.get("agi_dnid", "")
        return cls(
            script=said.get("agi_network_script", "").partition("?")[0].strip("/"),
            number=said.get("agi_callerid", "")[:80],
            did=(next(iter(arguments), "") or called)[:80],
        )


class Agi:
    """One conversation with Asterisk. ``receive(seconds)`` returns the next bytes, b'' at the end;
    it raises TimeoutError when none come in that time."""

    def __init__(self, receive: Callable[[float], bytes], send: Callable[[bytes], object]) -> None:
        self._receive = receive
        self._send = send
        self._until = time.monotonic() + SECONDS
        self._left = MOST_BYTES
        self._unread = b""

    @classmethod
    def over_socket(cls, connection: socket.socket) -> Agi:
        """FastAGI."""

        def receive(seconds: float) -> bytes:
            connection.settimeout(seconds)
            return connection.recv(16384)

        return cls(receive, connection.sendall)

    @classmethod
    def over_pipes(cls, source: int = 0, target: int = 1) -> Agi:
        """A spawned script, by file descriptors."""

        def receive(seconds: float) -> bytes:
            if not select.select([source], [], [], seconds)[0]:
                raise TimeoutError
            return os.read(source, 16384)

        return cls(receive, lambda data: os.write(target, data))

    def environment(self) -> dict[str, str]:
        """What Asterisk says of the call, by name (agi_callerid and so on). Raises AgiError.

        A name twice is refused: a line break in one value would otherwise replace another. Other
        lines are left out.
        """
        said: dict[str, str] = {}
        while line := self._line():
            match = _ENVIRONMENT.fullmatch(line)
            if match and match[1] in said:
                raise AgiError(f"{match[1]} came twice, the request was not understood")
            if match:
                said[match[1]] = match[2]
        return said

    def set_variable(self, name: str, value: str) -> None:
        """Set a variable, CALLERID(name), or several by ARRAY(). Raises AgiError, HungUp."""
        command = set_command(name, value)
        try:
            self._send(command)
        except OSError as error:
            raise AgiError(f"the connection broke before {name} was set") from error
        reply = self._line()
        if reply.startswith("HANGUP"):
            raise HungUp("the caller hung up")
        if not reply.startswith("200"):
            raise AgiError(f"Asterisk did not set {name}: {clean(reply)!r}")

    def fail(self) -> None:
        """Tell Asterisk, so that AGISTATUS tells the dialplan; nobody listening is fine."""
        try:
            self._send(FAILURE)
        except OSError:
            return

    def _line(self) -> str:
        while b"\n" not in self._unread:
            self._unread += self._next()
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    def _next(self) -> bytes:
        seconds = self._until - time.monotonic()
        if seconds <= 0:
            raise AgiError(f"the request was not complete after {SECONDS:.0f} s")
        try:
            got = self._receive(seconds)
        except TimeoutError as error:
            raise AgiError(f"the request was not complete after {SECONDS:.0f} s") from error
        except OSError as error:
            raise AgiError(f"the connection broke ({error.strerror})") from error
        self._left -= len(got)
        if not got:
            raise AgiError("the request was cut off")
        if self._left < 0:
            raise AgiError(f"the request has more than {MOST_BYTES // 1024} kB")
        return got


def set_command(name: str, value: str) -> bytes:
    """The line that sets a variable. Control characters of the value become blanks or nothing.

    Raises AgiError for what does not fit into a line of AGI, ValueError for a wrong name.
    """
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a variable")
    text = clean(value, LONGEST_COMMAND)
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    command = f'SET VARIABLE {name} "{quoted}"\n'.encode()
    if len(command) > LONGEST_COMMAND:
        raise AgiError(f"{name} is too long for AGI")
    return command
