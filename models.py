"""Tables, and the verbs that concern one row; those that concern many tables are in verbs/.

A verb changes state, appends its history and an Event in one transaction; who acts is explicit
(``by``; None is the system). What a person may not see does not exist for them: the panel reads
through ``visible_to`` only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, NoReturn

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField, TextField, fn
from werkzeug.security import check_password_hash
from werkzeug.utils import cached_property

import fields
from database import database, open_database, shared
from database.changes import announce
from database.prepared import Prepared
from database.table import Table
from errors import Conflict, Incomplete, Refused
from fields import MoneyField, PhoneField, UTCDateTimeField, check_amount, clean, utcnow
from telephony.call_report import MISSED_OUTCOMES, MOBILE, is_missed

ROLES = ("seller", "head", "admin")
REQUIRABLE = ("contact", "number", "email", "company", "amount", "task", "note")
"""What a stage can ask to be filled in before a deal enters it."""
TASK_KINDS = ("call", "meeting", "offer", "todo")
OPEN_REQUESTS = ("new", "claimed", "ringing", "talking", "ending")


def connect(settings: Any) -> None:
    """Take the database, the number rules and the currency from ``settings`` (see settings/).

    Raises DatabaseTrouble for a bad address and Refused for a number that is none.
    """
    open_database(settings.database.url)
    fields.configure(settings)


# People ------------------------------------------------------------------------------------------


class Department(Table):
    """A group of users that calls ring at. ``did``: the called number it answers, '' for all."""

    name = CharField(80, unique=True)
    did = CharField(40, default="")


class User(Table):
    login = CharField(40, unique=True)
    name = CharField(80)
    password_hash = CharField(255)
    role = CharField(10)
    department = ForeignKeyField(Department, null=True, backref="users")
    # NULL, never '': two users without a phone must not collide.
    endpoint = CharField(80, null=True, unique=True)
    # Where it answers for the company, a mobile is as much inside as the phone on the desk.
    mobile = PhoneField(null=True, unique=True)
    locale = CharField(10, default="en")
    active = BooleanField(default=True)
    # Part of what a session must show: another one ends all log-ins of the user.
    session_mark = CharField(32, default="")

    @property
    def places(self) -> tuple[str, ...]:
        """The endpoints at which this user speaks: the phone, and the mobile as reports name it."""
        mobile = MOBILE + self.mobile if self.mobile else None
        return tuple(str(place) for place in (self.endpoint, mobile) if place)

    @property
    def sees_all(self) -> bool:
        """R1-R3 in one place: heads and admins see every card, sellers their own."""
        return self.role in ("head", "admin")

    def check_password(self, password: str) -> bool:
        return self.active and check_password_hash(self.password_hash, password)


class EndedSession(Table):
    """A log-in that its user has ended: a copy of its cookie opens nothing any more. ``key``: what
    tells it from the user's others."""

    user = ForeignKeyField(User, backref="+", on_delete="CASCADE")
    key = CharField(64, unique=True)
    at = UTCDateTimeField(default=utcnow, index=True)


class SentForm(Table):
    """A form that has ``made`` the row of this id. ``key``: what tells it from all others."""

    key = CharField(64, unique=True)
    made = IntegerField(default=0)
    at = UTCDateTimeField(default=utcnow, index=True)


# Funnel ------------------------------------------------------------------------------------------


class Funnel(Table):
    name = CharField(80, unique=True)
    position = IntegerField(default=0)
    archived = BooleanField(default=False)

    @classmethod
    def default(cls) -> Funnel:
        return cls.select().where(~cls.archived).order_by(cls.position, cls.id).get()

    @property
    def unsorted(self) -> Stage:
        """F4: where deals fall that the system creates."""
        return Stage.get(Stage.funnel == self, Stage.kind == "unsorted")

    def in_order(self) -> list[Stage]:
        """Its stages as they stand on the board; those that were taken out are not among them."""
        here = Stage.select().where(Stage.funnel == self, ~Stage.archived)
        return list(here.order_by(Stage.position, Stage.id))


