from agi_scripts.lookup_caller import lookup_caller
from agi_scripts.protocol import Request
from models import Deal
from tests.world import CUSTOMER, Story, World


def look_up(world: World, number: str) -> dict[str, str]:
    return lookup_caller(Request(number=number), world.settings)


def test_name_and_stage_of_a_known_caller(world: World) -> None:
    Story.begins(name="Carla Customer").rings("PJSIP/101").answered("PJSIP/101")
    assert look_up(world, "030 44701182") == {"CALLERID(name)": "Carla Customer · Unsorted"}


def test_name_alone_when_no_deal_is_open(world: World) -> None:
    Story.begins(name="Carla").rings("PJSIP/101").answered("PJSIP/101").ended()
    Deal.get().move_to(world.stage("Lost"), by=world.anna, reason="Too dear")
    assert look_up(world, CUSTOMER) == {"CALLERID(name)": "Carla"}


def test_others_keep_the_name_they_came_with(world: World) -> None:
    Story.begins(name="Carla").rings("PJSIP/101").answered("PJSIP/101")
    for number in ("+4930111222", "unknown", "anonymous", "", "1" * 40, "x\udcff"):
        assert look_up(world, number) == {}


def test_hostile_names_become_one_clean_line(world: World) -> None:
    name = '${SHELL(id)}"\n<script>\\' + "x" * 10_000
    Story.begins(name=name).rings("PJSIP/101").answered("PJSIP/101")
    shown = look_up(world, CUSTOMER)["CALLERID(name)"]
    assert shown.startswith("SHELL(id) ' script /xxx")
    assert len(shown) <= 80
