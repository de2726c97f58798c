"""The calls of the demonstration, and what has to stand on the board after each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from models import Call, Contact, Deal, Funnel
from telephony.call_report import MISSED_OUTCOMES

ROUTED, OBSERVED = "route", "observe"


@dataclass(frozen=True)
class Scene:
    """One call. ``answers``: login of the seller who picks up, or None: nobody does.

    ``known``: the caller is a customer with an open deal, who must not get a second one.
    """

    number: str
    name: str
    way: str
    answers: str | None
    known: bool = False

    @property
    def title(self) -> str:
        who = self.name or self.number
        end = f"{self.answers} picks up" if self.answers else "nobody picks up"
        return f"{who} ({'known' if self.known else 'unknown'}, {self.way}d): {end}"


SCENES = (
    Scene("+493044701182", "Miriam Sander", ROUTED, "anna"),
    Scene("+491715552210", "", OBSERVED, "ben"),
    Scene("+4989121447", "Café Rosa", ROUTED, "anna"),
    Scene("+4922870551", "Tischlerei Voss", OBSERVED, None),
    Scene("+49408812904", "Bäckerei Holm", ROUTED, "ben", known=True),
)


def scenes(count: int | None) -> Iterator[Scene]:
    """The first ``count`` scenes (None: no end); in later rounds other strangers call."""
    total = 0
    while True:
        for scene in SCENES:
            if total == count:
                return
            turn = total // len(SCENES)
            if turn and not scene.known:
                number = f"{scene.number[:-2]}{turn % 90 + 10}"
                scene = replace(scene, number=number, name=f"{scene.name} {turn + 1}".strip())
            yield scene
            total += 1


def faults(scene: Scene, call: Call, deals_before: int) -> Iterator[str]:
    """What is wrong with the row and the card that the call left; nothing is what we hope for."""
    deal = call.deal
    if deal is None:
        yield "made no deal"
        return
    owner = deal.owner.login if deal.owner else None
    made = Deal.select().where(Deal.contact == deal.contact).count() - deals_before
    if scene.known:
        if made:
            yield f"a known customer got {made} more deals"
        if not deals_before:
            yield "the customer had no deal before"
        if scene.way == ROUTED and {leg.user_id for leg in call.legs} != {deal.owner_id}:
            yield "it rang somebody else than the deal's owner"
    else:
        if made != 1:
            yield f"made {made} deals"
        if deal.stage.kind != "unsorted":
            yield f"the deal stands in {deal.stage.name}"
    yield from _ending(scene, call, owner)


def _ending(scene: Scene, call: Call, owner: str | None) -> Iterator[str]:
    if scene.answers:
        agent = call.agent.login if call.agent else None
        if call.outcome != "answered" or agent != scene.answers:
            yield f"is recorded as {call.outcome} by {agent}"
        if owner != scene.answers:
            yield f"the deal is owned by {owner}"
    else:
        if call.outcome not in MISSED_OUTCOMES or not call.needs_call_back:
            yield f"is recorded as {call.outcome}, call back: {call.needs_call_back}"
        if owner is None:
            yield "the deal is owned by nobody"


def deals_of(number: str) -> int:
    """How many deals the caller with this number has."""
    contact = Contact.by_number(number)
    return Deal.select().where(Deal.contact == contact).count() if contact else 0


def board() -> Iterator[str]:
    """The board as a table, a line a card."""
    yield f"{'Stage':<22} {'Deal':<22} {'Number':<16} {'Owner':<6} {'Calls':>5}  Mark"
    for stage in Funnel.default().in_order():
        newest_first = (Deal.stage_since.desc(), Deal.id.desc())
        cards = list(Deal.select().where(Deal.stage == stage).order_by(*newest_first))
        yield f"{stage.name} ({len(cards)})"
        for deal in cards:
            calls = list(Call.select().where(Call.deal == deal))
            mark = "call back" if any(call.needs_call_back for call in calls) else ""
            number = deal.contact.phones.first() if deal.contact else None
            yield (
                f"{'':<22} {deal.title[:22]:<22} {number.e164 if number else '':<16} "
                f"{deal.owner.login if deal.owner else '-':<6} {len(calls):>5}  {mark}"
            ).rstrip()