class Stage(Table):
    """A column of the board. ``stuck_after`` in seconds, ``probability`` in percent.

    ``kind``: unsorted (first, of the system), open, won or lost.
    """

    funnel = ForeignKeyField(Funnel, backref="stages", on_delete="CASCADE")
    name = CharField(80)
    position = IntegerField()
    kind = CharField(10, default="open")
    buyer_phase = CharField(20, default="")
    advice = TextField(default="")
    probability = IntegerField(default=0)
    stuck_after = IntegerField(null=True)
    required_fields = CharField(200, default="")
    colour = CharField(20, default="")
    # Its history stays; it is neither shown nor entered any more.
    archived = BooleanField(default=False)

    class Meta:
        indexes = ((("funnel", "name"), True),)

    @property
    def is_closed(self) -> bool:
        return self.kind in ("won", "lost")

    def check_new_deal(self) -> None:
        """Whether a card can begin in it, as far as this row knows. Raises Refused."""
        if self.archived or self.funnel.archived:
            raise Refused(
                "The stages were changed in the meantime. Look at them again.", field="stage"
            )
        if self.is_closed:
            raise Refused("a new deal can't be closed already", field="stage")

    def keep(self) -> Stage:
        """No deal may go where nobody would see it: until the transaction ends nobody takes this
        stage out, or its funnel. To be asked before a deal is locked, the order of
        verbs/funnels.py. Raises Refused if it was taken out since it was read."""
        funnel = shared(Funnel.select().where(Funnel.id == self.funnel_id)).get()
        if Stage.get_by_id(self.id).archived or (funnel.archived and not self.is_closed):
            raise Refused("The stages were changed in the meantime. Look at them again.")
        return self


class Reason(Table):
    """F5: why deals are lost, to choose from; one that is not ``active`` is not offered."""

    name = CharField(120, unique=True)
    position = IntegerField(default=0)
    active = BooleanField(default=True)


# Customers ---------------------------------------------------------------------------------------


class Company(Table):
    name = CharField(120, index=True)
    website = CharField(200, default="")
    notes = TextField(default="")
    owner = ForeignKeyField(User, null=True, backref="companies")
    created_at = UTCDateTimeField(default=utcnow)

    @classmethod
    def visible_to(cls, user: User) -> Any:
        """R1: a seller's are those looked after and those of contacts that the seller sees."""
        contact = Contact.visible_to(user).select(Contact.id).where(Contact.company == cls.id)
        theirs = (cls.owner == user) | fn.EXISTS(contact)
        return cls.select() if user.sees_all else cls.select().where(theirs)


class Contact(Table):
    """A person. ``tags``: words with one space between, and one before and after, or ''.
    ``checked_at``: when somebody last said that what is written here is right (C2)."""

    name = CharField(80, index=True)
    company = ForeignKeyField(Company, null=True, backref="contacts", on_delete="SET NULL")
    position = CharField(80, default="")
    email = CharField(200, default="")
    tags = CharField(200, default="")
    owner = ForeignKeyField(User, null=True, backref="contacts")
    created_at = UTCDateTimeField(default=utcnow)
    checked_at = UTCDateTimeField(null=True)

    @classmethod
    def visible_to(cls, user: User) -> Any:
        """R1: a seller's are those looked after and those of own deals. Heads: all."""
        own_deal = fn.EXISTS(Deal.select(Deal.id).where(Deal.contact == cls.id, Deal.owner == user))
        theirs = (cls.owner == user) | own_deal
        return cls.select() if user.sees_all else cls.select().where(theirs)

    @classmethod
    def by_number(cls, number: str | None) -> Contact | None:
        """The contact with this number in E.164, or None."""
        return next(iter(_OF_NUMBER.models(number)), None) if number else None

    @classmethod
    def add(cls, name: str, owner: User | None) -> Contact:
        """A new contact of whom no number is known yet. Raises Refused."""
        if not clean(name):
            raise Refused("must not be empty", field="name")
        with database.atomic():
            contact = cls.create(name=clean(name), owner=owner)
            _can_be_found("contact", contact.id)
        return contact

    @classmethod
    def of_number(cls, number: str, name: str, owner: User | None) -> Contact:
        """The contact with this number, made if there is none; a race makes one, not two.

        Raises Refused for one of the company's own.
        """
        found = cls.by_number(number)
        if found:
            return found
        if number in fields.own:
            raise Refused("this is one of the company's own numbers", field="number")
        with database.atomic():
            contact = cls.create(name=clean(name) or number, owner=owner)
            phone, fresh = Phone.get_or_create(e164=number, defaults={"contact": contact})
            if not fresh:
                contact.delete_instance()
                return phone.contact
            _can_be_found("contact", contact.id)
            _can_be_found("phone", phone.id)
        return contact


