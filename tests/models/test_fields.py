"""PhoneField and normalise, clean, UTCDateTimeField, MoneyField."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import fields
from fields import BadNumber, clean, normalise, number_or_none, readable, utcnow
from models import Call, Contact, Phone
from tests.world import CUSTOMER, World

QUICK = settings(max_examples=200, deadline=None)
# What a number is written with, so that many of the texts are numbers.
NOTATION = st.text("0123456789+ ()/.-;ext=#\u00a0", max_size=30)


@pytest.fixture
def region(request: pytest.FixtureRequest) -> Iterator[None]:
    before, fields.region = fields.region, request.param
    yield
    fields.region = before


@pytest.mark.parametrize(
    "raw",
    [
        "030 4470 1182",
        "030/44701182",
        "(030) 4470-1182",
        "+493044701182",
        "+49 30 44701182",
        "+49 (0)30 4470 1182",
        "0049 30 44701182",
        "493044701182",
        " +493044701182 \n",
        "030 44701182;ext=12",
        "030 44701182 ext. 12",
        "030 44701182x12",
        "030 44701182 #12",
        "030\u00a044701182",
    ],
)
def test_one_number_in_every_notation(raw: str) -> None:
    assert normalise(raw) == CUSTOMER


@pytest.mark.parametrize(
    "raw",
    [
        "", " ", "+", "00", "101", "1234", "anonymous", "Restricted", "unknown", "s", "asterisk",
        "9" * 40, "9" * 10_000, ";" * 10_000 + "\na", "030 4470 1182 or 1183",
        "０３０４４７０１１８２", "0000000", "+49", "030-CALL-NOW",
        "sip:101@example.org", "<script>", "\x00", "'; DROP TABLE calls",
    ],
)  # fmt: skip
def test_what_is_no_number(raw: str) -> None:
    with pytest.raises(BadNumber):
        normalise(raw)
    assert number_or_none(raw) is None


@pytest.mark.parametrize(
    ("region", "raw", "number"),
    [
        ("GB", "020 7946 0123", "+442079460123"),
        ("US", "(202) 555-0123", "+12025550123"),
        ("US", "1 202 555 0123", "+12025550123"),
        ("US", "011 49 30 44701182", CUSTOMER),
        ("RU", "8 (495) 123-45-67", "+74951234567"),
        ("IT", "06 6982 1234", "+390669821234"),
        ("CH", "+49 30 44701182", CUSTOMER),
    ],
    indirect=["region"],
)
@pytest.mark.usefixtures("region")
def test_other_countries(raw: str, number: str) -> None:
    assert normalise(raw) == number


@QUICK
@given(NOTATION | st.text(max_size=60))
@example("0000000")
def test_normalise_gives_a_number_or_bad_number(raw: str) -> None:
    number = number_or_none(raw)
    if number is None:
        with pytest.raises(BadNumber, match=r"\A.{,200}\Z"):
            normalise(raw)
        return
    assert number[0] == "+"
    assert number[1:].isdecimal()
    assert len(number) <= 20
    assert normalise(number) == number


@QUICK
@given(st.text(max_size=300), st.integers(1, 100))
@example("a\u202e\r\n\x00 \u2028b", 80)
@example("\ud800 lone", 80)
def test_clean_is_one_short_line(raw: str, length: int) -> None:
    text = clean(raw, length)
    assert len(text) <= length
    assert text == text.strip() == clean(text, length)
    assert not {unicodedata.category(c) for c in text} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    text.encode()


def test_clean_keeps_what_people_write() -> None:
    assert clean("  Größe\tПривет  😀 ") == "Größe Привет 😀"
    assert (clean(None), clean(""), clean("x" * 100_000)) == ("", "", "x" * 80)


def test_readable() -> None:
    assert readable(CUSTOMER) == "+49 30 44701182"
    assert (readable(None), readable("")) == ("", "")
    assert readable("odd") == "odd"


def test_no_way_into_the_column_skips_the_rule(world: World) -> None:
    contact = Contact.add("Miriam", None)
    Phone.insert(contact=contact, e164="030 4470 1182").execute()
    assert Phone.get().e164 == CUSTOMER
    assert Phone.get(Phone.e164 == "+49 (0)30 44701182").contact == contact
    with pytest.raises(BadNumber):
        Phone.insert(contact=contact, e164="anonymous").execute()
    with pytest.raises(BadNumber):
        Phone.update(e164="101").execute()


@QUICK
@given(st.datetimes(timezones=st.timezones()).filter(lambda m: 1 < m.year < 9999))
def test_a_moment_survives_to_the_millisecond(moment: datetime) -> None:
    field = fields.UTCDateTimeField()
    stored = field.db_value(moment)
    again = field.python_value(stored)
    assert isinstance(stored, int)
    assert again is not None
    assert again.tzinfo is UTC
    assert timedelta(0) <= moment - again < timedelta(milliseconds=1)


def test_a_moment_in_the_database(world: World) -> None:
    local = datetime(2026, 3, 29, 3, 30, 0, 123_999, timezone(timedelta(hours=2)))
    Call.insert(pbx="p", linkedid="1", direction="incoming", started_at=local).execute()
    call = Call.get()
    assert call.started_at == datetime(2026, 3, 29, 1, 30, 0, 123_000, UTC)
    assert call.answered_at is None
    assert Call.get(Call.started_at <= local) == call
    assert Call.get_or_none(Call.started_at > local) is None
    assert utcnow().microsecond % 1000 == 0


def test_a_time_without_its_zone_is_refused(world: World) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 (that is the point)
    with pytest.raises(ValueError, match=r"started_at.*zone"):
        Call.insert(pbx="p", linkedid="1", direction="incoming", started_at=naive).execute()
