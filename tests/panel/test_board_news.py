"""GET /board/heads: what an open board asks for after news, and how many get the same."""

from __future__ import annotations

import re

import pytest
from playhouse.test_utils import count_queries

from models import Deal
from panel import board, crowd
from panel.crowd import Once
from panel.tail import hub
from tests.panel.conftest import FRAGMENT, Browser, Visit
from tests.panel.test_board import opened
from tests.world import World
from verbs import deals


def asked(browser: Browser, world: World, *about: Deal, **filters: str) -> dict[int, int]:
    """The deals whose cards came, each with its last move that the card shows."""
    given = "".join(f"&{name}={value}" for name, value in filters.items())
    ids = ",".join(str(deal.id) for deal in about)
    answer = browser.get(
        f"/board/heads?funnel={world.funnel.id}&deals={ids}{given}", headers=FRAGMENT
    )
    assert answer.status_code == 200
    assert answer.text.count("<header") == 8
    found = re.findall(r'id="deal-(\d+)"[^>]* data-change="(\d+)"', answer.text)
    return {int(deal): int(change) for deal, change in found}


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch) -> None:
    """As while many heads listen, and nothing happens."""
    monkeypatch.setattr(hub, "crowd", crowd.FEW + 1)
    monkeypatch.setattr(hub, "news", 7)
    monkeypatch.setattr(board, "once", Once())


def test_the_cards_asked_for_come_with_the_heads(
    world: World, anna: Browser, hugo: Browser
) -> None:
    roof, wall = (opened(world, world.anna, title) for title in ("Roof", "Wall"))
    his = opened(world, world.ben, "Door")
    assert set(asked(anna, world, roof, his)) == {roof.id}
    before = asked(hugo, world, roof, wall, his)
    assert set(before) == {roof.id, wall.id, his.id}
    roof.move_to(world.stage("Documents"), by=world.anna)
    after = asked(hugo, world, roof, wall)
    assert after[roof.id] > before[roof.id]
    assert after[wall.id] == before[wall.id]
    page = hugo.get("/").text
    assert f'id="deal-{roof.id}"' in page
    assert f'data-change="{after[roof.id]}"' in page


def test_what_does_not_belong_on_this_board_does_not_come(world: World, hugo: Browser) -> None:
    roof, wall = (opened(world, world.anna, title) for title in ("Roof", "Wall"))
    deals.change(roof, world.anna, priority=1)
    assert set(asked(hugo, world, roof, wall, priority="1")) == {roof.id}
    assert asked(hugo, world) == {}
    path = f"/board/heads?funnel={world.funnel.id}&deals=,x,-1,{'9' * 18},{roof.id}"
    assert hugo.get(path, headers=FRAGMENT).text.count('id="deal-') == 1
    assert hugo.get(f"/board/heads?funnel=99&deals={roof.id}").status_code == 404


def test_the_number_of_queries_is_the_same_for_many(world: World, hugo: Browser) -> None:
    made = [opened(world, world.anna, f"deal {n}") for n in range(12)]
    with count_queries() as few:
        asked(hugo, world, made[0])
    with count_queries() as many:
        asked(hugo, world, *made)
    assert many.count == few.count <= 9


@pytest.mark.usefixtures("crowded")
def test_what_all_heads_ask_for_is_made_once(
    world: World, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    roof, wall = (opened(world, world.anna, title) for title in ("Roof", "Wall"))
    hugo, ada, anna = visit("hugo"), visit("ada"), visit("anna")
    first = asked(hugo, world, roof)
    with count_queries() as again:
        assert asked(ada, world, roof) == first
    assert again.count <= 2
    # One card of two is there already; and another view is another one.
    assert set(asked(ada, world, roof, wall)) == {roof.id, wall.id}
    assert asked(ada, world, roof, priority="1") == {}
    # Sellers see their own, each something else.
    assert set(asked(anna, world, roof, wall)) == {roof.id, wall.id}
    assert asked(visit("ben"), world, roof, wall) == {}
    roof.move_to(world.stage("Documents"), by=world.anna)
    monkeypatch.setattr(hub, "news", 8)
    assert asked(ada, world, roof)[roof.id] > first[roof.id]


@pytest.mark.usefixtures("crowded")
def test_it_is_made_anew_when_time_has_passed(
    world: World, hugo: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    roof = opened(world, world.anna, "Roof")
    first = asked(hugo, world, roof)
    roof.move_to(world.stage("Documents"), by=world.anna)
    assert asked(hugo, world, roof) == first
    monkeypatch.setattr(crowd, "KEPT_SECONDS", 0.0)
    assert asked(hugo, world, roof)[roof.id] > first[roof.id]


def test_what_was_begun_before_the_news_is_not_kept() -> None:
    once = Once()
    once.keep("view", {"heads": "new"}, as_of=2, made=crowd.time.monotonic())
    once.keep("view", {"heads": "old"}, as_of=1, made=crowd.time.monotonic())
    assert once.find("view", ["heads", "9"], as_of=2) == {"heads": "new"}
    assert once.find("view", ["heads"], as_of=1) == {}
    assert once.find("other", ["heads"], as_of=2) == {}
    assert once.find("view", ["heads"], as_of=3) == {}


def test_few_ask_at_once_and_many_in_turn() -> None:
    assert crowd.spread(crowd.FEW) == 0
    assert crowd.spread(300) == 4500
    assert crowd.spread(10_000) == crowd.LONGEST_MS
