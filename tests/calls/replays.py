"""Recordings replayed as Asterisk could have told them too: in another order, with a list of what
lives at any point, and what is in the rows afterwards.

What Asterisk keeps in order. All events of an application come out of one queue, in the order in
which Asterisk's threads have put them in: a channel's own thread, that of its dialler, and whoever
holds a bridge. So these follow each other as they happened:

- what enters and leaves one bridge (said under the bridge's lock), and of one channel all bridges;
- the states of one channel, and what it dials; the words about one dialled channel;
- a channel's end comes behind all else of that channel.

Anything else within a moment may come either way round: what is said of different channels; of one
channel its state (by the driver's thread; Asterisk 16 sends it over a cache besides) and the word
of who dials it; one channel's leaving of a bridge and another one's end.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from ari_app.events import Bridged, Channel, Connected, Dialled, Event, HungUp, Settled, Snapshot
from ari_app.recorder import Recorder
from ari_app.tape import replay
from models import Call, Contact, Deal, Leg, Phone, StageChange
from models import Event as News
from tests.calls.wires import new_ledger

TAPES = Path(__file__).resolve().parent.parent / "recordings"
MOMENT = timedelta(milliseconds=10)


@cache
def events_of(tape: str) -> tuple[Event, ...]:
    """``tape``: its file's name without the ending."""
    return tuple(replay(TAPES / f"{tape}.jsonl"))


def tapes() -> list[str]:
    return sorted(path.stem for path in TAPES.glob("*.jsonl"))


# Order


def _order(event: Event) -> set[tuple[str, str]]:
    """Two events that share one of these stay in their order."""
    match event:
        case Dialled():
            caller = event.caller.id if event.caller else ""
            return {("dial", event.peer.id), ("state", caller)}
        case Bridged():
            who = event.channel.id if event.channel else ""
            return {("bridge", event.bridge), ("bridges of", who)}
        case HungUp():
            who = event.channel.id
            return {("state", who), ("dial", who), ("bridges of", who)}
        case _:
            channel = getattr(event, "channel", None)
            return {("state", channel.id if channel else "")}


def may_swap(first: Event, second: Event) -> bool:
    return abs(second.at - first.at) <= MOMENT and not _order(first) & _order(second)


def swapped(events: Iterable[Event], places: Iterable[int]) -> list[Event]:
    """Neighbours at these places change over, one after the other, where they may."""
    mixed = list(events)
    for place in places:
        at = place % max(1, len(mixed) - 1)
        if len(mixed) > 1 and may_swap(mixed[at], mixed[at + 1]):
            mixed[at], mixed[at + 1] = mixed[at + 1], mixed[at]
    return mixed


# Lists


def listed_after(events: Iterable[Event], mark: str = "") -> Snapshot:
    """What Asterisk would list after these events."""
    live: dict[str, Channel] = {}
    gone: set[str] = set()
    bridges: dict[str, tuple[str, ...]] = {}
    at: datetime | None = None
    for event in events:
        at = event.at
        for name in ("caller", "peer", "channel"):
            who = getattr(event, name, None)
            if who and who.id not in gone:
                live[who.id] = who
        if isinstance(event, HungUp):
            gone.add(event.channel.id)
            live.pop(event.channel.id, None)
        if isinstance(event, Bridged):
            bridges[event.bridge] = event.members
    assert at
    whole = {b: tuple(m for m in members if m in live) for b, members in bridges.items()}
    now = tuple(Bridged(at, b, members) for b, members in whole.items() if members)
    return Snapshot(at, tuple(live.values()), now, mark)


def connecting(events: list[Event], cut: int, ahead: int = 0) -> list[Event]:
    """All events, with a new connection before number ``cut``. Its list is ``ahead`` events newer
    than what was read when it came."""
    until = min(len(events), cut + ahead)
    at = events[cut - 1].at if cut else events[0].at
    settled = Settled(events[until - 1].at if until else at, "x")
    # The time of a list is that of asking for it.
    listed = replace(listed_after(events[:until], "x"), at=at)
    listed = replace(listed, bridges=tuple(replace(b, at=at) for b in listed.bridges))
    return [*events[:cut], Connected(at), listed, *events[cut:until], settled, *events[until:]]


# Rows


def record(events: Iterable[Event], recorder: Recorder | None = None) -> Recorder:
    """Each event written at once, as a live process does."""
    recorder = recorder or Recorder(new_ledger())
    for event in events:
        recorder.take([event])
        if recorder.is_behind:
            recorder.write()
    return recorder


def forget_all() -> None:
    for table in (News, Leg, Call, StageChange, Deal, Phone, Contact):
        table.delete().execute()


def rows() -> dict[str, dict[str, Any]]:
    """What the rows say of each call, by linkedid; ``talk`` apart, see ``talks``."""
    found = {}
    for call in Call.select().order_by(Call.linkedid):
        legs = Leg.select().where(Leg.call == call).order_by(Leg.channel)
        found[call.linkedid] = {
            "direction": call.direction,
            "number": call.number,
            "did": call.did,
            "agent": call.agent and call.agent.login,
            "outcome": call.outcome,
            "times": (call.started_at, call.answered_at, call.ended_at),
            "wait": call.wait,
            "owner": call.deal and call.deal.owner and call.deal.owner.login,
            "legs": [(g.channel, g.endpoint, g.answered_at, g.ended_at, g.outcome) for g in legs],
        }
    return found


def talks() -> dict[str, int | None]:
    return {call.linkedid: call.talk for call in Call.select()}
