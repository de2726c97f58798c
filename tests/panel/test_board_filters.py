"""The filters and orders of the board: in the address, together, and in each piece of it."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from playhouse.test_utils import count_queries

from fields import utcnow
from models import Contact, Deal, Department, Funnel, Stage
from tests.panel.conftest import FRAGMENT, Browser
from tests.panel.test_board import cards, head, opened
from tests.world import World
from verbs import contacts, deals, tasks

MOST_QUERIES = 12


def count(page: str, name: str) -> int:
    found = re.search(rf'id="count-{name}">(\d+)<', page)
    assert found
    return int(found[1])


def department(name: str) -> int:
    return Department.get(Department.name == name).id


def test_stuck(world: World, anna: Browser) -> None:
    old = opened(world, world.anna, "old", "Commercial offer", minutes=60 * 24 * 9)
    older = opened(world, world.anna, "older", "Documents", minutes=60 * 24 * 30)
    opened(world, world.anna, "new", "Commercial offer", minutes=60 * 24 * 4)
    lost = opened(world, world.anna, "lost", "Opportunity", minutes=60 * 24 * 90)
    lost.move_to(world.stage("Lost"), None, at=utcnow() - timedelta(days=80))
    page = anna.get("/").text
    assert count(page, "stuck") == 2
    page = anna.get("/?stuck=1").text
    assert cards(page) == [old.id, older.id]
    assert count(page, "stuck") == 2
    assert head(page, world.stage("Commercial offer")).split()[-1] == "1"


def test_no_next_task(world: World, anna: Browser) -> None:
    planned, idle = (opened(world, world.anna, title) for title in ("planned", "idle"))
    lost = opened(world, world.anna, "lost")
    lost.move_to(world.stage("Lost"), None)
    task = tasks.add("Call", utcnow() + timedelta(days=1), world.anna, world.anna, deal=planned)
    page = anna.get("/").text
    assert count(page, "idle") == 1
    assert cards(anna.get("/?idle=1").text) == [idle.id]
    tasks.finish(task, world.anna)
    assert sorted(cards(anna.get("/?idle=1").text)) == [planned.id, idle.id]


def test_priority(world: World, anna: Browser) -> None:
    made = {p: opened(world, world.anna, f"p{p}", priority=p) for p in (-1, 0, 1)}
    page = anna.get("/").text
    assert count(page, "high") == 1
    for priority, deal in made.items():
        page = anna.get(f"/?priority={priority}").text
        assert cards(page) == [deal.id]
    assert "Low priority" in anna.get("/?priority=-1").text
    assert "Low priority" not in page


def test_department_is_for_heads(world: World, anna: Browser, hugo: Browser) -> None:
    hers = opened(world, world.anna, "hers")
    olgas = opened(world, world.olga, "olgas")
    assert cards(hugo.get(f"/?department={department('Sales')}").text) == [hers.id]
    assert cards(hugo.get(f"/?department={department('Service')}").text) == [olgas.id]
    assert cards(anna.get(f"/?department={department('Service')}").text) == [hers.id]
    assert "All departments" not in anna.get("/").text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("roof", True), ("Müller", True), ("mueller brandt", True), ("bran", True),
        ("030 4470 1182", True), ("44701182", True), ("4471", False), ("roof wall", False),
        ("oof", False), ("!", False), ("%", False), ("roof%", True),
    ],
)  # fmt: skip
def test_words_and_numbers(world: World, anna: Browser, asked: str, found: bool) -> None:
    contact = Contact.of_number("+493044701182", "Jonas Müller", world.anna)
    contacts.change(contact, world.anna, company="Brandt AG")
    deal = opened(world, world.anna, "Roof", contact=contact)
    opened(world, world.anna, "Wall")
    page = anna.client.get("/", query_string={"q": asked}).text
    assert cards(page) == ([deal.id] if found else [])


def test_filters_combine_and_stay_in_every_address(world: World, hugo: Browser) -> None:
    wanted = opened(world, world.anna, "Roof", priority=1)
    opened(world, world.anna, "Roof")
    opened(world, world.anna, "Wall", priority=1)
    opened(world, world.ben, "Roof", priority=1)
    query = f"owner={world.anna.id}&priority=1&idle=1&q=roof&sort=amount"
    page = hugo.get(f"/?{query}").text
    assert cards(page) == [wanted.id]
    kept = re.findall(r'data-query="([^"]+)"', page)[0].replace("&amp;", "&")
    for part in query.split("&"):
        assert part in kept
    heads = hugo.get(f"/board/heads?{kept}", headers=FRAGMENT).text
    assert head(heads, world.stage("Unsorted")).split()[1] == "1"
    assert count(heads, "idle") == 1
    # A chip that is on leads to the same without it.
    off = re.search(r'<a class="sift__one is-on" href="([^"]+)"[^>]*>High', page)
    assert off
    assert "priority" not in off[1]
    assert "q=roof" in off[1]


def test_a_card_that_is_not_for_this_view_is_404(world: World, hugo: Browser) -> None:
    deal = opened(world, world.anna, "Roof", "Documents", minutes=60 * 24 * 30)
    path = f"/deals/{deal.id}/card"
    for query in ("", "stuck=1", "idle=1", f"owner={world.anna.id}", "q=ro", "sort=next"):
        answer = hugo.get(f"{path}?funnel={world.funnel.id}&{query}")
        assert (query, cards(answer.text)) == (query, [deal.id])
    for query in ("priority=1", f"owner={world.ben.id}", "owner=none", "q=wall", "funnel=99"):
        assert hugo.get(f"{path}?{query}").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["stuck=2", "idle=x", "priority=2", "priority=x", "sort=x", "department=x", "owner=-1"],
)  # fmt: skip
def test_a_filter_that_there_is_not_is_404(hugo: Browser, query: str) -> None:
    assert hugo.get(f"/?{query}").status_code == 404
    assert hugo.get(f"/board/heads?{query}").status_code == 404


@pytest.mark.parametrize("sort", ["date", "amount", "next"])
def test_each_order_page_by_page(world: World, anna: Browser, sort: str) -> None:
    now = utcnow()
    made = []
    for n in range(60):
        amount = Decimal(n % 7) + Decimal("0.5") if n % 5 else None
        deal = Deal.open(
            f"d{n}", world.anna, world.anna, amount=amount, at=now - timedelta(seconds=n // 3)
        )
        if n % 4:
            tasks.add("x", now + timedelta(minutes=n % 9 - 4), world.anna, world.anna, deal=deal)
        made.append(Deal.get_by_id(deal.id))
    page = anna.get(f"/?sort={sort}").text
    seen = cards(page)
    while more := re.search(r'href="([^"]+)" data-more', page):
        page = anna.get(more[1].replace("&amp;", "&"), headers=FRAGMENT).text
        seen += cards(page)
    orders = {
        "date": lambda d: (-d.stage_since.timestamp(), -d.id),
        "amount": lambda d: (d.amount is None, -(d.amount or 0), -d.id),
        "next": lambda d: (d.next_due is None, d.next_due or now, d.id),
    }
    assert seen == [deal.id for deal in sorted(made, key=orders[sort])]


def test_a_card_shows_its_next_task(world: World, anna: Browser) -> None:
    deal = opened(world, world.anna, "Roof", "Opportunity")
    assert "No next task" in anna.get("/").text
    tasks.add("Later", utcnow() + timedelta(days=3), world.anna, world.anna, deal=deal)
    soon = tasks.add("Demo", utcnow() + timedelta(minutes=2), world.anna, world.anna, deal=deal)
    page = anna.get("/").text
    assert "Demo" in page
    assert "Later" not in page
    assert "card__next--late" not in page
    tasks.change(soon, world.anna, due_at=utcnow() - timedelta(days=3, hours=1))
    page = anna.get("/").text
    assert "card__next--late" in page
    assert "3 days late" in page


def test_archived_funnels_and_stages_are_hidden(world: World, anna: Browser) -> None:
    gone = Funnel.create(name="Old", position=1, archived=True)
    Stage.create(funnel=gone, name="Asked", kind="unsorted", position=0)
    stage = world.stage("Documents")
    Stage.update(archived=True).where(Stage.id == stage.id).execute()
    page = anna.get("/").text
    assert "Old" not in re.findall(r'<nav class="bar__funnels".*?</nav>', page, re.DOTALL)
    assert 'data-stage-name="Documents"' not in page
    assert anna.get(f"/?funnel={gone.id}&stuck=1").location == f"/?stuck=1&funnel={world.funnel.id}"
    assert anna.get(f"/?funnel={gone.id}", headers=FRAGMENT).status_code == 404
    assert anna.get(f"/board/stages/{stage.id}/cards").status_code == 404


def test_an_empty_view_leads_to_all(world: World, anna: Browser) -> None:
    opened(world, world.anna, "Roof")
    page = anna.get("/?q=wall").text
    assert "No deals with these filters" in page
    assert "Show all" in page


@pytest.mark.parametrize("query", ["", "stuck=1&q=d", "sort=next&idle=1", "sort=amount"])
def test_queries_are_few_whatever_is_shown(world: World, hugo: Browser, query: str) -> None:
    for n in range(30):
        contact = Contact.of_number(f"+4930447{n:05}", f"Contact {n}", world.anna)
        contacts.change(contact, world.anna, company=f"Company {n}")
        deal = opened(world, world.anna, f"d{n}", minutes=60 * 24 * n, contact=contact)
        deals.change(deal, world.anna, priority=1)
        tasks.add("x", utcnow(), world.anna, world.anna, deal=deal)
    with count_queries() as counted:
        assert hugo.get(f"/?{query}").status_code == 200
    assert counted.count <= MOST_QUERIES, [q.msg for q in counted.get_queries()]
