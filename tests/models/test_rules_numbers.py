"""T10 in record_call: ignored, own and prefixed numbers make neither contacts nor deals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playhouse.test_utils import count_queries

import fields
import models
import settings
from ari_app import router
from database import database
from errors import Refused
from fields import normalise
from models import Call, Contact, Deal, IgnoredNumber
from tests.world import CUSTOMER, Story, World, release, use
from verbs import history, ignored, rules
from verbs.ignored import makes_customers

OWN = "+4930555000"


@pytest.fixture
def numbered(world: World) -> Iterator[World]:
    """An exchange where 0 gets a line, that also puts it before callers' numbers."""
    release()
    models.connect(
        settings.load(
            {
                "TRICHTER_DATABASE_URL": world.url,
                "TRICHTER_NUMBERS_PREFIXES": "0=,in:00=0,in:000=00",
                "TRICHTER_NUMBERS_OWN": f"030 777 1,{OWN[:-2]}*",
            }
        )
    )
    yield world
    release()
    use(world.url)


def talked(number: str, linkedid: str = "1.1", direction: str = "incoming") -> Call:
    story = Story.begins(number, linkedid, direction=direction).rings("PJSIP/101")
    return story.answered("PJSIP/101").ended().call


def missed(number: str, linkedid: str) -> Call:
    return Story.begins(number, linkedid).rings("PJSIP/101").ended().call


def test_ignored_in_the_panel(world: World) -> None:
    rules.ignore(CUSTOMER, "taxi", by=world.ada)
    assert talked(CUSTOMER).number == CUSTOMER, "it is recorded all the same"
    missed("030/44701182", "2.1")
    assert not Contact.select().exists()
    rules.stop_ignoring(IgnoredNumber.get().id, by=world.ada)
    assert talked(CUSTOMER, "3.1").deal


def test_ignored_by_another_process(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known two seconds later at the latest."""
    clock = [1000.0]
    monkeypatch.setattr(ignored.time, "monotonic", lambda: clock[0])
    ignored.forget()
    assert ignored.listed() == frozenset()
    IgnoredNumber.create(e164=CUSTOMER)
    assert ignored.listed() == frozenset()
    clock[0] += ignored.SECONDS
    assert ignored.listed() == {CUSTOMER}
    assert not makes_customers(Call(direction="incoming", number=CUSTOMER))


def test_no_query_for_each_event(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ignored.time, "monotonic", lambda: 1000.0)
    ignored.forget()
    with count_queries() as counted:
        for n in range(3):
            story = Story.begins(f"+4930777{n:04}", f"{n}.1").rings("PJSIP/101")
            story.answered("PJSIP/101").ended()
    asked = [q for q in counted.get_queries() if "ignored_numbers" in str(q.msg)]
    assert len(asked) == 1


def test_an_ignored_number_waits_for_no_call_back(world: World) -> None:
    missed(CUSTOMER, "1.1")
    missed("+4930999888", "2.1")
    waiting = Call.awaiting_call_back().where(ignored.spares(Call.number))
    assert {call.number for call in waiting} == {CUSTOMER, "+4930999888"}
    rules.ignore(CUSTOMER, "", by=world.ada)
    assert [call.number for call in waiting.clone()] == ["+4930999888"]
    fields.ignored = frozenset({"+4930999888"})
    try:
        again = Call.awaiting_call_back().where(ignored.spares(Call.number))
        assert not again.exists()
    finally:
        fields.ignored = frozenset()


@pytest.mark.parametrize("number", ["0030 7771", OWN, "0030555012", "+493055500"])
def test_own_numbers_are_nobodys(numbered: World, number: str) -> None:
    incoming, outgoing = talked(number), talked(number, "2.1", "outgoing")
    assert (incoming.number, incoming.contact, incoming.deal) == (None, None, None)
    assert incoming.number_text == number, "people can read it all the same"
    assert missed(number, "3.1").contact is None
    assert outgoing.contact is None
    assert not Contact.select().exists()


def test_an_own_number_of_before_makes_no_customer_any_more(numbered: World) -> None:
    assert not makes_customers(Call(direction="incoming", number=OWN))
    with pytest.raises(Refused, match=r"^number: "):
        Contact.of_number(OWN, "Reception", None)
    assert not Contact.select().exists()


def test_prefixes(numbered: World) -> None:
    incoming = talked("0030 4470 1182")
    assert (incoming.number, incoming.number_text) == (CUSTOMER, "0030 4470 1182")
    outgoing = talked("0030 4470 1182", "2.1", "outgoing")
    abroad = talked("00044 20 7946 0123", "3.1")
    assert outgoing.number == CUSTOMER
    assert abroad.number == "+442079460123"
    assert outgoing.contact == incoming.contact
    assert (Contact.select().count(), Deal.select().count()) == (2, 2)


def test_a_call_that_turns_out_to_be_incoming(numbered: World) -> None:
    story = Story.begins("101", direction="internal")
    assert story.call.number is None
    known = replace(story.report, direction="incoming", number="0030 4470 1182")
    call = Story(known).rings("PJSIP/101").answered("PJSIP/101").call
    assert (call.number, call.contact is None) == (CUSTOMER, False)


def test_the_router_reads_numbers_likewise(numbered: World) -> None:
    customer = Contact.of_number(CUSTOMER, "Miriam Sander", numbered.anna)
    found = router.caller("0030 4470 1182")
    assert found
    assert found.contact == customer.name
    assert router.caller("0049 30 4470 1182") is None
    assert router.caller(OWN) is None


def test_old_calls_likewise(numbered: World) -> None:
    report = Story.begins("0030 4470 1182", "1.1").ended().report
    others = [
        replace(report, linkedid="2.1"),
        replace(report, linkedid="3.1", number=OWN),
        replace(report, linkedid="4.1", direction="outgoing"),
    ]
    assert history.enter("asterisk", others) == 3
    assert {c.linkedid: c.number for c in Call.select()} == {
        "1.1": CUSTOMER, "2.1": CUSTOMER, "3.1": None, "4.1": CUSTOMER,
    }  # fmt: skip


@pytest.mark.parametrize("own", ["reception", "101", "+49*"])
def test_own_numbers_that_are_none_are_refused(own: str) -> None:
    with pytest.raises(Refused, match=r"^numbers\.own: "):
        models.connect(settings.load({"TRICHTER_NUMBERS_OWN": own}))


def test_numbers_stay_readable_in_the_database(numbered: World) -> None:
    """What is stored is read again by nobody's prefix."""
    assert normalise(CUSTOMER) == CUSTOMER
    call = talked("0030 4470 1182")
    call.save()
    assert Call.get().number == CUSTOMER
    database.close()
