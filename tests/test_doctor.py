"""`trichter doctor`: what it finds, and that every fault comes with a fix."""

import dataclasses
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ports import free_tcp_port

import database
import doctor
import settings
from ari_app.client import AriError, BadReply, Unauthorized, Unreachable
from errors import Sentence
from models import CallRule, User
from tests.office import Office, until
from tests.world import Story, World, populate, release, use
from verbs import recordings as verbs


def findings(loaded: settings.Settings) -> dict[str, doctor.Check]:
    found = list(doctor.run(loaded))
    assert all(check.fix for check in found if check.mark == doctor.FAULT)
    return {check.subject: check for check in found}


@pytest.fixture
def right(office: Office) -> settings.Settings:
    """The settings of an office in which all is well."""
    return dataclasses.replace(
        office.settings,
        ari=settings.Ari(url=office.pbx.ari_url, password=office.pbx.passwords.ari),
        agi=settings.Agi(bind=f"127.0.0.1:{office.pbx.ports.agi}"),
        panel=dataclasses.replace(office.settings.panel, bind=f"127.0.0.1:{free_tcp_port()}"),
    )


def test_all_is_well(office: Office, right: settings.Settings) -> None:
    office.listen()
    found = findings(right)
    assert not [check for check in found.values() if check.mark == doctor.FAULT]
    assert found["database"].mark == doctor.GOOD
    assert found["asterisk"].finding.startswith(f"{office.pbx.release}.")
    assert found["trichter ari"].mark == doctor.GOOD
    assert found["trichter panel"].mark == found["trichter agi"].mark == doctor.NOTE
    assert "ari user" not in found


def test_own_servers_are_recognised(office: Office, right: settings.Settings) -> None:
    office.run("agi")
    office.run("panel", TRICHTER_PANEL_BIND=right.panel.bind)
    until(lambda: findings(right)["trichter panel"].mark == doctor.GOOD, "the panel")
    until(lambda: findings(right)["trichter agi"].mark == doctor.GOOD, "the AGI server")
    assert not office.said("agi", "WARNING")


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


def test_nobody_who_can_set_things_up(tmp_path: Path, world: World) -> None:
    User.update(role="head").where(User.role == "admin").execute()
    note = findings(world.settings)["users"]
    assert note.mark == doctor.NOTE
    assert "--role admin" in note.fix


def test_database_file_that_everybody_may_read(world: World) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        file = Path(folder) / "trichter.db"
        loaded = use(f"sqlite:///{file}")
        populate()
        file.chmod(0o644)
        assert "database file" not in findings(loaded), "nobody else gets into the folder"
        Path(folder).chmod(0o755)
        fault = findings(loaded)["database file"]
        assert fault.mark == doctor.FAULT
        assert "chmod" in fault.fix
        file.chmod(0o640)
        assert "database file" not in findings(loaded)
        release()


