"""verbs.contacts: what is written of customers, and two entries of one person (C1, C2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from errors import Refused
from fields import BadNumber, utcnow
from models import Company, Contact, Deal, Event, Merge, Phone, User
from tests.world import Story, World
from verbs import contacts, notes, tasks

NUMBER, OTHER = "+493044701182", "+4915155522100"


@pytest.fixture
def kept(world: World) -> Contact:
    return Contact.of_number(NUMBER, "Miriam Sander", world.anna)


@pytest.fixture
def other(world: World) -> Contact:
    contact = Contact.of_number(OTHER, "M. Sander", world.ben)
    contacts.change(contact, world.ben, email="m@example.com", tags="Yoga vip", company="Fitwerk")
    return Contact.get_by_id(contact.id)


def everything(contact: Contact) -> dict[str, Any]:
    now = Contact.get_by_id(contact.id)
    return {
        **now.__data__,
        "numbers": sorted(p.e164 for p in now.phones),
        "deals": sorted(d.title for d in now.deals),
        "notes": sorted(n.text for n in now.notes),
        "tasks": sorted(t.title for t in now.tasks),
        "calls": sorted(c.linkedid for c in now.calls),
    }


@pytest.fixture
def full(world: World, kept: Contact, other: Contact) -> tuple[Contact, Contact]:
    """Two contacts, each with a deal, a note, a task and a call."""
    for contact, owner in ((kept, world.anna), (other, world.ben)):
        deal = Deal.open(f"Of {contact.name}", owner, owner, contact=contact)
        notes.add(f"About {contact.name}", owner, contact=contact)
        tasks.add(f"Call {contact.name}", utcnow(), owner, owner, deal=deal)
    Story.begins(number=OTHER, linkedid="7.1").rings("PJSIP/102").answered("PJSIP/102").ended()
    Story.begins(number=NUMBER, linkedid="7.2").rings("PJSIP/101").answered("PJSIP/101").ended()
    return Contact.get_by_id(kept.id), Contact.get_by_id(other.id)


def test_change(world: World, kept: Contact) -> None:
    assert contacts.change(kept, world.anna, name="Miriam S.", tags="b a b", company=" fitwerk ")
    found = Contact.get_by_id(kept.id)
    assert (found.name, found.tags, found.company.name) == ("Miriam S.", " b a ", "fitwerk")
    assert contacts.change(found, world.anna, company="FITWERK") is False, "the same company"
    assert contacts.change(found, world.anna, company="") is True
    assert Company.select().count() == 1
    assert Event.of_kind("contact.changed").count() == 2


@pytest.mark.parametrize("about", [{"name": " "}, {"email": "no mail"}, {"email": "a@b"}])
def test_what_makes_no_sense(world: World, kept: Contact, about: dict[str, str]) -> None:
    with pytest.raises(Refused, match=next(iter(about))):
        contacts.change(kept, world.anna, **about)
    assert Contact.get_by_id(kept.id).name == "Miriam Sander"


def test_numbers(world: World, kept: Contact, other: Contact) -> None:
    phone = contacts.add_number(kept, "030 123456", world.anna)
    assert contacts.add_number(kept, "+49 30 123456", world.anna).id == phone.id
    with pytest.raises(Refused, match="another contact"):
        contacts.add_number(kept, OTHER, world.anna)
    with pytest.raises(BadNumber):
        contacts.add_number(kept, "hello", world.anna)
    contacts.remove_number(phone, world.anna)
    assert [p.e164 for p in kept.phones] == [NUMBER]


def test_merging_loses_nothing(world: World, full: tuple[Contact, Contact]) -> None:
    kept, other = full
    mine, theirs = everything(kept), everything(other)
    contacts.merge(kept, other, world.hugo)
    both = everything(kept)
    for key in ("numbers", "deals", "notes", "tasks", "calls"):
        assert both[key] == sorted(mine[key] + theirs[key])
    assert (both["name"], both["email"], both["tags"]) == (
        "Miriam Sander", "m@example.com", " yoga vip ",
    )  # fmt: skip
    assert both["company"] == theirs["company"]
    assert both["owner"] == world.anna.id
    assert not Contact.select().where(Contact.id == other.id).exists()


def test_and_can_be_undone(world: World, full: tuple[Contact, Contact]) -> None:
    kept, other = full
    before = everything(kept), everything(other)
    done = contacts.merge(kept, other, world.hugo)
    assert contacts.undo(done, world.hugo).id == other.id
    assert (everything(kept), everything(other)) == before
    with pytest.raises(Refused, match="undone already"):
        contacts.undo(done, world.hugo)


def test_what_was_changed_since_stays_so(world: World, full: tuple[Contact, Contact]) -> None:
    kept, other = full
    done = contacts.merge(kept, other, world.hugo)
    moved = Phone.get(Phone.e164 == OTHER)
    contacts.remove_number(moved, world.hugo)
    contacts.change(Contact.get_by_id(kept.id), world.hugo, email="new@example.com")
    contacts.undo(Merge.get_by_id(done.id), world.hugo)
    assert everything(kept)["email"] == "new@example.com"
    assert everything(other)["numbers"] == []


def test_not_after_a_day(world: World, kept: Contact, other: Contact) -> None:
    done = contacts.merge(kept, other, world.hugo)
    Merge.update(at=utcnow() - timedelta(days=1, minutes=1)).execute()
    with pytest.raises(Refused, match="older than a day"):
        contacts.undo(done, world.hugo)


def test_merging_twice_or_with_itself(world: World, kept: Contact, other: Contact) -> None:
    with pytest.raises(Refused, match="another contact"):
        contacts.merge(kept, kept, world.hugo)
    contacts.merge(kept, other, world.hugo)
    with pytest.raises(Refused, match="not there any more"):
        contacts.merge(kept, other, world.hugo)


def test_whose_owner_is_gone_comes_back_without(world: World, kept: Contact) -> None:
    temp = User.add("temp", "Temp", "seller", "correct horse")
    other = Contact.of_number(OTHER, "M. Sander", temp)
    done = contacts.merge(kept, other, world.hugo)
    User.delete().where(User.id == temp.id).execute()
    assert contacts.undo(done, world.hugo).owner is None


def test_duplicates(world: World, kept: Contact, other: Contact) -> None:
    twin = Contact.add("miriam sander", world.anna)
    far = Contact.add("Miriam Sander", world.ben)
    contacts.change(twin, world.anna, email="m@example.com")
    assert {c.id for c in contacts.duplicates_of(kept, world.hugo)} == {twin.id, far.id}
    assert {c.id for c in contacts.duplicates_of(kept, world.anna)} == {twin.id}
    assert {c.id for c in contacts.duplicates_of(other, world.hugo)} == {twin.id}


def test_visible_to(world: World, kept: Contact, other: Contact) -> None:
    Deal.open("Of Ben", world.ben, world.ben, contact=kept)
    seen = {
        who: {c.id for c in Contact.visible_to(getattr(world, who))}
        for who in ("anna", "ben", "olga", "hugo")
    }
    both = {kept.id, other.id}
    assert seen == {"anna": {kept.id}, "ben": both, "olga": set(), "hugo": both}
