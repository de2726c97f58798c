"""Exports: keys as the contract names them, plain values, and nothing a spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from formats import exports
from models import Call, Contact, Deal, Phone
from tests.world import CUSTOMER, Story, World, world

__all__ = ["world"]

START = datetime(2026, 11, 23, 9, 30, 0, 250_000, UTC)
# DESIGN's contract, word for word.
KEYS = {
    "calls": "pbx linkedid direction number did contact deal agent started_at answered_at ended_at "
    "wait talk outcome recording",
    "deals": "id title funnel stage owner contact numbers amount currency priority source "
    "created_at stage_since closed_at lost_reason",
    "contacts": "id name company numbers email owner created_at",
}


def written(kind: str, form: str) -> str:
    out = io.StringIO(newline="")
    exports.write(kind, form, out)
    return out.getvalue()


def as_json(kind: str) -> list[dict[str, Any]]:
    return json.loads(written(kind, "json"))


def as_csv(kind: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written(kind, "csv"), newline="")))


@pytest.fixture
def customer(world: World) -> Contact:
    return Contact.of_number(CUSTOMER, "Miriam", world.anna)


@pytest.mark.parametrize("kind", KEYS)
def test_keys_are_the_contract(world: World, kind: str) -> None:
    Story.begins(at=START).rings("PJSIP/101").answered("PJSIP/101").ended()
    keys = KEYS[kind].split()
    assert [list(row) for row in as_json(kind)] == [keys]
    assert [list(row) for row in as_csv(kind)] == [keys]


@pytest.mark.parametrize("kind", KEYS)
def test_nothing_to_export(world: World, kind: str) -> None:
    assert as_json(kind) == []
    assert written(kind, "csv") == KEYS[kind].replace(" ", ",") + "\r\n"


def test_a_call(world: World) -> None:
    Story.begins(at=START, did="030555000").rings("PJSIP/101").answered("PJSIP/101").ended(65)
    assert as_json("calls") == [
        {
            "pbx": "asterisk",
            "linkedid": "1700000000.1",
            "direction": "incoming",
            "number": CUSTOMER,
            "did": "+4930555000",
            "contact": Contact.get().id,
            "deal": Deal.get().id,
            "agent": "anna",
            "started_at": "2026-11-23T09:30:00.250Z",
            "answered_at": "2026-11-23T09:30:05.250Z",
            "ended_at": "2026-11-23T09:31:05.250Z",
            "wait": 5,
            "talk": 60,
            "outcome": "answered",
            "recording": None,
        }
    ]
    row = as_csv("calls")[0]
    assert (row["number"], row["talk"], row["recording"]) == (CUSTOMER, "60", "")


def test_a_live_call_of_a_hidden_number(world: World) -> None:
    Story.begins("anonymous", at=START)
    row = as_json("calls")[0]
    empty = {key for key, value in row.items() if value is None}
    assert empty == set(KEYS["calls"].split()) - {"pbx", "linkedid", "direction", "started_at"}


def test_a_deal(world: World, customer: Contact) -> None:
    Phone.insert(contact=customer, e164="+491701234567").execute()
    deal = Deal.open(
        "Roof", world.anna, world.anna, customer, amount=Decimal("1200.5"), priority=1, at=START
    )
    deal.move_to(world.stage("Lost"), by=world.anna, at=START, reason="Too dear")
    assert as_json("deals") == [
        {
            "id": deal.id,
            "title": "Roof",
            "funnel": "Sales",
            "stage": "Lost",
            "owner": "anna",
            "contact": customer.id,
            "numbers": [CUSTOMER, "+491701234567"],
            "amount": "1200.50",
            "currency": "EUR",
            "priority": "high",
            "source": "manual",
            "created_at": "2026-11-23T09:30:00.250Z",
            "stage_since": "2026-11-23T09:30:00.250Z",
            "closed_at": "2026-11-23T09:30:00.250Z",
            "lost_reason": "Too dear",
        }
    ]
    assert as_csv("deals")[0]["numbers"] == f"{CUSTOMER} +491701234567"


def test_a_deal_of_nobody_and_a_contact_without_number(world: World) -> None:
    Deal.open("Roof", None, None)
    Contact.add("Walk-in", None)
    deal, contact = as_json("deals")[0], as_json("contacts")[0]
    assert (deal["owner"], deal["contact"], deal["numbers"], deal["amount"]) == (
        None,
        None,
        [],
        None,
    )
    assert (contact["owner"], contact["numbers"], contact["email"]) == (None, [], None)
    assert as_csv("deals")[0]["amount"] == ""


@pytest.mark.parametrize(
    "name", ["=cmd|'/c calc'!A0", "+1+cmd", "-2+3", "@SUM(A1)", '=HYPERLINK("http://x")']
)
def test_a_caller_can_not_plant_a_formula(world: World, name: str) -> None:
    Story.begins(name=name).rings("PJSIP/101").answered("PJSIP/101")
    for kind, key in (("deals", "title"), ("contacts", "name")):
        assert as_csv(kind)[0][key] == "'" + name
        assert as_json(kind)[0][key if kind == "deals" else "name"] == name


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("x;=cmd()", "x;'=cmd()"),
        ("x; @SUM(A1);-1", "x; '@SUM(A1);'-1"),
        ('x;"=cmd();', "x;\"'=cmd();"),
        ("＝cmd()", "'＝cmd()"),
        ("+４９", "'+４９"),
        ("a-b = c + d", "a-b = c + d"),
    ],
)
def test_nor_where_semicolons_part_the_columns(world: World, name: str, cell: str) -> None:
    Contact.add(name, None)
    assert as_csv("contacts")[0]["name"] == cell
    assert as_json("contacts")[0]["name"] == name


def test_quotes_commas_and_other_alphabets_survive(world: World) -> None:
    name = 'Jürgen "Привет", GmbH; & Söhne'
    Contact.add(name, None)
    assert as_csv("contacts")[0]["name"] == as_json("contacts")[0]["name"] == name


def test_rows_come_in_order_over_several_chunks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "CHUNK", 3)
    for count in range(8):
        Story.begins(f"+4930999{count:04}", f"{count}.1").rings("PJSIP/101").answered("PJSIP/101")
    assert [row["linkedid"] for row in as_json("calls")] == [f"{n}.1" for n in range(8)]
    numbers = [[f"+4930999{count:04}"] for count in range(8)]
    assert [row["numbers"] for row in as_json("deals")] == numbers
    assert [row["numbers"] for row in as_json("contacts")] == numbers
    assert Call.select().count() == 8
