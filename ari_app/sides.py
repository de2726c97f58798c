"""A side of a call: one channel, and what became of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from telephony.call_report import LegReport, mobile_endpoint

BUSY_CAUSE = 17
"""Q.850: user busy."""
GAVE_UP_CAUSES = frozenset({0, 16, 18, 19, 21, 23, 26, 127})
"""Q.850: cleared, no response, no answer, rejected, redirected, answered elsewhere: reachable."""
FAILED_STATUSES = frozenset({"CHANUNAVAIL", "CONGESTION"})


@dataclass
class Side:
    """One channel of a call. ``talks``: spans in which it could be heard by the other side.
    ``target``: the number sent out with it. ``lives``: it has been more than just made. ``been``:
    the bridges that it is known to have been in.
    """

    id: str
    label: str
    endpoint: str
    created: datetime
    number: str = ""
    name: str = ""
    exten: str = ""
    is_nobodys: bool = False
    inside: bool = False
    dialled: bool = False
    lives: bool = False
    target: str = ""
    rang_at: datetime | None = None
    gone_at: datetime | None = None
    status: str = ""
    cause: int = 0
    talks: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    picked_up: bool = False
    been: set[str] = field(default_factory=set)

    @property
    def is_local(self) -> bool:
        return self.endpoint.startswith("Local/")

    @property
    def is_outside(self) -> bool:
        return not self.inside and not self.is_nobodys

    @property
    def is_party(self) -> bool:
        """Somebody's, and it is clear whether it calls or is called: a trunk's channel that was
        just made may be a customer's call, or the way out of a call of ours."""
        return self.inside or (self.is_outside and (self.dialled or self.lives))

    @property
    def is_talking(self) -> bool:
        return bool(self.talks) and self.talks[-1][1] is None

    def belong(self, is_inside: Callable[[str], bool]) -> None:
        """Asked until it is so: the users may not be known yet when a call begins. A trunk's
        channel is a user's if it was sent to that user's mobile phone, or is called from it."""
        if self.inside or self.is_nobodys:
            return
        mobiles = (mobile_endpoint(n) for n in (self.target, self.number))
        for endpoint in (self.endpoint, *filter(None, mobiles)):
            if is_inside(endpoint):
                self.endpoint, self.inside = endpoint, True
                return

    def talk(self, on: bool, at: datetime) -> None:
        """Begin or end a span; no change if it is so already."""
        self.picked_up = self.picked_up or on
        if on and not self.is_talking:
            self.talks.append((at, None))
        elif not on and self.is_talking:
            begun = self.talks[-1][0]
            self.talks[-1] = (begun, max(begun, at))

    @property
    def outcome(self) -> str | None:
        if self.gone_at is None:
            return None
        if self.picked_up:
            return "answered"
        if self.status == "BUSY" or self.cause == BUSY_CAUSE:
            return "busy"
        failed = self.status in FAILED_STATUSES or self.cause not in GAVE_UP_CAUSES
        return "failed" if failed and self.rang_at is None else "missed"

    def leg(self) -> LegReport:
        return LegReport(
            channel=self.id,
            endpoint=self.endpoint,
            rang_at=self.rang_at,
            answered_at=self.talks[0][0] if self.talks else None,
            ended_at=self.gone_at,
            outcome=self.outcome,
        )
