"""The board: who sees what, in which order, with which sums, in how many queries."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from playhouse.test_utils import count_queries

from database import database
from fields import utcnow
from models import Contact, Deal, Funnel, Stage, User
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import Story, World
from verbs import contacts

SELLER_QUERIES = 10
HEAD_QUERIES = 11


def opened(
    world: World,
    owner: User | None,
    title: str,
    stage: str = "Unsorted",
    minutes: int = 0,
    **more: Any,
) -> Deal:
    at = utcnow() - timedelta(minutes=minutes)
    return Deal.open(title, owner, owner, stage=world.stage(stage), at=at, **more)


def cards(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'<div [^>]*id="deal-(\d+)"', page)]


def head(page: str, stage: Stage) -> str:
    found = re.search(rf'<header id="head-{stage.id}".*?</header>', page, re.DOTALL)
    assert found
    return re.sub(r"<[^>]+>|\s+", " ", found[0])


def test_an_empty_board_says_what_comes(anna: Browser) -> None:
    page = anna.get("/").text
    assert "Waiting for the first call" in page
    assert page.count('class="col ') == 8


def test_each_sees_their_own_and_heads_see_all(
    world: World, anna: Browser, hugo: Browser, olga: Browser
) -> None:
    hers = opened(world, world.anna, "Fitwerk GmbH")
    his = opened(world, world.ben, "Auto Pohl")
    nobodys = opened(world, None, "Praxis am Markt")
    assert cards(anna.get("/").text) == [hers.id]
    assert sorted(cards(hugo.get("/").text)) == [hers.id, his.id, nobodys.id]
    page = olga.get("/").text
    assert cards(page) == []
    assert "Fitwerk" not in page


def test_columns_follow_the_funnel_and_the_newest_stands_first(world: World, anna: Browser) -> None:
    old = opened(world, world.anna, "old", minutes=50)
    new = opened(world, world.anna, "new", minutes=5)
    middle = opened(world, world.anna, "middle", minutes=20)
    page = anna.get("/").text
    assert cards(page) == [new.id, middle.id, old.id]
    names = re.findall(r'data-stage-name="([^"]+)"', page)
    assert names == [stage.name for stage in world.funnel.in_order()]


def test_a_card_shows_what_a_seller_needs(world: World, anna: Browser) -> None:
    contact = Contact.of_number("+493044701182", "Jonas Brandt", world.anna)
    contacts.change(contact, world.anna, company="Brandt AG")
    opened(world, world.anna, "Fitwerk GmbH", contact=contact, amount=Decimal("1234.50"))
    page = anna.get("/").text
    for text in ("Fitwerk GmbH", "Jonas Brandt · Brandt AG", "€\u00a01,234.50", ">AK<"):
        assert text in page


def test_a_number_as_name_is_readable(world: World, anna: Browser) -> None:
    Story.begins().rings("PJSIP/101").answered("PJSIP/101").ended()
    page = anna.get("/").text
    assert "+49 30 44701182" in page
    assert "Unknown caller" in page


def test_marks_of_calls(world: World, anna: Browser) -> None:
    story = Story.begins().rings("PJSIP/101")
    Story.begins("+4940123456", "2.1").rings("PJSIP/101").ended()
    assert "call back" in anna.get("/").text
    story = story.answered("PJSIP/101")
    page = anna.get("/").text
    assert "card--live" in page
    assert "Talks" in page
    story.ended()
    assert "card--live" not in anna.get("/").text
    again = Story.begins(linkedid="3.1").rings("PJSIP/101")
    assert "Rings" in anna.get("/").text
    again.ended()


def test_a_deal_that_waits_too_long_is_stuck(world: World, anna: Browser) -> None:
    opened(world, world.anna, "Bäckerei Holm", "Commercial offer", minutes=60 * 24 * 9)
    opened(world, world.anna, "Auto Pohl", "Commercial offer", minutes=60 * 24 * 4)
    page = anna.get("/").text
    assert page.count("card--stuck") == 1
    assert "9 d, stuck" in page


def test_heads_count_and_sum_all_cards_not_only_those_loaded(
    world: World, anna: Browser, hugo: Browser
) -> None:
    stage = world.stage("Opportunity")
    for number in range(53):
        opened(world, world.anna, f"deal {number}", "Opportunity", amount=Decimal("10.50"))
    opened(world, world.ben, "Auto Pohl", "Opportunity", amount=Decimal(1000))
    page = anna.get("/").text
    assert len(cards(page)) == 12
    assert head(page, stage).split() == ["Opportunity", "53", "€", "556"]
    assert head(hugo.get("/").text, stage).split() == ["Opportunity", "54", "€", "1,556"]
    fragment = hugo.get(f"/board/heads?funnel={world.funnel.id}", headers=FRAGMENT).text
    assert head(fragment, stage).split() == ["Opportunity", "54", "€", "1,556"]
    assert fragment.count("<header") == 8


def test_the_rest_of_a_column_comes_page_by_page(world: World, anna: Browser) -> None:
    same_time = utcnow()
    made = [
        Deal.open(f"deal {n}", world.anna, world.anna, at=same_time - timedelta(seconds=n // 3))
        for n in range(120)
    ]
    page = anna.get("/").text
    seen = cards(page)
    while True:
        more = re.search(r'href="([^"]+)" data-more', page)
        if not more:
            break
        page = anna.get(more[1].replace("&amp;", "&"), headers=FRAGMENT).text
        seen += cards(page)
    newest_first = sorted(made, key=lambda d: (d.stage_since, d.id), reverse=True)
    assert seen == [deal.id for deal in newest_first]


def test_older_cards_work_without_scripts(world: World, anna: Browser) -> None:
    for number in range(13):
        opened(world, world.anna, f"deal {number}")
    more = re.search(r'class="more".*?href="([^"]+)"', anna.get("/").text)
    assert more
    page = anna.get(more[1].replace("&amp;", "&")).text
    assert len(cards(page)) == 1
    assert "To the board" in page


@pytest.mark.parametrize("before", ["x", "1", "1.", ".1", "1.x", "9" * 17 + ".1", "-1.1", "1.1.1"])
def test_a_wrong_place_in_a_column_is_404(world: World, anna: Browser, before: str) -> None:
    stage = world.stage("Unsorted").id
    assert anna.get(f"/board/stages/{stage}/cards?before={before}").status_code == 404


def test_more_cards_of_others_do_not_exist(world: World, olga: Browser) -> None:
    opened(world, world.anna, "Fitwerk GmbH")
    answer = olga.get(f"/board/stages/{world.stage('Unsorted').id}/cards", headers=FRAGMENT)
    assert cards(answer.text) == []


def test_heads_look_at_one_owner(world: World, anna: Browser, hugo: Browser) -> None:
    hers = opened(world, world.anna, "Fitwerk GmbH")
    opened(world, world.ben, "Auto Pohl")
    nobodys = opened(world, None, "Praxis am Markt")
    assert cards(hugo.get(f"/?owner={world.anna.id}").text) == [hers.id]
    assert cards(hugo.get("/?owner=none").text) == [nobodys.id]
    page = hugo.get(f"/?owner={world.anna.id}").text
    assert f"owner={world.anna.id}" in re.findall(r'data-heads-url="([^"]+)"', page)[0]
    assert hugo.get("/?owner=x").status_code == 404
    assert hugo.get("/?owner=" + "9" * 30).status_code == 404
    # For a seller there is no such choice, and it does not widen what they see.
    assert cards(anna.get(f"/?owner={world.ben.id}").text) == [hers.id]
    assert "All sellers" not in anna.get("/").text


def test_an_empty_filter_is_explained(world: World, hugo: Browser) -> None:
    opened(world, world.anna, "Fitwerk GmbH")
    assert "No deals of this person" in hugo.get(f"/?owner={world.ben.id}").text


def test_several_funnels(world: World, anna: Browser) -> None:
    service = Funnel.create(name="Service", position=1)
    asked = Stage.create(funnel=service, name="Asked", kind="unsorted", position=0)
    Deal.open("Repair", world.anna, world.anna, stage=asked)
    assert "Repair" not in anna.get("/").text
    page = anna.get(f"/?funnel={service.id}").text
    assert "Repair" in page
    assert 'data-stage-name="Asked"' in page
    for wrong in ("0", "x", "99", "9" * 30):
        assert anna.get(f"/?funnel={wrong}").status_code == 404
    # An open board whose funnel was archived loads itself anew, with its filters.
    Funnel.update(archived=True).where(Funnel.id == service.id).execute()
    answer = anna.get(f"/?funnel={service.id}&stuck=1")
    assert (answer.status_code, answer.location) == (302, f"/?stuck=1&funnel={world.funnel.id}")
    assert anna.get(f"/?funnel={service.id}", headers=FRAGMENT).status_code == 404


def test_text_of_others_stays_text(world: World, anna: Browser) -> None:
    contact = Contact.of_number("+493044701182", '"><img src=x onerror=alert(1)>', world.anna)
    deal = opened(world, world.anna, "<script>alert(1)</script>", contact=contact)
    for path in ("/", f"/deals/{deal.id}", f"/deals/{deal.id}/card"):
        page = anna.get(path).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "&lt;script&gt;alert(1)" in page


def fill(world: World, number: int) -> None:
    for n in range(number):
        call = Story.begins(f"+4930447{n:05}", f"{n}.1", did="").rings("PJSIP/101")
        if n % 2:
            call.answered("PJSIP/101")
        else:
            call.ended()


@pytest.mark.parametrize("number", [1, 30])
def test_the_number_of_queries_is_constant(
    world: World, anna: Browser, hugo: Browser, number: int
) -> None:
    fill(world, number)
    for browser, expected in ((anna, SELLER_QUERIES), (hugo, HEAD_QUERIES)):
        with count_queries() as counted:
            page = browser.get("/").text
        assert len(cards(page)) == min(number, 12)
        assert counted.count == expected, [q.msg for q in counted.get_queries()]


def test_the_connection_is_given_back(world: World, anna: Browser) -> None:
    database.close()
    anna.get("/")
    assert database.is_closed()
    anna.get("/deals/999")
    assert database.is_closed()
