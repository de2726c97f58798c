import dataclasses
import logging
import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ari_app import router
from ari_app.router import Route, caller_name, decide, dial_string, in_one_go, variables
from models import Contact, Deal, Department, Phone, User
from settings import Calls, Settings
from tests.agi.speaking import split
from tests.world import CUSTOMER, World
from verbs import users

UNKNOWN = "+4930111222"
DID = "493055500"


def customer(owner: User | None, name: str = "Müller", stage: str = "Opportunity") -> Deal:
    contact = Contact.create(name=name, owner=owner)
    Phone.create(contact=contact, e164=CUSTOMER)
    funnel_stage = next(s for s in Deal.stage.rel_model.select() if s.name == stage)
    return Deal.open(name, owner, None, contact=contact, stage=funnel_stage)


@pytest.fixture
def calls(world: World) -> Settings:
    return dataclasses.replace(world.settings, calls=Calls(owner_seconds=7, department_seconds=9))


def test_owner_first_then_the_department_without_him(world: World, calls: Settings) -> None:
    customer(world.anna)
    route = decide(CUSTOMER, DID, calls)
    assert route.steps == (("PJSIP/101", 7), ("PJSIP/102", 9))
    assert route.name == "Müller · Opportunity"


def test_unknown_number_goes_to_the_department(world: World, calls: Settings) -> None:
    assert decide(UNKNOWN, DID, calls) == Route((("PJSIP/101&PJSIP/102", 9),), "")


def test_owner_alone_in_the_department_is_rung_again(world: World, calls: Settings) -> None:
    users.disable(world.ben)
    customer(world.anna)
    assert decide(CUSTOMER, DID, calls).steps == (("PJSIP/101", 7), ("PJSIP/101", 9))


def test_disabled_owner_is_not_rung(world: World, calls: Settings) -> None:
    customer(world.anna)
    users.disable(world.anna)
    assert decide(CUSTOMER, DID, calls).steps == (("PJSIP/102", 9),)


def test_owner_without_a_phone_is_not_rung(world: World, calls: Settings) -> None:
    customer(world.hugo)
    assert decide(CUSTOMER, DID, calls).steps == (("PJSIP/101&PJSIP/102", 9),)


def test_owner_of_a_closed_deal_has_no_precedence(world: World, calls: Settings) -> None:
    customer(world.anna).move_to(world.stage("Completed"), by=None)
    route = decide(CUSTOMER, DID, calls)
    assert route == Route((("PJSIP/101&PJSIP/102", 9),), "Müller")


def test_the_department_of_the_number_rings(world: World, calls: Settings) -> None:
    Department.update(did="+49305550").where(Department.name == "Service").execute()
    assert decide(UNKNOWN, "030 5550", calls).steps == (("PJSIP/103", 9),)
    assert decide(UNKNOWN, "493055599", calls).steps == (("PJSIP/101&PJSIP/102", 9),)


def test_no_department_for_the_number_leads_known_customers_to_the_owners(
    world: World, calls: Settings
) -> None:
    Department.update(did="+4930999999").execute()
    customer(world.olga)
    assert decide(UNKNOWN, DID, calls) == Route()
    assert decide(CUSTOMER, DID, calls).steps == (("PJSIP/103", 7), ("PJSIP/103", 9))


def test_owner_of_the_customer_counts_when_no_deal_is_open(world: World, calls: Settings) -> None:
    Department.update(did="+4930999999").execute()
    customer(world.ben).move_to(world.stage("Lost"), by=None)
    assert decide(CUSTOMER, DID, calls).steps == (("PJSIP/101&PJSIP/102", 9),)


def test_hidden_and_odd_numbers_go_to_the_department(world: World, calls: Settings) -> None:
    customer(world.anna)
    hidden = ["", "unknown", "anonymous", "Anonymous"]
    for number in [*hidden, "0" * 40, "9" * 500, "abc", "101", "\ufffd\ufffd\x00", "\udcff"]:
        assert decide(number, DID, calls) == Route((("PJSIP/101&PJSIP/102", 9),), "")


def test_odd_called_numbers_go_to_the_department_for_all(world: World, calls: Settings) -> None:
    for did in ("", "s", "x" * 300, "'; drop table users", "\udcff"):
        assert decide(UNKNOWN, did, calls).steps == (("PJSIP/101&PJSIP/102", 9),)


def test_every_notation_finds_the_customer(world: World, calls: Settings) -> None:
    customer(world.anna)
    for number in ("030 44701182", "004930 44701182", "4930-44701182", CUSTOMER):
        assert decide(number, DID, calls).steps[0] == ("PJSIP/101", 7)


