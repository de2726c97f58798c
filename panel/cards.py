"""Cards with all they show, in a constant number of queries however many they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import JOIN

from fields import utcnow
from models import Call, Contact, Deal, Phone, Stage, User
from panel.shown import next_age


@dataclass(frozen=True)
class Card:
    """A deal as it stands on the board. ``number`` in E.164; ``live``: a call that goes on now;
    ``missed``: the last call that nobody has returned."""

    deal: Deal
    number: str | None = None
    live: Call | None = None
    missed: Call | None = None

    @property
    def is_stuck(self) -> bool:
        """Longer in its stage than the stage allows."""
        limit = self.deal.stage.stuck_after
        passed = (utcnow() - self.deal.stage_since).total_seconds()
        return limit is not None and not self.deal.stage.is_closed and passed > limit

    @property
    def stale_at(self) -> datetime:
        """When the card is going to look different by the passing of time alone."""
        since, limit = self.deal.stage_since, self.deal.stage.stuck_after
        older = next_age(since)
        if limit is None or self.deal.stage.is_closed or self.is_stuck:
            return older
        return min(older, since + timedelta(seconds=limit))

    @property
    def is_talking(self) -> bool:
        return self.live is not None and self.live.answered_at is not None


def with_people(query: Any) -> Any:
    """A query of deals (``Deal.visible_to``), with stage, contact and owner in the same rows."""
    return (
        query.select(Deal, Stage, Contact, User)
        .join(Stage, on=(Deal.stage == Stage.id), attr="stage")
        .join_from(Deal, Contact, JOIN.LEFT_OUTER)
        .join_from(Deal, User, JOIN.LEFT_OUTER, on=(Deal.owner == User.id), attr="owner")
    )


def of_deals(deals: Iterable[Deal]) -> list[Card]:
    """Cards of deals that were read by ``with_people``. Three queries."""
    deals = list(deals)
    ids = [deal.id for deal in deals]
    if not ids:
        return []
    numbers = _first_numbers(deal.contact_id for deal in deals)
    live = {call.deal_id: call for call in Call.select().where(Call.ended_at.is_null(), _of(ids))}
    missed = {call.deal_id: call for call in Call.awaiting_call_back().where(_of(ids))}
    return [
        Card(deal, numbers.get(deal.contact_id), live.get(deal.id), missed.get(deal.id))
        for deal in deals
    ]


def card_of(deal: Deal) -> Card:
    return of_deals([deal])[0]


def _of(ids: list[int]) -> Any:
    return Call.deal << ids


def _first_numbers(contacts: Iterable[int | None]) -> dict[int, str]:
    ids = sorted({contact for contact in contacts if contact})
    phones = Phone.select().where(Phone.contact << ids).order_by(Phone.id.desc()) if ids else ()
    return {phone.contact_id: phone.e164 for phone in phones}
