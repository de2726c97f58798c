"""Many callers at once, of every kind, and what each of them lived through.

    with Traffic(pbx, known, seconds=20) as traffic:
        ...                       # break things
        traffic.wait()
    traffic.stories               # what the callers saw: our truth

Three phones are there: 101 answers, 102 rings and is not picked up, 103 is busy. A called number
leads to the same phones whether Trichter decides or the dialplan does, so that what has to come of
a call does not depend on who was there when it came.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from asterisk_runtime import TRUNKS
from ports import LOOPBACK, free_port
from private_asterisk import PrivateAsterisk
from sip_parties import Phone
from sipp_party import Party, SippError

ANSWERED, RINGING, BUSY = "4930555201", "4930555202", "4930555203"
"""Called numbers: what their phones do."""
DIALPLAN = f"""
[observe-only](+)
exten => {RINGING},1,Dial(PJSIP/102,25,tk)
 same => n,Hangup()
exten => {BUSY},1,Dial(PJSIP/103,25,tk)
 same => n,Hangup()
[trichter-fallback](+)
exten => {RINGING},1,Dial(PJSIP/102,25,tk)
 same => n,Hangup()
exten => {BUSY},1,Dial(PJSIP/103,25,tk)
 same => n,Hangup()
"""
WAYS = ("observe", "route")
TALK = 1.0
PATIENCE = 2.5
"""Seconds of ringing after which a caller gives up."""
AGAIN_AFTER = 5.0
WAITS = 30.0
"""Seconds without an answer after which the others give up: nobody should have to."""
LATEST = 60.0
"""Seconds after the last call has begun in which every call has ended."""
ENDS = {"answered": "hung up", "missed": "cancelled", "busy": "status 486"}


@dataclass(frozen=True)
class Kind:
    """Callers of one kind. ``tenths``: calls in ten seconds. ``owner`` of the deal afterwards;
    ``known``: a customer with an open deal before. ``prefix`` of their numbers, in E.164. ``after``
    so many seconds the first of them calls. ``hurry``: they come so many times as fast, and are
    done so much earlier."""

    prefix: str
    did: str
    outcome: str
    owner: str
    tenths: int
    known: bool = False
    after: float = 0.0
    hurry: int = 1

    def numbers(self, way: str, count: int) -> list[str]:
        return [f"{self.prefix}{WAYS.index(way)}{i:05}" for i in range(count)]


KINDS = (
    Kind("+493041", ANSWERED, "answered", "anna", 16),
    Kind("+493042", RINGING, "missed", "ben", 10),
    Kind("+493043", BUSY, "busy", "olga", 6),
    Kind("+493044", ANSWERED, "answered", "anna", 6, known=True),
    Kind("+493045", RINGING, "missed", "ben", 4, known=True),
)
AGAIN = (
    Kind("+493046", RINGING, "missed", "ben", 4, hurry=2),
    Kind("+493046", ANSWERED, "answered", "ben anna", 4, after=AGAIN_AFTER, hurry=2),
)
"""Strangers who give up, and call again. Whose card it is depends on which call was recorded first:
one that Trichter was not there for comes later."""


@dataclass
class Story:
    """One call as its caller saw it; ``faults`` is what should not have been."""

    number: str
    kind: Kind
    way: str
    events: list[str]

    @property
    def is_hurt(self) -> bool:
        """It did not end as this caller's calls do."""
        return not self.events or self.events[-1] != ENDS[self.kind.outcome]


