"""What follows from the news of a call: events for whom it concerns, customers and deals by rules
(T2), missed calls that are called back (T9), a deal that follows the speaker (rule 4)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from database.prepared import Prepared
from errors import Conflict
from models import Call, Deal, Event, is_missed, told
from verbs import call_backs, recordings, search
from verbs.customers import apply_rules
from verbs.deals import assign
from verbs.ignored import makes_customers

_MISSED = Prepared(
    lambda number, before: Call.awaiting_call_back().where(
        Call.number == number, Call.started_at < before
    )
)
_TOUCHED = Prepared(
    lambda deal: (
        Event.select(Event.id).where(Event.deal == deal, Event.user.is_null(False)).limit(1)
    )
)
_MADE = Prepared(
    lambda deal, call: (
        Event.of_kind("deal.created").where(Event.deal == deal, Event.call == call).limit(1)
    )
)


def follow(call: Call, before: tuple[Any, Any, Any], newly_attached: bool) -> None:
    """In the transaction that has saved the call. ``before``: answered_at, the id of the agent and
    the outcome as they were; ``newly_attached``: a known customer's deal takes it now."""
    was_answered, was_agent, was_outcome = before
    if call.answered_at and not was_answered:
        _answered(call)
    elif call.answered_at and call.agent_id != was_agent:
        _follow_speaker(call)
        Event.add("call.answered", call=call, payload=told(call.agent))
    elif newly_attached and not call.outcome:
        Event.add("call.attached", call=call)
    if call.outcome and call.outcome != was_outcome:
        if is_missed(call.direction, call.outcome) and makes_customers(call):
            apply_rules(call, "missed")
            _talked_since(call)
        if call.contact_id is None and call.number:
            search.called([call.id])
        Event.add("call.ended", call=call, payload={"outcome": call.outcome})


def _answered(call: Call) -> None:
    """T2 and T9: customers and deals by the rules, earlier missed calls are called back."""
    record = recordings.is_wanted(call)
    if makes_customers(call):
        apply_rules(call, call.direction)
        _clear_missed(call)
        call_backs.talked(call, call.answered_at)
        _follow_speaker(call)
    Event.add(
        "call.answered",
        call=call,
        payload=told(call.agent) | ({recordings.RULE: True} if record else {}),
    )


def _clear_missed(call: Call) -> None:
    waits = (Call.number == call.number) & Call.called_back_at.is_null()
    # Not locked by the query: MariaDB would wait for other live calls of the number too.
    for missed in _MISSED.models(call.number, Call.answered_at.db_value(call.answered_at)):
        mine = Call.update(called_back_at=call.answered_at).where(Call.id == missed.id, waits)
        if mine.execute():
            Event.add("call.called_back", call=missed)


def _talked_since(call: Call) -> None:
    """T9, the other way round: the conversation was known before the missed call was, which two
    calls at once or a gap can bring about."""
    talks = Call.select(Call.answered_at).where(
        Call.number == call.number,
        Call.answered_at > call.started_at,
        Call.direction != "internal",
    )
    first = talks.order_by(Call.answered_at).first()
    if first and call.called_back_at is None:
        call.called_back_at = first.answered_at
        call.save(only=[Call.called_back_at])
        Event.add("call.called_back", call=call)
        call_backs.talked(call, first.answered_at)


def _follow_speaker(call: Call) -> None:
    """Rule 4: a deal that this call made, and that nobody touched, follows the speaker."""
    deal, agent = call.deal, call.agent
    if not deal or not agent or not agent.active or deal.owner_id == agent.id:
        return
    if _MADE.rows(deal.id, call.id) and is_untouched(deal):
        # Conflict: a person reassigned it at this very moment, so it is touched.
        with suppress(Conflict):
            assign(deal, agent, by=None)


def is_untouched(deal: Deal) -> bool:
    """No person has changed it: what the system made may follow the call's last speaker."""
    return not _TOUCHED.rows(deal.id)
