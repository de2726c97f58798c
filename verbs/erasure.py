"""C3: what is kept of one person goes in one act: the contact, what deals, calls, tasks and notes
say of it, recordings. Rows that reports count stay, and name nobody. A receipt tells of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from database import database, forget_deleted
from errors import Refused
from fields import BadNumber, normalise, utcnow
from models import (
    Call,
    CallRequest,
    Contact,
    Deal,
    Event,
    IgnoredNumber,
    Leg,
    Merge,
    Note,
    Phone,
    Reason,
    Receipt,
    StageChange,
    Task,
    User,
)
from verbs import elsewhere, ignored, receipts, search, tasks
from verbs.receipts import pages

ERASED = "Erased"
"""What the title of a deal or task says then."""
TOLD = "erased"
"""What stands for the number of a call: were it empty, a late report would fill it in again."""


@dataclass(frozen=True)
class Person:
    """Whom it is about. ``contact``: None for a number that only calls know."""

    contact: Contact | None
    numbers: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.contact.name if self.contact else ""

    @property
    def email(self) -> str:
        return self.contact.email if self.contact else ""

    @property
    def marked(self) -> list[str]:
        """By what a receipt can be recognised: the numbers in front."""
        return [*self.numbers, *(text for text in (self.email, self.name) if text)]


@dataclass
class Traces:
    """Ids of the rows that are about a person, by what they are."""

    calls: list[int] = field(default_factory=list)
    deals: list[int] = field(default_factory=list)
    tasks: list[int] = field(default_factory=list)
    notes: list[int] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    recordings: list[int] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        return {name: len(ids) for name, ids in vars(self).items()}


def of_number(number: str) -> Person:
    """Who has this number, in any notation. Raises Refused for what is none."""
    try:
        e164 = normalise(number)
    except BadNumber as error:
        raise Refused("{error}", field="number", error=error) from error
    contact = Contact.by_number(e164)
    return of_contact(contact) if contact else Person(None, (e164,))


def of_contact(contact: Contact) -> Person:
    """With the numbers it had before, unless they are somebody else's now."""
    own = [phone.e164 for phone in contact.phones.order_by(Phone.id)]
    others = Phone.select(Phone.e164).where(Phone.contact != contact)
    called: Any = Call.select(Call.number).where(
        Call.contact == contact, Call.number.is_null(False), Call.number.not_in(others)
    )
    return Person(
        contact, tuple(dict.fromkeys([*own, *(n for (n,) in called.distinct().tuples())]))
    )


def traces(person: Person) -> Traces:
    """What there is of a person: shown before it is asked whether all that shall go."""
    contact = person.contact.id if person.contact else 0
    deals = _ids(Deal, Deal.contact == contact)
    # Who else rings about the deal keeps name and number.
    on_deals = (Call.deal << deals) & Call.contact.is_null() & Call.number.is_null()
    calls = _ids(Call, (Call.contact == contact) | (Call.number << person.numbers) | on_deals)
    about_calls = [_among(Note.call, calls), _among(Task.call, calls)]
    return Traces(
        calls=calls,
        deals=deals,
        tasks=_ids(Task, (Task.contact == contact) | (Task.deal << deals) | about_calls[1]),
        notes=_ids(Note, (Note.contact == contact) | (Note.deal << deals) | about_calls[0]),
        requests=_ids(
            CallRequest, (CallRequest.contact == contact) | (CallRequest.number << person.numbers)
        ),
        recordings=_ids(Call, Call.recording.is_null(False) & _among(Call.id, calls)),
    )


def erase(person: Person, by: User | None, key: str = "", folders: Iterable[str] = ()) -> Receipt:
    """``key``: [panel] secret_key, for the receipt's mark; ``folders``: of the recordings.

    Raises Refused while they talk, for what is not known at all, and for who may not. Recordings
    that can't be deleted stay named on their calls; the receipt counts them (see
    receipts.again).
    """
    if by is not None and not by.sees_all:
        raise Refused("Only a head erases what is known of somebody.")
    found = traces(person)
    _check(person, found)
    mentions = elsewhere.mentions(person.name, person.email, person.numbers)
    # Before the rows: what is gone twice does no harm, what nobody names any more stays for ever.
    left = receipts.recordings_left(found.recordings, list(folders))
    with database.atomic():
        _check(person, found)
        _calls(found.calls, left, person.numbers)
        _texts(found)
        _deals(found.deals, by)
        counts = {**found.counts, "contacts": int(person.contact is not None)}
        counts["recordings"] -= len(left)
        counts["mentions"] = mentions.erase()
        _rest(person)
        receipt = receipts.write(by, key, person.marked, counts, left)
        Event.add("contact.erased", by=by, payload={"receipt": receipt.id})
    forget_deleted()
    return receipt


