"""verbs/departments.py and verbs/wordings.py."""

from __future__ import annotations

import pytest

from errors import Conflict, Refused
from models import Department, Event
from tests.world import World
from verbs import departments, users, wordings


def service() -> Department:
    return Department.get(Department.name == "Service")


def test_a_department_is_added_changed_and_removed(world: World) -> None:
    made = departments.add(" Export ", "030 555 009", by=world.ada)
    assert (made.name, made.did) == ("Export", "+4930555009")
    assert departments.change(made, "Exports", "", world.ada, seen=("Export", "+4930555009"))
    assert departments.change(made, "Exports", "", world.ada) is False
    with pytest.raises(Conflict):
        departments.change(made, "Other", "", world.ada, seen=("Export", ""))
    departments.remove(made, world.ada)
    assert not Department.select().where(Department.name == "Exports").exists()
    kinds = [e.kind for e in Event.select().where(Event.user == world.ada).order_by(Event.id)]
    assert kinds == ["department.added", "department.changed", "department.removed"]


@pytest.mark.parametrize(("name", "did"), [("", ""), ("Sales", ""), ("New", "+4930555001")])
def test_a_department_is_refused(world: World, name: str, did: str) -> None:
    departments.change(service(), "Service", "+4930555001")
    with pytest.raises(Refused):
        departments.add(name, did)


def test_a_department_with_people_stays(world: World) -> None:
    with pytest.raises(Refused, match="belongs to this department"):
        departments.remove(service())
    users.disable(world.olga)
    departments.remove(service())
    assert Department.select().count() == 1


def test_texts(world: World) -> None:
    assert wordings.texts() == dict.fromkeys(wordings.LENGTHS, "")
    assert wordings.change({"company": " Roofs  Ltd "}, world.ada, seen={"company": ""})
    assert wordings.texts()["company"] == "Roofs Ltd"
    assert wordings.change({"company": "Roofs Ltd"}, world.ada) is False
    with pytest.raises(Conflict):
        wordings.change({"company": "Other"}, world.ada, seen={"company": ""})


@pytest.mark.parametrize("wanted", [{"company": "x" * 41}, {"other": "x"}])
def test_texts_are_refused(world: World, wanted: dict[str, str]) -> None:
    with pytest.raises(Refused):
        wordings.change(wanted, world.ada)
    assert not Event.of_kind("texts.changed").exists()