class Phone(Table):
    """A number of a contact. The unique key is what makes two calls at once one contact."""

    contact = ForeignKeyField(Contact, backref="phones", on_delete="CASCADE")
    e164 = PhoneField(unique=True)


class Deal(Table):
    """A card. ``source``: call or manual. ``stage_since``: when it entered its stage. ``currency``:
    of its amount; it stays when that of new deals becomes another."""

    contact = ForeignKeyField(Contact, null=True, backref="deals")
    stage = ForeignKeyField(Stage, backref="deals")
    owner = ForeignKeyField(User, null=True, backref="deals")
    title = CharField(120)
    amount = MoneyField(null=True)
    currency = CharField(3, default=lambda: fields.currency)
    priority = IntegerField(default=0)
    source = CharField(20, default="manual")
    created_at = UTCDateTimeField(default=utcnow)
    stage_since = UTCDateTimeField(default=utcnow)
    closed_at = UTCDateTimeField(null=True)
    lost_reason = CharField(200, null=True)
    lost_in_stage = ForeignKeyField(Stage, null=True, backref="+")
    # What is done next and when, as of its open tasks: the board sorts and filters by it.
    next_due = UTCDateTimeField(null=True)

    class Meta:
        indexes = (
            (("stage", "stage_since"), False),
            (("owner", "stage", "stage_since"), False),
            (("stage", "next_due"), False),
            (("stage", "amount"), False),
            # What the head of a column counts and sums, without reading its deals.
            (
                (
                    *("stage", "currency", "amount"),
                    *("stage_since", "next_due", "closed_at", "priority"),
                ),
                False,
            ),
            (("owner", "stage", "currency", "amount"), False),
            (("contact", "closed_at"), False),
            # For Contact.visible_to: else SQLite reads all deals of a seller for each contact.
            (("contact", "owner"), False),
        )

    @classmethod
    def visible_to(cls, user: User) -> Any:
        """R1, R2: the only way by which the panel reads deals."""
        query = cls.select()
        return query if user.sees_all else query.where(cls.owner == user)

    @classmethod
    def open(
        cls,
        title: str,
        owner: User | None,
        by: User | None,
        contact: Contact | None = None,
        stage: Stage | None = None,
        amount: Decimal | None = None,
        priority: int = 0,
        call: Call | None = None,
        source: str = "manual",
        at: datetime | None = None,
    ) -> Deal:
        """A new card, in Unsorted of the first funnel unless a stage is given. Raises Refused."""
        title, priority = fields.deal_title(title), fields.checked_priority(priority)
        check_amount(amount)
        if stage:
            stage.check_new_deal()
        at = at or utcnow()
        with database.atomic():
            enters = stage.keep() if stage else Funnel.default().unsorted
            deal = cls.create(
                title=title,
                contact=contact,
                stage=enters,
                owner=owner,
                amount=amount,
                priority=priority,
                source=source,
                created_at=at,
                stage_since=at,
            )
            # A call waits for nobody. What is archived after this, funnels.gather finds.
            while not stage and Funnel.get_by_id(enters.funnel_id).archived:
                deal.stage = enters = Funnel.default().unsorted
                deal.save(only=[cls.stage])
            deal._changed_stage(None, enters, by, at)
            _can_be_found("deal", deal.id)
            Event.add("deal.created", deal=deal, call=call, by=by, at=at)
        return deal

    def move_to(
        self,
        stage: Stage,
        by: User | None,
        at: datetime | None = None,
        reason: str = "",
        amount: Decimal | None = None,
    ) -> bool:
        """F3, F5: to another stage of the same funnel. False: it is there already.

        ``reason``: why it is lost; ``amount``: for which it is won. Raises Refused, Incomplete if
        the stage asks for what is not filled in, or Conflict if somebody moved it since ``self``
        was read.
        """
        self._may_change(by)
        was = self.stage
        if stage.id == was.id:
            return False
        if stage.funnel_id != was.funnel_id or stage.archived:
            raise Refused("belongs to another funnel", field="stage")
        before = self.amount
        reason, amount = clean(reason, 200), before if amount is None else amount
        check_amount(amount)
        missing = self.missing_for(stage, reason, amount) if by else []
        if missing:
            raise Incomplete(missing)
        at = at or utcnow()
        entered = self._entering(stage, at, reason)
        with database.atomic():
            stage.keep()
            as_read = (Deal.stage == was) & self._same_owner()
            if not self._conditional(as_read, **entered, amount=amount):
                self._refuse_late(was, by)
            news = self.moved(self._changed_stage(was, stage, by, at, reason), by)
            if amount != before:
                # What the move has set goes with it when it is taken back.
                news["amount"] = [None if one is None else str(one) for one in (before, amount)]
            Event.add("deal.moved", deal=self, by=by, at=at, payload=news)
        return True

    def _entering(self, stage: Stage, at: datetime, reason: str) -> dict[str, Any]:
        """Its columns once it stands in the stage."""
        died_in = self.lost_in_stage if self.stage.kind == "lost" else self.stage
        return {
            "stage": stage,
            "stage_since": at,
            "closed_at": at if stage.is_closed else None,
            "lost_in_stage": died_in if stage.kind == "lost" else None,
            "lost_reason": (reason or None) if stage.kind == "lost" else None,
        }

    def _refuse_late(self, was: Stage, by: User | None) -> NoReturn:
        """Somebody was faster: says what they did with the deal."""
        now = Deal.get_by_id(self.id)
        now._may_change(by)
        if now.stage_id == was.id:
            raise Conflict("Somebody else reassigned this deal just now.")
        raise Conflict("Somebody else moved this deal to “{name}” just now.", name=now.stage.name)

    def missing_for(self, stage: Stage, reason: str, amount: Decimal | None) -> list[str]:
        """What a person has to fill in before this deal may enter the stage (F1, F5), in words out
        of REQUIRABLE, and reason."""
        wanted = set(stage.required_fields.split())
        if stage.kind == "won":
            wanted.add("amount")
        contact = self.contact
        have = {
            "amount": amount is not None,
            "contact": contact is not None,
            "number": contact is not None and contact.phones.exists(),
            "email": contact is not None and bool(contact.email),
            "company": contact is not None and contact.company_id is not None,
            "task": self.next_due is not None,
            "note": "note" in wanted and self.notes.exists(),
        }
        missing = [word for word in REQUIRABLE if word in wanted and not have[word]]
        return [*missing, "reason"] if stage.kind == "lost" and not reason else missing

    def _may_change(self, by: User | None) -> None:
        if by is not None and not by.sees_all and self.owner_id != by.id:
            raise Refused("This deal belongs to somebody else.")

    def _same_owner(self) -> Any:
        return Deal.owner == self.owner_id if self.owner_id else Deal.owner.is_null()

    def _conditional(self, condition: Any, **values: Any) -> bool:
        """Change the row if ``condition`` still holds; the count of rows tells whether it did."""
        if not Deal.update(**values).where(Deal.id == self.id, condition).execute():
            return False
        for name, value in values.items():
            setattr(self, name, value)
        self._dirty.difference_update(values)
        return True

    def _changed_stage(
        self, was: Stage | None, stage: Stage, by: User | None, at: datetime, reason: str = ""
    ) -> StageChange:
        return StageChange.create(
            deal=self,
            from_stage=was,
            to_stage=stage,
            actor=by,
            owner_then=self.owner_id,
            at=at,
            reason=reason or None,
        )

    def moved(self, change: StageChange, by: User | None) -> dict[str, Any]:
        """What the event of a move says: all that an open board needs to show it. ``change``: the
        later of two moves of a deal has the higher one; ``since``: in milliseconds since 1970."""
        return {
            "from": change.from_stage_id,
            "to": change.to_stage_id,
            "change": change.id,
            "since": Deal.stage_since.db_value(self.stage_since),
            **told(by),
        }


