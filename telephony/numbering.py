"""What the administrator says of numbers: digits that the exchange adds to them or wants dialled,
and which numbers are the company's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType

SHORTEST_BLOCK = 6
"""Digits of a block of own numbers: fewer would be a whole town, or a country."""
SATELLITES = frozenset({870, 878, 881, 882, 883})
"""Country codes of no country (list of codes to ITU-T E.164): several euros a minute."""
SHORTEST_NUMBER = 6
"""Characters of the shortest number that can be one, with its +."""
_PREFIX = re.compile(r"(?:(in|out|both):)?([0-9*#]{1,12})=(\+?[0-9]{0,12})", re.ASCII)
_BLOCK = re.compile(rf"\+[1-9][0-9]{{{SHORTEST_BLOCK - 1},14}}", re.ASCII)
_SPACING = re.compile(r"[ ()./\-\u00a0]")
_MEANT = {"in": ("incoming",), "out": ("outgoing",), "both": ("incoming", "outgoing")}


@dataclass(frozen=True)
class Prefix:
    """Digits ``front`` that a number begins with, as the exchange writes it, and what stands there
    ``instead``. ``directions``: of calls, incoming or outgoing, to whose numbers it applies."""

    directions: tuple[str, ...]
    front: str
    instead: str

    @classmethod
    def read(cls, text: str) -> Prefix:
        """An entry ``FROM=TO``, ``in:FROM=TO``, ``out:FROM=TO`` or ``both:FROM=TO``.

        Without a word it is about numbers that are dialled: a caller's number may begin with the
        same digits by nature (9 gets a line, and 917 is New York). Raises ValueError.
        """
        found = _PREFIX.fullmatch(text.strip())
        if not found:
            raise ValueError(
                f"{text!r} is not FROM=TO; write 9= for a digit that gets a line, "
                "in:000=00 for one that the exchange puts before callers' numbers"
            )
        word, front, instead = found.groups()
        if front == instead:
            raise ValueError(f"{text!r} changes nothing: leave it out")
        return cls(_MEANT[word or "out"], front, instead)


class Prefixes:
    """All entries; of those that fit a number the longest ``front`` counts, once."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        """Raises ValueError for a bad entry, and for two that say different things."""
        self._by_direction: dict[str, dict[str, str]] = {"incoming": {}, "outgoing": {}}
        for prefix in map(Prefix.read, entries):
            for direction in prefix.directions:
                known = self._by_direction[direction]
                if known.setdefault(prefix.front, prefix.instead) != prefix.instead:
                    raise ValueError(f"two entries say what {prefix.front}… is: keep one of them")

    def rewritten(self, raw: str, direction: str) -> str:
        """The number as it would be dialled from any other line. One in E.164, or of an internal
        call, stays as it is."""
        known = self._by_direction.get(direction)
        if not known:
            return raw
        digits = _SPACING.sub("", raw.strip())
        fitting = [front for front in known if digits.startswith(front)]
        if not fitting:
            return raw
        front = max(fitting, key=len)
        return known[front] + digits[len(front) :]


@dataclass(frozen=True)
class OwnNumbers:
    """The company's own: whole numbers and beginnings of blocks, all in E.164."""

    whole: frozenset[str] = frozenset()
    blocks: tuple[str, ...] = ()

    @classmethod
    def read(cls, entries: Iterable[str], normalise: Callable[[str], str]) -> OwnNumbers:
        """Entries such as ``030 555100`` or ``+4930555*``. Raises ValueError for a bad one."""
        whole, blocks = set(), []
        for entry in entries:
            if entry.strip().endswith("*"):
                blocks.append(_block(entry))
            else:
                whole.add(normalise(entry))
        return cls(frozenset(whole), tuple(blocks))

    def __contains__(self, e164: str | None) -> bool:
        return bool(e164) and (e164 in self.whole or str(e164).startswith(self.blocks))


def _block(entry: str) -> str:
    digits = _SPACING.sub("", entry.strip()[:-1])
    if not _BLOCK.fullmatch(digits):
        raise ValueError(
            f"{entry!r} is not a block of numbers; write it with + and the country's code, "
            f"{SHORTEST_BLOCK} digits or more and one * at the end, for example +4930555*"
        )
    return digits


def is_dear(e164: str) -> bool:
    """Premium rate, or by satellite. Digits behind a whole number are ignored on the way, so a
    number that only begins with a dear one costs the same."""
    number = phonenumbers.parse(e164)
    if number.country_code in SATELLITES:
        return True
    begins = [e164]
    if phonenumbers.number_type(number) == PhoneNumberType.UNKNOWN:
        # Of a number that is too long the type is not known.
        begins = [e164[:length] for length in range(SHORTEST_NUMBER, len(e164) + 1)]
    kinds = (phonenumbers.number_type(phonenumbers.parse(begin)) for begin in begins)
    return PhoneNumberType.PREMIUM_RATE in kinds
