"""What is asked on every call is asked with SQL that is built once."""

from __future__ import annotations

from pathlib import Path

import peewee
import pytest

from database import database
from database.prepared import Prepared
from models import Contact, Phone, User
from tests.world import CUSTOMER, World, populate, release, use

_OF_NUMBER = Prepared(lambda number: Contact.select().join(Phone).where(Phone.e164 == number))


def test_the_same_objects_as_peewee_makes(anywhere: World) -> None:
    made = Contact.of_number(CUSTOMER, "Carla", anywhere.anna)
    for _ in range(2):
        (found,) = _OF_NUMBER.models(CUSTOMER)
        expected = Contact.get_by_id(made.id)
        assert (found.__data__, found.dirty_fields) == (expected.__data__, [])
        assert found.owner == anywhere.anna
    assert _OF_NUMBER.models("+4930999") == []
    active = Prepared(lambda login: User.select(User.active, User.name).where(User.login == login))
    assert [tuple(row) for row in active.rows("ben")] == [(True, "Ben Okafor")]


def test_changes_are_made(anywhere: World) -> None:
    rename = Prepared(lambda name, login: User.update(name=name).where(User.login == login))
    rename.change("Anna O'Brien; --", "anna")
    assert User.get(User.login == "anna").name == "Anna O'Brien; --"
    assert User.get(User.login == "ben").name == "Ben Okafor"


def test_sql_is_built_once_for_each_database(tmp_path: Path) -> None:
    built: list[int] = []

    def build(login: object) -> object:
        built.append(1)
        return User.select(User.id).where(User.login == login)

    asked = Prepared(build)
    for name in ("a", "b"):
        use(f"sqlite:///{tmp_path}/{name}.db")
        populate()
        assert [len(asked.rows(login)) for login in ("anna", "ben", "nobody")] == [1, 1, 0]
        release()
    assert len(built) == 2


def test_errors_are_peewees(world: World) -> None:
    database.execute_sql("ALTER TABLE phones RENAME TO elsewhere")
    with pytest.raises((peewee.OperationalError, peewee.ProgrammingError)):
        _OF_NUMBER.rows(CUSTOMER)
    # The database is that of all tests.
    database.execute_sql("ALTER TABLE elsewhere RENAME TO phones")


def test_rows_are_saved_with_sql_that_is_built_once(anywhere: World) -> None:
    for name in ("Carla", "Carlo"):
        made = Contact.create(name=name, owner=anywhere.anna)
        assert made.dirty_fields == []
        assert made.__data__.items() <= Contact.get_by_id(made.id).__data__.items()
        made.name, made.email = f"{name} Neri", "not yet"
        assert made.save(only=[Contact.name]) == 1
        assert made.dirty_fields == [Contact.email]
        now = Contact.get(Contact.id == made.id)
        assert (now.name, now.email, now.owner) == (f"{name} Neri", "", anywhere.anna)
        now.position = "buyer"
        assert (now.save(), Contact.get_by_id(made.id).position) == (1, "buyer")
    gone = Contact.get_by_id(made.id)
    made.delete_instance()
    assert gone.save(only=["name"]) == 0
    assert Contact.get_or_none(Contact.id == gone.id) is None
    with pytest.raises(Contact.DoesNotExist):
        Contact.get_by_id(gone.id)


def test_what_peewee_must_build_itself(world: World) -> None:
    """Values that the database works out, ids that are given, objects without their defaults."""
    made = Contact.create(id=77, name="Carla", owner=world.anna)
    made.tags = Contact.name.concat("!")  # type: ignore[assignment]
    made.save(only=[Contact.tags])
    assert Contact.get_by_id(77).tags == "Carla!"
    bare = [Contact(__no_default__=True, name=name) for name in "ab"]
    for contact in bare:
        contact.save()
    first, second = (Contact.get_by_id(contact.id) for contact in bare)
    assert (first.position, second.name) == ("", "b")
    assert first.created_at <= second.created_at


def test_a_number_that_is_there_already(anywhere: World) -> None:
    Phone.create(contact=Contact.create(name="Carla"), e164=CUSTOMER)
    other = Contact.create(name="Carlo")
    with pytest.raises(peewee.IntegrityError), database.atomic():
        Phone.create(contact=other, e164=CUSTOMER)
    assert Phone.select().count() == 1