class StageChange(Table):
    """Append-only: reports are made from it. ``owner_then``: whose conversion it counts for."""

    deal = ForeignKeyField(Deal, backref="changes", on_delete="CASCADE")
    from_stage = ForeignKeyField(Stage, null=True, backref="+")
    to_stage = ForeignKeyField(Stage, backref="+")
    actor = ForeignKeyField(User, null=True, backref="+")
    owner_then = ForeignKeyField(User, null=True, backref="+")
    at = UTCDateTimeField(default=utcnow)
    reason = CharField(200, null=True)


# Calls -------------------------------------------------------------------------------------------


class Call(Table):
    """T6: one call is one row, key PBX + linkedid. ``wait`` and ``talk`` in seconds.

    ``number`` is the outside party in E.164, or NULL if hidden or none; ``number_text`` is what the
    PBX said, for people to read. ``agent`` is the user who spoke last.
    """

    pbx = CharField(64)
    linkedid = CharField(150)
    direction = CharField(10)
    number = PhoneField(null=True, index=True)
    number_text = CharField(40, default="")
    name = CharField(80, default="")
    did = CharField(40, null=True)
    queue = CharField(80, null=True)
    contact = ForeignKeyField(Contact, null=True, backref="calls")
    deal = ForeignKeyField(Deal, null=True, backref="calls")
    agent = ForeignKeyField(User, null=True, backref="calls")
    started_at = UTCDateTimeField()
    answered_at = UTCDateTimeField(null=True)
    ended_at = UTCDateTimeField(null=True)
    wait = IntegerField(null=True)
    talk = IntegerField(null=True)
    outcome = CharField(10, null=True)
    recording = CharField(255, null=True)
    called_back_at = UTCDateTimeField(null=True)
    # Nobody saw it end: the exchange's own record, read later, may replace end and outcome.
    guessed_end = BooleanField(default=False)

    class Meta:
        indexes = (
            (("pbx", "linkedid"), True),
            (("started_at",), False),
            (("ended_at", "pbx"), False),
            (("agent", "started_at"), False),
            (("did", "started_at"), False),
            (("deal", "outcome"), False),
            (("called_back_at", "outcome", "direction", "started_at"), False),
        )

    @property
    def needs_call_back(self) -> bool:
        """T9: missed, and nobody has talked with that number since."""
        return is_missed(self.direction, self.outcome) and self.called_back_at is None

    @classmethod
    def awaiting_call_back(cls) -> Any:
        """``needs_call_back`` as a query, the oldest first."""
        waits = (cls.were_missed(), cls.called_back_at.is_null())
        return cls.select().where(*waits).order_by(cls.started_at)

    @classmethod
    def were_missed(cls) -> Any:
        """``is_missed`` as a condition."""
        return (cls.direction == "incoming") & (cls.outcome << MISSED_OUTCOMES)

    @classmethod
    def visible_to(cls, user: User) -> Any:
        """Heads: all. A seller: calls that reached this seller's phone, or belong to own deals."""
        # Correlated: a list of all calls that a seller ever had would grow with the years.
        own_leg = fn.EXISTS(Leg.select(Leg.id).where(Leg.call == cls.id, Leg.user == user))
        own_deal = fn.EXISTS(Deal.select(Deal.id).where(Deal.id == cls.deal, Deal.owner == user))
        theirs = (cls.agent == user) | own_leg | own_deal
        return cls.select() if user.sees_all else cls.select().where(theirs)

    @classmethod
    def unfinished(cls, pbx: str) -> Any:
        """Calls of one PBX that have not ended, as far as the rows know."""
        return cls.select().where(cls.pbx == pbx, cls.ended_at.is_null())


