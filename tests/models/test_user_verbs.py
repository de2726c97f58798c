"""User.add, set_password, disable."""

from __future__ import annotations

import pytest

from models import Department, Event, Refused, User
from tests.world import PASSWORD, World


def add(**changes: str) -> User:
    about = {"name": "Kim", "role": "seller", "password": PASSWORD}
    return User.add("kim", **{**about, **changes})


def test_add(world: World) -> None:
    kim = add(endpoint=" PJSIP/104 ", department=" Sales ")
    assert (kim.endpoint, kim.department) == ("PJSIP/104", world.anna.department)
    assert kim.active
    event = Event.of_kind("user.added").order_by(Event.id.desc()).first()
    assert event.content["login"] == "kim"


def test_users_without_a_phone_do_not_collide(world: World) -> None:
    assert add(endpoint="").endpoint is None
    assert User.add("lee", "Lee", "seller", PASSWORD, "  ").endpoint is None


def test_a_blank_department_is_none(world: World) -> None:
    before = Department.select().count()
    assert add(department="  ").department is None
    assert Department.select().count() == before


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"role": "boss"}, "role"),
        ({"name": " \n"}, "name"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 201}, "password"),
        ({"endpoint": "101"}, "endpoint"),
        ({"endpoint": "PJSIP/101&PJSIP/102"}, "endpoint"),
        ({"endpoint": "PJSIP/" + "x" * 61}, "endpoint"),
        ({"endpoint": "PJSIP/101"}, "anna"),
    ],
)
def test_add_refuses(world: World, changes: dict[str, str], word: str) -> None:
    with pytest.raises(Refused, match=word):
        add(**changes)
    assert User.get_or_none(User.login == "kim") is None


@pytest.mark.parametrize("login", ["", "Anna", "an na", "a" * 41, "anna\n", "анна", "anna"])
def test_add_refuses_a_bad_or_taken_login(world: World, login: str) -> None:
    with pytest.raises(Refused, match="login"):
        User.add(login, "Anna", "seller", PASSWORD)


def test_set_password(world: World) -> None:
    world.anna.set_password("another horse")
    again = User.get_by_id(world.anna.id)
    for anna in (world.anna, again):
        assert anna.check_password("another horse")
        assert not anna.check_password(PASSWORD)
    with pytest.raises(Refused, match="password"):
        world.anna.set_password("")
    assert User.get_by_id(world.anna.id).check_password("another horse")


def test_no_event_holds_a_password(world: World) -> None:
    world.anna.set_password("another horse")
    assert not [e for e in Event.select() if "horse" in e.payload or "pbkdf2" in e.payload]


def test_disable(world: World) -> None:
    world.anna.disable()
    for anna in (world.anna, User.get_by_id(world.anna.id)):
        assert not anna.check_password(PASSWORD)
        assert (anna.active, anna.endpoint) == (False, None)
    assert User.endpoints() == {"PJSIP/102", "PJSIP/103"}
    assert [u.login for u in world.ben.department.ringing()] == ["ben"]
    assert add(endpoint="PJSIP/101").endpoint == "PJSIP/101"


def test_disable_twice(world: World) -> None:
    world.anna.disable()
    world.anna.disable()
    assert not User.get_by_id(world.anna.id).active


def test_by_endpoint_knows_active_users_only(world: World) -> None:
    world.ben.disable()
    found = User.by_endpoint(["PJSIP/101", "PJSIP/102", "PJSIP/999"])
    assert found == {"PJSIP/101": world.anna}
    assert User.by_endpoint([]) == {}


def test_a_department_answers_its_number_before_others(world: World) -> None:
    service = world.olga.department
    Department.update(did="+4930555001").where(Department.id == service.id).execute()
    assert Department.answering("030 555001") == service
    assert Department.answering("030 555002") == world.anna.department
    assert Department.answering("") == world.anna.department


def test_roles(world: World) -> None:
    people = (world.anna, world.olga, world.hugo, world.ada)
    assert [u.sees_all for u in people] == [False, False, True, True]