def test_password_in_the_address_of_the_database(tmp_path: Path) -> None:
    path = tmp_path / "trichter.toml"
    path.write_text('[database]\nurl = "postgresql://trichter:geheim@127.0.0.1:9/trichter"\n')
    path.chmod(0o644)
    loaded = settings.load({"TRICHTER_CONFIG": str(path)})
    (fault,) = (c for c in doctor.configuration.checks(loaded) if c.mark == doctor.FAULT)
    assert "chmod" in fault.fix
    assert "geheim" not in fault.finding


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


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Somebody at HOST:PORT who says the same to everyone."""

    class Parrot(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            self.request.sendall(answer)

    with socketserver.TCPServer(("127.0.0.1", 0), Parrot) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("subject", "answer", "mark", "fix"),
    [
        ("agi", b"", doctor.GOOD, ""),
        ("agi", b"failure\n", doctor.FAULT, "log"),
        ("agi", b"HTTP/1.1 400 Bad Request\r\n\r\n", doctor.FAULT, "[agi] bind"),
        ("panel", b'HTTP/1.0 200 OK\r\n\r\n{"status": "ok"}', doctor.GOOD, ""),
        ("panel", b'HTTP/1.0 503 No\r\n\r\n{"status": "-", "advice": "init"}', "FAULT", "init"),
        ("panel", b'HTTP/1.0 200 OK\r\n\r\n["hello"]', doctor.FAULT, "[panel] bind"),
        ("panel", b"SSH-2.0-OpenSSH_9.2\r\n", doctor.FAULT, "[panel] bind"),
    ],
)
def test_who_answers(world: World, subject: str, answer: bytes, mark: str, fix: str) -> None:
    with answering(answer) as bind:
        section = dataclasses.replace(getattr(world.settings, subject), bind=bind)
        loaded = dataclasses.replace(world.settings, **{subject: section})
        found = findings(loaded)[f"trichter {subject}"]
    assert found.mark == mark
    assert fix in found.fix
    assert findings(loaded)[f"trichter {subject}"].mark == doctor.NOTE, "nobody answers any more"


def test_front_end_files_that_are_missing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.servers, "HTMX", Path("/nowhere/htmx.min.js"))
    faults = [check for check in doctor.servers.panel(world.settings) if check.mark == doctor.FAULT]
    assert "bin/setup" in faults[0].fix


def test_user_of_asterisk_that_may_only_read(world: World) -> None:
    def ask(*_: object, **__: object) -> None:
        raise Unauthorized("forbidden", 403)

    (note,) = doctor.asterisk.rights(world.settings, ask)
    assert note.mark == doctor.NOTE
    assert "read_only=no" in note.fix


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (Unauthorized("wrong password", 401), "trichter.toml [ari]"),
        (Unreachable("no ARI", 404), "ari.conf [general]: enabled=yes"),
        (Unreachable("cannot connect"), "http.conf [general]: enabled=yes"),
        (BadReply("not Asterisk", 500), "[ari] url"),
    ],
)
def test_way_into_asterisk(error: AriError, fix: str) -> None:
    assert fix in doctor.asterisk.way_in(error)


def test_password_of_the_sample(world: World) -> None:
    sample = (Path(doctor.__file__).parents[1] / "asterisk_conf" / "ari.conf").read_text()
    assert f"\npassword={doctor.configuration.SAMPLE_PASSWORD}\n" in sample
    ari = settings.Ari(url="http://127.0.0.1:9", password=doctor.configuration.SAMPLE_PASSWORD)
    found = findings(dataclasses.replace(world.settings, ari=ari))
    assert found["ari.password"].fix
    # Nobody answers there: what beginners meet first can be told in other languages, too.
    assert isinstance(found["asterisk"].finding, Sentence)


def test_database_that_may_not_be_written(world: World) -> None:
    database.database.execute_sql("PRAGMA query_only = on")
    try:
        fault = findings(world.settings)["database"]
    finally:
        database.database.execute_sql("PRAGMA query_only = off")
    assert fault.mark == doctor.FAULT
    assert "can't be written" in fault.fix


def test_command_line_says_it_and_fails(office: Office) -> None:
    process = office.run("doctor", TRICHTER_ARI_PASSWORD="wrong")
    assert process.wait(20) == 1
    until(lambda: office.said("doctor", "FAULT asterisk"), "the fault")
    assert office.said("doctor", "→")
    assert not office.said("doctor", "Traceback")


def recordings_of(loaded: settings.Settings, *folders: Path) -> list[doctor.Check]:
    kept = settings.Recordings(tuple(str(folder) for folder in folders))
    return list(doctor.recordings.checks(dataclasses.replace(loaded, recordings=kept), True))


def test_folders_of_recordings(world: World, tmp_path: Path) -> None:
    (good,) = recordings_of(world.settings, tmp_path)
    assert good.mark == doctor.GOOD
    (note,) = recordings_of(world.settings, tmp_path / "none")
    assert (note.mark, bool(note.fix)) == (doctor.NOTE, True), "nothing is recorded here"
    CallRule.update(effects="deal record").where(CallRule.situation == "incoming").execute()
    (fault,) = recordings_of(world.settings, tmp_path / "none")
    assert fault.mark == doctor.FAULT
    assert "install -d" in fault.fix


def test_recordings_that_are_not_there(world: World, tmp_path: Path) -> None:
    for number, name in enumerate(("here.wav", "gone.wav", "/elsewhere/far.wav"), start=1):
        story = Story.begins(linkedid=f"{number}.1").rings("PJSIP/101").answered("PJSIP/101")
        verbs.begin(story.call.id, name)
        story.ended()
    (tmp_path / "here.wav").touch()
    found = {check.finding: check for check in recordings_of(world.settings, tmp_path)[1:]}
    assert all(check.mark == doctor.FAULT and check.fix for check in found.values())
    missing, outside = sorted(found)
    assert "files missing: 1 of the last 3" in missing
    assert "gone.wav" in missing
    assert "files outside: 1 of the last 3" in outside
    assert "far.wav" in outside


def test_channelvars_without_the_recording(world: World) -> None:
    def ask(*_: object, **__: object) -> list[dict[str, dict[str, str]]]:
        return [{"channelvars": {"CHANNEL(linkedid)": "1.1"}}]

    found = list(doctor.asterisk._channel_variables(world.settings, ask))
    assert [check.mark for check in found] == [doctor.GOOD, doctor.NOTE]
    assert "MIXMONITOR_FILENAME" in found[1].fix
