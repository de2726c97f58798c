"""`bin/enable` on the configuration of an exchange as a package installs it."""

import dataclasses
import sqlite3
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from enable_exchange import CannotEnable, Place, enable
from private_asterisk import PrivateAsterisk

import doctor
import models
import settings
from tests.world import release

ROOT = Path(__file__).resolve().parent.parent
STOCK_HTTP = "[general]\nservername=Asterisk\n;enabled=yes\n; the last line has no end"
STOCK_ARI = "[general]\nenabled = yes\n;[username]\n;type = user\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    etc = tmp_path / "asterisk"
    etc.mkdir()
    (etc / "asterisk.conf").write_text("[directories]\n")
    (etc / "http.conf").write_text(STOCK_HTTP)
    (etc / "ari.conf").write_text(STOCK_ARI)
    config = tmp_path / "etc" / "trichter.toml"
    return Place(etc, config, tmp_path / "data", ("no-such-asterisk",), dry_run=False)


def test_what_is_missing_is_put_in(place: Place) -> None:
    lines = list(enable(place))
    assert len(lines) == 5
    loaded = settings.load({"TRICHTER_CONFIG": str(place.config)})
    ari = (place.etc / "ari.conf").read_text()
    assert ari.startswith(STOCK_ARI)
    assert f"\npassword={loaded.ari.password}\n" in ari
    assert len(loaded.ari.password) > 20
    assert len(loaded.panel.secret_key) == 64
    assert (place.etc / "http.conf").read_text().startswith(STOCK_HTTP + "\n")
    assert stat.S_IMODE(place.config.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.data.stat().st_mode) == 0o700
    assert (place.data / "trichter.db").exists()


def test_the_first_funnel_speaks_the_language_of_the_company(place: Place) -> None:
    german = dataclasses.replace(place, language="de")
    list(enable(german))
    with sqlite3.connect(place.data / "trichter.db") as made:
        names = [name for (name,) in made.execute("SELECT name FROM stages ORDER BY position")]
    made.close()
    assert names[0] == "Unsortiert"


def test_a_second_run_changes_nothing(place: Place) -> None:
    list(enable(place))
    before = {path: path.read_text() for path in (*place.etc.iterdir(), place.config)}
    lines = list(enable(place))
    assert [path.read_text() for path in before] == list(before.values())
    assert sum("left as it is" in line for line in lines) == 3


def test_dry_run_touches_nothing(place: Place) -> None:
    dry = Place(place.etc, place.config, place.data, place.asterisk, dry_run=True)
    assert len(list(enable(dry))) == 5
    assert (place.etc / "ari.conf").read_text() == STOCK_ARI
    assert not place.config.exists()
    assert not place.data.exists()


def test_files_that_are_not_there_are_made(place: Place) -> None:
    (place.etc / "http.conf").unlink()
    (place.etc / "ari.conf").write_text("")
    list(enable(place))
    assert "\n[general]\n" in (place.etc / "http.conf").read_text()
    assert "(+)" not in "".join(
        line for line in (place.etc / "ari.conf").read_text().splitlines() if line.startswith("[")
    )


def test_a_user_that_is_there_keeps_the_password(place: Place) -> None:
    (place.etc / "ari.conf").write_text(STOCK_ARI + "[trichter]\ntype=user\npassword=mine\n")
    lines = list(enable(place))
    assert "password=mine" in (place.etc / "ari.conf").read_text()
    assert any("write the password of ari.conf" in line for line in lines)
    assert tomllib.loads(place.config.read_text())["ari"]["password"] == ""


def test_a_password_for_everybody_is_said(place: Place) -> None:
    ari = place.etc / "ari.conf"
    ari.chmod(0o644)
    assert any(f"chmod 640 {ari}" in line for line in enable(place))


def test_a_closed_file_needs_no_word(place: Place) -> None:
    (place.etc / "ari.conf").chmod(0o640)
    assert not any("chmod" in line for line in enable(place))


def variables(place: Place) -> list[str]:
    lines = (place.etc / "ari.conf").read_text().splitlines()
    return [line for line in lines if line.startswith("channelvars")]


def test_variables_of_others_are_kept(place: Place) -> None:
    """Of two such lines only the last one counts."""
    ours = "CHANNEL(linkedid),MIXMONITOR_FILENAME"
    (place.etc / "ari.conf").write_text(STOCK_ARI + "channelvars = SHOP,CHANNEL(linkedid) ; mine\n")
    list(enable(place))
    assert variables(place)[-1] == f"channelvars={ours},SHOP"


def test_an_earlier_trichter_asked_for_less(place: Place) -> None:
    """Its user stays, and the recordings of the dialplan become known."""
    before = "channelvars=CHANNEL(linkedid) ; legs\n[trichter]\ntype=user\npassword=mine\n"
    (place.etc / "ari.conf").write_text("[general]\nenabled=yes\n" + before)
    dry = Place(place.etc, place.config, place.data, place.asterisk, dry_run=True)
    assert any("names MIXMONITOR_FILENAME now" in line for line in enable(dry))
    assert variables(place) == ["channelvars=CHANNEL(linkedid) ; legs"]
    list(enable(place))
    assert variables(place) == ["channelvars=CHANNEL(linkedid),MIXMONITOR_FILENAME ; legs"]
    list(enable(place))
    assert variables(place) == ["channelvars=CHANNEL(linkedid),MIXMONITOR_FILENAME ; legs"]
    assert "password=mine" in (place.etc / "ari.conf").read_text()


def test_freepbx_and_missing_folders_are_refused(place: Place, tmp_path: Path) -> None:
    (tmp_path / "freepbx.conf").touch()
    with pytest.raises(CannotEnable, match="FreePBX"):
        list(enable(place))
    away = Place(tmp_path / "no" / "where", place.config, place.data, (), dry_run=False)
    with pytest.raises(CannotEnable, match="--asterisk-etc"):
        list(enable(away))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[PrivateAsterisk]:
    """An exchange with a web server of its own, and an ARI as a package leaves it: no users."""
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "extensions.conf").write_text("[globals]\n[observe-only]\nexten => _X.,1,Hangup()\n")
    with PrivateAsterisk(22, conf=conf) as pbx:
        (pbx.etc / "http.conf").write_text(
            f"[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport={pbx.ports.http}\n"
        )
        (pbx.etc / "ari.conf").write_text(STOCK_ARI)
        pbx.cli("module reload http")
        yield pbx


def test_a_running_asterisk_can_be_observed_afterwards(
    running: PrivateAsterisk, tmp_path: Path
) -> None:
    console = tmp_path / "console"
    words = " ".join(f"'{word}'" for word in running._command)
    console.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
    console.chmod(0o755)
    done = subprocess.run(
        [
            *(sys.executable, f"{ROOT}/bin/enable_exchange.py"),
            *("--asterisk-etc", str(running.etc), "--asterisk", str(console)),
            *("--config", f"{tmp_path}/t.toml", "--data", f"{tmp_path}/data"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Asterisk: module reload" in done.stdout
    assert "left as it is" in done.stdout
    loaded = settings.load({"TRICHTER_CONFIG": str(tmp_path / "t.toml")})
    models.connect(loaded)
    found = {check.subject: check for check in doctor.run(loaded)}
    release()
    assert found["asterisk"].mark == doctor.GOOD, found["asterisk"]
    assert found["database"].mark == doctor.GOOD
