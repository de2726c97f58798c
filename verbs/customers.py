"""What a call makes of the number outside, by the rules of T2: its contact, its deal, and whose
they are (rule 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from peewee import fn
from werkzeug.utils import cached_property

from database import locked, locked_if_there
from database.prepared import Prepared
from models import Call, CallRule, Contact, Deal, Leg, Turn, User
from verbs import call_backs
from verbs.call_cards import is_attached_by_hand
from verbs.phones import department_for, ringing_in
from verbs.rule_choice import rule_for

CUSTOMERS = {"contact", "deal"}
"""Effects that make a contact of an unknown number."""
_LOCKED = Prepared(lambda contact: locked(Contact.select(Contact.id).where(Contact.id == contact)))


def apply_rules(call: Call, situation: str) -> None:
    """Contact and deal of a call that was answered or missed, as the rule for it says.

    The contact's row is locked, so that two calls at once make one deal (rule 7).
    """
    known = call.contact or Contact.by_number(call.number)
    rule = rule_for(situation, known is not None, call.did)
    owner = Owner(call, situation, rule)
    calls_back = situation == "missed" and rule is not None and "task" in rule.words
    if known is None and not (rule and rule.words & CUSTOMERS):
        if calls_back:
            _want_call_back(call, None, None, owner)
        return
    contact = known or _new_contact(call, owner)
    lock(contact)
    deal = call.deal if is_attached_by_hand(call) else taken_by(contact, rule, call, owner.near)
    if deal is None and rule and "deal" in rule.words:
        deal = Deal.open(
            contact.name, owner.user, None, contact=contact, call=call, source="call", at=_at(call)
        )
        owner.accept()
    call.contact, call.deal = contact, deal
    call.save(only=[Call.contact, Call.deal])
    if calls_back:
        _want_call_back(call, contact, deal, owner)


def lock(contact: Contact) -> None:
    """Until the transaction ends. Raises DoesNotExist if it has just been taken into another."""
    if not _LOCKED.rows(contact.id):
        raise Contact.DoesNotExist(f"contact {contact.id} is not there any more")


def _want_call_back(call: Call, contact: Contact | None, deal: Deal | None, owner: Owner) -> None:
    # Whose turn it is, is asked only where a task without a deal may need somebody.
    if call_backs.want(call, contact, deal, None if deal else owner.user) and not deal:
        owner.accept()


_OPEN_DEALS = Prepared(
    lambda contact: (
        Deal.select()
        .where(Deal.contact == contact, Deal.closed_at.is_null())
        .order_by(Deal.created_at.desc(), Deal.id.desc())
    )
)


def open_deal_of(contact: Contact, preferred_owner: User | None = None) -> Deal | None:
    """The deal that a call belongs to: the newest open one, the given owner's first."""
    deals = _OPEN_DEALS.models(contact.id)
    own = [d for d in deals if preferred_owner and d.owner_id == preferred_owner.id]
    return next(iter(own or deals), None)


def taken_by(
    contact: Contact, rule: CallRule | None, call: Call, preferred: User | None = None
) -> Deal | None:
    """The deal that takes a call without a rule's help: an open one, or one just closed."""
    return open_deal_of(contact, preferred) or recent_deal(contact, rule, _at(call))


def recent_deal(contact: Contact, rule: CallRule | None, at: datetime) -> Deal | None:
    """The deal closed last, if that is less than the rule's ``repeat_after`` days before ``at``."""
    if not rule or not rule.repeat_after:
        return None
    since = at - timedelta(days=rule.repeat_after)
    closed = Deal.select().where(Deal.contact == contact, Deal.closed_at > since)
    return closed.order_by(Deal.closed_at.desc(), Deal.id.desc()).first()


def _at(call: Call) -> datetime:
    return call.answered_at or call.ended_at or call.started_at


def _new_contact(call: Call, owner: Owner) -> Contact:
    user = owner.user
    # Who waited for their turn may find that the call before made this contact.
    found = Contact.by_number(call.number)
    contact = found or Contact.of_number(str(call.number), call.name, user)
    if found is None:
        owner.accept()
    return contact


