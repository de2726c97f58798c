"""``trichter doctor`` on the record from which gaps are filled; and its settings."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

import doctor
import settings
from settings import Calls, SettingsError
from tests.calls.records import lines, row
from tests.world import Story, World


def check(world: World, source: str) -> doctor.Check:
    (found,) = doctor.records.checks(replace(world.settings, calls=Calls(cdr=source)))
    return found


def test_nothing_is_set(world: World) -> None:
    found = check(world, "")
    assert (found.mark, found.subject) == (doctor.NOTE, "calls.cdr")
    assert "[calls] cdr" in found.fix


def test_it_can_be_read(world: World, tmp_path: Path) -> None:
    file = tmp_path / "Master.csv"
    file.write_text(lines([row()]))
    Story.begins().ended()
    assert check(world, str(file)).mark == doctor.GOOD


def test_it_is_not_there(world: World, tmp_path: Path) -> None:
    found = check(world, f"{tmp_path}/none.csv")
    assert (found.mark, bool(found.fix)) == (doctor.FAULT, True)


def test_a_database_that_is_away(world: World) -> None:
    found = check(world, "mysql://asterisk:hushhush@127.0.0.1:1/asteriskcdrdb")
    assert found.mark == doctor.FAULT
    assert "hushhush" not in found.finding + found.fix


def test_it_does_not_grow(world: World, tmp_path: Path) -> None:
    file = tmp_path / "Master.csv"
    file.write_text(lines([row()]))
    os.utime(file, (1772442000, 1772442000))
    Story.begins().ended()
    found = check(world, str(file))
    assert found.mark == doctor.FAULT
    assert "does not grow" in found.finding


@pytest.mark.parametrize(
    ("key", "value"),
    [("CDR", "ftp://x/y"), ("CDR", "mysql://u:hushhush@h:port/x"), ("CDR_TIMEZONE", "Mars")],
)
def test_bad_settings_are_named(key: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"TRICHTER_CALLS_{key}") as caught:
        settings.load({f"TRICHTER_CALLS_{key}": value})
    assert "hushhush" not in str(caught.value)