class Leg(Table):
    """One phone of one user in a call; each keeps its own times."""

    call = ForeignKeyField(Call, backref="legs", on_delete="CASCADE")
    channel = CharField(150)
    user = ForeignKeyField(User, null=True, backref="legs")
    endpoint = CharField(80)
    rang_at = UTCDateTimeField(null=True)
    answered_at = UTCDateTimeField(null=True)
    ended_at = UTCDateTimeField(null=True)
    outcome = CharField(10, null=True)

    class Meta:
        # user + call: else SQLite reads all legs of a user to tell whether one is in a call.
        indexes = (
            (("call", "channel"), True),
            (("user", "ended_at"), False),
            (("user", "call"), False),
        )


class CallRule(Table):
    """T2: which calls make what. ``did`` '' is every called number; a named one wins.

    ``effects``: words of telephony/call_rules.py; '' is nothing. A known number's open deal always
    takes the call, so 'deal' for a known number is the repeat deal; a deal closed less than
    ``repeat_after`` days ago takes the call too. ``missed_owner``: whose a missed call is.
    """

    did = CharField(40, default="")
    situation = CharField(10)
    known = BooleanField()
    effects = CharField(40, default="")
    missed_owner = CharField(10, default="last")
    repeat_after = IntegerField(default=0)

    class Meta:
        indexes = ((("did", "situation", "known"), True),)

    @property
    def words(self) -> set[str]:
        """The effects, each a word."""
        return set(self.effects.split())


