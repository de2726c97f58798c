"""Caller names and numbers as an enemy would send them: every call is recorded, and sensibly."""

import pytest

from models import Call, Contact, Deal
from tests.office import Office

NAMES = {
    "quotes": (b'"Robert") DROP TABLE deals--', '"Robert") DROP TABLE deals--'),
    "markup": (b"<script>alert(1)</script>", "<script>alert(1)</script>"),
    "long": (b"A" * 10_000, "A" * 80),
    "not UTF-8": (b"M\xfcller \xff\xfe", None),
    "direction": ("evil\u202egnp".encode(), "evilgnp"),
    "unicode": ("Łukasz Œuvre 李".encode(), "Łukasz Œuvre 李"),
}


@pytest.mark.parametrize("case", NAMES)
def test_name(listening: Office, case: str) -> None:
    sent, stored = NAMES[case]
    with listening.phones(p101="answer"):
        listening.caller("+493044701182", name=sent, way="observe", hold=0.2).run()
    (call,) = listening.ended()
    assert call.outcome == "answered"
    assert len(call.name) <= 80
    assert call.name.isprintable()
    if stored is not None:
        assert stored.startswith(call.name)
    contact = Contact.get()
    assert contact.name == (call.name or "+493044701182")
    assert Deal.get().title == contact.name


@pytest.mark.parametrize(
    "number", ["anonymous", "", "1" * 40, "alice", "101", "0", "+", "%00", "<b>", "restricted"]
)
@pytest.mark.parametrize("way", ["observe", "route"])
def test_number_that_is_none(listening: Office, number: str, way: str) -> None:
    """No customer can be told from it: a call, and nothing else. 101 is not taken for a phone."""
    with listening.phones(p101="answer"):
        listening.caller(number or None, sender=_without_user(number), way=way, hold=0.2).run()
    (call,) = listening.ended()
    assert call.direction == "incoming"
    assert call.outcome == "answered"
    assert call.agent == listening.world.anna
    assert call.number is None
    assert call.number_text == "" or call.number_text in number
    assert Contact.select().count() == Deal.select().count() == 0


def _without_user(number: str) -> bytes | None:
    return None if number else b"<sip:127.0.0.9>"


def test_two_calls_of_one_number_at_once_make_one_deal(listening: Office) -> None:
    with listening.phones(p101="answer"):
        one, other = (listening.caller("+493044701182", way="observe", hold=0.6) for _ in range(2))
        with one as first, other as second:
            first.wait()
            second.wait()
    calls = listening.ended(count=2)
    assert {c.outcome for c in calls} == {"answered"}
    assert Call.select(Call.deal).distinct().count() == Contact.select().count() == 1
    assert Deal.select().count() == 1
