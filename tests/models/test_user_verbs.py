"""Users: added, changed, given a password, put out of work."""

from __future__ import annotations

from typing import Any

import pytest

from errors import Refused
from models import Department, Event, User
from tests.world import PASSWORD, World
from verbs import users
from verbs.phones import department_for, known_endpoints, ringing_in, users_at


def add(**changes: Any) -> User:
    about: dict[str, Any] = {"name": "Kim", "role": "seller", "password": PASSWORD}
    return users.add("kim", **{**about, **changes})


def test_add(world: World) -> None:
    kim = add(endpoint=" PJSIP/104 ", department=" Sales ")
    assert (kim.endpoint, kim.department) == ("PJSIP/104", world.anna.department)
    assert kim.active
    event = Event.of_kind("user.added").order_by(Event.id.desc()).first()
    assert event.content["login"] == "kim"


def test_users_without_a_phone_do_not_collide(world: World) -> None:
    assert add(endpoint="").endpoint is None
    assert users.add("lee", "Lee", "seller", PASSWORD, "  ").endpoint is None


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
        ({"endpoint": "mobile/+491710000101"}, "endpoint"),
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
        users.add(login, "Anna", "seller", PASSWORD)


def test_set_password(world: World) -> None:
    users.set_password(world.anna, "another horse")
    again = User.get_by_id(world.anna.id)
    for anna in (world.anna, again):
        assert anna.check_password("another horse")
        assert not anna.check_password(PASSWORD)
    with pytest.raises(Refused, match="password"):
        users.set_password(world.anna, "")
    assert User.get_by_id(world.anna.id).check_password("another horse")


def test_no_event_holds_a_password(world: World) -> None:
    users.set_password(world.anna, "another horse")
    assert not [e for e in Event.select() if "horse" in e.payload or "pbkdf2" in e.payload]


def test_disable(world: World) -> None:
    users.disable(world.anna)
    for anna in (world.anna, User.get_by_id(world.anna.id)):
        assert not anna.check_password(PASSWORD)
        assert (anna.active, anna.endpoint) == (False, None)
    assert known_endpoints() == {"PJSIP/102", "PJSIP/103"}
    sales = world.ben.department
    assert sales
    assert [u.login for u in ringing_in(sales)] == ["ben"]
    assert add(endpoint="PJSIP/101").endpoint == "PJSIP/101"


def test_disable_twice(world: World) -> None:
    users.disable(world.anna)
    users.disable(world.anna)
    assert not User.get_by_id(world.anna.id).active


def test_by_endpoint_knows_active_users_only(world: World) -> None:
    users.disable(world.ben)
    found = users_at(["PJSIP/101", "PJSIP/102", "PJSIP/999"])
    assert found == {"PJSIP/101": world.anna}
    assert users_at([]) == {}


@pytest.mark.parametrize("notation", ["+491710000101", "0171 0000101", "0049171/0000101"])
def test_a_mobile_is_a_users_phone_too(world: World, notation: str) -> None:
    users.change(world.anna, mobile=notation)
    assert known_endpoints() == {
        *("PJSIP/101", "PJSIP/102", "PJSIP/103"),
        "mobile/+491710000101",
    }
    wanted = ["mobile/+491710000101", "mobile/+491710000102", "mobile/none", "PJSIP/102"]
    assert users_at(wanted) == {"mobile/+491710000101": world.anna, "PJSIP/102": world.ben}
    users.disable(world.anna)
    assert "mobile/+491710000101" not in known_endpoints()
    assert add(mobile=notation).mobile == "+491710000101"


def test_change(world: World) -> None:
    anna = User.get_by_id(world.anna.id)
    users.change(anna, name=" Anna Berg ", role="head", endpoint="", department="Service")
    anna = User.get_by_id(anna.id)
    assert (anna.name, anna.role, anna.endpoint) == ("Anna Berg", "head", None)
    assert anna.department == world.olga.department
    event = Event.of_kind("user.changed").get()
    assert sorted(event.content["changed"]) == ["department", "endpoint", "name", "role"]


def test_change_of_what_is_so_already(world: World) -> None:
    anna = User.get_by_id(world.anna.id)
    users.change(anna, name="Anna Krüger", endpoint="PJSIP/101", department="Sales", active=True)
    users.change(anna)
    assert not Event.of_kind("user.changed").exists()


def test_who_was_disabled_comes_back(world: World) -> None:
    users.disable(world.anna)
    users.change(world.anna, active=True, endpoint="PJSIP/101")
    assert User.get_by_id(world.anna.id).check_password(PASSWORD)
    assert "PJSIP/101" in known_endpoints()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"role": "boss"}, "role"),
        ({"name": " "}, "name"),
        ({"endpoint": "PJSIP/102", "department": "New"}, "ben"),
        ({"mobile": "0171 0000102"}, "ben"),
        ({"mobile": "101"}, "mobile: '101' is not"),
    ],
)
def test_change_refuses(world: World, changes: dict[str, Any], word: str) -> None:
    users.change(world.ben, mobile="+491710000102")
    before = User.get_by_id(world.anna.id).__data__
    with pytest.raises(Refused, match=word):
        users.change(world.anna, **changes)
    assert User.get_by_id(world.anna.id).__data__ == before
    assert not Department.select().where(Department.name == "New").exists()


def test_a_department_answers_its_number_before_others(world: World) -> None:
    service = world.olga.department
    Department.update(did="+4930555001").where(Department.id == service.id).execute()
    assert department_for("030 555001") == service
    assert department_for("030 555002") == world.anna.department
    assert department_for("") == world.anna.department


def test_roles(world: World) -> None:
    people = (world.anna, world.olga, world.hugo, world.ada)
    assert [u.sees_all for u in people] == [False, False, True, True]
