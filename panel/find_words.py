"""The search by words: as they are written, as the begin of one, in the middle of one, misspelt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from peewee import Case, fn

from models import Deal, Gram, Mention, Word
from spelling import codes, errors, words

NEAR = 40
"""Words that are taken for a misspelt one, the nearest first."""
INSIDE = 3
"""Letters that are also found in the middle of a word, and that may be a word with one missing."""
COUNTED = 5000
"""Rows beyond which a word is just frequent."""
Fitting = dict[str, Callable[[Any], Any]]
"""By word: which rows of Word, or an alias of it, it may stand for."""
_LAST = "\U0010ffff"


def by_words(asked: list[str], most: int, kinds: Any) -> None:
    """All words must fit: as they are written or as the begin of one first; where that gives too
    few, misspelt ones and those in the middle of a word too."""
    written = {word: _begins(word) for word in asked}
    if all(often := _often(written)):
        _add(written, often, most, kinds)
    if sum(len(found) for found, *_ in kinds) >= most:
        return
    near = {word: _near(word) for word in asked}
    # A word that is there and others like it: all of them.
    loose = {word: _fits(word, near[word]) for word in asked}
    if any(near.values()) and all(often := _often(loose)):
        _add(loose, often, most, kinds, near)


def _often(fitting: Fitting) -> dict[str, int]:
    """In how many rows each of the words stands, counted as far as it matters."""
    return {
        word: Mention.select(Mention.id)
        .join(Word, on=(Word.id == Mention.word))
        .where(fits(Word))
        .limit(COUNTED)
        .count()
        for word, fits in fitting.items()
    }


def _add(
    fitting: Fitting,
    often: dict[str, int],
    most: int,
    kinds: Any,
    near: dict[str, list[int]] | None = None,
) -> None:
    # The rarest word leads, and the others are looked for where it stands.
    lead, *others = sorted(fitting, key=lambda word: often[word])
    ranks = [(row, rank) for rank, row in enumerate((near or {}).get(lead, []), 1)]
    # In the order of the words the word itself comes before those that begin with it; as it is the
    # order of their index, the database stops as soon as it has enough.
    nearest = Case(Word.id, ranks, 0) if ranks else Word.text
    for found, kind, table, query in kinds:
        here = (Mention.kind == kind) & (Mention.row == table.id)
        also = [_stands(kind, fitting[word]) for word in others]
        rows = (
            query.join_from(table, Mention, on=here)
            .join_from(Mention, Word, on=(Word.id == Mention.word))
            .where(fitting[lead](Word), *also)
            .order_by(nearest, Mention.row.desc())
        )
        _take(found, rows, most, () if near else fitting)


def _take(found: list[Any], rows: Any, most: int, asked: Iterable[str]) -> None:
    """A row in which two words fit comes twice. Those that are named so come before those that only
    belong to what is named so."""
    known = {row.id for row in found}
    some = list(rows.limit(most * 2 + len(found)) if len(found) < most else ())
    for row in sorted(some, key=lambda row: -len({*asked} & {*words(_name(row))})):
        if row.id not in known and len(found) < most:
            known.add(row.id)
            found.append(row)


def _name(row: Any) -> str:
    return row.title if isinstance(row, Deal) else row.name


def _stands(kind: str, fits: Any) -> Any:
    """Whether a word stands in the same row too."""
    of, text = Mention.alias(), Word.alias()
    same = (of.kind == kind) & (of.row == Mention.row)
    return fn.EXISTS(of.select(of.id).join(text, on=(text.id == of.word)).where(same, fits(text)))


def _begins(word: str) -> Any:
    """A single letter must be a word of its own: too many begin with it."""
    if len(word) == 1:
        return lambda of: of.text == word
    return lambda of: of.text.between(word, word + _LAST)


def _fits(word: str, near: list[int]) -> Any:
    begins = _begins(word)
    return lambda of: begins(of) | (of.id << near) if near else begins(of)


def _near(word: str) -> list[int]:
    found: list[tuple[int, int, int]] = []
    if len(word) >= INSIDE and word.isalpha():
        grams = (Gram.kind == "word") & (Gram.gram << sorted(codes(word)))
        alike: Any = Word.select(Word.text, Word.id).join(Gram, on=(Gram.row == Word.id))
        for text, row in set(alike.where(grams).tuples()):
            made = errors(word, text)
            if made is not None:
                found.append((made, abs(len(text) - len(word)), row))
    if len(word) >= INSIDE and len(found) < NEAR:
        inside: Any = Word.select(Word.id).where(Word.text.contains(word), ~_begins(word)(Word))
        found += [(INSIDE, 0, row) for (row,) in inside.limit(NEAR).tuples()]
    return list(dict.fromkeys(row for _, _, row in sorted(found)))[:NEAR]
