"""The scripts as a real Asterisk sees them: its own parser, its own AGISTATUS, real phones."""

import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from private_asterisk import PrivateAsterisk

import agi_scripts
from agi_scripts.protocol import Agi
from models import Department, User
from tests.agi.serving import serving
from tests.asterisk_fixtures import Phones, Ring
from tests.world import CUSTOMER, Story, World, release, use
from verbs import users

CHECKOUT = Path(agi_scripts.__file__).parent.parent
SECONDS = 20
DIALPLAN = (
    'Set(CALLERID(all)="As it came" <${AGI_TEST_NUMBER}>)',
    "Set(AGIEXITONHANGUP=yes)",
    "AGI(${AGI_TEST})",
    "AGI(${AGI_WITNESS},${AGISTATUS},${CALLERID(name)},${TRICHTER_DIAL_1},${TRICHTER_SECONDS_1},"
    "${TRICHTER_DIAL_2},${TRICHTER_DEAL},${TRICHTER_STAGE},${TRICHTER_OWNER},${TRICHTER_CONTACT})",
    "Hangup()",
)
SEEN = ("status", "name", "dial_1", "seconds_1", "dial_2", "deal", "stage", "owner", "contact")


@dataclass
class Exchange:
    """A dialplan that runs one script and then says what came of it to a listening socket."""

    asterisk: PrivateAsterisk
    listener: socket.socket

    def run(self, target: str, number: str = CUSTOMER) -> dict[str, str]:
        """What the dialplan sees after AGI(target), by the names in SEEN."""
        witness = f"agi://127.0.0.1:{self.listener.getsockname()[1]}/seen"
        for name, value in (
            ("AGI_TEST", target),
            ("AGI_TEST_NUMBER", number),
            ("AGI_WITNESS", witness),
        ):
            self.asterisk.cli(f'dialplan set global {name} "{value}"')
        self.asterisk.cli("channel originate Local/1@agi-test application Wait 1")
        connection, _ = self.listener.accept()
        with connection:
            said = Agi.over_socket(connection).environment()
        return {name: said.get(f"agi_arg_{n}", "") for n, name in enumerate(SEEN, start=1)}


@pytest.fixture(scope="module")
def changed_asterisk() -> Iterator[PrivateAsterisk]:
    """An Asterisk of our own, for its dialplan is added to."""
    with PrivateAsterisk(22) as started:
        for priority, step in enumerate(DIALPLAN, start=1):
            quoted = step.replace('"', '\\"')
            started.cli(f'dialplan add extension "1,{priority},{quoted}" into agi-test')
        yield started


@pytest.fixture
def exchange(changed_asterisk: PrivateAsterisk) -> Iterator[Exchange]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        yield Exchange(changed_asterisk, listener)


@pytest.fixture
def carla(world: World) -> None:
    """A customer whose open deal is Anna's."""
    Story.begins(name="Carla").rings("PJSIP/101").answered("PJSIP/101").ended()


@pytest.mark.usefixtures("carla")
def test_what_the_dialplan_sees(exchange: Exchange, world: World) -> None:
    with serving(world.settings) as server:
        address = f"agi://127.0.0.1:{server.port}"
        looked_up = exchange.run(f"{address}/lookup_caller")
        routed = exchange.run(f"{address}/route_call,493055500")
        deal = exchange.run(f"{address}/open_deal")
        unknown = exchange.run(f"{address}/lookup_caller", "+4930111222")
        wrong = exchange.run(f"{address}/nothing")
    assert (looked_up["status"], looked_up["name"]) == ("SUCCESS", "Carla · Unsorted")
    assert routed == dict.fromkeys(SEEN, "") | {
        "status": "SUCCESS",
        "name": "Carla · Unsorted",
        "dial_1": "PJSIP/101",
        "seconds_1": "15",
        "dial_2": "PJSIP/102",
    }
    assert [deal[name] for name in SEEN[5:]] == ["1", "Unsorted", "anna", "Carla"]
    assert (unknown["status"], unknown["name"]) == ("SUCCESS", "As it came")
    assert (wrong["status"], wrong["name"]) == ("FAILURE", "As it came")


