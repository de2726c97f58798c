"""settings: every bad value names its key, and no message holds a secret."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import settings
from settings import SettingsError, load

SECRET = "s3cr3t-horse"
ENVIRON_KEYS = [
    (section, field.name)
    for section, kind in settings.SECTIONS.items()
    for field in dataclasses.fields(kind)
]
BAD = [
    ("database.url", '"oracle://x/y"'),
    ("database.url", '"trichter.db"'),
    ("database.url", '"postgresql://"'),
    ("database.url", '"postgresql://h:port/x"'),
    ("database.url", "5"),
    ("ari.url", '"127.0.0.1:8088"'),
    ("ari.url", '"ftp://127.0.0.1"'),
    ("ari.url", '"http://[::1"'),
    ("ari.url", '"http://h:0"'),
    ("ari.url", '"http:///ari"'),
    ("ari.username", "true"),
    ("ari.password", "12345678"),
    ("ari.app", '"a,b"'),
    ("ari.app", '""'),
    ("pbx.name", '"Main office"'),
    ("pbx.name", f'"{"x" * 65}"'),
    ("agi.bind", '"4573"'),
    ("agi.bind", '":4573"'),
    ("panel.bind", '"127.0.0.1:0"'),
    ("panel.bind", '"127.0.0.1:65536"'),
    ("panel.bind", '"127.0.0.1:²"'),
    ("panel.bind", '"127.0.0.1:80 80"'),
    ("panel.secret_key", "[]"),
    ("panel.public_url", '"crm.example.org"'),
    ("panel.currency", '"Euro"'),
    ("panel.currency", '"eur"'),
    ("panel.currency", '""'),
    ("numbers.region", '"Germany"'),
    ("numbers.region", '"de"'),
    ("numbers.prefixes", '["9"]'),
    ("numbers.prefixes", '["9=", "out:9=0"]'),
    ("numbers.prefixes", '"9="'),
    ("numbers.own", '"030 555"'),
    ("numbers.ignore", '"030"'),
    ("numbers.ignore", "[1]"),
    ("calls.owner_seconds", "0"),
    ("calls.owner_seconds", "301"),
    ("calls.owner_seconds", "1.5"),
    ("calls.department_seconds", '"15"'),
    ("calls.department_seconds", "true"),
]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No trichter.toml of this machine is read."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "PLACES", (Path("trichter.toml"),))


def written(text: str) -> dict[str, str]:
    path = Path("own.toml")
    path.write_text(text)
    return {"TRICHTER_CONFIG": str(path)}


def refusal(text: str = "", **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load({**written(text), **environ})
    message = str(caught.value)
    assert SECRET not in message
    assert "\n" not in message
    return message


def test_defaults() -> None:
    loaded = load({})
    assert loaded == settings.Settings()
    assert (loaded.path, loaded.calls.owner_seconds) == (None, 15)


def test_the_file_in_the_working_folder() -> None:
    Path("trichter.toml").write_text('[pbx]\nname = "main"\n[numbers]\nignore = ["+4930", "1"]\n')
    loaded = load({})
    assert (loaded.pbx.name, loaded.numbers.ignore) == ("main", ("+4930", "1"))
    assert loaded.path == Path("trichter.toml")


@pytest.mark.parametrize(("key", "value"), BAD)
def test_a_bad_value_names_its_key(key: str, value: str) -> None:
    section, name = key.split(".")
    assert refusal(f"[{section}]\n{name} = {value}\n").startswith(f"{key}: ")


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = written('[ari]\npassword = "file"\nusername = "file"\n[calls]\nowner_seconds = 5\n')
    loaded = load(
        {
            **environ,
            "TRICHTER_ARI_PASSWORD": "environment",
            "TRICHTER_CALLS_OWNER_SECONDS": "7",
            "TRICHTER_NUMBERS_IGNORE": " 030 1 , +492 ,",
        }
    )
    assert (loaded.ari.password, loaded.ari.username) == ("environment", "file")
    assert (loaded.calls.owner_seconds, loaded.numbers.ignore) == (7, ("030 1", "+492"))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TRICHTER_CALLS_OWNER_SECONDS", "soon"),
        ("TRICHTER_CALLS_OWNER_SECONDS", "-1"),
        ("TRICHTER_CALLS_OWNER_SECONDS", "99999999999999"),
        ("TRICHTER_PANEL_BIND", ""),
        ("TRICHTER_DATABASE_URL", ""),
        ("TRICHTER_NUMBERS_REGION", "XX"),
    ],
)
def test_a_bad_variable_is_named(variable: str, value: str) -> None:
    assert refusal(**{variable: value}).startswith(f"{variable}: ")


@pytest.mark.parametrize("key", ["TRICHTER_ARI_URL", "TRICHTER_PANEL_PUBLIC_URL"])
def test_no_user_and_password_in_a_web_address(key: str) -> None:
    with pytest.raises(settings.SettingsError, match="keys of their own") as refused:
        settings.load({key: f"http://trichter:{SECRET}@127.0.0.1:8088"})
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(("section", "key"), ENVIRON_KEYS)
def test_every_key_has_its_variable(section: str, key: str) -> None:
    default = getattr(getattr(settings.Settings(), section), key)
    text = ",".join(default) if isinstance(default, tuple) else str(default)
    loaded = load({f"TRICHTER_{section}_{key}".upper(): text})
    assert getattr(getattr(loaded, section), key) == default


def test_unknown_names() -> None:
    assert refusal("[panel]\nbnid = 1\n").startswith("panel.bnid: unknown key; [panel] knows bind")
    assert "[pannel]" in refusal("[pannel]\nbind = 1\n")
    assert "stray" in refusal("stray = 1\n")
    assert refusal("ari = 1\n").startswith("ari: ")
    assert refusal(TRICHTER_PANEL_BNID="x").startswith("TRICHTER_PANEL_BNID: unknown")


def test_files_that_can_not_be_read() -> None:
    assert "own.toml" in refusal("[panel\n")
    Path("latin.toml").write_bytes(b'[pbx]\nname = "\xe4"\n')
    with pytest.raises(SettingsError, match=r"latin\.toml"):
        load({"TRICHTER_CONFIG": "latin.toml"})
    with pytest.raises(SettingsError, match=r"TRICHTER_CONFIG.*nowhere"):
        load({"TRICHTER_CONFIG": "nowhere.toml"})


@pytest.mark.parametrize(
    "url",
    [
        f"oracle://trichter:{SECRET}@host/db",
        f"oracle://trichter:a@{SECRET}@host/db",
        f"postgresql://trichter:{SECRET}/x@host/db",
        f"postgresql://trichter:{SECRET}?x@host/db",
        f"oracle://host/db?password={SECRET}",
        f"mysql:/trichter:{SECRET}@host/db",
        f"trichter:{SECRET}@host",
    ],
)
def test_no_message_holds_a_password(url: str) -> None:
    assert refusal(f'[database]\nurl = "{url}"\n').startswith("database.url")
    assert refusal(TRICHTER_DATABASE_URL=url).startswith("TRICHTER_DATABASE_URL")
    assert refusal(TRICHTER_ARI_URL=url).startswith("TRICHTER_ARI_URL")


def test_secrets_are_not_shown_by_accident() -> None:
    loaded = load(
        {
            "TRICHTER_DATABASE_URL": f"mysql://u:{SECRET}@h/db",
            "TRICHTER_ARI_PASSWORD": SECRET,
            "TRICHTER_PANEL_SECRET_KEY": SECRET,
        }
    )
    assert loaded.ari.password == SECRET
    assert SECRET not in repr(loaded)
    assert SECRET not in refusal(f'[ari]\npassword = ["{SECRET}"]\n')