def _check(person: Person, found: Traces) -> None:
    contact = person.contact.id if person.contact else 0
    theirs = (Call.contact == contact) | (Call.number << person.numbers)
    wanted = CallRequest.ended_at.is_null() & (CallRequest.number << person.numbers)
    talks = Call.select().where(Call.ended_at.is_null(), theirs).exists()
    if talks or CallRequest.select().where(wanted, CallRequest.state << _UNDER_WAY).exists():
        raise Refused("A call with this person is going on. Erase it when the call has ended.")
    user = User.select().where(User.mobile << person.numbers).first()
    if user:
        raise Refused("{login} has this number as a mobile; take it away there.", login=user.login)
    ignored = IgnoredNumber.select().where(IgnoredNumber.e164 << person.numbers).exists()
    if person.contact is None and not any(found.counts.values()) and not ignored:
        raise Refused("Nothing is known of this number.", field="number")


_UNDER_WAY = ("claimed", "ringing", "talking", "ending")


def _calls(calls: list[int], left: list[int], numbers: tuple[str, ...]) -> None:
    nobody = {"number": None, "number_text": TOLD, "name": "", "contact": None}
    for ids in pages(calls):
        search.forget("call", ids)
        # What is known of it now stays so, whatever the exchange still tells.
        Call.update(**nobody, guessed_end=False).where(Call.id << ids).execute()
        gone = Call.id.not_in(left) if left else Call.id > 0
        Call.update(recording=None).where(Call.id << ids, gone).execute()
        unsaid = Call.answered_at.is_null(False) & Call.talk.is_null()
        Call.update(talk=0).where(Call.id << ids, unsaid).execute()
        for number in numbers:
            Call.update(did=None).where(Call.id << ids, Call.did == number).execute()
            digits = number[1:]
            named = Leg.channel.contains(digits) | Leg.endpoint.contains(digits)
            for leg in Leg.select().where(Leg.call << ids, named):
                nowhere = {"channel": f"{TOLD}-{leg.id}", "endpoint": TOLD}
                Leg.update(**nowhere).where(Leg.id == leg.id).execute()


def _texts(found: Traces) -> None:
    now = utcnow()
    for ids in pages(found.notes):
        Note.delete().where(Note.id << ids).execute()
    for ids in pages(found.requests):
        CallRequest.update(number=None, contact=None).where(CallRequest.id << ids).execute()
    for ids in pages(found.tasks):
        open_ones = (Task.id << ids) & Task.done_at.is_null()
        Task.update(done_at=now).where(open_ones).execute()
        Task.update(title=ERASED, result="", contact=None).where(Task.id << ids).execute()
    for deal in {t.deal_id for t in Task.select(Task.deal).where(_among(Task.id, found.tasks))}:
        tasks.renew_next(deal)


def _deals(deals: list[int], by: User | None) -> None:
    """Reasons that the company offers are nobody's data, and reports count them."""
    offered: Any = Reason.select(Reason.name)
    for ids in pages(deals):
        search.forget("deal", ids)
        Deal.update(title=ERASED, contact=None).where(Deal.id << ids).execute()
        own = Deal.lost_reason.is_null(False) & Deal.lost_reason.not_in(offered)
        Deal.update(lost_reason=None).where(Deal.id << ids, own).execute()
        said = StageChange.reason.is_null(False) & StageChange.reason.not_in(offered)
        StageChange.update(reason=None).where(StageChange.deal << ids, said).execute()
        search.keep("deal", ids)
        for deal in Deal.select().where(Deal.id << ids):
            Event.add("deal.changed", deal=deal, by=by, payload={"changed": ["title", "contact"]})


def _rest(person: Person) -> None:
    """The contact itself, and a company that was nobody but this person."""
    if IgnoredNumber.delete().where(IgnoredNumber.e164 << person.numbers).execute():
        ignored.forget()
    contact = person.contact
    if contact is None:
        return
    search.forget("phone", _ids(Phone, Phone.contact == contact))
    search.forget("contact", [contact.id])
    Merge.delete().where(Merge.kept == contact).execute()
    Phone.delete().where(Phone.contact == contact).execute()
    company = contact.company
    contact.delete_instance()
    if company is None or company.contacts.exists():
        return
    if elsewhere.folded(contact.name) in elsewhere.folded(company.name):
        search.forget("company", [company.id])
        company.delete_instance()


def _among(column: Any, ids: list[int]) -> Any:
    return column << ids


def _ids(table: Any, condition: Any) -> list[int]:
    return [row for (row,) in table.select(table.id).where(condition).order_by(table.id).tuples()]