def test_hostile_names_reach_the_display_as_text(exchange: Exchange, world: World) -> None:
    name = '"Bob\\" ${SHELL(touch /tmp/x)} <sip:evil@example.org> $[1+1] Söhne & Co'
    Story.begins(name=name).rings("PJSIP/101").answered("PJSIP/101").ended()
    with serving(world.settings) as server:
        seen = exchange.run(f"agi://127.0.0.1:{server.port}/lookup_caller")
    assert seen["status"] == "SUCCESS"
    assert (
        seen["name"] == "'Bob/' SHELL(touch /tmp/x) sip:evil@example.org 1+1 Söhne & Co · Unsorted"
    )


def test_a_department_that_fills_a_line_of_agi(exchange: Exchange, world: World) -> None:
    group = Department.get(Department.name == "Sales")
    users.disable(world.ben)
    for n in range(300):
        User.create(
            login=f"u{n}",
            name="U",
            password_hash="-",
            role="seller",
            department=group,
            endpoint=f"PJSIP/{n:04}",
        )
    with serving(world.settings) as server:
        seen = exchange.run(f"agi://127.0.0.1:{server.port}/route_call", "anonymous")
    assert 1800 < len(seen["dial_1"]) <= 1900
    assert seen["dial_1"].startswith("PJSIP/101&PJSIP/0000&")
    assert seen["dial_1"].endswith("0")


def test_a_server_that_is_down(exchange: Exchange) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    seen = exchange.run(f"agi://127.0.0.1:{port}/lookup_caller")
    assert (seen["status"], seen["name"]) == ("FAILURE", "As it came")


@pytest.mark.usefixtures("carla")
def test_the_spawned_form(exchange: Exchange, world: World, tmp_path: Path) -> None:
    config = tmp_path / "trichter.toml"
    config.write_text(f'[database]\nurl = "{world.settings.database.url}"\n')
    start = f"/usr/bin/env,TRICHTER_CONFIG={config},PYTHONPATH={CHECKOUT},{sys.executable},-m"
    looked_up = exchange.run(f"{start},agi_scripts.lookup_caller")
    routed = exchange.run(f"{start},agi_scripts.route_call,493055500")
    config.write_text("[nonsense]\n")
    failed = exchange.run(f"{start},agi_scripts.open_deal")
    assert (looked_up["status"], looked_up["name"]) == ("SUCCESS", "Carla · Unsorted")
    assert (routed["dial_1"], routed["dial_2"]) == ("PJSIP/101", "PJSIP/102")
    assert (failed["status"], failed["name"]) == ("FAILURE", "As it came")


# Calls over SIP, through [trichter-inbound-agi] of asterisk_conf ---------------------------------


@pytest.mark.usefixtures("carla")
def test_the_desk_phone_shows_customer_and_stage(
    asterisk: PrivateAsterisk, phones: Phones, ring: Ring, world: World
) -> None:
    anna, ben = phones("101"), phones("102")
    with serving(world.settings, asterisk.ports.agi):
        call = ring(number=CUSTOMER, name="As it came", way="agi", hold=0.1)
        assert call.wait(SECONDS) == "hung up"
    assert "Carla · Unsorted" in anna.events()[0]
    assert not ben.events()


def test_calls_reach_the_fallback_when_the_server_is_down(phones: Phones, ring: Ring) -> None:
    fallback = phones("103")
    assert ring(number=CUSTOMER, way="agi", hold=0.1).wait(SECONDS) == "hung up"
    assert "answered" in fallback.events()


@pytest.mark.usefixtures("one_second")
def test_calls_reach_the_fallback_when_the_server_hangs(
    asterisk: PrivateAsterisk, phones: Phones, ring: Ring
) -> None:
    fallback = phones("103")
    with socket.create_server(("127.0.0.1", asterisk.ports.agi)) as silent:
        silent.settimeout(SECONDS)
        call = ring(number=CUSTOMER, way="agi", hold=0.1)
        connection, _ = silent.accept()
        with connection:
            assert call.wait(SECONDS) == "hung up"
    assert "answered" in fallback.events()


def test_calls_reach_the_fallback_when_the_database_is_gone(
    asterisk: PrivateAsterisk, phones: Phones, ring: Ring, tmp_path: Path
) -> None:
    fallback = phones("103")
    loaded = use(f"sqlite:///{tmp_path}/gone/trichter.db")
    with serving(loaded, asterisk.ports.agi):
        call = ring(number=CUSTOMER, way="agi", hold=0.1)
        assert call.wait(SECONDS) == "hung up"
    release()
    assert "answered" in fallback.events()
