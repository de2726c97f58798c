from agi_scripts.protocol import Request
from agi_scripts.route_call import route_call
from tests.world import CUSTOMER, Story, World
from verbs import users


def test_owner_then_department_then_nobody(world: World) -> None:
    Story.begins(name="Carla").rings("PJSIP/102").answered("PJSIP/102").ended()
    assert route_call(Request(number=CUSTOMER, did="493055500"), world.settings) == {
        "CALLERID(name)": "Carla · Unsorted",
        "TRICHTER_DIAL_1": "PJSIP/102",
        "TRICHTER_SECONDS_1": "15",
        "TRICHTER_DIAL_2": "PJSIP/101",
        "TRICHTER_SECONDS_2": "25",
    }


def test_everything_is_emptied_when_nobody_can_be_rung(world: World) -> None:
    for user in (world.anna, world.ben, world.olga):
        users.disable(user)
    found = route_call(Request(number=CUSTOMER), world.settings)
    assert set(found.values()) == {""}
    assert len(found) == 4