class IgnoredNumber(Table):
    """T10: makes no contact and no deal, besides those that the configuration names."""

    e164 = PhoneField(unique=True)
    note = CharField(120, default="")


class Turn(Table):
    """Rule 5: when in the round of missed calls a user was last given one, as a count."""

    # No index but this one: rows must be locked in the same order by everybody.
    user = ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
    given = IntegerField(default=0)


# What the panel wants of the exchange, and what it shows -----------------------------------------


class CallRequest(Table):
    """T7, T11: what a person wants the exchange to do; the ARI process claims it.

    ``kind``: call (``user``'s phone first, then ``number``; ``call`` is what becomes of it),
    listen, whisper or join (``user``'s phone, into ``call``). ``state``: new, claimed, ringing (the
    phone of ``user``), talking (it was picked up), ending (``user`` wants it over), done or failed,
    with a word for the ``reason``. ``channel``: the id that the phone's channel gets, made here.
    """

    pbx = CharField(64)
    kind = CharField(10)
    user = ForeignKeyField(User, backref="requests")
    number = PhoneField(null=True)
    contact = ForeignKeyField(Contact, null=True, backref="+", on_delete="SET NULL")
    deal = ForeignKeyField(Deal, null=True, backref="+", on_delete="SET NULL")
    call = ForeignKeyField(Call, null=True, backref="+", on_delete="SET NULL")
    channel = CharField(150, unique=True)
    state = CharField(10, default="new")
    reason = CharField(120, default="")
    created_at = UTCDateTimeField(default=utcnow)
    claimed_at = UTCDateTimeField(null=True)
    ended_at = UTCDateTimeField(null=True)

    class Meta:
        indexes = ((("pbx", "state", "created_at"), False), (("user", "state"), False))

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_REQUESTS

    @classmethod
    def visible_to(cls, user: User) -> Any:
        """Everybody's are their own; a head does not see those of others either."""
        return cls.select().where(cls.user == user)


class Device(Table):
    """T13: a phone as the exchange sees it. ``state``: online, offline or unknown."""

    pbx = CharField(64)
    endpoint = CharField(80)
    state = CharField(10)
    at = UTCDateTimeField()

    class Meta:
        indexes = ((("pbx", "endpoint"), True),)


class QueueState(Table):
    """T13: a queue as it is at ``at``: how many callers ``waiting`` and since when the first of
    them waits, how many ``talking``."""

    pbx = CharField(64)
    name = CharField(80)
    waiting = IntegerField(default=0)
    talking = IntegerField(default=0)
    longest_since = UTCDateTimeField(null=True)
    at = UTCDateTimeField()

    class Meta:
        indexes = ((("pbx", "name"), True),)


