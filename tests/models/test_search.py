"""The index of the search: what is in it after each verb, and how words are compared."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playhouse.test_utils import count_queries

import spelling
from models import Call, CallRule, Company, Contact, Deal, Gram, Mention, Phone, Word
from panel.finding import find
from tests.world import CUSTOMER, Story, World
from verbs import contacts, deals, history, merges, search

HEAD = "hugo"
STATEMENTS_PER_CONTACT = 10


def names(world: World, question: str, login: str = HEAD) -> list[str]:
    return [c.name for c in find(getattr(world, login), question, 20).contacts]


def state() -> list[set[Any]]:
    """All of the index, without the ids of its rows."""
    texts = {word.id: word.text for word in Word.select()}
    mentions = {(texts.get(m.word), m.kind, m.row) for m in Mention.select()}
    grams: Any = Gram.select(Gram.gram, Gram.kind, Gram.row).where(Gram.kind != "word").tuples()
    of_words: Any = Gram.select(Gram.gram, Gram.row).where(Gram.kind == "word").tuples()
    return [
        set(texts.values()),
        mentions,
        set(grams),
        {(gram, texts.get(row)) for gram, row in of_words},
    ]


def emptied() -> None:
    for table in (Word, Mention, Gram):
        table.delete().execute()


# How words are compared


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("Krüger", "KRUEGER kruger krüger"),
        ("Größe", "Groesse GROSSE große"),
        ("Фёдор", "Федор фёдор Fedor ФЁДОР"),
        ("Кириллов", "kirillov"),
        ("Łódź", "lodz"),
        ("Zoë", "ZOE zoe"),
        ("ﬁt", "fit FIT"),
        ("İstanbul", "istanbul"),
        ("李", "李"),
    ],
)
def test_one_word_in_many_spellings(written: str, same: str) -> None:
    for other in same.split():
        assert spelling.words(other) == spelling.words(written)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("😀 % _ ' \" \\ ; --", []),
        ("m.sander@fit-werk.de", ["m", "sander", "fit", "werk", "de"]),
        ("Anna anna ANNA", ["anna"]),
        ("x" * 10_000, ["x" * 40]),
    ],
)
def test_what_is_a_word(text: str, found: list[str]) -> None:
    assert spelling.words(text) == found


LETTERS = "abdehklmnorstuäß"


@st.composite
def misspelt(draw: st.DrawFn) -> tuple[str, str]:
    """A word, and what somebody made of it who erred as often as is forgiven."""
    word = spelling.words(draw(st.text(LETTERS, min_size=4, max_size=14)))[0]
    written = word
    for _ in range(spelling.tolerance(word)):
        at = draw(st.integers(0, len(written) - 1))
        letter = draw(st.sampled_from("aeinrst"))
        before, this, after = written[:at], written[at], written[at + 1 :]
        ways = [before + letter + after, before + after, before + this + letter + after]
        ways.append(before + after[:1] + this + after[1:])
        written = draw(st.sampled_from(ways))
    return word, written


@given(misspelt())
@settings(max_examples=400, deadline=None)
def test_a_misspelt_word_shares_a_code_with_the_right_one(pair: tuple[str, str]) -> None:
    word, written = pair
    # Two errors in the same place can be more than two, as Damerau and Levenshtein count them.
    if spelling.errors(written, word) is not None and len(written) > 2:
        assert spelling.codes(written) & spelling.codes(word)


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("pual", "paul"),
        ("holn", "holm"),
        ("hlm0", None),
        ("pul", "paul"),
        ("pxl", None),
        ("kugr", "kruger"),
        ("meeier", "meier"),
        ("sandr", "sander"),
        ("kxugxr", "kruger"),
        ("lgoistik", "logistik"),
        ("satdtwreke", "stadtwerke"),
        ("xtadtwerky", "stadtwerke"),
        ("stdtwyky", None),
        ("stadwer", "stadtwerke"),
    ],
)
def test_what_is_forgiven(written: str, word: str | None) -> None:
    known = ("paul", "holm", "meier", "sander", "kruger", "logistik", "stadtwerke")
    near = [
        w
        for w in known
        if spelling.codes(written) & spelling.codes(w) and spelling.errors(written, w) is not None
    ]
    assert near == ([word] if word else [])


def test_few_letters_and_digits_are_meant_as_they_are_written() -> None:
    assert [spelling.tolerance(w) for w in ("", "abc", "abcd", "abcdef", "4711", "47110815")] == [
        0, 0, 1, 2, 0, 0,
    ]  # fmt: skip


# What the verbs keep


def test_a_contact_is_found_as_soon_as_it_is_there(world: World) -> None:
    Contact.add("Jörg Krüger", world.anna)
    for question in ("krueger", "Jorg", "krü", "KRUGER jörg", "Kruegr", "Krüger Jrög"):
        assert names(world, question) == ["Jörg Krüger"], question
    assert names(world, "Krüger Anna") == []


def test_a_renamed_contact_is_found_by_the_new_name_only(world: World) -> None:
    contact = Contact.of_number(CUSTOMER, "Miriam Sander", world.anna)
    Deal.open("Roof", world.anna, world.anna, contact=contact)
    Contact.update(name="Miriam Holm", email="mh@example.org").execute()
    search.renamed("contact", [contact.id])
    found = find(world.hugo, "holm", 5)
    assert [len(rows) for rows in (found.contacts, found.deals)] == [1, 1]
    assert not find(world.hugo, "sander", 5)
    assert names(world, "mh@example.org") == ["Miriam Holm"]
    assert not Word.select().where(Word.text == "sander").exists()


def test_a_renamed_company_renames_what_is_found_by_it(world: World) -> None:
    company = Company.create(name="Fitwerk GmbH", owner=world.anna)
    contact = Contact.add("Inga Holm", world.anna)
    Contact.update(company=company).execute()
    Deal.open("Roof", world.anna, world.anna, contact=contact)
    search.renamed("company", [company.id])
    found = find(world.hugo, "fitwrek", 5)
    assert [len(r) for r in (found.contacts, found.companies, found.deals)] == [1, 1, 1]
    Company.update(name="Stadtbad").execute()
    search.renamed("company", [company.id])
    assert not find(world.hugo, "fitwerk", 5)
    found = find(world.hugo, "stadtbad", 5)
    assert [len(r) for r in (found.contacts, found.companies, found.deals)] == [1, 1, 1]


def test_the_verbs_of_customers_and_deals_keep_it(world: World) -> None:
    contact = Contact.add("Miriam Sander", world.anna)
    deal = Deal.open("Roof", world.anna, world.anna, contact=contact)
    contacts.change(contact, world.anna, name="Inga Holm", company="Fitwerk", tags="solar")
    deals.change(deal, world.anna, title="Kitchen")
    phone = contacts.add_number(contact, CUSTOMER, world.anna)
    for question in ("holm", "fitwerk", "solar", "1182", "holm fitwrek"):
        assert names(world, question) == ["Inga Holm"], question
    assert len(find(world.anna, "kitchen holm", 5).deals) == 1
    contacts.change_company(Company.get(), world.anna, name="Stadtbad")
    assert names(world, "stadtbad") == ["Inga Holm"]
    contacts.remove_number(phone, world.anna)
    for question in ("sander", "roof", "fitwerk", "1182"):
        assert not find(world.hugo, question, 5), question


def test_merging_and_parting_keep_it(world: World) -> None:
    kept = Contact.of_number(CUSTOMER, "Miriam Sander", world.anna)
    other = Contact.of_number("+4940123456", "Inga Holm", world.anna)
    Deal.open("Roof", world.anna, world.anna, contact=other)
    before = state()
    merged = merges.merge(kept, other, world.anna)
    assert names(world, "2345") == names(world, "sander") == ["Miriam Sander"]
    assert names(world, "holm") == []
    assert len(find(world.anna, "roof sander", 5).deals) == 1
    merges.undo(merged, world.anna)
    assert state() == before


def test_keeping_twice_changes_nothing(world: World) -> None:
    contact = Contact.of_number(CUSTOMER, "Miriam Sander", world.anna)
    before = state()
    search.keep("contact", [contact.id])
    search.keep("phone", [Phone.get().id])
    search.renamed("contact", [contact.id, contact.id])
    assert state() == before
    search.keep("contact", [])
    search.keep("contact", [999])
    assert state() == before


def test_what_is_forgotten_leaves_nothing_behind(world: World) -> None:
    gone = Contact.of_number(CUSTOMER, "Miriam Sander", world.anna)
    Contact.add("Miriam Holm", world.anna)
    phone = Phone.get().id
    search.forget("phone", [phone])
    search.forget("contact", [gone.id])
    gone.delete_instance()
    texts, _mentions, numbers, of_words = state()
    assert texts == {"miriam", "holm"}
    assert numbers == set()
    assert {text for _, text in of_words} == texts
    search.forget("contact", [gone.id])


def test_calls_are_found_by_numbers_that_nobody_has(world: World) -> None:
    CallRule.delete().execute()
    for n in (1, 2):
        Story.begins(linkedid=f"{n}.1").rings("PJSIP/101").ended()
    assert {row.row for row in Gram.select().where(Gram.kind == "call")} == {Call.get().id}
    assert len(find(world.anna, "4470 1182", 5).calls) == 2
    assert not find(world.olga, "4470 1182", 5)


def test_calls_of_contacts_need_no_entry_of_their_own(world: World) -> None:
    Story.begins().rings("PJSIP/101").answered("PJSIP/101").ended()
    assert not Gram.select().where(Gram.kind == "call").exists()
    found = find(world.anna, "701182", 5)
    assert [len(rows) for rows in (found.contacts, found.deals, found.calls)] == [1, 1, 1]


def test_calls_of_long_ago_are_in_it(world: World) -> None:
    known = Story.begins("+49301111111", "1.1", "Inga Holm").rings("PJSIP/101").ended()
    reports = [known.report]
    for n in range(3):
        number = f"+493022222{n:02}"
        reports.append(
            type(known.report)(
                pbx="old", linkedid=f"{n}.9", direction="incoming", number=number,
                name=("Ada Berg", "Bo Clausen", "Cem Dogan")[n], started_at=known.report.started_at,
                ended_at=known.report.ended_at, legs=(),
            )
        )  # fmt: skip
    assert history.enter("old", reports[1:]) == 3
    assert names(world, "clausen") == ["Bo Clausen"]
    assert names(world, "030 2222201") == ["Bo Clausen"]
    before = state()
    assert search.rebuild() == 0
    assert state() == before


def test_two_calls_at_once_leave_no_entry_of_the_contact_that_was_one_too_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Contact.of_number(CUSTOMER, "Miriam Sander", world.anna)
    before = state()
    monkeypatch.setattr(Contact, "by_number", classmethod(lambda cls, number: None))
    assert Contact.of_number(CUSTOMER, "Somebody Else", world.ben) == first
    assert state() == before


# The rebuild


def test_an_older_database_is_put_in(anywhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "BATCH", 2)
    company = Company.create(name="Fitwerk GmbH")
    search.keep("company", [company.id])
    for n in range(5):
        contact = Contact.of_number(f"+493044701{n:03}", f"Kunde {'abcde'[n]}holm", anywhere.anna)
        Deal.open(f"Roof {n}", anywhere.anna, anywhere.anna, contact=contact)
    Contact.of_number("+49301234567", "", anywhere.anna)
    CallRule.delete().execute()
    for n in (1, 2):
        Story.begins("+4940123456", f"{n}.1").rings("PJSIP/101").ended()
    before = state()
    emptied()
    told: list[tuple[str, int]] = []
    assert search.rebuild(lambda kind, done: told.append((kind, done))) == 1 + 6 + 5 + 6 + 1
    assert state() == before
    assert told[:4] == [("company", 1), ("contact", 2), ("contact", 4), ("contact", 6)]
    assert search.rebuild() == 0
    assert names(anywhere, "kunde bhlom") == ["Kunde bholm"]


def test_a_rebuild_that_broke_off_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(6):
        Contact.add(f"Kunde {'abcdef'[n]}holm", world.anna)
    before = state()
    emptied()
    monkeypatch.setattr(search, "BATCH", 2)

    def break_off(_kind: str, done: int) -> None:
        if done == 4:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        search.rebuild(break_off)
    assert search.rebuild() == 2
    assert state() == before


def test_a_new_contact_costs_few_statements(world: World) -> None:
    Contact.add("Anna Vorher", world.anna)
    with count_queries() as counted:
        Contact.add("Berta Nachher", world.anna)
    assert counted.count <= STATEMENTS_PER_CONTACT, [q.msg for q in counted.get_queries()]