class Owner:
    """Whose is what a call makes: the speaker's, of a missed call as the rule says. Users who are
    disabled get nothing. In a transaction.

    Cached by Werkzeug's property: that of Python 3.11 holds one lock for the owners of all calls,
    and what waits in the database for a turn would hold up calls that others wait for.
    """

    def __init__(self, call: Call, situation: str, rule: CallRule | None) -> None:
        self._call, self._situation = call, situation
        self._way = rule.missed_owner if rule and situation == "missed" else "last"

    @cached_property
    def near(self) -> User | None:
        """The speaker, else whose phone rang last: of several open deals this one's is taken."""
        agent = self._call.agent if self._situation != "missed" else None
        if agent and agent.active:
            return agent
        # Nobody of ours spoke: a mobile outside did, on behalf of whose phone rang.
        return next(reversed(self._rang), None)

    @cached_property
    def user(self) -> User | None:
        """Asked for only where something is made: whose turn it is, is locked until the end."""
        if self._way == "first":
            return next(iter(self._rang), None)
        if self._way == "head":
            return head_for(self._call.did, self._rang)
        if self._way == "turns":
            return self._turn[0]
        return None if self._way == "nobody" else self.near

    def accept(self) -> None:
        """Something was made: it was this user's turn. Once a call, however much is made."""
        if self._way == "turns" and self._turn[0]:
            user, given = self._turn
            Turn.update(given=given).where(Turn.user == user).execute()

    @cached_property
    def _rang(self) -> list[User]:
        """Active users whose phones rang, each once, in the order of their last ring; of their
        first one for the rule that asks for that."""
        rang = fn.COALESCE(Leg.rang_at, Leg.answered_at, 0)
        legs: Any = Leg.select(Leg, User).join(User).where(Leg.call == self._call, User.active)
        users = [leg.user for leg in legs.order_by(rang, Leg.id)]
        if self._way == "first":
            return list({user.id: user for user in users}.values())
        return list({user.id: user for user in reversed(users)}.values())[::-1]

    @cached_property
    def _turn(self) -> tuple[User | None, int]:
        """Whose turn it is, and the count that makes it somebody else's."""
        users = in_the_round(self._call.did, self._rang)
        given = locked_turns(users)
        return next_of(users, given), max(given.values(), default=0) + 1


def head_for(did: str | None, rang: Sequence[User] = ()) -> User | None:
    """The head of the department that the called number belongs to, else that of whose phone rang
    last, else of any; the one added first."""
    heads = list(User.select().where(User.active, User.role == "head").order_by(User.id))
    answering = department_for(did or "")
    departments = [answering and answering.id, *(user.department_id for user in reversed(rang))]
    of = (head for d in departments if d for head in heads if head.department_id == d)
    return next(of, next(iter(heads), None))


def in_the_round(did: str | None, rang: Sequence[User] = ()) -> list[User]:
    """Who takes turns: the department that answers the called number, else whose phones rang."""
    department = department_for(did or "")
    return (ringing_in(department) if department else []) or list(rang)


def locked_turns(users: Sequence[User]) -> dict[int, int]:
    """Their places in the round by their ids, locked: of calls missed at once each waits for the
    one before."""
    places = Turn.user << [user.id for user in users]
    turns = locked(Turn.select().where(places).order_by(Turn.user))
    given = {turn.user_id: turn.given for turn in turns} if users else {}
    missing = sorted({user.id for user in users} - given.keys())
    if missing:
        new = Turn.insert_many([{"user": number} for number in missing])
        locked_if_there(new, Turn.user).execute()
        given = {turn.user_id: turn.given for turn in turns.clone()}
    return given


def next_of(users: Sequence[User], given: Mapping[int, int]) -> User | None:
    """Who has waited longest; those who never had one first, in the order they were added."""
    return min(users, key=lambda user: (given.get(user.id, 0), user.id), default=None)


def next_in_turn(did: str | None) -> User | None:
    """Whose turn a call to this number would be, if it were missed now."""
    users = in_the_round(did)
    turns = Turn.select().where(Turn.user << [user.id for user in users])
    return next_of(users, {turn.user_id: turn.given for turn in turns})
