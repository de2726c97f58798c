"""`trichter doctor`: what it finds, and that every fault comes with a fix."""

import dataclasses
import socket
from pathlib import Path

import pytest

import doctor
import settings
from models import User
from tests.office import Office, until
from tests.world import World, use


def findings(loaded: settings.Settings) -> dict[str, doctor.Check]:
    found = list(doctor.run(loaded))
    assert all(check.fix for check in found if check.mark == doctor.FAULT)
    return {check.subject: check for check in found}


@pytest.fixture
def right(office: Office) -> settings.Settings:
    """The settings of an office in which all is well."""
    ari = settings.Ari(url=office.pbx.ari_url, password=office.pbx.passwords.ari)
    return dataclasses.replace(office.settings, ari=ari)


def test_all_is_well(office: Office, right: settings.Settings) -> None:
    office.listen()
    found = findings(right)
    assert not [check for check in found.values() if check.mark == doctor.FAULT]
    assert found["database"].mark == doctor.GOOD
    assert found["asterisk"].finding.startswith("22.")
    assert found["trichter ari"].mark == doctor.GOOD


def test_linkedid_is_seen_during_a_call(office: Office, right: settings.Settings) -> None:
    assert findings(right)["linkedid"].mark == doctor.NOTE
    with (
        office.phones(p101="answer") as phones,
        office.caller("+493044701182", way="observe", hold=3) as caller,
    ):
        phones["101"].wait_for("answered")
        assert findings(right)["linkedid"].mark == doctor.GOOD
        caller.wait()


def test_endpoint_that_asterisk_does_not_have(office: Office, right: settings.Settings) -> None:
    User.update(endpoint="PJSIP/404").where(User.login == "anna").execute()
    fault = findings(right)["phone of anna"]
    assert fault.mark == doctor.FAULT
    assert "PJSIP/404" in fault.finding


def test_wrong_password(office: Office, right: settings.Settings) -> None:
    wrong = dataclasses.replace(right.ari, password="geheim")
    fault = findings(dataclasses.replace(right, ari=wrong))["asterisk"]
    assert fault.mark == doctor.FAULT
    assert "password" in fault.finding
    assert "geheim" not in fault.finding


def test_asterisk_away(world: World) -> None:
    away = dataclasses.replace(world.settings, ari=settings.Ari(url="http://127.0.0.1:9"))
    assert findings(away)["asterisk"].mark == doctor.FAULT


def test_database_without_tables(tmp_path: Path, world: World) -> None:
    empty = use(f"sqlite:///{tmp_path}/empty.db")
    fault = findings(empty)["database"]
    assert fault.mark == doctor.FAULT
    assert fault.fix == "trichter init"


def test_secret_that_everybody_may_read(tmp_path: Path, world: World) -> None:
    path = tmp_path / "trichter.toml"
    path.write_text('[ari]\npassword = "geheim"\n')
    path.chmod(0o644)
    loaded = settings.load({"TRICHTER_CONFIG": str(path)})
    fault = findings(loaded)["configuration"]
    assert fault.mark == doctor.FAULT
    assert "chmod" in fault.fix
    path.chmod(0o600)
    assert findings(loaded)["configuration"].mark == doctor.GOOD


def test_agi_server_is_noticed(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        bind = f"127.0.0.1:{server.getsockname()[1]}"
        loaded = dataclasses.replace(world.settings, agi=settings.Agi(bind=bind))
        assert findings(loaded)["trichter agi"].mark == doctor.GOOD
    assert findings(loaded)["trichter agi"].mark == doctor.NOTE


def test_command_line_says_it_and_fails(office: Office) -> None:
    process = office.run("doctor", TRICHTER_ARI_PASSWORD="wrong")
    assert process.wait(20) == 1
    until(lambda: office.said("doctor", "FAULT asterisk"), "the fault")
    assert office.said("doctor", "→")
    assert not office.said("doctor", "Traceback")
