"""CDR rows → one report a call. CDR knows less than the events: not when a phone began to ring, and
of a call that an announcement picked up first, not when a person did.

A row is a conversation if somebody of the company was on either end of it, picked up, and the
last application was one that connects people: voicemail and announcements are no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ari_app.cdr_row import Part, part
from ari_app.events import number_sent
from ari_app.row import BadRow, Clock, Row
from telephony.call_report import CallReport, LegReport, mobile_endpoint

OUTCOMES = {"BUSY": "busy", "FAILED": "failed", "CONGESTION": "failed"}
OPEN_FOR = timedelta(hours=12)
"""How long after its last row a call may have another one."""
LOOK_EVERY = 2000

IsInside = Callable[[str], bool]


@dataclass(slots=True)
class Parts:
    """The rows of one call."""

    linkedid: str
    rows: list[Part] = field(default_factory=list)
    until: datetime | None = None


def calls(
    rows: Iterable[tuple[int, int, Row | BadRow]],
    clock: Clock,
    pbx: str,
    is_inside: IsInside,
) -> Iterator[tuple[int, CallReport | BadRow]]:
    """How far the rows are read, and what was found: a call that is whole, or a bad row."""
    open_: dict[str, Parts] = {}
    place = 0
    for count, (line, place, row) in enumerate(rows):
        try:
            if isinstance(row, BadRow):
                yield place, row
                continue
            linkedid, found = part(row, clock)
        except (ValueError, KeyError, OverflowError) as error:
            yield place, BadRow.of(line, error)
            continue
        if found.is_nobodys:
            continue
        call = open_.setdefault(linkedid, Parts(linkedid))
        call.rows.append(found)
        call.until = max(call.until or found.end, found.end)
        if count % LOOK_EVERY == 0:
            for done in [c for c in open_.values() if c.until and found.end - c.until > OPEN_FOR]:
                yield place, report(open_.pop(done.linkedid), pbx, is_inside)
    for call in open_.values():
        yield place, report(call, pbx, is_inside)


def report(call: Parts, pbx: str, is_inside: IsInside) -> CallReport:
    """All rows of a call, as the ledger would tell it."""
    rows = sorted(call.rows, key=lambda r: (r.uniqueid != call.linkedid, r.start, r.order))
    first = rows[0]
    ends = _ends(rows, is_inside)
    inside = {c for c, e in ends.items() if is_inside(e)}
    origin = next((c for r in rows for c, _ in r.ends), first.channel)
    if origin not in inside:
        direction = "incoming"
    else:
        direction = "outgoing" if len(ends) > len(inside) else "internal"
    spoken = [r for r in rows if _is_talk(r, inside)]
    spoken = spoken if any(not r.dstchannel.startswith("Local/") for r in spoken) else []
    answers = [r.answer for r in spoken if r.answer]
    incoming = direction == "incoming"
    return CallReport(
        pbx=pbx,
        linkedid=call.linkedid,
        direction=direction,
        started_at=min(r.start for r in rows),
        number=first.src if incoming else _called(rows, inside),
        name=first.name if incoming and first.name != first.src else "",
        did=(first.did or ("" if first.dst == "s" else first.dst)) if incoming else "",
        answered_at=min(answers) if answers else None,
        ended_at=max(r.end for r in rows),
        talk=_talk(spoken) if spoken else None,
        speaker=_speaker(spoken, ends, inside),
        outcome="answered" if spoken else _outcome(rows, direction, inside),
        legs=tuple(_legs(rows, ends, inside)),
        recording=next((r.recording for r in rows if r.recording), ""),
        queue=next((r.data.partition(",")[0] for r in reversed(rows) if r.app == "queue"), ""),
    )


def _ends(rows: list[Part], is_inside: IsInside) -> dict[str, str]:
    """Endpoints by channel; a trunk's channel to or from a user's mobile is that user's."""
    ends = {c: e for r in rows for c, e in r.ends}
    for row in rows:
        for channel, number in ((row.channel, row.src), (row.dstchannel, _sent(row))):
            if channel in ends and not is_inside(ends[channel]):
                mobile = mobile_endpoint(number)
                if mobile and is_inside(mobile):
                    ends[channel] = mobile
    return ends


def _is_talk(row: Part, inside: set[str]) -> bool:
    """With somebody of the company, or passed on to a telephone outside."""
    passed_on = len(row.ends) == 2
    return row.connects and (passed_on or any(c in inside for c, _ in row.ends))


def _called(rows: list[Part], inside: set[str]) -> str:
    """As it was sent out, else as it was dialled."""
    for row in rows:
        if row.dstchannel not in inside and (sent := _sent(row)):
            return sent
    return rows[0].dst if rows[0].dst != "s" else ""


def _sent(row: Part) -> str:
    """The number that went out to the channel called, '' if none did."""
    endpoint = row.dstchannel.rpartition("-")[0]
    if endpoint and row.app == "dial":
        trunk = endpoint.partition("/")[2]
        for device in row.data.partition(",")[0].split("&"):
            if trunk in device and (sent := number_sent(device.partition("/")[2])):
                return sent
    return ""


def _talk(spoken: list[Part]) -> int:
    """Seconds in which anybody could be heard, each counted once."""
    total, until = 0.0, None
    for begin, end in sorted((r.answer, r.end) for r in spoken if r.answer):
        begin = max(begin, until) if until else begin
        total += max(0.0, (end - begin).total_seconds())
        until = max(until, end) if until else end
    return round(total)


def _speaker(spoken: list[Part], ends: dict[str, str], inside: set[str]) -> str | None:
    last = sorted((r for r in spoken if r.answer), key=lambda r: (r.answer, r.start, r.order))
    for row in reversed(last):
        # Who was called is who joined last.
        for channel, _ in reversed(row.ends):
            if channel in inside:
                return ends[channel]
    return None


def _outcome(rows: list[Part], direction: str, inside: set[str]) -> str:
    reached = {_missed_as(r) for r in rows if r.dstchannel and r.ends[-1:] != r.ends[:1]}
    if reached == {"busy"}:
        return "busy"
    return "failed" if direction != "incoming" and reached == {"failed"} else "missed"


def _missed_as(row: Part) -> str:
    return OUTCOMES.get(row.disposition, "missed")


def _legs(rows: list[Part], ends: dict[str, str], inside: set[str]) -> Iterator[LegReport]:
    """The users' phones. Of one that was called only its name is known, not its uniqueid."""
    for channel in (c for c in ends if c in inside):
        own = [r for r in rows if channel in (r.channel, r.dstchannel)]
        spoke = [r.answer for r in own if r.connects and r.answer]
        called = channel in {r.dstchannel for r in own}
        dialling = next((r.uniqueid for r in own if r.channel == channel and r.uniqueid), "")
        yield LegReport(
            channel=dialling or channel,
            endpoint=ends[channel],
            rang_at=min(r.start for r in own) if called else None,
            answered_at=min(spoke) if spoke else None,
            ended_at=max(r.end for r in own),
            outcome="answered" if spoke else _missed_as(own[-1]),
        )
