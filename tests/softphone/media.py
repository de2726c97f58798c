"""Speech and keys of one call: SDP offer and answer (RFC 3264), RTP, key presses (RFC 4733).

Nothing is sent but what a test asks for: silence is no stream.
"""

from __future__ import annotations

import random
import re
import secrets
import struct
import time
from collections import Counter, deque
from dataclasses import dataclass

from tests.softphone.wire import Peer, Timer, Wire

CODECS = {8: "PCMA", 0: "PCMU"}
KEYS = "0123456789*#ABCD"
TICK = 0.02
SAMPLES = 160
# A key is held for 100 ms, and let go for 100 ms.
KEY_TICKS = 5
ANSWERS = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


@dataclass(frozen=True)
class Session:
    """What an SDP body says about speech."""

    peer: Peer
    payloads: tuple[int, ...]
    key_payload: int | None
    direction: str

    @classmethod
    def parse(cls, body: str) -> Session | None:
        """None where no speech is offered."""
        audio = re.search(r"^m=audio (\d+) \S+ ([\d ]+)", body, re.M)
        host = re.findall(r"^c=IN IP4 (\S+)", body, re.M)
        if not audio or not host:
            return None
        keys = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", body, re.M | re.I)
        direction = re.search(r"^a=(sendrecv|sendonly|recvonly|inactive)\s*$", body, re.M)
        return cls(
            (host[-1], int(audio[1])),
            tuple(int(number) for number in audio[2].split()),
            int(keys[1]) if keys else None,
            direction[1] if direction else "sendrecv",
        )


class Media:
    """The speech of one call over the phone's RTP port.

    direction  what we said last: sendrecv, or sendonly while the call is on hold
    remote     the other side's last word
    heard      RTP packets of speech that came in
    voice      what it sends as speech, over and over: 8 samples that no other call has
    voices     how many packets came in of whose voice
    digits     keys that the other side has pressed
    """

    def __init__(self, wire: Wire, address: str) -> None:
        self.wire = wire
        self.address = address
        self.direction = "sendrecv"
        self.remote: Session | None = None
        self.heard = 0
        self.digits = ""
        self.speaking = False
        loud = random.sample(
            range(127), 4
        )  # any byte is a sample of G.711; the top bit is the sign
        self.voice = bytes([*loud, *(sample | 0x80 for sample in loud)])
        self.voices: Counter[frozenset[int]] = Counter()
        self._version = int(time.time())
        self._payload, self._key_payload = 8, 101
        self._number, self._time = secrets.randbelow(30000), secrets.randbelow(1 << 31)
        self._source = secrets.randbits(32)
        self._keys: deque[bytes | None] = deque()
        self._key_time = 0
        self._last_key = -1
        self._ticking: Timer | None = None

    def count_from(self, number: int) -> None:
        """The first packet gets this sequence number, and not one at random below 30000."""
        self._number = number

    # ------------------------------------------------------------ SDP

    def offer(self, direction: str = "sendrecv") -> str:
        """An offer of both kinds of G.711 and of keys."""
        return self._describe(direction, [*CODECS], 101)

    def answer(self, body: str) -> str | None:
        """The answer to an offer; None if it has nothing that we speak."""
        offered = Session.parse(body)
        common = [number for number in offered.payloads if number in CODECS] if offered else []
        if not offered or not common:
            return None
        self.accept(body)
        return self._describe(ANSWERS[offered.direction], common[:1], offered.key_payload)

    def accept(self, body: str) -> None:
        """The other side's description: an answer, or an offer that we take."""
        session = Session.parse(body)
        if session:
            self.remote = session
            self._payload = next((n for n in session.payloads if n in CODECS), self._payload)
            self._key_payload = session.key_payload or 101

    def _describe(self, direction: str, payloads: list[int], keys: int | None) -> str:
        self.direction = direction
        self._version += 1
        numbers = [*payloads, *([keys] if keys else [])]
        lines = [
            "v=0",
            f"o=phone {self._source} {self._version} IN IP4 {self.address}",
            "s=call",
            f"c=IN IP4 {self.address}",
            "t=0 0",
            f"m=audio {self.wire.rtp_port} RTP/AVP {' '.join(map(str, numbers))}",
            *(f"a=rtpmap:{number} {CODECS[number]}/8000" for number in payloads),
            *([f"a=rtpmap:{keys} telephone-event/8000", f"a=fmtp:{keys} 0-15"] if keys else []),
            "a=ptime:20",
            f"a={direction}",
        ]
        return "\r\n".join([*lines, ""])

    # ------------------------------------------------------------ sending

    def press(self, keys: str) -> None:
        """Begin to press keys, one after the other; `pressing` tells when it is over."""
        for key in keys:
            event = KEYS.index(key.upper())
            for held in range(1, KEY_TICKS + 1):
                self._keys.append(struct.pack("!BBH", event, 10, held * SAMPLES))
            end = struct.pack("!BBH", event, 0x80 | 10, KEY_TICKS * SAMPLES)
            self._keys.extend([end, end, end])  # so that none gets lost (RFC 4733, 2.5.1.4)
            self._keys.extend([None] * KEY_TICKS)
        self._start()

    @property
    def pressing(self) -> bool:
        return bool(self._keys)

    def heard_of(self, other: Media) -> int:
        """Packets with the voice of another phone. No prompt or music is taken for it."""
        return self.voices[frozenset(other.voice)]

    def speak(self, speaking: bool = True) -> None:
        """Send speech from now on, or stop it."""
        self.speaking = speaking
        self._start()

    def _start(self) -> None:
        if self._ticking is None:
            self._ticking = self.wire.after(0, lambda: self._tick(time.monotonic()))

    def stop(self) -> None:
        """The call is over."""
        self._keys.clear()
        self.speaking = False

    def _tick(self, due: float) -> None:
        if not self._keys and not self.speaking:
            self._ticking = None
            return
        self._time = (self._time + SAMPLES) & 0xFFFFFFFF
        frame = self._keys.popleft() if self._keys else None
        if frame:
            first = struct.unpack("!BBH", frame)[1:] == (10, SAMPLES)
            if first:
                self._key_time = self._time
            self._send(self._key_payload, self._key_time, frame, first)
        elif self.speaking and not self._keys:
            self._send(self._payload, self._time, self.voice * (SAMPLES // 8), False)
        due += TICK
        self._ticking = self.wire.after(due - time.monotonic(), lambda: self._tick(due))

    def _send(self, payload: int, at: int, data: bytes, marker: bool) -> None:
        if self.remote is None:
            return
        self._number = (self._number + 1) & 0xFFFF
        second = payload | (0x80 if marker else 0)
        head = struct.pack("!BBHII", 0x80, second, self._number, at, self._source)
        self.wire.send_rtp(head + data, self.remote.peer)

    # ------------------------------------------------------------ receiving

    def received(self, packet: bytes) -> None:
        """An RTP packet of this call has come in."""
        if len(packet) <= 12:
            return
        payload = packet[1] & 0x7F
        if payload in CODECS:
            self.heard += 1
            samples = frozenset(packet[12:])
            if len(samples) == len(self.voice):
                self.voices[samples] += 1
        elif payload == self._key_payload:
            event, flags = packet[12], packet[13]
            at = int.from_bytes(packet[4:8], "big")
            if flags & 0x80 and at != self._last_key and event < len(KEYS):
                self._last_key = at
                self.digits += KEYS[event]