def test_a_decision_takes_two_queries(
    world: World, calls: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    customer(world.anna)
    caplog.set_level(logging.DEBUG, "peewee")
    decide(CUSTOMER, DID, calls)
    said = [str(r.msg) for r in caplog.records if r.name == "peewee"]
    assert len(said) == 2
    assert all(query.startswith("('SELECT") for query in said)


def test_all_variables_are_always_set() -> None:
    nothing = {
        "TRICHTER_DIAL_1": "",
        "TRICHTER_SECONDS_1": "",
        "TRICHTER_DIAL_2": "",
        "TRICHTER_SECONDS_2": "",
    }
    assert variables(Route()) == nothing
    one = Route((("PJSIP/101", 7),), "Müller · Offer")
    assert variables(one) == nothing | {
        "CALLERID(name)": "Müller · Offer",
        "TRICHTER_DIAL_1": "PJSIP/101",
        "TRICHTER_SECONDS_1": "7",
    }


def test_plain_values_are_set_in_one_go() -> None:
    route = variables(Route((("PJSIP/101&PJSIP/102", 7),), "Müller, Offer"))
    names = "TRICHTER_DIAL_1,TRICHTER_SECONDS_1,TRICHTER_DIAL_2,TRICHTER_SECONDS_2"
    assert in_one_go(route) == {
        "CALLERID(name)": "Müller, Offer",
        f"ARRAY({names})": "PJSIP/101&PJSIP/102,7,,",
    }
    assert in_one_go({"CALLERID(name)": "Carla"}) == {"CALLERID(name)": "Carla"}
    assert in_one_go({}) == {}


@given(st.dictionaries(st.sampled_from(["TRICHTER_STAGE", "TRICHTER_OWNER", "X"]), st.text()))
def test_nothing_that_means_something_to_the_dialplan_goes_with_others(
    wanted: dict[str, str],
) -> None:
    told: dict[str, str] = {}
    for name, value in in_one_go(wanted).items():
        assert name in wanted or set(value) <= {*string.ascii_letters, *string.digits, *"_.+@&/-,"}
        told |= split(name, value)
    assert told == wanted


def test_long_routes_are_set_one_by_one() -> None:
    dial = dial_string(f"PJSIP/{n:04}" for n in range(400))
    route = variables(Route(((dial, 7), (dial, 9))))
    assert in_one_go(route) == route


def test_the_same_decision_on_every_database(anywhere: World) -> None:
    settings = anywhere.settings
    for _ in range(2):
        assert decide(CUSTOMER, DID, settings).steps == (("PJSIP/101&PJSIP/102", 25),)
    customer(anywhere.ben)
    expected = Route((("PJSIP/102", 15), ("PJSIP/101", 25)), "Müller · Opportunity")
    assert decide(CUSTOMER, DID, settings) == expected
    users.disable(anywhere.ben)
    assert decide(CUSTOMER, DID, settings).steps == (("PJSIP/101", 25),)


def test_the_newest_open_deal_decides(world: World, calls: Settings) -> None:
    first = customer(world.anna)
    second = Deal.open("Müller", world.olga, None, contact=first.contact)
    assert decide(CUSTOMER, DID, calls).steps[0] == ("PJSIP/103", 7)
    second.move_to(world.stage("Lost"), by=None)
    assert decide(CUSTOMER, DID, calls).steps[0] == ("PJSIP/101", 7)


def test_a_department_without_phones_gives_way_to_the_customers_own(
    world: World, calls: Settings
) -> None:
    Department.create(name="Empty", did="+49305550")
    customer(world.olga)
    assert decide(UNKNOWN, "030 5550", calls) == Route()
    assert decide(CUSTOMER, "030 5550", calls).steps == (("PJSIP/103", 7), ("PJSIP/103", 9))


def test_a_large_department_rings_as_many_phones_as_fit() -> None:
    dial = dial_string(f"PJSIP/{n:04}" for n in range(400))
    assert 1800 < len(dial) <= router.LONGEST_DIAL
    assert all(len(part) == len("PJSIP/0000") for part in dial.split("&"))


@given(st.text(max_size=500), st.text(max_size=120))
def test_names_on_the_display_are_one_clean_line(name: str, stage: str) -> None:
    deal = Deal(stage=Deal.stage.rel_model(name=stage))
    shown = caller_name(Contact(name=name), deal)
    assert len(shown) <= 80
    assert shown.isprintable()
    assert not set(shown) & set('"\\${}<>[]|;^`%')
    shown.encode()


def test_long_names_leave_room_for_the_stage() -> None:
    deal = Deal(stage=Deal.stage.rel_model(name="Signature and payment"))
    shown = caller_name(Contact(name="x" * 300), deal)
    assert len(shown) == 80
    assert shown.endswith("x · Signature and payment")


def test_names_keep_what_companies_use() -> None:
    contact = Contact(name='Müller & Söhne, "GmbH" (Köln)')
    assert caller_name(contact, None) == "Müller & Söhne, 'GmbH' (Köln)"


def test_no_telephony_is_imported() -> None:
    """The spawned scripts start on every call: ari-py alone takes longer than their look-up."""
    check = "import sys, agi_scripts.route_call; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    imported = ran.stdout.split()
    assert not {"ari", "swaggerpy", "requests", "flask"} & set(imported)
    assert [m for m in imported if m.startswith("ari_app.")] == ["ari_app.router"]