class Silence(Table):
    """T5: calls of a PBX that ended between the two moments may not have been heard, and are looked
    for in what Asterisk wrote down. It lasts until they are found, whatever dies in between."""

    pbx = CharField(64, unique=True)
    since = UTCDateTimeField()
    until = UTCDateTimeField()


# What people do ----------------------------------------------------------------------------------


class Task(Table):
    """K1: what somebody has to do, and by when. ``kind``: out of TASK_KINDS. ``result``: what came
    of it, once it is done."""

    kind = CharField(10, default="todo")
    title = CharField(120)
    due_at = UTCDateTimeField(null=True)
    deal = ForeignKeyField(Deal, null=True, backref="tasks", on_delete="SET NULL")
    contact = ForeignKeyField(Contact, null=True, backref="tasks", on_delete="SET NULL")
    call = ForeignKeyField(Call, null=True, backref="+", on_delete="SET NULL")
    owner = ForeignKeyField(User, null=True, backref="tasks")
    created_at = UTCDateTimeField(default=utcnow)
    reminded_at = UTCDateTimeField(null=True)
    done_at = UTCDateTimeField(null=True)
    result = CharField(500, default="")

    class Meta:
        indexes = (
            (("owner", "done_at", "due_at"), False),
            (("deal", "done_at", "due_at"), False),
            # Of all people: what is due, among ever more that is done.
            (("done_at", "due_at"), False),
        )

    @classmethod
    def visible_to(cls, user: User) -> Any:
        """R1: a seller's own, and those of own deals. Heads: all."""
        own_deal = fn.EXISTS(Deal.select(Deal.id).where(Deal.id == cls.deal, Deal.owner == user))
        theirs = (cls.owner == user) | own_deal
        return cls.select() if user.sees_all else cls.select().where(theirs)


class Note(Table):
    """What people write on a card or of a customer. ``kind``: note, or mail for a mail's text."""

    kind = CharField(10, default="note")
    text = TextField()
    deal = ForeignKeyField(Deal, null=True, backref="notes", on_delete="CASCADE")
    contact = ForeignKeyField(Contact, null=True, backref="notes", on_delete="CASCADE")
    company = ForeignKeyField(Company, null=True, backref="+", on_delete="CASCADE")
    call = ForeignKeyField(Call, null=True, backref="+", on_delete="SET NULL")
    author = ForeignKeyField(User, null=True, backref="+")
    at = UTCDateTimeField(default=utcnow)

    class Meta:
        indexes = ((("deal", "at"), False), (("contact", "at"), False))

    @classmethod
    def visible_to(cls, user: User) -> Any:
        """R1: those on cards that the user may see; on no card, those of such contacts. Heads: all
        of both."""
        card = Deal.visible_to(user).select(Deal.id).where(Deal.id == cls.deal)
        contact = Contact.visible_to(user).select(Contact.id).where(Contact.id == cls.contact)
        seen = fn.EXISTS(card) | (cls.deal.is_null() & fn.EXISTS(contact))
        return cls.select().where(seen)


class Merge(Table):
    """C1: one contact taken into another, with all that is needed to part them again."""

    kept = ForeignKeyField(Contact, backref="+", on_delete="CASCADE")
    by = ForeignKeyField(User, null=True, backref="+")
    at = UTCDateTimeField(default=utcnow)
    undone_at = UTCDateTimeField(null=True)
    before = TextField()


class Receipt(Table):
    """C3: that one person's data was erased, without saying whose. ``mark``: a keyed hash of the
    number or name that was asked for."""

    at = UTCDateTimeField(default=utcnow)
    by = ForeignKeyField(User, null=True, backref="+")
    mark = CharField(64)
    counts = TextField()


class Word(Table):
    """A word that something can be searched by, folded (see spelling.py)."""

    text = CharField(40, unique=True)


class Mention(Table):
    """That a ``word`` (its id, or 0 for nothing that can be searched by) stands in a contact,
    company or deal; ``row``: the id of that."""

    word = IntegerField()
    kind = CharField(8)
    row = IntegerField()

    class Meta:
        # Not the kind in front: SQLite would read all of a kind to see what word it is.
        indexes = ((("word", "kind", "row"), True), (("row", "kind", "word"), False))


