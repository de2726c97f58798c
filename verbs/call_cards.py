"""The card that a person has put a call on."""

from __future__ import annotations

from database import database, locked
from database.prepared import Prepared
from models import Call, Deal, Event, Leg, User

_BY_HAND = Prepared(
    lambda call: (
        Event.select(Event.id)
        .where(Event.kind == "call.attached", Event.call == call, Event.user.is_null(False))
        .limit(1)
    )
)


def attach(call: Call, deal: Deal, by: User) -> None:
    """A person puts the call on a card. On it already, or a conversation of others that is on
    no card which this person may see: no change. Raises Refused."""
    deal._may_change(by)
    with database.atomic():
        now = locked(Call.select().where(Call.id == call.id)).get()
        others = now.deal_id or (now.agent_id and not _was_talk_of(now, by))
        if (
            others
            and now.agent_id != by.id
            and not Deal.visible_to(by).where(Deal.id == (now.deal_id or 0)).exists()
        ):
            return
        call.deal, call.contact = deal, now.contact or deal.contact
        if now.deal_id == deal.id and is_attached_by_hand(now):
            return
        call.save(only=[Call.deal, Call.contact])
        Event.add("call.attached", deal=deal, call=call, by=by)


def is_attached_by_hand(call: Call) -> bool:
    return bool(_BY_HAND.rows(call.id))


def _was_talk_of(call: Call, user: User) -> bool:
    """Whether this user talked in it, or sees all. On a card of one whose phone only rang, what
    others said would be theirs to hear, and no longer that of those who said it."""
    spoke = (Leg.call == call) & (Leg.user == user) & Leg.answered_at.is_null(False)
    return user.sees_all or Leg.select().where(spoke).exists()
