"""How values are written for people, and how the amounts that people write are read."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import (
    format_currency,
    format_decimal,
    format_percent,
    get_currency_symbol,
    get_decimal_symbol,
)
from flask import Flask
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

import fields
from fields import EPOCH, readable, utcnow

MINUTE, HOUR, DAY = 60, 3600, 86400
DAYS = {"de": "d. MMM"}
"""How a day is written where it is not as in 23 Nov."""
_E164 = re.compile(r"\+[0-9]{6,15}", re.ASCII)
_SPACES = re.compile(r"[\s'’_]")
_WHOLE = re.compile(r"[0-9]{1,15}", re.ASCII)
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:([.,])[0-9]{3})(?:\1[0-9]{3})*", re.ASCII)


def install(app: Flask) -> None:
    filters = (
        *(money, rounded, symbol, plain, grouped, percent),
        *(age, moment, since, day, clock, running, length_of, initials, ms, numbers, readable),
    )
    app.jinja_env.filters.update({f.__name__: f for f in filters})
    app.jinja_env.globals.update(now=utcnow, new_deals_in=lambda: fields.currency)
    app.jinja_env.tests["e164"] = lambda text: bool(_E164.fullmatch(text or ""))


def money(amount: Decimal | None, currency: str) -> str:
    """€ 12,000 or € 12,000.50: without cents where there are none. '' for None."""
    return "" if amount is None else _money(amount, currency, get_locale())


@lru_cache(maxsize=16_384)
def _money(amount: Decimal, currency: str, locale: Locale) -> str:
    """A board has a hundred amounts, and each takes as long as the rest of its card."""
    pattern = locale.currency_formats["standard"].pattern
    if amount == amount.to_integral_value():
        pattern = pattern.replace(".00", "")
    # A blank that does not break, as in most languages: digits are found faster.
    pattern = re.sub(r"¤(?=[#0])", "¤\u00a0", pattern)
    return format_currency(amount, currency, format=pattern, locale=locale, currency_digits=False)


def rounded(amount: Decimal | None, currency: str) -> str:
    """Money in whole units, for sums."""
    return money(None if amount is None else Decimal(round(amount)), currency)


def symbol(currency: str) -> str:
    """€ for EUR; the code where the language has no sign for it."""
    return get_currency_symbol(currency, locale=get_locale())


def plain(amount: Decimal | None) -> str:
    """An amount as somebody would type it: 12000, 12000.50 or 12000,50. '' for None."""
    if amount is None:
        return ""
    text = f"{amount:.0f}" if amount == amount.to_integral_value() else f"{amount:.2f}"
    return text.replace(".", get_decimal_symbol(get_locale()))


def grouped(number: int) -> str:
    """12,345, 12.345 or 12 345."""
    return format_decimal(number, locale=get_locale())


def percent(share: float) -> str:
    """67% or 67 % for 0.67."""
    return format_percent(share, locale=get_locale())


class BadAmount(ValueError):
    """Not an amount of money; the message is for the person who wrote it."""


def read_amount(text: str, currency: str = "") -> Decimal | None:
    """An amount as people write it: 12,50 · 12.50 · 1.234,56 · 1,234.56 · 1 234 €. ``currency``:
    the one it is in, else that of new deals; another one's sign beside it is not read over.

    No amount has three decimals, so three digits after the only mark are thousands; where the
    language has that mark for decimals, nobody can tell what was meant. None for nothing. Raises
    BadAmount.
    """
    digits = _SPACES.sub("", _without_sign(text[:60], currency or fields.currency))
    if not digits:
        return None
    if digits.startswith("-"):
        raise BadAmount(_("An amount can't be negative."))
    _must_be_clear(digits)
    units, cents = _split(digits)
    if _GROUPED.fullmatch(units):
        units = re.sub("[.,]", "", units)
    if len(text) > 60 or not _WHOLE.fullmatch(units):
        examples = {"whole": grouped(12500), "cents": plain(Decimal("12500.50"))}
        raise BadAmount(
            _("Write the amount in digits, for example %(whole)s or %(cents)s.", **examples)
        )
    amount = Decimal(f"{units}.{cents or '0'}")
    if amount >= Decimal("1e12"):
        raise BadAmount(_("An amount must be below %(most)s.", most=grouped(10**12)))
    return amount.quantize(Decimal("0.01"))


def _without_sign(text: str, currency: str) -> str:
    signs = {currency, symbol(currency), get_currency_symbol(currency, locale="en")}
    return re.sub("|".join(map(re.escape, sorted(signs))), "", text, flags=re.IGNORECASE)


def _must_be_clear(digits: str) -> None:
    """1.500 is 1500 in German, and may be 1.50 in English: rather ask than be wrong by so much."""
    mark = get_decimal_symbol(get_locale())
    found = re.fullmatch(rf"([1-9][0-9]{{0,2}}){re.escape(mark)}([0-9]{{3}})", digits, re.ASCII)
    if found:
        whole = grouped(int(found[1] + found[2]))
        cents = plain(Decimal(f"{found[1]}.{found[2][:2]}"))
        raise BadAmount(
            _("Is it %(whole)s or %(cents)s? Write it like that.", whole=whole, cents=cents)
        )


def _split(digits: str) -> tuple[str, str]:
    """Units and cents, at the last mark if one or two digits follow it."""
    found = re.fullmatch(r"(.*?)[.,]([0-9]{1,2})", digits, re.ASCII)
    if not found:
        return digits, ""
    mark = digits[len(found[1])]
    # 1,234,56 is neither: the mark of thousands can't be that of cents.
    return (digits, "") if mark in found[1] else (found[1], found[2])


def age(since: datetime) -> str:
    """How long ago, in one unit: now, 12 min, 3 h, 2 d."""
    passed = (utcnow() - since).total_seconds()
    if passed < MINUTE:
        return _("now")
    if passed < HOUR:
        return _("%(n)d min", n=passed // MINUTE)
    if passed < DAY:
        return _("%(n)d h", n=passed // HOUR)
    return _("%(n)d d", n=passed // DAY)


def next_age(since: datetime) -> datetime:
    """When ``age`` is going to say something else."""
    passed = (utcnow() - since).total_seconds()
    unit = MINUTE if passed < HOUR else HOUR if passed < DAY else DAY
    return since + timedelta(seconds=(max(0, passed) // unit + 1) * unit)


def moment(when: datetime) -> str:
    """A point in time on the clock of the panel's machine, which stands where the PBX does."""
    local, today = when.astimezone(), utcnow().astimezone()
    time = format_time(local, "HH:mm", locale=get_locale())
    days = (today.date() - local.date()).days
    if days == 0:
        return _("today, %(time)s", time=time)
    if days == 1:
        return _("yesterday, %(time)s", time=time)
    return on_day(local)


