"""verbs.contact_import: rows of a file become contacts, once (C1)."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

import database
import fields
from errors import Refused
from models import Company, Contact, Event, Note, Phone
from tests.world import CUSTOMER, World
from verbs import contact_import, contacts, search
from verbs.contact_import import Outcome
from verbs.import_rows import Plan

MAPPING = ("name", "number", "email", "company", "tags", "note", "owner")
OTTO = [
    "Otto Meier",
    "030 1234567, 0151 5552 2100",
    "otto@meier.example",
    "Meier",
    "vip",
    "tall",
    "ben",
]


def enter(world: World, rows: Sequence[list[str]], **how: object) -> Outcome:
    plan = Plan(MAPPING, **how)  # type: ignore[arg-type]
    padded = [row + [""] * (len(MAPPING) - len(row)) for row in rows]
    foretold = contact_import.foretell(Plan(MAPPING, **how), list(enumerate(padded, 2)), 5)[1]  # type: ignore[arg-type]
    done = contact_import.run(plan, enumerate(padded, 2), world.hugo)
    assert foretold.counts == done.counts, "it was foretold"
    return done


def counts(outcome: Outcome) -> tuple[int, ...]:
    return tuple(outcome.counts[fate] for fate in contact_import.FATES)


def test_a_new_contact(world: World) -> None:
    assert counts(enter(world, [OTTO])) == (1, 0, 0, 0)
    otto = Contact.get()
    assert (otto.name, otto.email, otto.company.name, otto.tags, otto.owner) == (
        "Otto Meier", "otto@meier.example", "Meier", " vip ", world.ben,
    )  # fmt: skip
    assert {phone.e164 for phone in otto.phones} == {"+49301234567", "+4915155522100"}
    assert [note.text for note in Note.select()] == ["tall"]
    assert Event.select().order_by(Event.id.desc()).get().kind == "contacts.imported"


def test_again_nothing_changes(world: World) -> None:
    enter(world, [OTTO, ["Inga Holm", "", "inga@holm.example"]])
    assert counts(enter(world, [OTTO, ["Inga Holm", "", "inga@holm.example"]])) == (0, 0, 2, 0)
    assert (Contact.select().count(), Phone.select().count(), Note.select().count()) == (2, 2, 1)


def test_what_is_missing_is_filled_in(world: World) -> None:
    known = Contact.of_number("+49301234567", "Otto M.", world.anna)
    contacts.change(known, world.anna, tags="old")
    assert counts(enter(world, [OTTO])) == (0, 1, 0, 0)
    known = Contact.get()
    assert (known.name, known.email, known.tags, known.owner) == (
        "Otto M.", "otto@meier.example", " old vip ", world.anna,
    )  # fmt: skip
    assert counts(enter(world, [OTTO], overwrites=True)) == (0, 1, 0, 0)
    known = Contact.get()
    assert (known.name, known.owner) == ("Otto Meier", world.ben)


def test_a_caller_gets_a_name(world: World) -> None:
    Contact.of_number(CUSTOMER, "", None)
    enter(world, [["Miriam", CUSTOMER]])
    assert [c.name for c in Contact.select()] == ["Miriam"]


def test_matched_by_mail_where_no_number_is_known(world: World) -> None:
    one = Contact.add("Otto", world.anna)
    contacts.change(one, world.anna, email="Otto@Meier.example")
    enter(world, [OTTO])
    assert [(c.id, c.phones.count()) for c in Contact.select()] == [(one.id, 2)]


def test_rows_of_one_file_that_belong_together(world: World) -> None:
    rows = [["Otto", "030 1234567"], ["Otto", "030 1234567", "otto@meier.example"],
            ["", "030 7654321", "otto@meier.example"]]  # fmt: skip
    assert sum(counts(enter(world, rows))) == 3
    assert [(c.name, c.email, c.phones.count()) for c in Contact.select()] == [
        ("Otto", "otto@meier.example", 2)
    ]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (["Otto", "by hand"], "is not a telephone number"),
        (["Otto", "", "no mail"], "name@example.com"),
        (["", "", "", "", "vip"], "neither a name nor a number"),
        (["Otto", "", "", "", "", "", "nobody"], "no user 'nobody'"),
        (["Otto", CUSTOMER], "one of our own numbers"),
    ],
)
def test_what_can_not_be_used_is_refused_with_the_reason(
    world: World, monkeypatch: pytest.MonkeyPatch, row: list[str], sentence: str
) -> None:
    monkeypatch.setattr(fields, "own", frozenset([CUSTOMER]))
    outcome = enter(world, [row, ["Inga", "040 123456"]])
    assert counts(outcome) == (1, 0, 0, 1)
    assert sentence in str(outcome.refused[0].refusal)
    assert (outcome.refused[0].line, outcome.refused[0].cells[: len(row)]) == (2, row)


def test_numbers_as_people_write_them(world: World) -> None:
    cells = {
        "'030 1234560": {"+49301234560"},
        "030/123 45-61 oder 0171 7654321": {"+49301234561", "+491717654321"},
        "030 1234562 / 0171 7654322": {"+49301234562", "+491717654322"},
        "030 12343/030 12344": {"+493012343", "+493012344"},
        "0301234563/01717654323": {"+49301234563", "+491717654323"},
        "030 / 1234564": {"+49301234564"},
        "Tel.: 030 1234565; mobil 0171 7654325 (privat)": {"+49301234565", "+491717654325"},
        "тел. 030 1234566 или моб. 0171 7654326": {"+49301234566", "+491717654326"},
    }
    done = enter(world, [[f"Otto {at}", cell] for at, cell in enumerate(cells)])
    assert counts(done) == (len(cells), 0, 0, 0)
    for contact, numbers in zip(Contact.select().order_by(Contact.id), cells.values(), strict=True):
        assert {phone.e164 for phone in contact.phones} == numbers


def test_what_is_no_number_is_not_guessed(world: World) -> None:
    cells = ["030 1234567 oder nie", "nach 17 Uhr", "4,91711E+11"]
    outcome = enter(world, [["Otto", cell] for cell in cells])
    assert counts(outcome) == (0, 0, 0, 3)
    said = [str(line.refusal).split("'")[1] for line in outcome.refused]
    assert said == ["nie", "nach 17 Uhr", "4,91711E+11"]


def test_a_row_that_fits_two_contacts_is_refused(world: World) -> None:
    Contact.of_number("+49301234567", "One", None)
    Contact.of_number("+4915155522100", "Two", None)
    outcome = enter(world, [OTTO])
    assert "One, Two" in str(outcome.refused[0].refusal)


def test_first_and_last_names_and_several_columns_of_numbers(world: World) -> None:
    plan = Plan(("first", "last", "number", "number", ""))
    row = ["Otto", "Meier", "030 1234567", "030 1234568", "left out"]
    contact_import.run(plan, [(1, row)], None)
    assert [(c.name, c.phones.count()) for c in Contact.select()] == [("Otto Meier", 2)]


def test_all_is_found_by_the_search(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_import, "BATCH", 3)
    rows = [[f"Otto Meier{n}", f"030 12345{n:02}", "", f"Firma{n % 2}"] for n in range(10)]
    assert counts(enter(world, rows)) == (10, 0, 0, 0)
    assert search.rebuild() == 0
    assert Company.select().count() == 2


def test_a_file_of_nothing(world: World) -> None:
    assert counts(enter(world, [])) == (0, 0, 0, 0)


def test_who_may(world: World) -> None:
    with pytest.raises(Refused, match="Only a head"):
        contact_import.run(Plan(MAPPING), [], world.anna)


HOSTILE = (
    "<script>alert(1)</script>", "=HYPERLINK(1)", "\u202egnp.exe", "\u200b\u200dInga\ufeff",
    "𝕴𝖓𝖌𝖆 😀", "a" * 5000, "'; DROP TABLE contacts; --", "{{ 7 * 7 }}", "%s %(name)s {0}",
)  # fmt: skip


def test_names_that_mean_harm_are_only_names(world: World) -> None:
    rows = [[name, f"+49301230{at:03}"] for at, name in enumerate(HOSTILE)]
    assert counts(enter(world, rows))[3] == 0
    names = {contact.name for contact in Contact.select()}
    assert len(names) == len(HOSTILE)
    assert all(0 < len(name) <= 80 for name in names)
    assert not [name for name in names if set(name) & set("\u202e\u200b\ufeff\n")]


TROUBLES: tuple[type[Exception], ...] = (Refused, *database.DATABASE_ERRORS)


def test_two_files_at_once(anywhere: World) -> None:
    """Both with the same people: each is there once, with both their numbers."""
    rows = [[f"Person {n}", f"+493055{n:04}", f"p{n}@x.example"] for n in range(120)]
    enter_at_once(anywhere, rows, rows[::-1])
    assert Phone.select().count() == len(rows)
    with_numbers = Contact.select().join(Phone).distinct().count()
    assert Contact.select().count() == with_numbers == len(rows)


def test_two_files_at_once_of_people_without_numbers(anywhere: World) -> None:
    rows = [[f"Person {n}", "", f"p{n}@x.example"] for n in range(120)]
    enter_at_once(anywhere, rows, rows)
    assert Contact.select().count() == len(rows)


def enter_at_once(world: World, *files: list[list[str]]) -> None:
    start = threading.Barrier(len(files))
    troubles: list[Exception] = []

    def run(which: list[list[str]]) -> None:
        try:
            start.wait(20)
            plan = Plan(("name", "number", "email"))
            contact_import.run(plan, enumerate(which, 2), world.hugo)
        except TROUBLES as trouble:
            troubles.append(trouble)
        finally:
            database.database.close()

    both = [threading.Thread(target=run, args=(part,)) for part in files]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert troubles == []
