"""verbs.erasure: what is known of one person goes, and nothing else (C3)."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from peewee import CharField, TextField

import database
from errors import Refused
from fields import utcnow
from models import (
    TABLES,
    Call,
    CallRequest,
    Company,
    Contact,
    Deal,
    Event,
    IgnoredNumber,
    Merge,
    Note,
    Phone,
    Reason,
    Receipt,
    StageChange,
    Task,
)
from panel import audience
from telephony import recorded
from tests.world import CUSTOMER, Story, World
from verbs import contacts, erasure, merges, notes, receipts, rules, tasks, users

SECOND, OTHER = "+4915155522100", "+4940123456"
NAME, MAIL = "Miriam Käßler", "miriam@kaessler.example"
KEY = "k" * 32


def everything() -> str:
    """All texts of all columns of all tables."""
    texts = []
    for table in TABLES:
        named = [f for f in table._meta.sorted_fields if isinstance(f, CharField | TextField)]
        rows: Any = table.select(*named).tuples() if named else ()
        for row in rows:
            texts += [str(value) for value in row if value]
    return "\n".join(texts)


def is_there(text: str) -> bool:
    """As it is written, and as it stands in JSON."""
    return any(form.lower() in everything().lower() for form in (text, json.dumps(text)[1:-1]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "monitor"
    made.mkdir()
    return made


@pytest.fixture
def miriam(world: World, folder: Path) -> Contact:
    """All that can be known of somebody, and a neighbour of whom all must stay."""
    file = folder / f"in-{CUSTOMER}.wav"
    file.write_bytes(b"RIFF")
    story = Story.begins(name=NAME).rings("PJSIP/101").answered("PJSIP/101").ended()
    Call.update(recording=str(file)).where(Call.id == story.call.id).execute()
    contact = story.call.contact
    assert contact
    contacts.change(contact, world.anna, name=NAME, email=MAIL, company=f"{NAME} GmbH", tags="vip")
    contacts.add_number(contact, SECOND, world.anna)
    deal = Deal.get(Deal.contact == contact)
    notes.add(f"{NAME} wants a roof", world.anna, deal=deal)
    notes.add("Rings at night", world.anna, contact=contact)
    tasks.add(f"Call {NAME}", utcnow() + timedelta(days=1), world.anna, world.anna, deal=deal)
    done = tasks.add("Old", utcnow(), world.anna, world.anna, contact=contact)
    tasks.finish(done, world.anna, f"{NAME} was not there")
    deal.move_to(world.stage("Lost"), world.anna, reason=f"{NAME} chose another")
    CallRequest.create(
        pbx="asterisk", kind="call", user=world.anna, number=SECOND, contact=contact, deal=deal,
        channel="own-1", state="done",
    )  # fmt: skip
    Story.begins(SECOND, "2.1").rings("PJSIP/102").ended()
    rules.ignore(SECOND, f"{NAME} at night", by=world.ada)
    for number, name in ((OTHER, "Otto Meier"), ("+4940123457", "Miriam Sand")):
        other = Contact.of_number(number, name, world.ben)
        notes.add(f"Knows {NAME}, {CUSTOMER}", world.ben, contact=other)
        Deal.open(f"Cellar {name}", world.ben, world.ben, contact=other)
    twin = Contact.of_number("+4940999999", NAME, world.anna)
    merges.merge(contact, twin, world.anna)
    return Contact.get_by_id(contact.id)


def erased(contact: Contact, world: World, folder: Path) -> Receipt:
    return erasure.erase(erasure.of_contact(contact), world.hugo, KEY, [str(folder)])


def test_nothing_is_left_of_the_person(world: World, miriam: Contact, folder: Path) -> None:
    numbers = [CUSTOMER, SECOND, "+4940999999"]
    assert all(is_there(text) for text in (*numbers, NAME, MAIL))
    receipt = erased(miriam, world, folder)
    for text in (*numbers, *(n[1:] for n in numbers), NAME, MAIL, "Käßler", "kassler"):
        assert not is_there(text), text
    assert list(folder.iterdir()) == []
    about = receipts.content(receipt)
    assert about["left"] == []
    assert about["counts"] == {
        "calls": 2, "deals": 2, "tasks": 3, "notes": 2, "requests": 1, "recordings": 1,
        "contacts": 1, "mentions": about["counts"]["mentions"],
    }  # fmt: skip
    assert about["counts"]["mentions"] >= 2


@pytest.mark.parametrize("anywhere", ["sqlite"], indirect=True)
def test_nor_in_the_files_of_the_database(world: World, miriam: Contact, folder: Path) -> None:
    """Rows that were deleted would else stand in free pages, and in the log of SQLite."""
    held = database.database.obj
    files = [Path(f"{held.database}{ending}") for ending in ("", "-wal")]
    traces = [NAME, MAIL, CUSTOMER, CUSTOMER[1:], SECOND[1:], "Käßler", "kassler", "\\u00e4\\u00df"]

    def left() -> set[str]:
        content = b"".join(file.read_bytes() for file in files if file.exists()).lower()
        return {text for text in traces if text.lower().encode() in content}

    assert left() == set(traces)
    erased(miriam, world, folder)
    assert left() == set()


def test_what_is_counted_stays(world: World, miriam: Contact, folder: Path) -> None:
    deal = Deal.get(Deal.contact == miriam, Deal.closed_at.is_null(False))
    was = {c.id: (c.outcome, c.talk, c.agent_id, c.started_at, c.deal_id) for c in Call.select()}
    changes = StageChange.select().where(StageChange.deal == deal).count()
    erased(miriam, world, folder)
    now = {c.id: (c.outcome, c.talk, c.agent_id, c.started_at, c.deal_id) for c in Call.select()}
    assert now == was
    deal = Deal.get_by_id(deal.id)
    assert (deal.title, deal.contact_id, deal.stage.name, deal.owner) == (
        "Erased",
        None,
        "Lost",
        world.anna,
    )
    assert deal.lost_reason is None
    assert deal.next_due is None
    assert StageChange.select().where(StageChange.deal == deal).count() == changes
    assert {(t.title, t.result, t.done_at is None) for t in Task.select()} == {
        ("Erased", "", False)
    }


def test_others_keep_what_is_theirs(world: World, miriam: Contact, folder: Path) -> None:
    erased(miriam, world, folder)
    assert {c.name for c in Contact.select()} == {"Otto Meier", "Miriam Sand"}
    assert {d.title for d in Deal.select()} == {"Erased", "Cellar Otto Meier", "Cellar Miriam Sand"}
    assert [n.text for n in Note.select()] == ["Knows …, …"] * 2
    assert Phone.select().count() == 2
    assert not Company.select().exists()
    assert is_there("miriam")


def test_a_company_with_others_stays(world: World) -> None:
    one = Contact.of_number(CUSTOMER, "Miriam Käßler", world.anna)
    two = Contact.of_number(OTHER, "Otto Meier", world.anna)
    for contact in (one, two):
        contacts.change(contact, world.anna, company="Käßler & Meier")
    erasure.erase(erasure.of_contact(one), None)
    assert two.company.name == "Käßler & Meier"
    assert is_there("kassler")


def test_a_reason_that_the_company_offers_stays(world: World) -> None:
    contact = Contact.of_number(CUSTOMER, NAME, world.anna)
    reason = Reason.get_or_none() or Reason.create(name="Too dear")
    deal = Deal.open("Roof", world.anna, world.anna, contact=contact)
    deal.move_to(world.stage("Lost"), world.anna, reason=reason.name)
    erasure.erase(erasure.of_contact(contact), None)
    assert Deal.get().lost_reason == reason.name


def test_a_number_that_only_calls_know(world: World) -> None:
    Story.begins("+4930555111", direction="outgoing", name="Nils Nobody").rings("PJSIP/101").ended()
    assert Contact.by_number("+4930555111") is None
    receipt = erasure.erase(erasure.of_number("030 555111"), world.hugo, KEY)
    assert not is_there("4930555111")
    assert not is_there("Nils")
    assert receipts.content(receipt)["counts"]["calls"] == 1
    with pytest.raises(Refused, match="Nothing is known"):
        erasure.erase(erasure.of_number("030 555111"), world.hugo, KEY)


def test_who_rings_again_is_a_stranger(world: World, miriam: Contact, folder: Path) -> None:
    erased(miriam, world, folder)
    story = Story.begins(linkedid="9.9").rings("PJSIP/101").answered("PJSIP/101").ended()
    assert story.call.contact.name == CUSTOMER
    assert story.call.contact.id != miriam.id
    assert story.call.deal.title == CUSTOMER


def test_a_late_report_brings_nothing_back(world: World, folder: Path) -> None:
    story = Story.begins(name=NAME).rings("PJSIP/101").ended(outcome="missed")
    erasure.erase(erasure.of_number(CUSTOMER), None)
    story.answered("PJSIP/101").ended()
    story._recorded()
    assert not is_there(CUSTOMER)


def test_a_call_that_goes_on_is_waited_for(world: World, miriam: Contact, folder: Path) -> None:
    story = Story.begins(linkedid="7.7").rings("PJSIP/101").answered("PJSIP/101")
    with pytest.raises(Refused, match="going on"):
        erased(miriam, world, folder)
    assert is_there(NAME)
    assert len(list(folder.iterdir())) == 1
    story.ended()
    erased(miriam, world, folder)
    assert not is_there(NAME)


def test_who_may(world: World, miriam: Contact, folder: Path) -> None:
    with pytest.raises(Refused, match="Only a head"):
        erasure.erase(erasure.of_contact(miriam), world.anna, KEY, [str(folder)])
    assert is_there(NAME)


def test_a_user_is_no_customer(world: World) -> None:
    users.change(world.ben, mobile=OTHER)
    Story.begins(CUSTOMER).rings("PJSIP/101").ended()
    with pytest.raises(Refused, match="ben"):
        erasure.erase(erasure.of_number(OTHER), None)


def test_after_a_merge_that_was_undone(world: World) -> None:
    one = Contact.of_number(CUSTOMER, NAME, world.anna)
    two = Contact.of_number(OTHER, "Otto Meier", world.anna)
    merges.undo(merges.merge(two, one, world.anna), world.anna)
    assert Merge.select().count() == 1
    erasure.erase(erasure.of_number(CUSTOMER), None)
    assert not is_there(NAME)
    assert Contact.by_number(OTHER)


@pytest.mark.parametrize("name", ["Anna", "Hugo Head"])
def test_names_of_others_are_not_taken_out(world: World, name: str) -> None:
    contact = Contact.of_number(CUSTOMER, name, world.anna)
    other = Contact.of_number(OTHER, "Otto Meier", world.anna)
    note = notes.add(f"{name} has seen it", world.anna, contact=other)
    erasure.erase(erasure.of_contact(contact), None)
    assert Note.get_by_id(note.id).text == f"{name} has seen it"


# Recordings


def test_a_recording_that_can_not_be_deleted(
    world: World, miriam: Contact, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(folders: Any, name: str, at: Any) -> bool:
        raise recorded.NotThere("unreadable", name)

    with monkeypatch.context() as patch:
        patch.setattr(recorded, "remove", stuck)
        receipt = erased(miriam, world, folder)
    about = receipts.content(receipt)
    assert (about["counts"]["recordings"], len(about["left"])) == (0, 1)
    assert not is_there(NAME)
    assert len(list(folder.iterdir())) == 1
    again = receipts.again(receipt, [str(folder)])
    assert (receipts.content(again)["counts"]["recordings"], receipts.content(again)["left"]) == (
        1,
        [],
    )
    assert not is_there(CUSTOMER)
    assert list(folder.iterdir()) == []


def test_a_recording_outside_the_folders_is_left(world: World, tmp_path: Path) -> None:
    inside, secret = tmp_path / "in", tmp_path / "secret.wav"
    inside.mkdir()
    secret.write_bytes(b"x")
    (inside / "a.wav").symlink_to(secret)
    at = utcnow()
    for name in (str(secret), "../secret.wav", "a.wav"):
        with pytest.raises(recorded.NotThere):
            recorded.remove([str(inside)], name, at)
    assert secret.exists()


def test_where_recordings_are_looked_for(tmp_path: Path) -> None:
    at = utcnow()
    for end in (".wav", ".mp3"):
        (tmp_path / f"talk{end}").write_bytes(b"x")
    assert recorded.remove([str(tmp_path)], "talk", at)
    assert list(tmp_path.iterdir()) == []
    assert not recorded.remove([str(tmp_path)], "talk", at)
    for folders in ([], [str(tmp_path / "unmounted")]):
        with pytest.raises(recorded.NotThere):
            recorded.remove(folders, "talk", at)


# The receipt


def test_the_receipt_tells_only_who_knows_the_number(
    world: World, miriam: Contact, folder: Path
) -> None:
    receipt = erased(miriam, world, folder)
    assert len(receipt.mark) == 64
    for text in ("030 44701182", SECOND, NAME.upper(), MAIL):
        assert receipts.found(KEY, text) == [receipt], text
    for key, text in ((KEY, OTHER), ("another key", CUSTOMER), ("", CUSTOMER), (KEY, " ")):
        assert receipts.found(key, text) == []


def test_without_a_key_there_is_no_mark(world: World, miriam: Contact, folder: Path) -> None:
    receipt = erasure.erase(erasure.of_contact(miriam), None, "", [str(folder)])
    assert (receipt.mark, receipts.content(receipt)["marks"]) == ("", [])


def test_it_is_told(world: World, miriam: Contact, folder: Path) -> None:
    deal = Deal.get(Deal.contact == miriam)
    erased(miriam, world, folder)
    told = list(Event.select().order_by(Event.id.desc()).limit(3))
    assert [e.kind for e in told] == ["contact.erased", "deal.changed", "deal.changed"]
    assert [e.user for e in told] == [world.hugo] * 3
    assert deal.id in {audience.deal_for(event, world.anna) for event in told}
    assert not IgnoredNumber.select().exists()
