"""Column types that keep the rules of the data wherever a value comes from.

Times are stored as whole milliseconds since 1970 UTC, in every database alike: MariaDB's DATETIME
drops fractions, SQLite has no time type, and differences stay plain arithmetic in SQL.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

import phonenumbers
from peewee import BigIntegerField, CharField, DecimalField

from errors import Refused
from telephony.numbering import OwnNumbers, Prefixes

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LARGEST_AMOUNT = Decimal("999999999999.99")
PRIORITIES = (-1, 0, 1)
LONGEST = 60
"""Characters of a number with its extension; more is no number."""
_EXTENSION = re.compile(r"(;.*|(ext\.?|x|#)\s*\d*)$", re.IGNORECASE)
_NOTATION = re.compile(r"\+?[0-9 ()./\-\u00a0]+")

region = "DE"
"""The country whose national notation numbers are read in; set once by ``models.connect``."""
prefixes = Prefixes()
"""Digits that the exchange adds, or wants dialled; set once by ``models.connect``."""
own = OwnNumbers()
"""The company's own numbers, which are nobody's customer; set once by ``models.connect``."""
currency = "EUR"
"""That of new deals, as in ISO 4217; set once by ``models.connect``."""


ignored: frozenset[str] = frozenset()
"""Numbers (E.164) that make no contact and no deal; set once by ``models.connect``. Administrators
add others in the panel, see verbs/ignored.py."""


class BadNumber(ValueError):
    """Not a telephone number that exists in E.164; ``written``: the first 40 characters of it."""

    def __init__(self, raw: str) -> None:
        self.written = clean(raw, 40)
        super().__init__(f"{self.written!r} is not a telephone number")


def normalise(raw: str) -> str:
    """A number in any notation → E.164 (ITU-T), such as +493044701182.

    National, international (+ or the country's prefix) and bare country code are understood; an
    extension suffix and blanks are dropped. Raises BadNumber for anything else: hidden numbers,
    internal extensions, words.
    """
    return _normalised(raw.strip()[: LONGEST + 1], region)


@lru_cache(maxsize=10_000)
def _normalised(raw: str, region: str) -> str:
    """Reading a number takes long, and each is read several times on its way into the rows."""
    text = _EXTENSION.sub("", raw)
    if not 5 <= len(text) <= LONGEST or not _NOTATION.fullmatch(text):
        raise BadNumber(raw)
    for candidate in (text, "+" + text.lstrip("+")):
        try:
            number = phonenumbers.parse(candidate, region)
        except phonenumbers.NumberParseException:
            continue
        reason = phonenumbers.is_possible_number_with_reason(number)
        if reason == phonenumbers.ValidationResult.IS_POSSIBLE:
            e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            # Zeros only, as some exchanges write hidden numbers, lose one at every reading.
            if phonenumbers.parse(e164) == number:
                return e164
    raise BadNumber(raw)


def configure(settings: Any) -> None:
    """Take the rules for numbers and the currency from ``settings`` (see settings/). Raises Refused
    for a number that is none."""
    global region, prefixes, currency, ignored, own
    numbers = settings.numbers
    region, prefixes = numbers.region, Prefixes(numbers.prefixes)
    currency = settings.panel.currency
    try:
        ignored = frozenset(normalise(number) for number in numbers.ignore)
    except BadNumber as error:
        raise Refused("{error}", field="numbers.ignore", error=error) from error
    try:
        own = OwnNumbers.read(numbers.own, normalise)
    except ValueError as error:
        raise Refused("{error}", field="numbers.own", error=error) from error


def number_or_none(raw: str | None) -> str | None:
    """Like ``normalise``, but None for what is not a number."""
    try:
        return normalise(raw or "")
    except BadNumber:
        return None


def outside_number(raw: str | None, direction: str) -> str | None:
    """Who is outside, as the exchange wrote it in a call of this direction, in E.164.

    None for what is not a number, and for the company's own: neither is a customer's.
    """
    number = number_or_none(prefixes.rewritten(raw or "", direction))
    return None if number in own else number


@lru_cache(maxsize=16_384)
def readable(e164: str | None) -> str:
    """A number as people of the configured country write it; '' for None."""
    if not e164:
        return ""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def clean(text: str | None, length: int = 80) -> str:
    """Text from the network made fit to store and show: one line, no control or format
    characters (they can turn the direction of writing), no lone surrogates, cut to ``length``."""
    kept = "".join(
        " " if c.isspace() else c
        for c in (text or "")[: length * 8]
        if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    return " ".join(kept.split())[:length].strip()


def readable_lines(text: str | None, length: int) -> str:
    """Like ``clean``, but lines stay lines; no more than one empty one between two others."""
    lines = [clean(line, length) for line in (text or "")[: length * 2].splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()[:length]


def utcnow() -> datetime:
    """Now, in UTC, to the millisecond: as it would come back from the database."""
    return UTCDateTimeField.trim(datetime.now(UTC))


def earliest(a: datetime | None, b: datetime | None) -> datetime | None:
    return min(a, b) if a and b else a or b


def seconds(span: timedelta) -> int:
    """Whole seconds, rounded; never negative (clocks of two events can differ)."""
    return max(0, round(span.total_seconds()))


class UTCDateTimeField(BigIntegerField):
    """A moment, aware, in UTC, to the millisecond. Refuses naive datetimes."""

    @staticmethod
    def trim(value: datetime) -> datetime:
        return value.replace(microsecond=value.microsecond // 1000 * 1000)

    def db_value(self, value: Any) -> int | None:
        if value is None or isinstance(value, int):
            return value
        if value.tzinfo is None:
            raise ValueError(f"{self.name}: a time needs its zone, {value!r} has none")
        return (value - EPOCH) // timedelta(milliseconds=1)

    def python_value(self, value: Any) -> datetime | None:
        return None if value is None else EPOCH + timedelta(milliseconds=int(value))


class PhoneField(CharField):
    """A number in E.164; whatever notation goes in. Raises BadNumber, so nothing else gets in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=20, **kwargs)

    def db_value(self, value: str | None) -> str | None:
        return None if value is None else normalise(value)


class MoneyField(DecimalField):
    """An amount: Decimal with two places; its currency stands in a column beside it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=14, decimal_places=2, **kwargs)

    def db_value(self, value: Any) -> Decimal | None:
        return None if value is None else self.cents(value)

    def python_value(self, value: Any) -> Decimal | None:
        return None if value is None else self.cents(value)

    @staticmethod
    def cents(value: Any) -> Decimal:
        """Rounded as PostgreSQL would, so that every database holds the same."""
        return Decimal(str(value)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def normal_did(did: str | None) -> str:
    """A called number as it is stored: E.164 where it is one, else as the PBX named it."""
    return number_or_none(did) or clean(did, 40)


def check_amount(amount: Decimal | None) -> None:
    """Raises Refused for what is no sum of money."""
    if amount is not None and not (amount.is_finite() and 0 <= amount <= LARGEST_AMOUNT):
        raise Refused("between 0 and 999,999,999,999.99", field="amount")


def deal_title(text: str) -> str:
    """What a card is called, as it is kept. Raises Refused if nothing is left of it."""
    title = clean(text, 120)
    if not title:
        raise Refused("must not be empty", field="title")
    return title


def checked_priority(priority: int) -> int:
    """The same. Raises Refused for what is none."""
    if priority not in PRIORITIES:
        raise Refused("-1, 0 or 1", field="priority")
    return priority
