"""Calls as Asterisk tells them, made by hand: channels, and the events of the plain cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ari_app.events import Bridged, Channel, Dialled, Event, HungUp, Settled, Snapshot, Updated
from ari_app.ledger import Ledger
from telephony.call_report import CallReport

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CUSTOMER = "+493044701182"
PHONES = frozenset({"PJSIP/101", "PJSIP/102", "PJSIP/103"})
MOBILE = "+491710000101"
"""Anna's own, of use with PHONES_AND_MOBILE."""
PHONES_AND_MOBILE = PHONES | {f"mobile/{MOBILE}"}


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def channel(
    id: str,  # noqa: A002 (as the field is called)
    endpoint: str,
    linkedid: str = "1.1",
    state: str = "Up",
    number: str = "",
    exten: str = "s",
    app: str = "()",
    created: float = 0,
    label: str = "",
) -> Channel:
    return Channel(
        id=id,
        linkedid=linkedid,
        endpoint=endpoint,
        state=state,
        number=number,
        name="Miriam Sander" if number == CUSTOMER else "",
        exten=exten,
        app=app,
        created=after(created),
        label=label or f"{endpoint}-{id}",
    )


TRUNK = channel("1.1", "PJSIP/trunk", state="Ring", number=CUSTOMER, exten="4930555000")
ANNA = channel("1.2", "PJSIP/101", state="Down", number="101")
BEN = channel("1.3", "PJSIP/102", state="Down", number="102")
OLGA = channel("1.4", "PJSIP/103", state="Down", number="103")


def in_state(who: Channel, state: str) -> Channel:
    return Channel(**{**vars(who), "state": state})


def rings(who: Channel, at: float, caller: Channel = TRUNK) -> list[Event]:
    """A phone is dialled and rings a tenth of a second later."""
    begins = after(at)
    return [
        Updated(begins, who),
        Dialled(begins, caller, who, ""),
        Dialled(after(at + 0.1), caller, who, "RINGING"),
        Updated(after(at + 0.1), in_state(who, "Ringing")),
    ]


def answers(who: Channel, at: float, caller: Channel = TRUNK) -> list[Event]:
    return [
        Updated(after(at), in_state(who, "Up")),
        Dialled(after(at), caller, who, "ANSWER"),
    ]


def joined(at: float, bridge: str, *members: Channel) -> list[Event]:
    """They enter one after the other."""
    ids = [who.id for who in members]
    return [
        Bridged(after(at), bridge, tuple(ids[: count + 1]), who)
        for count, who in enumerate(members)
    ]


def left(at: float, bridge: str, *members: Channel) -> list[Event]:
    """They leave one after the other."""
    ids = [who.id for who in members]
    return [
        Bridged(after(at), bridge, tuple(ids[count + 1 :]), who)
        for count, who in enumerate(members)
    ]


def hangs_up(who: Channel, at: float, cause: int = 16) -> list[Event]:
    return [HungUp(after(at), who, cause)]


def answered_call() -> list[Event]:
    """Anna's phone rings for 5 s, and they talk for a minute."""
    return [
        Updated(START, TRUNK),
        *rings(ANNA, 0),
        *answers(ANNA, 5),
        *joined(5, "b1", TRUNK, ANNA),
        *left(65, "b1", ANNA, TRUNK),
        *hangs_up(ANNA, 65),
        *hangs_up(TRUNK, 65),
    ]


def new_ledger(inside: frozenset[str] = PHONES) -> Ledger:
    return Ledger("asterisk", inside.__contains__)


def told(events: list[Event], ledger: Ledger | None = None) -> CallReport:
    """The report of call 1.1 after these events."""
    ledger = ledger or new_ledger()
    for event in events:
        ledger.apply(event)
    report = ledger.report("1.1")
    assert report is not None
    return report


def listed(at: float, *channels: Channel, **bridges: tuple[Channel, ...]) -> list[Event]:
    """The list, and the word that all older events have come."""
    return [snapshot(at, *channels, **bridges), Settled(after(at))]


def snapshot(at: float, *channels: Channel, **bridges: tuple[Channel, ...]) -> Snapshot:
    listed = tuple(
        Bridged(after(at), name, tuple(who.id for who in members))
        for name, members in bridges.items()
    )
    return Snapshot(after(at), channels, listed)
