"""CEL rows → the events of events.py → the ledger: the same truth as of a call that was heard live.

CEL does not say when a phone rang. One that was dialled counts as ringing from then on, unless it
hung up for a reason that shows that it could not be reached.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from ari_app.cdr_row import LONGEST_CALL
from ari_app.events import Bridged, Channel, Dialled, Event, HungUp, Updated, number_sent
from ari_app.ledger import Ledger
from ari_app.row import BadRow, Clock, Row
from ari_app.sides import BUSY_CAUSE, GAVE_UP_CAUSES
from fields import clean
from telephony.call_report import CallReport

LONGEST_ID = 150
REACHED = GAVE_UP_CAUSES - {18} | {BUSY_CAUSE}
"""Q.850: it rang before it hung up so; 18 is a telephone that is switched off."""


@dataclass
class Reader:
    """Knows the channels that live at this moment of the record."""

    clock: Clock
    _channels: dict[str, Channel] = field(default_factory=dict)
    _bridges: dict[str, list[str]] = field(default_factory=dict)
    _dialling: dict[str, str] = field(default_factory=dict)
    _causes: dict[str, int] = field(default_factory=dict)

    def events(self, row: Row) -> list[Event]:
        """What a row says. Raises ValueError or KeyError for one that can't be used."""
        kind, at = row["eventtype"].upper(), self.clock.read(row["eventtime"])
        uniqueid = row["uniqueid"]
        if not uniqueid or max(len(uniqueid), len(row.get("linkedid") or "")) > LONGEST_ID:
            raise ValueError("no uniqueid, or one that is too long")
        if kind == "CHAN_START":
            return self._begins(row, at)
        if uniqueid not in self._channels:
            # It began before the record does: half of a call would be a wrong one.
            return []
        who = self._channels[uniqueid] = self._now(self._channels[uniqueid], row)
        match kind:
            case "ANSWER":
                return [self._rang(who), Updated(at, _in_state(who, "Up"))]
            case "APP_START":
                return self._application(who, row, at)
            case "BRIDGE_ENTER" | "BRIDGE_EXIT":
                return self._bridged(who, row, at, kind == "BRIDGE_ENTER")
            case "HANGUP":
                self._causes[uniqueid] = _cause(row)
            case "CHAN_END":
                return self._ends(who, at)
        return []

    def _begins(self, row: Row, at: datetime) -> list[Event]:
        uniqueid, label = row["uniqueid"], _text(row, "channame")
        if not label:
            raise ValueError("a channel without its name")
        linkedid = _text(row, "linkedid") or uniqueid
        endpoint = label.rpartition("-")[0] or label
        who = self._now(
            Channel(uniqueid, linkedid, endpoint, "Down", "", "", "", "()", at, label), row
        )
        is_first = uniqueid == linkedid
        self._channels[uniqueid] = who = _in_state(who, "Ring") if is_first else who
        if is_first or who.is_nobodys:
            return [Updated(at, who)]
        return [Dialled(at, None, who, "", self._sent(who))]

    def _now(self, who: Channel, row: Row) -> Channel:
        """With what this row says anew: a linkedid can change."""
        return Channel(
            **{
                **vars(who),
                "linkedid": _text(row, "linkedid") or who.linkedid,
                "number": who.number or _text(row, "cid_num"),
                "name": who.name or _text(row, "cid_name"),
                "exten": who.exten or _text(row, "exten"),
            }
        )

    def _rang(self, who: Channel) -> Event:
        if who.id == who.linkedid:
            return Updated(who.created, who)
        return Dialled(who.created, None, who, "RINGING")

    def _application(self, who: Channel, row: Row, at: datetime) -> list[Event]:
        name = _text(row, "appname")
        if name == "Dial":
            self._dialling[who.linkedid] = _text(row, "appdata", 2000).partition(",")[0]
        if name.startswith("AppDial"):
            return [Dialled(at, None, who, "")]
        if name == "Queue":
            waits = f"Queue({_text(row, 'appdata')})"
            return [Updated(at, Channel(**{**vars(who), "app": waits}))]
        return []

    def _sent(self, who: Channel) -> str:
        trunk = who.endpoint.partition("/")[2]
        for device in self._dialling.get(who.linkedid, "").split("&"):
            if trunk in device and (sent := number_sent(device.partition("/")[2])):
                return sent
        return ""

    def _bridged(self, who: Channel, row: Row, at: datetime, enters: bool) -> list[Event]:
        bridge = str(_extra(row).get("bridge_id") or "")
        if not bridge:
            raise ValueError("a bridge without its id")
        members = [m for m in self._bridges.get(bridge, []) if m != who.id]
        self._bridges[bridge] = members = [*members, who.id] if enters else members
        if not members:
            del self._bridges[bridge]
        return [Bridged(at, bridge, tuple(members), _in_state(who, "Up"))]

    def _ends(self, who: Channel, at: datetime) -> list[Event]:
        del self._channels[who.id]
        self._dialling.pop(who.id, None)
        cause = self._causes.pop(who.id, 0)
        rang = [self._rang(who)] if cause in REACHED and not who.is_nobodys else []
        return [*rang, HungUp(at, who, cause)]


def calls(
    rows: Iterable[tuple[int, int, Row | BadRow]],
    clock: Clock,
    pbx: str,
    is_inside: Callable[[str], bool],
) -> Iterator[tuple[int, CallReport | BadRow]]:
    """How far the rows are read, and what was found: a call that ended, or a bad row. Calls of
    which the record has no end are left out."""
    reader, ledger = Reader(clock), Ledger(pbx, is_inside)
    for line, place, row in rows:
        if isinstance(row, BadRow):
            yield place, row
            continue
        try:
            events = reader.events(row)
        except (ValueError, KeyError, TypeError) as error:
            yield place, BadRow.of(line, error)
            continue
        touched: set[str] = set().union(*(ledger.apply(event) for event in events))
        for linkedid in touched:
            report = ledger.report(linkedid)
            if report and report.ended_at:
                lasted = report.ended_at - report.started_at
                is_odd = lasted > LONGEST_CALL
                yield place, BadRow(line, f"a call of {lasted.days} days") if is_odd else report
            ledger.forget_finished(linkedid)


def _extra(row: Row) -> dict[str, object]:
    try:
        extra = json.loads(row.get("extra") or "{}")
    except (ValueError, RecursionError):
        return {}
    return extra if isinstance(extra, dict) else {}


def _cause(row: Row) -> int:
    cause = _extra(row).get("hangupcause")
    return cause if isinstance(cause, int) else 0


def _in_state(who: Channel, state: str) -> Channel:
    return Channel(**{**vars(who), "state": state})


def _text(row: Row, key: str, length: int = 200) -> str:
    return clean(row.get(key), length)