class Gram(Table):
    """Three characters that stand for what is left of a word when letters are taken away, or for
    four digits in a row of a number (see spelling.py). ``kind``: word, phone, or call for a number
    that is nobody's; ``row``: its id."""

    gram = CharField(3)
    kind = CharField(8)
    row = IntegerField()

    class Meta:
        indexes = ((("gram", "kind", "row"), True), (("kind", "row"), False))


class Wording(Table):
    """A text of the panel that the company has set: its name, a line on the log-in page …"""

    name = CharField(40, unique=True)
    text = TextField(default="")


# Events ------------------------------------------------------------------------------------------


def told(by: User | None) -> dict[str, Any]:
    """Who did it, in the payload of an event: whoever is told of it on hundreds of open pages need
    not look them up."""
    return {"by": by.name, "by_user": by.id} if by else {}


class Event(Table):
    """What happened, in order: live feed and audit trail in one. ``user``: who did it."""

    at = UTCDateTimeField(default=utcnow, index=True)
    kind = CharField(30)
    deal = ForeignKeyField(Deal, null=True, backref="events", on_delete="SET NULL")
    call = ForeignKeyField(Call, null=True, backref="events", on_delete="SET NULL")
    user = ForeignKeyField(User, null=True, backref="+")
    payload = TextField(default="{}")

    @classmethod
    def add(
        cls,
        kind: str,
        deal: Deal | None = None,
        call: Call | None = None,
        by: User | None = None,
        at: datetime | None = None,
        also: Iterable[int | None] = (),
        payload: dict[str, Any] | None = None,
        request: CallRequest | None = None,
        only_heads: bool = False,
    ) -> None:
        """Append one. The deal is for its owner and the users ``also`` named, the call for the
        users whose phones it reached, a request for whose it is; heads see all calls and deals,
        and ``only_heads`` alone what the sellers are not told."""
        deal = deal or (call.deal if call and not only_heads else None)
        deal_for = {deal.owner_id, *also} if deal and not only_heads else set()
        reached = _REACHED.rows(call.id) if call and not only_heads else ()
        call_for = {user for (user,) in reached}
        about = {"request": request.id, "request_for": request.user_id} if request else {}
        if call and call.contact_id:
            about["caller"] = call.contact_id
        content = {
            **(payload or {}),
            **about,
            "deal_for": sorted(u for u in deal_for if u),
            "call_for": sorted(u for u in call_for if u),
        }
        _APPEND.change(
            kind,
            deal and deal.id,
            call and call.id,
            by and by.id,
            cls.at.db_value(at or utcnow()),
            json.dumps(content, separators=(",", ":")),
        )
        announce()

    @classmethod
    def of_kind(cls, kind: str) -> Any:
        return cls.select().where(cls.kind == kind)

    @cached_property
    def content(self) -> dict[str, Any]:
        """Read once: every open page asks whether it is for its user."""
        return json.loads(self.payload)


# Asked or done on every call ---------------------------------------------------------------------


_OF_NUMBER = Prepared(lambda number: Contact.select().join(Phone).where(Phone.e164 == number))
_REACHED = Prepared(lambda call: Leg.select(Leg.user).where(Leg.call == call))
_APPEND = Prepared(
    lambda kind, deal, call, user, at, payload: Event.insert(
        kind=kind, deal=deal, call=call, user=user, at=at, payload=payload
    )
)


# Kept for the search -----------------------------------------------------------------------------


def _can_be_found(kind: str, row: int) -> None:
    from verbs import search  # verbs build on the tables

    search.keep(kind, [row])


TABLES: tuple[type[Table], ...] = (
    Department, User, EndedSession, SentForm, Funnel, Stage, Reason, Company, Contact, Phone, Deal,
    StageChange, Call, Leg, CallRule, IgnoredNumber, Turn, CallRequest, Device, QueueState, Silence,
    Task, Note, Merge, Receipt, Word, Mention, Gram, Wording, Event,
)  # fmt: skip
