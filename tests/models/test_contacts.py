"""verbs.contacts: what is written of customers, and two entries of one person (C1, C2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from errors import Refused
from fields import BadNumber, utcnow
from models import CallRule, Company, Contact, Deal, Event, Merge, Note, Phone, User
from tests.world import Story, World
from verbs import contacts, merges, notes, tasks, users

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
def test_what_makes_no_sense(world: World, kept: Contact, about: dict[str, Any]) -> None:
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
    merges.merge(kept, other, world.hugo)
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
    done = merges.merge(kept, other, world.hugo)
    assert merges.undo(done, world.hugo).id == other.id
    assert (everything(kept), everything(other)) == before
    with pytest.raises(Refused, match="undone already"):
        merges.undo(done, world.hugo)


def test_what_was_changed_since_stays_so(world: World, full: tuple[Contact, Contact]) -> None:
    kept, other = full
    done = merges.merge(kept, other, world.hugo)
    moved = Phone.get(Phone.e164 == OTHER)
    contacts.remove_number(moved, world.hugo)
    contacts.change(Contact.get_by_id(kept.id), world.hugo, email="new@example.com")
    merges.undo(Merge.get_by_id(done.id), world.hugo)
    assert everything(kept)["email"] == "new@example.com"
    assert everything(other)["numbers"] == []


def test_what_came_since_goes_with_its_number(world: World, full: tuple[Contact, Contact]) -> None:
    """A call, the deal that it made, and what was noted of it; what is the other's stays there."""
    kept, other = full
    # Both of their deals are closed, so that each next call makes one.
    for deal in Deal.select():
        deal.move_to(world.stage("Lost"), None, reason="Price")
    CallRule.update(effects="deal").where(CallRule.known).execute()
    done = merges.merge(kept, other, world.hugo)
    before = everything(kept)
    theirs = Story.begins(OTHER, "8.1").rings("PJSIP/102").answered("PJSIP/102").ended().call
    mine = Story.begins(NUMBER, "8.2").rings("PJSIP/101").answered("PJSIP/101").ended().call
    assert theirs.contact == mine.contact == kept
    made = theirs.deal
    notes.add("Wants a roof", world.ben, deal=made, contact=kept)
    tasks.add("Measure it", utcnow(), world.ben, None, deal=made)
    notes.add("By hand", world.anna, contact=kept)
    merges.undo(done, world.hugo)
    apart, rest = everything(other), everything(kept)
    assert apart["calls"] == ["7.1", "8.1"]
    assert rest["calls"] == ["7.2", "8.2"]
    assert Deal.get_by_id(made.id).contact == other
    assert apart["notes"] == ["About M. Sander", "Wants a roof"]
    assert rest["notes"] == ["About Miriam Sander", "By hand"]
    assert "Measure it" in apart["tasks"]
    for key in ("numbers", "deals", "notes", "tasks", "calls"):
        assert len(apart[key]) + len(rest[key]) >= len(before[key]), key


def test_its_id_may_be_taken_since(world: World, full: tuple[Contact, Contact]) -> None:
    """SQLite gives the id of the last row that was deleted to the next one, be it a contact or a
    note."""
    kept, other = full
    done = merges.merge(kept, other, world.hugo)
    stranger = Contact.of_number("+4930555", "Stranger", world.ben)
    moved = Note.get(Note.text == "About M. Sander")
    notes.remove(moved, world.ben)
    fresh = notes.add("Of the one that stays", world.anna, contact=Contact.get_by_id(kept.id))
    Note.update(id=moved.id).where(Note.id == fresh.id).execute()
    apart = merges.undo(done, world.hugo)
    assert apart.name == "M. Sander"
    assert apart.id != stranger.id
    assert everything(apart)["numbers"] == [OTHER]
    assert everything(apart)["notes"] == []
    assert "Of the one that stays" in everything(kept)["notes"]
    assert everything(stranger)["numbers"] == ["+4930555"]


def test_one_within_another(world: World, full: tuple[Contact, Contact]) -> None:
    kept, other = full
    third = Contact.of_number("+4930777", "Third", world.anna)
    inner = merges.merge(other, third, world.hugo)
    outer = merges.merge(kept, Contact.get_by_id(other.id), world.hugo)
    merges.undo(outer, world.hugo)
    assert everything(other)["numbers"] == sorted([OTHER, "+4930777"])
    merges.undo(Merge.get_by_id(inner.id), world.hugo)
    assert everything(third)["numbers"] == ["+4930777"]
    assert everything(other)["numbers"] == [OTHER]


def test_not_after_a_day(world: World, kept: Contact, other: Contact) -> None:
    done = merges.merge(kept, other, world.hugo)
    Merge.update(at=utcnow() - timedelta(days=1, minutes=1)).execute()
    with pytest.raises(Refused, match="older than a day"):
        merges.undo(done, world.hugo)


def test_merging_twice_or_with_itself(world: World, kept: Contact, other: Contact) -> None:
    with pytest.raises(Refused, match="another contact"):
        merges.merge(kept, kept, world.hugo)
    merges.merge(kept, other, world.hugo)
    with pytest.raises(Refused, match="not there any more"):
        merges.merge(kept, other, world.hugo)


def test_whose_owner_is_gone_comes_back_without(world: World, kept: Contact) -> None:
    temp = users.add("temp", "Temp", "seller", "correct horse")
    other = Contact.of_number(OTHER, "M. Sander", temp)
    done = merges.merge(kept, other, world.hugo)
    User.delete().where(User.id == temp.id).execute()
    assert merges.undo(done, world.hugo).owner is None


def test_duplicates(world: World, kept: Contact, other: Contact) -> None:
    twin = Contact.add("miriam sander", world.anna)
    far = Contact.add("Miriam Sander", world.ben)
    contacts.change(twin, world.anna, email="m@example.com")
    assert {c.id for c in contacts.duplicates_of(kept, world.hugo)} == {twin.id, far.id}
    assert {c.id for c in contacts.duplicates_of(kept, world.anna)} == {twin.id}
    assert {c.id for c in contacts.duplicates_of(other, world.hugo)} == {twin.id}
    turned = Contact.add("Sander, Miríam", world.anna)
    assert turned in contacts.duplicates_of(kept, world.anna)
    Contact.add("Miriam Sander-Holm", world.anna)
    named = {c.name for c in contacts.duplicates_of(kept, world.hugo)}
    assert named == {"miriam sander", "Miriam Sander", "Sander, Miríam"}
    assert contacts.duplicates_of(Contact.add("…", world.anna), world.hugo) == []


def test_visible_to(world: World, kept: Contact, other: Contact) -> None:
    Deal.open("Of Ben", world.ben, world.ben, contact=kept)
    seen = {
        who: {c.id for c in Contact.visible_to(getattr(world, who))}
        for who in ("anna", "ben", "olga", "hugo")
    }
    both = {kept.id, other.id}
    assert seen == {"anna": {kept.id}, "ben": both, "olga": set(), "hugo": both}
