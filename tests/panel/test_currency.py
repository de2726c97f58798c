"""Money in the currency that the company has set, and in those that it had before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

import fields
from models import Deal
from tests.panel.conftest import Browser, Visit
from tests.world import Story, World


@pytest.fixture
def francs(world: World) -> Iterator[World]:
    """A company that has changed from euros to francs."""
    Deal.open("Old", world.anna, world.anna, amount=Decimal(500))
    settings = world.settings
    fields.configure(replace(settings, panel=replace(settings.panel, currency="CHF")))
    yield world
    fields.configure(settings)


def amounts(page: str) -> list[str]:
    """What the labels of amounts say."""
    return re.findall(r"Amount in ([^ <\"]+)", page)


def test_new_deals_have_it_wherever_they_come_from(francs: World, anna: Browser) -> None:
    assert set(amounts(anna.get("/deals/new").text)) == {"CHF"}
    assert anna.post("/deals", {"title": "New", "amount": "CHF 1’200.50"}).status_code == 303
    by_hand = Deal.get(Deal.title == "New")
    assert (by_hand.currency, by_hand.amount) == ("CHF", Decimal("1200.50"))
    Story.begins().rings("PJSIP/101").answered("PJSIP/101").ended()
    assert Deal.get(Deal.source == "call").currency == "CHF"
    assert Deal.get(Deal.title == "Old").currency == "EUR"


def test_a_deal_keeps_its_own(francs: World, anna: Browser) -> None:
    old = Deal.get()
    page = anna.get(f"/deals/{old.id}").text
    assert set(amounts(page)) == {"€"}
    path = f"/deals/{old.id}/fields"
    assert anna.post(path, {"amount": "CHF 700"}).status_code == 422
    assert anna.post(path, {"amount": "700 €"}).status_code == 303
    assert (Deal.get().amount, Deal.get().currency) == (Decimal(700), "EUR")
    won = {"stage": str(francs.stage("Completed").id)}
    assert "For how much is it won, in €?" in anna.post(f"/deals/{old.id}/moves", won).text


def test_sums_are_made_for_each_currency(francs: World, visit: Visit) -> None:
    Deal.open("New", francs.anna, francs.anna, amount=Decimal(300))
    Deal.open("Newer", francs.anna, francs.anna, amount=Decimal(11))
    for login in ("anna", "hugo"):
        page = visit(login).get("/").text.replace("\u00a0", " ")
        head = re.search(rf'id="head-{francs.stage("Unsorted").id}".*?</header>', page, re.S)
        assert head
        shown = " ".join(re.sub(r"<[^>]*>", " ", head[0]).split())
        assert "CHF 311 · € 500" in shown or "CHF 311 · €500" in shown
