"""What a person is told about an error of the database's."""

from __future__ import annotations

import threading
from functools import partial

import peewee
import pytest

from database import database, explain
from models import User
from tests.at_once import SECONDS, at_once
from tests.world import World


@pytest.mark.parametrize("anywhere", ["postgresql", "mariadb"], indirect=True)
def test_two_who_lock_each_other_out(anywhere: World) -> None:
    """MariaDB has ended the transaction by itself; that there is none any more is no advice."""
    first, second = anywhere.anna.id, anywhere.ben.id
    both_have_one = threading.Barrier(2)

    def lock(one: int, other: int) -> str:
        try:
            with database.atomic(), database.atomic():
                User.update(name="Anna").where(User.id == one).execute()
                both_have_one.wait(SECONDS)
                User.update(name="Ben").where(User.id == other).execute()
        except peewee.OperationalError as error:
            return explain(error)
        return ""

    went, advice = sorted(at_once(partial(lock, first, second), partial(lock, second, first)))
    assert went == ""
    assert "eadlock" in advice
    assert advice.endswith("try again")
