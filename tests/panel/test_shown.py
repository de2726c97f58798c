"""E1: numbers, amounts, dates and plurals as each language writes them, and reads them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask

import fields
from panel.shown import (
    BadAmount,
    grouped,
    length_of,
    money,
    on_day,
    percent,
    plain,
    read_amount,
    since,
)

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("language", "text", "amount"),
    [
        ("en", "1,234.50", "1234.50"),
        ("en", "1.234,50", "1234.50"),
        ("en", "12,500", "12500"),
        ("de", "1.234,50", "1234.50"),
        ("de", "12.500", "12500"),
        ("de", "12500,5", "12500.50"),
        ("ru", f"1{NBSP}234,50", "1234.50"),
        ("ru", "1 234,50 €", "1234.50"),
        ("ru", "12.500", "12500"),
        ("ru", "1\u202f234\u202f567", "1234567"),
    ],
)
def test_amounts_as_the_language_writes_them(
    app: Flask, language: str, text: str, amount: str
) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert read_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    ("language", "text", "asked"),
    [
        ("en", "1.500", ("1,500", "1.50")),
        ("de", "1,500", ("1.500", "1,50")),
        ("ru", "1,500", (f"1{NBSP}500", "1,50")),
    ],
)
def test_what_could_be_either_is_asked_back(
    app: Flask, language: str, text: str, asked: tuple[str, str]
) -> None:
    with (
        app.test_request_context(headers={"Accept-Language": language}),
        pytest.raises(BadAmount) as refused,
    ):
        read_amount(text)
    assert all(one in str(refused.value) for one in asked)


@pytest.mark.parametrize("language", ["en", "de", "ru"])
@pytest.mark.parametrize("amount", ["0.99", "12", "1234", "12000.50", "999999999999.99"])
def test_what_a_field_holds_is_read_as_the_same(app: Flask, language: str, amount: str) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert read_amount(plain(Decimal(amount))) == Decimal(amount)
        for currency in ("EUR", "CHF", "USD", "RUB"):
            assert read_amount(money(Decimal(amount), currency), currency) == Decimal(amount)


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", (f"€{NBSP}12,000.50", "12,345", "67%", "24 Dec 2022, 14:05")),
        ("de", (f"12.000,50{NBSP}€", "12.345", f"67{NBSP}%", "24. Dez. 2022, 14:05")),
        ("ru", (f"12{NBSP}000,50{NBSP}€", f"12{NBSP}345", f"67{NBSP}%", "24 дек. 2022, 14:05")),
    ],
)
def test_values_as_the_language_writes_them(
    app: Flask, language: str, shown: tuple[str, ...]
) -> None:
    day = fields.EPOCH.replace(year=2022, month=12, day=24, hour=14, minute=5)
    with app.test_request_context(headers={"Accept-Language": language}):
        found = (money(Decimal("12000.50"), "EUR"), grouped(12345), percent(0.674), on_day(day))
        assert found == shown


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["1 day", "2 days", "5 days", "21 days"]),
        ("de", ["1 Tag", "2 Tage", "5 Tage", "21 Tage"]),
        ("ru", ["1 день", "2 дня", "5 дней", "21 день"]),
    ],
)
def test_plurals(app: Flask, language: str, said: list[str]) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert [length_of(days * 86400) for days in (1, 2, 5, 21)] == said


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("since today, {}", "since yesterday, {}", "since 24 Dec 2022, 14:05")),
        ("ru", ("с {}", "со вчерашнего дня, {}", "с 24 дек. 2022, 14:05")),
    ],
)
def test_since_when(
    app: Flask, monkeypatch: pytest.MonkeyPatch, language: str, said: tuple[str, ...]
) -> None:
    """Words for days change with what stands before them."""
    noon = fields.utcnow().astimezone().replace(hour=12, minute=0)
    monkeypatch.setattr("panel.shown.utcnow", lambda: noon)
    before = noon.replace(year=2022, month=12, day=24, hour=14, minute=5)
    with app.test_request_context(headers={"Accept-Language": language}):
        found = (since(noon), since(noon - timedelta(days=1)), since(before))
    assert found == tuple(text.format("12:00") for text in said)
