"""One row of CDR: what is used of it, and whether it was a conversation."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from ari_app.channels import NOBODYS
from ari_app.row import Clock, Row
from fields import clean
from telephony.call_report import NO_CALL

_NOT_PEOPLE = """
voicemail voicemailmain background playback backgrounddetect read echo milliwatt record busy
congestion hangup wait waitexten musiconhold playtones saydigits saynumber sayunixtime festival
answer ringing progress agi minivmrecord goto gotoif set macro gosub
"""
NOT_PEOPLE = frozenset(_NOT_PEOPLE.split())
"""Applications that speak to a caller in place of a person."""
LONGEST_ID, LONGEST_FILE = 150, 255
LONGEST_CALL = timedelta(days=30)
"""More is a fault of a clock or of a program that wrote the row, and would spoil every average."""


@dataclass(slots=True)
class Part:
    """What is used of a row."""

    uniqueid: str
    channel: str
    dstchannel: str
    src: str
    name: str
    dst: str
    did: str
    app: str
    data: str
    start: datetime
    answer: datetime | None
    end: datetime
    disposition: str
    order: float
    recording: str

    @property
    def ends(self) -> tuple[tuple[str, str], ...]:
        """Channel and endpoint of the two, without Asterisk's own wires."""
        both = ((c, c.rpartition("-")[0] or c) for c in (self.channel, self.dstchannel) if c)
        return tuple((c, e) for c, e in both if e.partition("/")[0] not in NOBODYS)

    @property
    def is_nobodys(self) -> bool:
        """One who only listens, a recorder, the doctor's probe: none of them is a call."""
        return self.channel.startswith("Snoop/") or self.uniqueid.startswith(NO_CALL)

    @property
    def connects(self) -> bool:
        return self.answer is not None and bool(self.dstchannel) and self.app not in NOT_PEOPLE


def part(row: Row, clock: Clock) -> tuple[str, Part]:
    """A row and the id of its call. Raises ValueError or KeyError for one that can't be used."""
    channel = _one_line(row["channel"])
    if not channel:
        raise ValueError("no channel")
    start, answer, end = _times(row, clock)
    clid = row.get("clid") or ""
    uniqueid = _one_line(row.get("uniqueid") or "")
    linkedid = _one_line(row.get("linkedid") or "") or uniqueid
    found = Part(
        uniqueid=uniqueid,
        channel=channel,
        dstchannel=_one_line(row.get("dstchannel") or ""),
        src=row.get("cnum") or row.get("src") or clid.rpartition("<")[2].rstrip(">"),
        name=row.get("cnam") or (clid.rpartition("<")[0].strip().strip('"') if "<" in clid else ""),
        dst=row.get("dst") or "",
        did=row.get("did") or "",
        app=(row.get("lastapp") or "").lower(),
        data=row.get("lastdata") or "",
        start=start,
        answer=answer,
        end=end,
        disposition=row["disposition"],
        order=float(row.get("sequence") or 0),
        recording=_file(row.get("recordingfile") or ""),
    )
    if max(len(linkedid), len(found.channel), len(found.dstchannel)) > LONGEST_ID:
        raise ValueError("an id that is too long")
    return linkedid or _made_up(found), found


def _times(row: Row, clock: Clock) -> tuple[datetime, datetime | None, datetime]:
    """When it began, was answered if it was, and ended; never in another order."""
    start, duration = clock.read(row["start"]), row.get("duration")
    end = start + timedelta(seconds=float(duration)) if duration else clock.read(row["end"])
    answer = None
    if row["disposition"] == "ANSWERED":
        billsec = row.get("billsec")
        answer = end - timedelta(seconds=float(billsec)) if billsec else clock.read(row["answer"])
    if end - start > LONGEST_CALL:
        raise ValueError(f"a call of {(end - start).days} days")
    return start, answer and max(start, answer), max(start, end)


def _one_line(text: str) -> str:
    return text if text.isascii() and text.isprintable() else clean(text, LONGEST_ID + 1)


def _file(name: str) -> str:
    """The name of a recording as it can be kept: one that is cut would be another's."""
    return name if len(name) <= LONGEST_FILE and name.isprintable() else ""


def _made_up(row: Part) -> str:
    """Without loguniqueid=yes: the same row has the same id at every reading."""
    what = f"{row.channel} {row.dstchannel} {row.start.isoformat()} {row.src} {row.dst}"
    return "csv-" + hashlib.sha256(what.encode("utf-8", "replace")).hexdigest()[:32]
