"""numbering: digits in front of numbers, and the company's own."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

import fields
import settings
from fields import normalise, number_or_none, outside_number
from settings import SettingsError
from telephony.numbering import OwnNumbers, Prefix, Prefixes

QUICK = hypothesis(max_examples=200, deadline=None)
DIGITS = st.text("0123456789*#", min_size=1, max_size=12)
ENTRY = st.text("0123456789+*#=:inoutboh ", max_size=24)
NOTATION = st.text("0123456789+ ()/.-;ext=#*\u00a0", max_size=30)


@pytest.mark.parametrize(
    ("entry", "raw", "read"),
    [
        ("0=", "003044701182", "03044701182"),
        ("0=", "0 030 / 4470-1182", "03044701182"),
        ("000=00", "0004930", "004930"),
        ("9=", "912025550123", "12025550123"),
        ("*31#=", "*31#03044701182", "03044701182"),
        ("77=+49", "77 30 44701182", "+493044701182"),
        ("0=", "+493044701182", "+493044701182"),
        ("0=", " +49 30", " +49 30"),
        ("9=", "", ""),
        ("9=", "9", ""),
        ("9=", "anonymous", "anonymous"),
    ],
)
def test_what_we_dial(entry: str, raw: str, read: str) -> None:
    prefixes = Prefixes([entry])
    assert prefixes.rewritten(raw, "outgoing") == read
    for direction in ("incoming", "internal", "", "unheard of"):
        assert prefixes.rewritten(raw, direction) == raw, "9 gets a line, 917 is New York"


@pytest.mark.parametrize("word", ["in", "out", "both"])
def test_directions(word: str) -> None:
    prefixes = Prefixes([f" {word}:0= "])
    assert prefixes.rewritten("00", "incoming") == ("00" if word == "out" else "0")
    assert prefixes.rewritten("00", "outgoing") == ("00" if word == "in" else "0")


def test_the_longest_counts_and_only_once() -> None:
    prefixes = Prefixes(["in:00=0", "in:000=00", "in:0000=+"])
    read = {n: prefixes.rewritten(n, "incoming") for n in ("0030", "00049", "000049", "030")}
    assert read == {"0030": "030", "00049": "0049", "000049": "+49", "030": "030"}
    assert Prefixes(["0="]).rewritten("000", "outgoing") == "00"


@pytest.mark.parametrize(
    "entry",
    [
        "", "=", "9", "=9", "9=9", "9==", "9=x", "x=9", "+49=0", "9=++", "to:9=", "in:", "in=9",
        "1234567890123=", "9=1234567890123", "９=", "9\n=", "9 =", "9=0,8=0", "\x00=", "in:in:9=",
    ],
)  # fmt: skip
def test_what_is_no_prefix(entry: str) -> None:
    with pytest.raises(ValueError, match=r"FROM=TO|changes nothing"):
        Prefix.read(entry)


def test_two_entries_that_say_different_things() -> None:
    with pytest.raises(ValueError, match="9…"):
        Prefixes(["9=", "both:9=0"])
    assert Prefixes(["9=", "out:9=", "in:9=0"]).rewritten("91", "incoming") == "01"


@given(ENTRY)
@example("in:0=+")
@QUICK
def test_an_entry_is_read_or_refused(entry: str) -> None:
    with suppress(ValueError):
        prefix = Prefix.read(entry)
        assert prefix.front
        assert prefix.front != prefix.instead
        assert prefix.directions
        assert entry.strip().endswith(f"{prefix.front}={prefix.instead}")


@given(st.lists(st.tuples(st.sampled_from(["", "in:", "out:", "both:"]), DIGITS, DIGITS)), NOTATION)
@QUICK
def test_any_prefixes_on_any_text(entries: list[tuple[str, str, str]], raw: str) -> None:
    written = [f"{word}{front}={to}" for word, front, to in entries if to.isdigit() or not to]
    try:
        prefixes = Prefixes(written)
    except ValueError:
        return
    for direction in ("incoming", "outgoing"):
        read = prefixes.rewritten(raw, direction)
        assert len(read) <= len(raw) + 12
        number = number_or_none(read)
        assert number is None or prefixes.rewritten(number, direction) == number


@given(st.text(max_size=80))
@QUICK
def test_any_text(raw: str) -> None:
    number = outside_number(raw, "incoming")
    assert number is None or normalise(number) == number


@pytest.mark.parametrize(
    ("raw", "direction", "number"),
    [
        ("0 030 4470 1182", "outgoing", "+493044701182"),
        ("0 0044 20 7946 0123", "outgoing", "+442079460123"),
        ("0030 4470 1182", "incoming", "+493044701182"),
        ("00044 20 7946 0123", "incoming", "+442079460123"),
        ("+44 20 7946 0123", "incoming", "+442079460123"),
        ("0", "outgoing", None),
        ("0101", "outgoing", None),
        ("", "incoming", None),
    ],
)
def test_an_exchange_with_a_digit_in_front(
    monkeypatch: pytest.MonkeyPatch, raw: str, direction: str, number: str | None
) -> None:
    monkeypatch.setattr(fields, "prefixes", Prefixes(["0=", "in:00=0", "in:000=00"]))
    assert outside_number(raw, direction) == number


def test_new_york_is_not_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "region", "US")
    monkeypatch.setattr(fields, "prefixes", Prefixes(["9="]))
    assert outside_number("917 555 0123", "incoming") == "+19175550123"
    assert outside_number("9 1 917 555 0123", "outgoing") == "+19175550123"


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> OwnNumbers:
    numbers = OwnNumbers.read(["030 555 100", "+49 30 5556*"], normalise)
    monkeypatch.setattr(fields, "own", numbers)
    return numbers


def test_own_numbers(own: OwnNumbers) -> None:
    assert "+4930555100" in own
    assert "+493055561" in own
    assert "+49305556" in own
    assert not {number for number in ("+4930555101", "+4930555", "", None) if number in own}
    assert outside_number("030/555100", "incoming") is None
    assert outside_number("0049305556789", "outgoing") is None
    assert outside_number("030 555 101", "incoming") == "+4930555101"


def test_without_own_numbers_nobody_is_ours() -> None:
    assert "+4930555100" not in OwnNumbers()


@pytest.mark.parametrize(
    "entry",
    ["*", "+*", "+49*", "+4930*", "030555*", "+4930555**", "+4930x55*", "+0305555*", "101", "",
     "+4930555?", "secretary", "*+4930555", "+" + "4" * 17 + "*", "０３０５５５*"],
)  # fmt: skip
def test_what_is_not_own(entry: str) -> None:
    with pytest.raises(ValueError, match=r"not a (block|telephone number)"):
        OwnNumbers.read([entry], normalise)


@given(st.text("+0123456789* ()-", max_size=20), st.text("+0123456789", max_size=16))
@QUICK
def test_any_own_entry(entry: str, number: str) -> None:
    with suppress(ValueError):
        own = OwnNumbers.read([entry], normalise)
        assert number not in own or number.startswith("+")


def test_settings_refuse_bad_prefixes() -> None:
    with pytest.raises(SettingsError, match=r"^TRICHTER_NUMBERS_PREFIXES: 'ten' is not FROM=TO"):
        settings.load({"TRICHTER_NUMBERS_PREFIXES": "9=,ten"})
    assert settings.load({"TRICHTER_NUMBERS_PREFIXES": "9= , in:00=0"}).numbers.prefixes == (
        "9=",
        "in:00=0",
    )
