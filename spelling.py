"""Words as the search compares them: without case, accents and script, and with the errors that
people make when they type forgiven. Pure: neither database nor pages.

Which words can be within a few typing errors of another is told by the words that are left when
letters are taken away from both (W. Garbe's symmetric deletion): each is kept as three characters.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator
from itertools import combinations

LONGEST = 40
"""Letters of a word that are kept; what comes after tells no two words apart."""
MOST_WORDS = 40
MOST_ERRORS = 2
HEAD = 7
"""Letters from which others are taken away: of more there would be hundreds of ways."""
RUN = 4
"""Digits in a row of a number that it can be found by."""

_FIRST, _LETTERS = 33, 94  # the visible characters of ASCII
_WORD = re.compile(r"[^\W_]+")
_UMLAUT = re.compile("(?<=[aou])e")
_PLAIN = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th",
        "ı": "i",
        # Cyrillic as it is written in Latin letters, so that either finds the other.
        "а": "a", "б": "b", "в": "v", "г": "g", "ґ": "g", "д": "d", "е": "e", "є": "e", "ж": "zh",
        "з": "z", "и": "i", "і": "i", "ј": "j", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o",
        "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "ts",
        "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu",
        "я": "ya",
    }
)  # fmt: skip


def folded(text: str) -> str:
    """Krüger, KRUEGER and kruger are kruger; Фёдор, Федор and Fedor are fedor.

    That 'ue' is 'u' everywhere, also in Samuel, does no harm: it is so on both sides.
    """
    whole = unicodedata.normalize("NFKD", text.casefold()).casefold()
    bare = "".join(c for c in whole if not unicodedata.combining(c))
    return _UMLAUT.sub("", bare.translate(_PLAIN))


def words(text: str) -> list[str]:
    """The different words of a text, folded, in their order."""
    found = (word[:LONGEST] for word in _WORD.findall(folded(text)))
    return list(dict.fromkeys(found))[:MOST_WORDS]


def tolerance(word: str) -> int:
    """How many typing errors are forgiven in a word; what has digits is meant as it is written."""
    if len(word) < 4 or any(letter.isdecimal() for letter in word):
        return 0
    return 1 if len(word) < 6 else MOST_ERRORS


def code(text: str) -> str:
    """Three characters that stand for a text. Others may have the same: whoever finds something by
    it has to look at it again."""
    rest = zlib.crc32(text.encode())
    return "".join(chr(_FIRST + rest // _LETTERS**place % _LETTERS) for place in range(3))


def codes(word: str) -> set[str]:
    """What a word has in common with all that are within ``tolerance`` errors of it; nothing, if it
    has digits."""
    if not word.isalpha():
        return set()
    return {code(left) for left in _deletions(word[:HEAD], tolerance(word))}


def _deletions(word: str, most: int) -> set[str]:
    kept = (combinations(word, len(word) - gone) for gone in range(min(most, len(word) - 1) + 1))
    return {"".join(letters) for ways in kept for letters in ways}


def run_codes(number: str) -> set[str]:
    """The codes of all runs of four digits of a number in whatever notation."""
    digits = re.sub(r"\D", "", number)
    return {code(run) for run in runs(digits)}


def runs(digits: str) -> Iterator[str]:
    return (digits[at : at + RUN] for at in range(len(digits) - RUN + 1))


def errors(written: str, word: str) -> int | None:
    """Typing errors between what was written and a word, or its begin: letters wrong, missing,
    too many or two swapped (Damerau and Levenshtein). None: more than are forgiven, in the word if
    it is the whole of it, else in what was written."""
    if len(written) > len(word) + MOST_ERRORS:
        return None
    row = _last_row(written, word[: len(written) + MOST_ERRORS])
    whole = row[-1] if len(word) < len(row) else MOST_ERRORS + 1
    found = [whole] if whole <= tolerance(word) else []
    found += [min(row)] if min(row) <= tolerance(written) else []
    return min(found, default=None)


def _last_row(written: str, word: str) -> list[int]:
    """How many errors are between what was written and the begins of a word, from none of its
    letters to all."""
    before: list[int] = []
    row = list(range(len(word) + 1))
    for at, letter in enumerate(written, 1):
        last, before, row = before, row, [at]
        for to, other in enumerate(word, 1):
            cost = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (letter != other))
            if at > 1 and to > 1 and letter == word[to - 2] and other == written[at - 2]:
                cost = min(cost, last[to - 2] + 1)
            row.append(cost)
        if min(row) > MOST_ERRORS:
            break
    return row
