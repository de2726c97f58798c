"""Callers and phones over real SIP, played by sipp with the scenarios of tests/sipp.

    with PrivateAsterisk() as pbx, Phone(pbx.ports.phone("101"), ring_seconds=0.5):
        outcome = Caller(pbx, number="+491701234567", name="Carla", hold=1).run()
        assert outcome == "hung up"

No speech is sent. Caller numbers and names go out byte by byte, whatever they contain.
"""

import subprocess
import time
from pathlib import Path
from typing import Protocol, Self

from asterisk_runtime import TRUNKS, Passwords
from ports import LOOPBACK, Ports, free_port
from sipp_party import Party, SippError, filled, sipp_command

__all__ = ["Caller", "Phone", "SippError", "sipp_command"]

FOREVER = 24 * 3600.0


class Exchange(Protocol):
    """What callers need of an Asterisk: PrivateAsterisk has it."""

    ports: Ports
    passwords: Passwords


def _milliseconds(seconds: float | None) -> str:
    return str(max(1, round((FOREVER if seconds is None else seconds) * 1000)))


class Phone(Party):
    """A phone at `port` of 127.0.0.1 that takes any number of calls; a context manager.

    behaviour     answer, ring (never picked up), busy, decline
    ring_seconds  until it is picked up
    talk_seconds  until it hangs up; None = the other side does

    Events: invited by …, answered, cancelled, busy, declined, hung up, hung up by the other side.
    """

    def __init__(
        self,
        port: int,
        behaviour: str = "answer",
        ring_seconds: float = 0.2,
        talk_seconds: float | None = None,
    ) -> None:
        if behaviour not in ("answer", "ring", "busy", "decline"):
            raise ValueError(f"a phone does not know how to {behaviour}")
        super().__init__(
            "phone",
            {
                "REACTION": "answer" if behaviour == "ring" else behaviour,
                "RING": _milliseconds(None if behaviour == "ring" else ring_seconds),
                "TALK": _milliseconds(talk_seconds),
            },
        )
        self.port = port

    def start(self) -> Self:
        """Return when the phone can be rung."""
        # Asterisk repeats a CANCEL that crossed our answer; the scenario then says "too late".
        crossing = ["-default_behaviors", "all,-abortunexp"]
        self._start(["-i", LOOPBACK, "-p", str(self.port), *crossing])
        self._wait_bound()
        return self

    def _wait_bound(self) -> None:
        """The kernel lists the port once sipp has bound it."""
        deadline = time.monotonic() + 30
        wanted = f"0100007F:{self.port:04X}"
        while wanted not in Path("/proc/net/udp").read_text():
            if self._running().poll() is not None or time.monotonic() > deadline:
                reason = self.errors()
                self.stop()
                raise SippError(f"the phone on port {self.port} does not start: {reason}")
            time.sleep(0.01)


class Caller(Party):
    """Somebody who rings once; a context manager.

    did           number dialled
    number, name  as in the From header; str or bytes, escaped as SIP wants it; None = left out.
    sender        the whole From header instead (without tag), to break the rules
    way           route, agi, observe: over that trunk; 101, 102, 103, softphone: logs in as that
    hold          seconds after the answer until it hangs up; None = the other side does
    cancel_after  seconds without an answer until it gives up; None = never
    rings_for     the same, but counted from the ringing

    Events: ringing, progress, answered, status NNN, cancelled, hung up, hung up by the other side.
    """

    def __init__(
        self,
        pbx: Exchange,
        did: str = "493055500",
        number: str | bytes = "+491701234567",
        name: str | bytes | None = None,
        *,
        sender: bytes | None = None,
        way: str = "route",
        hold: float | None = 1.0,
        cancel_after: float | None = None,
        rings_for: float | None = None,
    ) -> None:
        self._address = TRUNKS.get(way, LOOPBACK)
        self._sip_port = pbx.ports.sip
        logs_in = way not in TRUNKS
        header = sender or self._from(way if logs_in else number, name)
        if any(byte in did.encode() + header for byte in b";\r\n"):
            raise ValueError("no semicolon for sipp, and no line break in a SIP header")
        self._line = did.encode() + b";" + header + b"\n"
        words = {
            "HOLD": _milliseconds(hold),
            "PATIENCE": _milliseconds(cancel_after if rings_for is None else rings_for),
            "SILENCE": _milliseconds(cancel_after),
            "LOGIN": filled("login.xml", {}) if logs_in else "",
            "CREDENTIALS": _credentials(pbx.passwords, way) if logs_in else "",
        }
        super().__init__("caller", words)

    def _from(self, number: str | bytes, name: str | bytes | None) -> bytes:
        """A From header by RFC 3261: the name quoted, what a number may not hold as %XX."""
        uri = b"<sip:" + _uri_user(_as_bytes(number)) + b"@" + self._address.encode() + b">"
        if name is None:
            return uri
        quoted = _as_bytes(name).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        return b'"' + quoted + b'" ' + uri

    def start(self) -> Self:
        """Place the call and return at once."""
        target = f"{LOOPBACK}:{self._sip_port}"
        port = str(free_port(self._address))
        self._start([target, "-i", self._address, "-p", port, "-m", "1"], self._line)
        return self

    def wait(self, timeout: float = 60) -> str:
        """Wait for the end of the call; its last event. SippError after `timeout` seconds."""
        try:
            code = self._running().wait(timeout)
        except subprocess.TimeoutExpired as late:
            raise SippError(f"the call goes on after {timeout} s: {self.events()}") from late
        events = self.events()
        if code or not events:
            raise SippError(f"the call went wrong after {events}: {self.errors()}")
        return events[-1]

    def run(self, timeout: float = 60) -> str:
        """Place the call, wait for its end, tidy up; the last event."""
        with self:
            return self.wait(timeout)


def _credentials(passwords: Passwords, login: str) -> str:
    password = passwords.softphone if login == "softphone" else passwords.phones
    return f"\n      [authentication username={login} password={password}]"


def _as_bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


def _uri_user(number: bytes) -> bytes:
    plain = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-_.!~*'()&=$,?/"
    return b"".join(bytes([byte]) if byte in plain else b"%%%02X" % byte for byte in number)
