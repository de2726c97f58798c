"""record_call: which calls make contacts and deals (T2, T10, rule 7)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

import models
import settings
from errors import Refused
from fields import utcnow
from models import Call, CallRule, Contact, Deal, Event, Phone
from panel.audience import audible_to
from telephony.call_report import CallReport, LegReport
from tests.at_once import at_once
from tests.world import CUSTOMER, Story, World, release, use
from verbs.call_cards import attach
from verbs.calls import record_call
from verbs.rule_choice import effects_for


@pytest.fixture
def customer(world: World) -> Contact:
    return Contact.of_number(CUSTOMER, "Miriam Sander", world.anna)


def rule(situation: str, known: bool, effects: str, did: str = "") -> None:
    CallRule.insert(did=did, situation=situation, known=known, effects=effects).execute()


def changed(situation: str, known: bool, effects: str) -> None:
    which = (CallRule.situation == situation) & (CallRule.known == known) & (CallRule.did == "")
    assert CallRule.update(effects=effects).where(which).execute()


def test_an_open_deal_takes_the_call_when_it_rings(world: World, customer: Contact) -> None:
    deal = Deal.open("Roof", world.anna, world.anna, contact=customer)
    story = Story.begins("030/4470 1182;ext=9").rings("PJSIP/102")
    assert (story.call.contact, story.call.deal) == (customer, deal)
    story.answered("PJSIP/102").ended()
    assert (story.call.deal, story.call.agent) == (deal, world.ben)
    assert Deal.get().owner == world.anna
    assert (Contact.select().count(), Event.of_kind("call.attached").count()) == (1, 1)


def test_a_missed_call_of_an_open_deal_makes_no_second(world: World, customer: Contact) -> None:
    deal = Deal.open("Roof", world.anna, world.anna, contact=customer)
    assert Story.begins().rings("PJSIP/102").ended().call.deal == deal
    assert Deal.get() == deal


def test_of_two_open_deals_the_speakers_own_is_taken(world: World, customer: Contact) -> None:
    of_anna = Deal.open("Old", world.anna, world.anna, contact=customer)
    of_ben = Deal.open("New", world.ben, world.ben, contact=customer)
    story = Story.begins().rings("PJSIP/101")
    assert story.call.deal == of_ben
    assert story.answered("PJSIP/101").call.deal == of_anna


def test_closed_deals_only_make_a_repeat_deal(world: World, customer: Contact) -> None:
    old = Deal.open("Roof", world.anna, world.anna, contact=customer)
    old.move_to(world.stage("Completed"), by=None)
    story = Story.begins().rings("PJSIP/102")
    assert story.call.deal is None
    call = story.answered("PJSIP/102").call
    assert call.deal not in (old, None)
    assert (call.deal.owner, call.deal.contact) == (world.ben, customer)
    assert Contact.select().count() == 1


def test_no_repeat_deal_where_the_rule_says_so(world: World, customer: Contact) -> None:
    changed("incoming", True, "")
    call = Story.begins().rings("PJSIP/102").answered("PJSIP/102").ended().call
    assert (call.contact, call.deal) == (customer, None)
    assert not Deal.select().exists()


def test_a_rule_for_contacts_only(world: World) -> None:
    changed("incoming", False, "contact")
    call = Story.begins().rings("PJSIP/102").answered("PJSIP/102").call
    assert (call.contact.owner, call.deal) == (world.ben, None)


def test_no_rule_makes_nobody(world: World) -> None:
    CallRule.delete().execute()
    call = Story.begins().rings("PJSIP/102").answered("PJSIP/102").ended().call
    assert (call.outcome, call.contact, call.deal) == ("answered", None, None)


def test_a_rule_for_one_called_number_wins(world: World) -> None:
    rule("incoming", False, "", did="+4930555000")
    silent = Story.begins(did="030 555000").rings("PJSIP/101").answered("PJSIP/101")
    assert silent.call.deal is None
    other = Story.begins(linkedid="2.1", did="030 555001").rings("PJSIP/101").answered("PJSIP/101")
    assert other.call.deal
    assert effects_for("missed", False, "+4930555000") == {"contact", "deal", "task"}
    assert effects_for("missed", False, None) == {"contact", "deal", "task"}


def test_outgoing_by_rule(world: World) -> None:
    changed("outgoing", False, "contact deal")
    story = Story.begins(direction="outgoing").rings("PJSIP/101").answered("PJSIP/101")
    assert story.call.deal.owner == world.anna
    unanswered = Story.begins("+4930999888", "2.1", direction="outgoing").ended()
    assert unanswered.call.deal is None


@pytest.mark.parametrize("number", ["", "anonymous", "Restricted", "101", "9" * 40, "+49"])
def test_hidden_and_odd_numbers_make_nobody(world: World, number: str) -> None:
    answered = Story.begins(number).rings("PJSIP/101").answered("PJSIP/101").ended()
    missed = Story.begins(number, "2.1").rings("PJSIP/101").ended()
    assert (answered.call.outcome, answered.call.number) == ("answered", None)
    assert missed.call.needs_call_back
    assert not Contact.select().exists()
    assert not Deal.select().exists()


def test_the_ignore_list_is_read_in_any_notation(world: World) -> None:
    environ = {"TRICHTER_DATABASE_URL": world.url, "TRICHTER_NUMBERS_IGNORE": "030 4470 1182"}
    release()
    models.connect(settings.load(environ))
    try:
        Story.begins(CUSTOMER).rings("PJSIP/101").answered("PJSIP/101").ended()
        Story.begins(CUSTOMER, "2.1").rings("PJSIP/101").ended()
        assert not Contact.select().exists()
        assert Call.select().count() == 2
    finally:
        release()
        use(world.url)


def test_an_ignore_list_with_a_word_is_refused() -> None:
    with pytest.raises(Refused, match=r"numbers\.ignore.*secretary"):
        models.connect(settings.load({"TRICHTER_NUMBERS_IGNORE": "secretary"}))


def test_a_person_decides_to_which_card_a_call_belongs(world: World, customer: Contact) -> None:
    newest = Deal.open("New", world.anna, world.anna, contact=customer)
    older = Deal.open("Old", world.anna, None, contact=customer, at=utcnow() - timedelta(days=9))
    story = Story.begins().rings("PJSIP/101")
    assert story.call.deal == newest
    attach(story.call, older, by=world.anna)
    story.answered("PJSIP/101").ended()
    assert story.call.deal == older


def test_attach(world: World) -> None:
    story = Story.begins().rings("PJSIP/101")
    deal = Deal.open("Roof", world.anna, world.anna)
    call = story.call
    attach(call, deal, by=world.anna)
    attach(call, deal, by=world.anna)
    assert (story.call.deal, Event.of_kind("call.attached").count()) == (deal, 1)
    with pytest.raises(Refused):
        attach(story.call, deal, by=world.ben)
    story.answered("PJSIP/101").ended()
    assert (story.call.deal, Deal.select().count()) == (deal, 1)


def test_a_conversation_of_others_on_no_card_stays_theirs(world: World) -> None:
    """Of a hidden number nothing is made; whose phone only rang must not get to hear the talk by a
    card of their own. Who talked, if not last, may, and a head may."""
    story = Story.begins("").rings("PJSIP/101", "PJSIP/102").answered("PJSIP/102").ended()
    attach(story.call, Deal.open("Mine", world.anna, world.anna), by=world.anna)
    assert story.call.deal is None
    assert not audible_to(world.anna).exists()
    assert audible_to(world.ben).exists()
    lead = Deal.open("Lead", world.ben, world.hugo)
    attach(story.call, lead, by=world.hugo)
    assert story.call.deal == lead


def test_who_passed_the_call_on_may_put_it_on_a_card(world: World) -> None:
    story = Story.begins("").rings("PJSIP/101").answered("PJSIP/101")
    story = story.rings("PJSIP/102").answered("PJSIP/102")
    assert story.call.agent == world.ben
    deal = Deal.open("Anna's", world.anna, world.anna)
    attach(story.call, deal, by=world.anna)
    assert story.call.deal == deal


def test_attach_keeps_the_calls_contact(world: World, customer: Contact) -> None:
    stale = Story.begins("+4930999888").rings("PJSIP/101")
    seen = stale.call
    stale.answered("PJSIP/101")
    caller = stale.call.contact
    attach(seen, Deal.open("Roof", world.anna, world.anna, contact=customer), by=world.anna)
    assert stale.call.contact == caller != customer


def report(linkedid: str, endpoint: str, answered: bool) -> CallReport:
    now = utcnow()
    leg = LegReport(f"{linkedid}.leg", endpoint, now, now if answered else None)
    return CallReport(
        pbx="asterisk",
        linkedid=linkedid,
        direction="incoming",
        started_at=now,
        number=CUSTOMER,
        answered_at=now if answered else None,
        speaker=endpoint if answered else None,
        ended_at=None if answered else now,
        legs=(leg,),
    )


@pytest.mark.parametrize("answered", [(True, True), (True, False), (False, False)])
def test_two_calls_of_one_number_at_the_same_moment(
    world: World, answered: tuple[bool, bool]
) -> None:
    for turn in range(4):
        one = report(f"{turn}.1", "PJSIP/101", answered[0])
        two = report(f"{turn}.2", "PJSIP/102", answered[1])
        at_once(partial(record_call, one), partial(record_call, two))
        assert (Contact.select().count(), Phone.select().count(), Deal.select().count()) == (
            1,
            1,
            1,
        )
        deal = Deal.get()
        assert {c.deal_id for c in Call.select()} == {deal.id}
        deal.move_to(world.stage("Lost"), by=None)
        for table in (Event, models.Leg, Call, models.StageChange, Deal, Phone, Contact):
            table.delete().execute()


def test_one_call_reported_twice_at_the_same_moment(world: World) -> None:
    same = report("1.1", "PJSIP/101", answered=True)
    at_once(lambda: record_call(same), lambda: record_call(same))
    assert (Call.select().count(), models.Leg.select().count()) == (1, 1)
    assert (Deal.select().count(), Event.of_kind("call.answered").count()) == (1, 1)
