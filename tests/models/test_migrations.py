"""Migrations: from nothing, from every older state, and after one that broke off."""

from __future__ import annotations

from pathlib import Path

import pytest
from playhouse.migrations import Runner
from playhouse.schema_diff import diff_models

import database
from database import MIGRATIONS
from models import TABLES, CallRule, Department, Funnel, Stage
from tests.world import World, release, use
from verbs import defaults

NAMES = sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.py"))


def difference() -> str:
    return str(diff_models(database.database.obj, TABLES))


def test_an_empty_database_gets_the_schema_of_the_models(connected: str) -> None:
    assert database.pending() == NAMES
    assert database.migrate() == NAMES
    assert difference() == ""
    assert database.pending() == []


def test_migrating_twice_does_nothing(connected: str) -> None:
    database.migrate()
    defaults.install()
    assert database.migrate() == []
    defaults.install()
    assert (Funnel.select().count(), CallRule.select().count()) == (1, 6)


@pytest.mark.parametrize("applied", range(len(NAMES) + 1))
def test_an_older_database_is_brought_up_to_date(connected: str, applied: int) -> None:
    """``applied`` of the migrations have run; with none of them, only the table of their names
    is there."""
    runner = Runner(database.database.obj, str(MIGRATIONS))
    runner.History.create_table()
    if applied:
        runner.up(NAMES[applied - 1])
    assert database.migrate() == NAMES[applied:]
    assert difference() == ""


def test_what_is_in_an_older_database_stays(world: World) -> None:
    Department.get_or_create(name="Kept")
    assert database.migrate() == []
    assert Department.get(Department.name == "Kept")


def test_a_migration_that_broke_off_can_be_repeated(connected: str, tmp_path: Path) -> None:
    """MariaDB can't roll back tables: the first of them may be there without the rest."""
    first = (MIGRATIONS / f"{NAMES[0]}.py").read_text()
    begun = first[: first.index("    class Contact(Model)")] + "    raise InterruptedError\n"
    (tmp_path / f"{NAMES[0]}.py").write_text(begun)
    with pytest.raises(InterruptedError):
        Runner(database.database.obj, str(tmp_path)).up()
    assert database.migrate() == NAMES
    assert difference() == ""


def test_tables_are_named_in_the_plural() -> None:
    assert {"users", "stage_changes", "call_rules"} <= {t._meta.table_name for t in TABLES}


def test_the_default_funnel_has_unsorted_first_and_closed_stages_last(world: World) -> None:
    stages = world.funnel.in_order()
    assert [s.name for s in stages] == [
        "Unsorted", "Opportunity", "Commercial offer", "Documents", "Signature and payment",
        "Implementation", "Completed", "Lost",
    ]  # fmt: skip
    assert [s.kind for s in stages] == ["unsorted", *["open"] * 5, "won", "lost"]
    assert world.funnel.unsorted == stages[0]
    assert [s.is_closed for s in stages] == [False] * 6 + [True] * 2


def test_a_funnel_of_the_administrators_own_is_left_alone(connected: str) -> None:
    database.migrate()
    own = Funnel.create(name="Own")
    Stage.create(funnel=own, name="New", kind="unsorted", position=0)
    defaults.install()
    assert [f.name for f in Funnel.select()] == ["Own"]
    assert Funnel.default().unsorted.name == "New"


def test_a_mariadb_database_of_few_letters_is_refused(mariadb_url: str) -> None:
    use(mariadb_url)
    database.database.execute_sql("ALTER DATABASE CHARACTER SET latin1")
    with pytest.raises(database.DatabaseTrouble, match="utf8mb4"):
        database.migrate()
    release()
