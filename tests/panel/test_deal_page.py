"""GET /deals/ID and /deals/ID/card"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from playhouse.test_utils import count_queries

from fields import utcnow
from models import Contact, Deal
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import CUSTOMER, Story, World

SELLER_QUERIES = 12
HEAD_QUERIES = 14


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(CUSTOMER, "Jonas Brandt", world.anna)
    return Deal.open(
        "Fitwerk GmbH", world.anna, world.anna, contact=contact, amount=Decimal("12000")
    )


def test_it_tells_the_whole_story(world: World, deal: Deal, anna: Browser) -> None:
    earlier = utcnow() - timedelta(hours=1)
    talk = Story.begins(linkedid="1.1", at=earlier).rings("PJSIP/101")
    talk.answered("PJSIP/101").ended(after=137)
    Story.begins(linkedid="1.2").rings("PJSIP/101").ended()
    Deal.get_by_id(deal.id).move_to(world.stage("Opportunity"), by=world.hugo)
    page = anna.get(f"/deals/{deal.id}").text
    for text in (
        "Fitwerk GmbH",
        "Jonas Brandt",
        "€\u00a012,000",
        'href="tel:+493044701182"',
        "+49 30 44701182",
        "2:12",
        "missed, call back",
        "Moved to",
        "by Hugo Head",
        "Created in",
        "On to Commercial offer",
        "Ask for need, budget and who decides.",
    ):
        assert text in page, text


def test_calls_show_who_talked(world: World, deal: Deal, anna: Browser) -> None:
    Story.begins().rings("PJSIP/101", "PJSIP/102").answered("PJSIP/102")
    page = anna.get(f"/deals/{deal.id}").text
    assert "Ben Okafor" in page
    assert "talks now" in page


def test_a_deal_without_anything(world: World, anna: Browser) -> None:
    deal = Deal.open("Bare", world.anna, None)
    page = anna.get(f"/deals/{deal.id}").text
    assert "no amount yet" in page
    assert "No calls yet" in page
    assert "Nobody yet" in page


@pytest.mark.parametrize("stage", ["Completed", "Lost"])
def test_a_closed_deal(world: World, deal: Deal, anna: Browser, stage: str) -> None:
    deal.move_to(world.stage(stage), by=world.anna, reason="Too dear")
    page = anna.get(f"/deals/{deal.id}").text
    assert "Closed" in page
    assert "On to " not in page


def test_only_heads_can_give_it_away(deal: Deal, anna: Browser, hugo: Browser) -> None:
    assert "Reassign" not in anna.get(f"/deals/{deal.id}").text
    assert "Reassign" in hugo.get(f"/deals/{deal.id}").text


def test_the_card(world: World, deal: Deal, anna: Browser) -> None:
    page = anna.get(f"/deals/{deal.id}/card", headers=FRAGMENT).text
    assert page.lstrip().startswith('<div class="card')
    assert f'id="deal-{deal.id}"' in page
    for given, status in (
        (f"owner={world.anna.id}", 200),
        (f"owner={world.ben.id}", 404),
        ("owner=none", 404),
        ("owner=&funnel=", 200),
        (f"funnel={world.funnel.id}", 200),
        ("funnel=77", 404),
    ):
        assert anna.get(f"/deals/{deal.id}/card?{given}").status_code == status


@pytest.mark.parametrize("end", ["", "/card"])
def test_for_the_outsider_it_does_not_exist(
    deal: Deal, anna: Browser, olga: Browser, end: str
) -> None:
    assert anna.get(f"/deals/{deal.id}{end}").status_code == 200
    answer = olga.get(f"/deals/{deal.id}{end}")
    assert answer.status_code == 404
    assert "Fitwerk" not in answer.text
    assert answer.text == olga.get(f"/deals/{deal.id + 99}{end}").text


@pytest.mark.parametrize(
    "number", ["0", "99", "9" * 18, "9" * 19, str(2**63), "9" * 40, "-1", "x", "1e3", "٣"]
)
def test_bad_ids_are_404(anna: Browser, number: str) -> None:
    assert anna.get(f"/deals/{number}").status_code == 404
    assert anna.get(f"/deals/{number}/card").status_code == 404


@pytest.mark.parametrize("number", [1, 12])
def test_the_number_of_queries_is_constant(
    world: World, deal: Deal, anna: Browser, hugo: Browser, number: int
) -> None:
    stages = world.funnel.in_order()
    for n in range(number):
        Story.begins(linkedid=f"{n}.1").rings("PJSIP/101").answered("PJSIP/101").ended()
        Deal.get_by_id(deal.id).move_to(stages[(n + 1) % 6], by=world.hugo)
    for browser, expected in ((anna, SELLER_QUERIES), (hugo, HEAD_QUERIES)):
        with count_queries() as counted:
            assert browser.get(f"/deals/{deal.id}").status_code == 200
        assert counted.count == expected, [q.msg for q in counted.get_queries()]
