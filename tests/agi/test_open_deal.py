from agi_scripts.open_deal import open_deal
from agi_scripts.protocol import Request
from models import Contact, Deal
from tests.world import CUSTOMER, Story, World

NONE = dict.fromkeys(("TRICHTER_DEAL", "TRICHTER_STAGE", "TRICHTER_OWNER", "TRICHTER_CONTACT"), "")


def look_up(world: World, number: str = CUSTOMER) -> dict[str, str]:
    return open_deal(Request(number=number), world.settings)


def test_the_open_deal_of_the_caller(world: World) -> None:
    Story.begins(name="Carla").rings("PJSIP/101").answered("PJSIP/101")
    deal = Deal.get()
    deal.move_to(world.stage("Documents"), by=world.anna)
    assert look_up(world) == {
        "TRICHTER_DEAL": str(deal.id),
        "TRICHTER_STAGE": "Documents",
        "TRICHTER_OWNER": "anna",
        "TRICHTER_CONTACT": "Carla",
    }


def test_nothing_for_unknown_callers_and_closed_deals(world: World) -> None:
    assert look_up(world) == NONE
    assert look_up(world, "anonymous") == NONE
    Story.begins(name="Carla").rings("PJSIP/101").answered("PJSIP/101")
    Deal.get().move_to(world.stage("Lost"), by=world.anna, reason="Too dear")
    assert look_up(world) == NONE


def test_a_deal_without_owner(world: World) -> None:
    contact = Contact.of_number(CUSTOMER, "Carla", None)
    Deal.open("Carla", None, None, contact=contact)
    assert look_up(world)["TRICHTER_OWNER"] == ""
    assert look_up(world)["TRICHTER_DEAL"] != ""


def test_names_cannot_break_out_in_the_dialplan(world: World) -> None:
    name = '" = "x"]?evil:${SHELL(id)}'
    Story.begins(name=name).rings("PJSIP/101").answered("PJSIP/101")
    assert not set(look_up(world)["TRICHTER_CONTACT"]) & set('"$[]{}')
