"""What the project has agreed on: who writes, who imports whom, and that the docs are whole."""

from __future__ import annotations

import ast
import configparser
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import models
import settings
from models import TABLES
from trichter import main

ROOT = Path(models.__file__).parent
PACKAGES = (
    *("agi_scripts", "ari_app", "commands", "database", "doctor", "formats", "panel"),
    *("settings", "telephony", "verbs"),
)
# Methods of Peewee that write, those of its tables whose names others have too, and SQL by hand.
WRITING = {
    "save", "create", "get_or_create", "delete", "delete_by_id", "delete_instance",
    "insert_many", "insert_from", "replace_many", "bulk_create", "bulk_update", "set_by_id",
}  # fmt: skip
OF_TABLES = {"insert", "update"}
SQL_BY_HAND = {"execute_sql", "raw"}
SQL_NAMES = {"SQL", "RawQuery"}
# They are the connection itself; the doctor asks whether there is one.
MAY_SPEAK_SQL = {
    *(f"database/{name}.py" for name in ("__init__", "changes", "prepared")),
    "doctor/tables.py",
}
# models.py holds tables and what concerns one row, verbs/ the acts that concern many tables;
# database/table.py what it means to save a row.
VERBS = {
    "models.py",
    "database/table.py",
    *(f"verbs/{p.name}" for p in (ROOT / "verbs").glob("*.py")),
}
ARI = {"ari", "swaggerpy", "websocket", "urllib3", "requests"}
ARI_SIDE = {
    f"ari_app/{name}.py" for name in ("client", "compat", "frames", "link", "rest", "stream")
}


def sources() -> dict[str, ast.Module]:
    """The product's modules by their path; neither tests nor set-up nor migrations."""
    paths = [*ROOT.glob("*.py"), *(p for name in PACKAGES for p in (ROOT / name).rglob("*.py"))]
    return {str(p.relative_to(ROOT)): ast.parse(p.read_text()) for p in sorted(paths)}


SOURCES = sources()


def imported(tree: ast.Module) -> set[str]:
    """Top-level names of what a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def calls(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Line, name of the object and name of the method of each call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of = node.func.value
            yield node.lineno, of.id if isinstance(of, ast.Name) else "", node.func.attr


@pytest.mark.parametrize("path", [p for p in SOURCES if p not in VERBS])
def test_only_verbs_of_models_write(path: str) -> None:
    tables = {table.__name__ for table in TABLES}
    wrong = [
        f"{path}:{line}: .{method}("
        for line, of, method in calls(SOURCES[path])
        if method in WRITING or (method in OF_TABLES and of in tables)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", [p for p in SOURCES if p not in {"models.py", *MAY_SPEAK_SQL}])
def test_no_sql_by_hand(path: str) -> None:
    tree = SOURCES[path]
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not [line for line, _, method in calls(tree) if method in SQL_BY_HAND]
    assert not names & SQL_NAMES


@pytest.mark.parametrize("path", SOURCES)
def test_who_imports_whom(path: str) -> None:
    names = imported(SOURCES[path])
    if path.startswith("panel/"):
        assert "ari_app" not in names, "what the panel wants from the exchange is a row"
    if path.startswith(("ari_app/", "agi_scripts/")):
        assert "panel" not in names
    if path not in ARI_SIDE:
        assert not names & ARI, "ari-py and its like stay behind ari_app/client.py"


@pytest.mark.parametrize("path", SOURCES)
def test_no_lock_that_all_objects_share(path: str) -> None:
    """Python 3.11's cached_property holds one while it asks the database, Werkzeug's none."""
    names = [
        alias.name
        for node in ast.walk(SOURCES[path])
        if isinstance(node, ast.ImportFrom) and node.module == "functools"
        for alias in node.names
    ]
    assert "cached_property" not in names


def test_the_ledger_is_pure() -> None:
    for name in ("calls", "events", "gap", "known", "ledger", "sides"):
        found = imported(SOURCES[f"ari_app/{name}.py"])
        assert not found & {"database", "peewee", "time", "threading", "logging"}


def test_what_people_import_is_packed() -> None:
    packed = configparser.ConfigParser()
    packed.read(ROOT / "setup.cfg")
    modules = set(packed["options"]["py_modules"].split())
    assert modules == {p.removesuffix(".py") for p in SOURCES if "/" not in p}


# Documents


def rows_of(page: str) -> list[list[str]]:
    """Cells of all tables of a page."""
    lines = [line for line in (ROOT / "docs" / page).read_text().splitlines() if line[:1] == "|"]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    expected = []
    for section, kind in settings.SECTIONS.items():
        assert f"## `[{section}]`" in page
        for field in dataclasses.fields(kind):
            given = field.default
            given = ",".join(given) if isinstance(given, tuple) else given
            default = f"`{given}`" if given else "none"
            expected.append(
                [f"`{field.name}`", f"`TRICHTER_{section}_{field.name}`".upper(), default]
            )
    documented = [row[:3] for row in rows_of("configuration.md") if row[0].startswith("`")]
    assert sorted(documented) == sorted(expected)


def test_the_sample_configuration_can_be_used() -> None:
    loaded = settings.load({"TRICHTER_CONFIG": str(ROOT / "docs" / "trichter.toml")})
    assert loaded.database.url.startswith("sqlite:////")
    other = (ROOT / "docs" / "trichter.toml").read_text().replace("# url", "url")
    assert other.count("\nurl = ") == 4


def commands(group: click.Group, *above: str) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *above, name)
        else:
            yield " ".join(("trichter", *above, name)), command


@pytest.mark.parametrize(("name", "command"), list(commands(main)))
def test_every_command_is_documented(name: str, command: click.Command) -> None:
    rows = [" ".join(row) for row in rows_of("commands.md") if row[0].startswith(f"`{name}")]
    assert len(rows) == 1
    options = [p.opts[0] for p in command.params if isinstance(p, click.Option)]
    assert not [option for option in options if option not in rows[0]]
    assert command.help


def test_no_other_command_is_documented() -> None:
    known = {name for name, _ in commands(main)}
    written = [row[0].strip("`") for row in rows_of("commands.md")[2:]]
    assert len(written) == len(known)
    assert all(any(line.startswith(name) for name in known) for line in written)