class Callers(Party):
    """One sipp that places calls of a kind, one after the other, from one number each."""

    def __init__(
        self, pbx: PrivateAsterisk, kind: Kind, way: str, numbers: Sequence[str], waits: float
    ) -> None:
        patience = PATIENCE if kind.outcome == "missed" else waits
        words = {
            "HOLD": str(round(TALK * 1000)),
            "PATIENCE": str(round(patience * 1000)),
            "SILENCE": str(round(patience * 1000)),
            "LOGIN": "",
            "CREDENTIALS": "",
        }
        super().__init__("caller", words)
        self._text = self._text.replace('<log message="', '<log message="[field2] ')
        if kind.after:
            pause = f'<pause milliseconds="{round(kind.after * 1000)}"/>'
            self._text = self._text.replace("<send ", f"{pause}<send ", 1)
        self.kind, self.way, self.numbers = kind, way, numbers
        self._target = f"{LOOPBACK}:{pbx.ports.sip}"

    def start(self) -> Self:
        address = TRUNKS[self.way]
        lines = "".join(f"{self.kind.did};<sip:{n}@{address}>;{n}\n" for n in self.numbers)
        pace = [
            "-r",
            str(self.kind.tenths * self.kind.hurry),
            "-rp",
            "10000",
            "-m",
            str(len(self.numbers)),
        ]
        place = ["-i", address, "-p", str(free_port(address))]
        many = ["-l", "5000", "-deadcall_wait", "1000"]
        self._start([self._target, *place, *pace, *many], lines.encode())
        return self

    def check(self) -> None:
        """SippError if it has ended and nobody called: a caller of whom nothing is known proves
        nothing."""
        if self._running().returncode and not self.events():
            raise SippError(f"no caller of {self.kind.prefix} has called: {self.errors()}")

    def stories(self) -> list[Story]:
        """What each of its callers saw."""
        seen: dict[str, list[str]] = {number: [] for number in self.numbers}
        for line in self.events():
            number, _, event = line.partition(" ")
            if number in seen:
                seen[number].append(event)
        return [Story(n, self.kind, self.way, events) for n, events in seen.items()]


def dialplan(sample: Path, folder: Path) -> Path:
    """A copy of the sample configuration, with the numbers that these callers call."""
    folder.mkdir()
    for path in sample.glob("*.conf"):
        text = path.read_text()
        added = DIALPLAN if path.name == "extensions.conf" else ""
        (folder / path.name).write_text(text + added)
    return folder


class Traffic:
    """Calls of all kinds for ``seconds``, over both trunks; a context manager.

    Ten calls a second. ``stories`` once they have ended. Who is not answered within ``waits``
    seconds gives up.
    """

    def __init__(self, pbx: PrivateAsterisk, seconds: float, waits: float = WAITS) -> None:
        self.waits = waits
        self.pbx = pbx
        self.seconds = seconds
        self.stories: list[Story] = []
        self._stack = ExitStack()
        self._callers: list[Callers] = []
        self._ends_by = 0.0

    def known(self) -> Iterator[tuple[Kind, str]]:
        """Kind and number of the customers that must be known before."""
        for kind in KINDS:
            if kind.known:
                for way in WAYS:
                    for number in kind.numbers(way, self._count(kind)):
                        yield kind, number

    def _count(self, kind: Kind) -> int:
        return max(1, round(self.seconds * kind.tenths / 10))

    def __enter__(self) -> Self:
        for number, behaviour in (("101", "answer"), ("102", "ring"), ("103", "busy")):
            port = self.pbx.ports.phone(number)
            self._stack.enter_context(Phone(port, behaviour, ring_seconds=0.2))
        for kind in (*KINDS, *AGAIN):
            for way in WAYS:
                numbers = kind.numbers(way, self._count(kind))
                callers = Callers(self.pbx, kind, way, numbers, self.waits)
                self._callers.append(self._stack.enter_context(callers))
        self._ends_by = time.monotonic() + self.seconds + AGAIN_AFTER + LATEST
        return self

    def wait(self) -> None:
        """Until every call has ended; those that never do are cut off, which their story tells."""
        for callers in self._callers:
            with suppress(subprocess.TimeoutExpired):
                if callers.process:
                    callers.process.wait(max(0.1, self._ends_by - time.monotonic()))
                    callers.check()

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self.stories = [story for callers in self._callers for story in callers.stories()]
