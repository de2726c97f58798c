"""The verbs that keep the index of the search: which words stand in which contact, company and
deal, and which runs of digits in which number.

Whoever makes one of them, or changes what it is called, says so here in the same transaction.
Saying it again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from peewee import JOIN, fn

from database import database
from fields import number_or_none
from models import Call, Company, Contact, Deal, Gram, Mention, Phone, Table, Word
from spelling import codes, run_codes, words
from verbs.index_rows import PAGE, insert, of_rows

BATCH = 1000
"""Rows of an index that is made anew in one transaction, so that calls need not wait for it."""
NOTHING = 0
"""The word of what has none, a customer named by a number only: it is known to have been read."""

Progress = Callable[[str, int], None]


def keep(kind: str, rows: Iterable[int]) -> None:
    """What rows of a kind are called now. ``kind``: contact, company, deal, phone or call (a call
    whose number is nobody's)."""
    for ids in _pages(sorted(set(rows))):
        with database.atomic():
            if kind in ("phone", "call"):
                _keep_numbers(kind, ids)
            else:
                _keep_words(kind, ids)


def renamed(kind: str, rows: Iterable[int]) -> None:
    """Like ``keep``, and what is found by the names of these contacts or companies with them."""
    ids = list(rows)
    with database.atomic():
        keep(kind, ids)
        if kind == "company":
            renamed("contact", _ids(Contact, Contact.company, ids))
        elif kind == "contact":
            keep("deal", _ids(Deal, Deal.contact, ids))


def forget(kind: str, rows: Iterable[int]) -> None:
    """Takes rows that are erased or taken into others out of the index, with the words and runs of
    digits that stood nowhere else."""
    for ids in _pages(sorted(set(rows))):
        with database.atomic():
            of_these = (Mention.kind == kind) & (Mention.row << ids)
            gone = {word for (word,) in _tuples(Mention.select(Mention.word).where(of_these))}
            Mention.delete().where(of_these).execute()
            Gram.delete().where(Gram.kind == kind, Gram.row << ids).execute()
            _drop_words(gone)


def rebuild(progress: Progress = lambda kind, done: None) -> int:
    """Puts in what an older version left out; begun again it goes on where it was. ``progress`` is
    told the kind and how many of it were put in so far. Returns how many all in all."""
    done = 0
    for kind, missing in _missing().items():
        of_kind, after = 0, 0
        while ids := missing(after):
            keep(kind, ids)
            of_kind, after = of_kind + len(ids), ids[-1]
            progress(kind, of_kind)
        done += of_kind
    return done


def _missing() -> dict[str, Callable[[int], list[int]]]:
    """By kind: the next ids above one that are not in the index."""

    def without_words(kind: str, table: type[Table]) -> Callable[[int], list[int]]:
        there = Mention.select(Mention.row).where(Mention.kind == kind, Mention.row == table.id)
        return lambda after: _next(table, after, ~fn.EXISTS(there))

    def without_runs(kind: str, table: type[Table], *more: Any) -> Callable[[int], list[int]]:
        there = Gram.select(Gram.row).where(Gram.kind == kind, Gram.row == table.id)
        return lambda after: _next(table, after, ~fn.EXISTS(there), *more)

    return {
        "company": without_words("company", Company),
        "contact": without_words("contact", Contact),
        "deal": without_words("deal", Deal),
        "phone": without_runs("phone", Phone),
        "call": without_runs("call", Call, Call.number.is_null(False), _is_first_of_nobody()),
    }


def _next(table: type[Table], after: int, *conditions: Any) -> list[int]:
    query: Any = table.select(table.id).where(table.id > after, *conditions)
    return [row for (row,) in _tuples(query.order_by(table.id).limit(BATCH))]


def _is_first_of_nobody() -> Any:
    """Of the calls with a number that no contact has, the first: one is enough to find them all."""
    earlier = Call.alias()
    of_number = earlier.select(earlier.id).where(
        earlier.number == Call.number, earlier.id < Call.id
    )
    owned = Phone.select(Phone.id).where(Phone.e164 == Call.number)
    return ~fn.EXISTS(of_number) & ~fn.EXISTS(owned)


def called(calls: Sequence[int]) -> None:
    """Calls have ended; those whose number is nobody's can be found by it too."""
    query: Any = Call.select(Call.id).where(Call.id << calls, Call.number.is_null(False))
    keep("call", [row for (row,) in _tuples(query.where(_is_first_of_nobody()))])


# Words -------------------------------------------------------------------------------------------


def _keep_words(kind: str, ids: list[int]) -> None:
    wanted = {row: set(words(text)) for row, text in _texts(kind, ids)}
    numbers = _word_ids(set().union(*wanted.values()))
    now = {
        (numbers[word] if word else NOTHING, row)
        for row, found in wanted.items()
        for word in found or {""}
    }
    before = set(of_rows(_MENTIONS[kind], ids))
    insert(Mention.word, ((word, kind, row) for word, row in sorted(now - before)))
    _take_back(kind, before - now)


def _take_back(kind: str, mentions: set[tuple[int, int]]) -> None:
    for word, row in mentions:
        this = (Mention.word == word) & (Mention.kind == kind) & (Mention.row == row)
        Mention.delete().where(this).execute()
    _drop_words({word for word, _ in mentions})


def _texts(kind: str, ids: list[int]) -> Iterator[tuple[int, str]]:
    for row, *texts in of_rows(_TEXTS[kind], ids):
        yield row, " ".join(text for text in texts if text and not _is_number(text))


def _is_number(text: str) -> bool:
    """An unknown caller is named by the number, which is found by its digits."""
    return text.startswith("+") and number_or_none(text) == text


def _of_companies(ids: list[int]) -> Any:
    return Company.select(Company.id, Company.name, Company.website).where(Company.id << ids)


def _of_contacts(ids: list[int]) -> Any:
    about = (Contact.name, Contact.email, Contact.position, Contact.tags, Company.name)
    query = Contact.select(Contact.id, *about).join(Company, JOIN.LEFT_OUTER)
    return query.where(Contact.id << ids)


def _of_deals(ids: list[int]) -> Any:
    return (
        Deal.select(Deal.id, Deal.title, Contact.name, Company.name)
        .join(Contact, JOIN.LEFT_OUTER)
        .join(Company, JOIN.LEFT_OUTER)
        .where(Deal.id << ids)
    )


_TEXTS = {"company": _of_companies, "contact": _of_contacts, "deal": _of_deals}


def _mentions_of(kind: str) -> Callable[[list[int]], Any]:
    found = Mention.select(Mention.word, Mention.row)
    return lambda ids: found.where(Mention.kind == kind, Mention.row << ids)


_MENTIONS = {kind: _mentions_of(kind) for kind in _TEXTS}


def _word_ids(texts: set[str]) -> dict[str, int]:
    """The ids of words, made where there are none."""
    known = _known(texts)
    # In one order everywhere: else two that make the same words could wait for each other.
    fresh = sorted(texts - known.keys())
    for page in _pages(fresh):
        Word.insert_many([{"text": text} for text in page]).on_conflict_ignore().execute()
    made = _known(fresh)
    _add_grams("word", ((row, codes(text)) for text, row in made.items()))
    return known | made


def _known(texts: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for page in _pages(sorted(texts)):
        found |= dict(_tuples(Word.select(Word.text, Word.id).where(Word.text << page)))
    return found


def _drop_words(candidates: set[int]) -> None:
    """Those of them that stand nowhere any more: a name that was erased must not stay here."""
    for page in _pages(sorted(candidates - {NOTHING})):
        there = Mention.select(Mention.word).where(Mention.word << page).distinct()
        gone = sorted(set(page) - {word for (word,) in _tuples(there)})
        Word.delete().where(Word.id << gone).execute()
        Gram.delete().where(Gram.kind == "word", Gram.row << gone).execute()


# Numbers -----------------------------------------------------------------------------------------


def _keep_numbers(kind: str, ids: list[int]) -> None:
    """Numbers do not change: what is there is right."""
    numbers = of_rows(_of_phones if kind == "phone" else _of_calls, ids)
    _add_grams(kind, ((row, run_codes(number)) for row, number in numbers))


def _of_phones(ids: list[int]) -> Any:
    return Phone.select(Phone.id, Phone.e164).where(Phone.id << ids)


def _of_calls(ids: list[int]) -> Any:
    return Call.select(Call.id, Call.number).where(Call.id << ids)


def _add_grams(kind: str, found: Iterable[tuple[int, set[str]]]) -> None:
    insert(Gram.gram, ((gram, kind, row) for row, grams in found for gram in sorted(grams)))


# Small rules used above --------------------------------------------------------------------------


def _ids(table: type[Table], field: Any, of: list[int]) -> list[int]:
    query: Any = table.select(table.id)
    return [row for page in _pages(of) for (row,) in _tuples(query.where(field << page))]


def _tuples(query: Any) -> Any:
    return query.tuples()


def _pages(rows: list[Any]) -> Iterator[list[Any]]:
    return (rows[at : at + PAGE] for at in range(0, len(rows), PAGE))
