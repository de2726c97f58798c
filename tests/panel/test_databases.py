"""The panel's own queries on SQLite, PostgreSQL and MariaDB alike."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from fields import utcnow
from models import Deal
from panel import create_app
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import Story, World


def test_a_day_at_the_board(anywhere: World) -> None:
    browser = Browser(create_app(anywhere.settings))
    assert browser.get("/healthz").status_code == 200
    browser.log_in("anna")
    for number in range(52):
        at = utcnow() - timedelta(minutes=number)
        amount = Decimal("0.10") if number else Decimal("999999999999.99")
        Deal.open(f"deal {number}", anywhere.anna, anywhere.anna, amount=amount, at=at)
    Story.begins().rings("PJSIP/101").answered("PJSIP/101").ended()
    page = browser.get("/").text
    assert "€\u00a01,000,000,000,005" in page

    cards = [page]
    while more := re.search(r'href="([^"]+)" data-more', cards[-1]):
        cards.append(browser.get(more[1].replace("&amp;", "&"), headers=FRAGMENT).text)
    assert len(re.findall(r'class="card[ "]', "".join(cards))) == 53

    deal = Deal.get(Deal.source == "call")
    form = {"stage": anywhere.stage("Opportunity").id, "from": deal.stage.id}
    assert browser.post(f"/deals/{deal.id}/moves", form).status_code == 303
    assert "Moved to" in browser.get(f"/deals/{deal.id}").text
    assert browser.post("/deals", {"title": "Bäckerei 🥐", "number": "030 1234567"}).location
    assert "Bäckerei 🥐" in browser.get("/").text


@pytest.mark.parametrize("number", ["2147483648", "9" * 18])
def test_ids_beyond_those_of_the_database(anywhere: World, number: str) -> None:
    browser = Browser(create_app(anywhere.settings))
    browser.log_in("hugo")
    for path in (f"/deals/{number}", f"/?funnel={number}", f"/board/stages/{number}/cards"):
        assert browser.get(path).status_code == 404
    assert "No deals" in browser.get(f"/?owner={number}").text
    assert browser.post("/deals", {"title": "x", "stage": number}).status_code == 422
    assert browser.post("/deals", {"title": "x", "call": number}).status_code == 404
