"""R1 for what comes live: whose screen a call pops up on, who may hear it, and what a user may
learn of an event."""

from __future__ import annotations

from typing import Any

from peewee import fn

from models import Call, Deal, Event, Leg, User


def popping_up_for(user: User) -> Any:
    """T1: live calls that ring at, or are with, this user's phone. While another user talks, a
    phone that only rings has lost the call; after a transfer it rings for this user again."""
    own = Leg.select(Leg.call).where(Leg.user == user, Leg.ended_at.is_null())
    other = Leg.alias()
    taken = other.select(other.id).where(
        other.call == Call.id,
        other.user != user,
        other.answered_at.is_null(False),
        other.ended_at.is_null(),
    )
    talks = Call.id << own.where(Leg.answered_at.is_null(False))
    return Call.select().where(Call.ended_at.is_null(), Call.id << own, talks | ~fn.EXISTS(taken))


def audible_to(user: User) -> Any:
    """T8: calls whose recording this user may hear: those of cards that the user may see, and
    without a card those that the user was the last to speak in. That a phone has rung does not
    let its owner hear what others said."""
    query = Call.select()
    if user.sees_all:
        return query
    own_deal = fn.EXISTS(Deal.select(Deal.id).where(Deal.id == Call.deal, Deal.owner == user))
    return query.where(own_deal | (Call.deal.is_null() & (Call.agent == user)))


def card_of(call: Call, user: User) -> Deal | None:
    """The card that the call is on, if this user may see it."""
    return Deal.visible_to(user).where(Deal.id == (call.deal_id or 0)).first()


def deal_for(event: Event, user: User) -> int | None:
    """The deal's id, if this user may (or until now might) see it."""
    return event.deal_id if user.sees_all or user.id in event.content["deal_for"] else None


def call_for(event: Event, user: User) -> int | None:
    """The call's id, if it reached this user's phone; heads see the calls of all."""
    return event.call_id if user.sees_all or user.id in event.content["call_for"] else None


def task_for(event: Event, user: User) -> int | None:
    """The task's id, if it is (or until now was) this user's; heads see those of all."""
    if not event.kind.startswith("task."):
        return None
    content = event.content
    return content["task"] if user.sees_all or user.id in content["task_for"] else None


def contact_for(event: Event, user: User) -> int | None:
    """The contact's id, if this user may (or until now might) see it; heads see all."""
    content = event.content
    if "contact_for" not in content:
        return None
    return content["contact"] if user.sees_all or user.id in content["contact_for"] else None


def request_for(event: Event, user: User) -> int | None:
    """The request's id, if it is this user's own."""
    content = event.content
    return content["request"] if content.get("request_for") == user.id else None


def is_of_board(event: Event) -> bool:
    """Funnels and stages stand on the boards of all."""
    return event.kind.startswith(("funnel", "stage."))


def concerns(event: Event, user: User) -> bool:
    """Whether there is anything in it for this user."""
    kinds = (deal_for, call_for, request_for, task_for, contact_for)
    return is_of_board(event) or any(found(event, user) for found in kinds)


def messages(event: Event, user: User) -> list[tuple[str, dict[str, Any]]]:
    """What this user may learn of the event: (name, data) for the deal and for the call."""
    deal, call = deal_for(event, user), call_for(event, user)
    found: list[tuple[str, dict[str, Any]]] = []
    content = event.content
    by = {"by": content["by"]} if content.get("by_user", user.id) != user.id else {}
    # That a call of theirs made a deal is nothing for those whose phones only rang.
    if call and event.kind.startswith("call."):
        mine = user.id in content["call_for"]
        about = {"call": call, "kind": event.kind, "deal": deal, "mine": mine}
        whose = {"caller": content["caller"]} if user.sees_all and "caller" in content else {}
        found.append(("call", {**about, **whose, **by}))
    if deal:
        found.append(("deal", {"deal": deal, "kind": event.kind, **_move(event), **by}))
    if task := task_for(event, user):
        mine = user.id in event.content["task_for"]
        found.append(("task", {"task": task, "kind": event.kind, "deal": deal, "mine": mine}))
    if contact := contact_for(event, user):
        found.append(("contact", {"contact": contact, "kind": event.kind}))
    if wish := request_for(event, user):
        found.append(("request", {"request": wish, "kind": event.kind}))
    if is_of_board(event):
        about = {"event": event.id, "funnel": content.get("funnel"), "kind": event.kind}
        found.append(("funnel", about))
    return found


def _move(event: Event) -> dict[str, Any]:
    """Where the card stands by now and since when, in milliseconds since 1970; ``change``: of two
    moves of a deal the later one has the higher."""
    content = event.content
    if event.kind != "deal.moved" or "to" not in content:
        return {}
    return {"stage": content["to"], "change": content["change"], "since": content["since"]}


def is_own(event: Event, user: User) -> bool:
    """Few are told of it because it is theirs; heads of everything."""
    kinds = ("deal_for", "call_for", "task_for", "contact_for")
    return any(user.id in event.content.get(kind, ()) for kind in kinds)