def since(when: datetime) -> str:
    """Since a point in time: in most languages the words for its day differ from ``moment``'s."""
    local, today = when.astimezone(), utcnow().astimezone()
    time = format_time(local, "HH:mm", locale=get_locale())
    days = (today.date() - local.date()).days
    if days == 0:
        return _("since today, %(time)s", time=time)
    if days == 1:
        return _("since yesterday, %(time)s", time=time)
    return _("since %(when)s", when=on_day(local))


def on_day(local: datetime, weekday: bool = False) -> str:
    """23 Nov, 14:00; the year only where it is another one."""
    pattern = f"{'EEE ' if weekday else ''}{_day_of(local)}, HH:mm"
    return format_datetime(local, pattern, locale=get_locale())


def day(when: date) -> str:
    """23 Nov"""
    return format_date(when, _day_of(when), locale=get_locale())


def _day_of(when: date) -> str:
    pattern = DAYS.get(get_locale().language, "d MMM")
    return pattern if when.year == utcnow().astimezone().year else f"{pattern} y"


def clock(seconds: float | None) -> str:
    """A duration as m:ss or h:mm:ss; '' for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def running(seconds: float) -> str:
    """A duration that goes on as mm:ss or h:mm:ss: it is as wide after ten minutes as before."""
    return f"{'0' if seconds < 600 else ''}{clock(seconds)}"


def length_of(seconds: float) -> str:
    """A span in the largest unit that fits, spelt out: 6 days, 3 hours, 12 minutes."""
    if seconds < MINUTE:
        return _("less than a minute")
    if seconds >= DAY:
        return ngettext("%(num)d day", "%(num)d days", int(seconds // DAY))
    if seconds >= HOUR:
        return ngettext("%(num)d hour", "%(num)d hours", int(seconds // HOUR))
    return ngettext("%(num)d minute", "%(num)d minutes", int(seconds // MINUTE))


def initials(name: str) -> str:
    """AK for Anna Krüger."""
    words = [word for word in name.split() if word[:1].isalnum()]
    return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper() or "?"


def ms(when: datetime | None) -> int | str:
    """Milliseconds since 1970 UTC, as scripts count."""
    return "" if when is None else int((when - EPOCH).total_seconds() * 1000)


def numbers(text: str | None) -> str:
    """A name, or a number written readably if the name is just that."""
    return readable(text) if text and _E164.fullmatch(text) else text or ""
