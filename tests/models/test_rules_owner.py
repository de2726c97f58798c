"""Rule 5 and ``missed_owner``: whose a missed call is, and who never gets one."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial

import pytest

from database import database
from fields import utcnow
from models import Call, CallRule, Contact, Deal, Department, Turn, User
from telephony.call_report import CallReport, LegReport
from tests.at_once import at_once
from tests.office import PATIENCE, until
from tests.world import Story, World, release, use
from verbs import users
from verbs.calls import record_call
from verbs.customers import locked_turns, next_in_turn
from verbs.rule_choice import add_rule

SERVICE = "+4930555000"


def owned_by(way: str, did: str = "", known: bool = False, effects: str = "contact deal") -> None:
    CallRule.delete().where(
        CallRule.did == did, CallRule.situation == "missed", CallRule.known == known
    ).execute()
    add_rule("missed", known, effects, did, missed_owner=way)


def missed(n: int, *phones: str, did: str = "") -> Call:
    """The n-th call, of a number that nobody knows, which rang at these phones one by one."""
    story = Story.begins(f"+4930777{n:04}", f"{n}.1", did=did)
    for after, phone in enumerate(phones, start=1):
        story = story.rings(phone, after=after)
    return story.ended().call


def owners(call: Call) -> tuple[User | None, User | None]:
    return call.contact.owner, call.deal.owner


def test_last_first_nobody(world: World) -> None:
    wanted = {"last": world.ben, "first": world.anna, "nobody": None}
    for n, (way, owner) in enumerate(wanted.items()):
        owned_by(way)
        assert owners(missed(n, "PJSIP/101", "PJSIP/102")) == (owner, owner)
        assert owners(missed(100 + n)) == (None, None), "nobody's phone rang"


@pytest.mark.parametrize("way", ["last", "first"])
def test_a_phone_that_rings_twice(world: World, way: str) -> None:
    owned_by(way)
    report = CallReport("asterisk", "1.1", "incoming", utcnow(), number="+49307771234")
    at = report.started_at
    legs = [
        LegReport(f"leg-{n}", phone, rang_at=at.replace(microsecond=n * 1000), ended_at=at)
        for n, phone in enumerate(("PJSIP/101", "PJSIP/102", "PJSIP/101"))
    ]
    call = record_call(CallReport(**{**vars(report), "legs": tuple(legs), "ended_at": at}))
    assert owners(call) == (world.anna, world.anna)


def test_who_is_disabled_gets_nothing(world: World) -> None:
    """Disabled while the phone rings: the row of the phone stays."""
    for n, way in enumerate(("last", "first", "turns")):
        owned_by(way)
        story = Story.begins(f"+4930777000{n}", f"{n}.1")
        gone, left = ("PJSIP/102", world.anna) if way == "last" else ("PJSIP/101", world.ben)
        story = story.rings("PJSIP/101", after=1).rings("PJSIP/102", after=2)
        User.update(active=False).where(User.endpoint == gone).execute()
        assert owners(story.ended().call) == (left, left), way
        User.update(active=True).where(User.endpoint == gone).execute()


def test_a_speaker_who_is_disabled_gets_no_deal(world: World) -> None:
    story = Story.begins().rings("PJSIP/101", "PJSIP/102")
    User.update(active=False).where(User.id == world.anna).execute()
    assert story.answered("PJSIP/101").call.deal.owner == world.ben


def test_the_head(world: World) -> None:
    owned_by("head")
    assert owners(missed(1, "PJSIP/101")) == (world.hugo, world.hugo)
    Department.update(did=SERVICE).where(Department.name == "Service").execute()
    assert missed(2, "PJSIP/103", did=SERVICE).deal.owner == world.hugo, "Service has none"
    boss = users.add("otto", "Otto", "head", "correct horse", None, "Service")
    assert missed(3, "PJSIP/101", did=SERVICE).deal.owner == boss
    assert missed(4, "PJSIP/103").deal.owner == world.hugo, "Sales answers all numbers"
    Department.update(did="+4930555999").execute()
    assert missed(5, "PJSIP/103").deal.owner == boss, "no department answers: whose phone rang"
    for head in (boss, world.hugo):
        users.disable(head)
    assert missed(6, "PJSIP/103").deal.owner is None


def test_in_turn(world: World) -> None:
    owned_by("turns")
    owned_by("turns", known=True, effects="deal")
    given = [missed(n, "PJSIP/101").deal.owner for n in range(4)]
    assert given == [world.anna, world.ben] * 2
    assert next_in_turn("") == world.anna
    # A deal that is open takes the call, and a rule that makes nothing uses up nobody's turn.
    assert missed(0).deal.owner == world.anna
    assert missed_of("+49307770000", "9.9").deal.owner == world.anna
    assert next_in_turn("") == world.anna
    Deal.get(Deal.owner == world.ben).move_to(world.stage("Lost"), by=None)
    lost = Deal.get(Deal.closed_at.is_null(False))
    assert missed_of(lost.contact.phones.get().e164, "9.8").deal.owner == world.anna
    assert next_in_turn("") == world.ben


def missed_of(number: str, linkedid: str) -> Call:
    return Story.begins(number, linkedid).rings("PJSIP/101").ended().call


def test_each_department_has_its_own_round(world: World) -> None:
    Department.update(did=SERVICE).where(Department.name == "Service").execute()
    second = users.add("otto", "Otto", "seller", "correct horse", "PJSIP/104", "Service")
    owned_by("turns")
    given = [missed(n, did=("", SERVICE)[n % 2]).deal.owner for n in range(8)]
    assert given[::2] == [world.anna, world.ben] * 2
    assert given[1::2] == [world.olga, second] * 2


def test_the_round_goes_on_with_others_in_it(world: World) -> None:
    owned_by("turns")
    assert missed(1).deal.owner == world.anna
    new = users.add("nina", "Nina", "seller", "correct horse", "PJSIP/105", "Sales")
    assert [missed(n).deal.owner for n in (2, 3)] == [world.ben, new]
    users.disable(world.anna)
    assert [missed(n).deal.owner for n in (4, 5, 6)] == [world.ben, new, world.ben]


def test_without_a_department_those_whose_phones_rang(world: World) -> None:
    Department.update(did="+4930555999").execute()
    owned_by("turns")
    phones = ("PJSIP/103", "PJSIP/101")
    assert [missed(n, *phones).deal.owner for n in range(3)] == [world.anna, world.olga, world.anna]
    assert missed(9).deal.owner is None


def test_a_restart_does_not_begin_the_round_anew(world: World) -> None:
    owned_by("turns")
    assert missed(1).deal.owner == world.anna
    release()
    use(world.url)
    assert missed(2).deal.owner == world.ben
    assert sorted(turn.given for turn in Turn.select()) == [1, 2]


def test_calls_missed_at_once_are_shared_out(world: World) -> None:
    owned_by("turns")
    reports = [
        CallReport(
            "asterisk", f"{n}.2", "incoming", utcnow(), number=f"+4930888{n:04}", ended_at=utcnow()
        )
        for n in range(8)
    ]
    at_once(*(partial(record_call, report) for report in reports))
    assert Counter(deal.owner_id for deal in Deal.select()) == {world.anna.id: 4, world.ben.id: 4}


def test_one_number_missed_twice_at_once_is_one_turn(world: World) -> None:
    owned_by("turns", effects="contact")
    for n in (0, 1):
        missed(n)
    same = [
        CallReport(
            "asterisk", f"{n}.2", "incoming", utcnow(), number="+49308881234", ended_at=utcnow()
        )
        for n in range(4)
    ]
    at_once(*(partial(record_call, report) for report in same))
    assert Contact.select().count() == 3
    assert next_in_turn("") == world.ben


def test_who_waits_for_a_turn_holds_up_nobody_else(on_postgresql: World) -> None:
    """A second process gives turns, and this one meanwhile hears the call of a known customer."""
    owned_by("turns")
    missed(0)
    known = Contact.of_number("+49308881111", "Fitwerk", on_postgresql.ben)
    ended = [
        CallReport("asterisk", f"{n}.2", "incoming", utcnow(), number=number, ended_at=utcnow())
        for n, number in enumerate(("+49308882222", "+49308881111"))
    ]

    def record(report: CallReport) -> None:
        with database.connection_context():
            record_call(report)

    waits, goes_on = (threading.Thread(target=record, args=(report,)) for report in ended)
    with database.atomic():
        locked_turns([on_postgresql.anna, on_postgresql.ben])
        waits.start()
        until(somebody_waits, "a call that waits for its turn")
        goes_on.start()
        goes_on.join(PATIENCE)
        assert Call.get(Call.number == "+49308881111").deal.contact == known
        assert waits.is_alive()
    waits.join(PATIENCE)
    assert Call.get(Call.number == "+49308882222").deal.owner == on_postgresql.ben


def somebody_waits() -> bool:
    (count,) = database.execute_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
    return bool(count)
