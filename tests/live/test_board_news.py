"""News of the board: what the news itself says is shown at once, the rest is asked for together."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import groupby
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from fields import utcnow
from models import Deal
from tests.desk import Enter, box, card, column, head
from tests.live.test_board import stands_in
from tests.world import World
from verbs import deals

# Where a card has been since.
TRAIL = """deal => {
  window.trail = [];
  const watch = new MutationObserver((changes) => {
    for (const { addedNodes, target } of changes)
      for (const node of addedNodes) if (node.id === `deal-${deal}`) trail.push(target.dataset.stageName);
  });
  watch.observe(document.getElementById("board"), {childList: true, subtree: true});
}"""  # noqa: E501
ASKED = "**/board/heads*"


@pytest.fixture
def deal(world: World) -> Deal:
    return Deal.open("Roof", world.anna, world.anna)


def asks_for(url: str, deal: Deal) -> bool:
    """Whether the board asks for this card, there. It also asks for what came while it opened."""
    address = urlsplit(url)
    wanted = parse_qs(address.query).get("deals", [""])[0].split(",")
    return address.path.endswith("/board/heads") and str(deal.id) in wanted


def settle(page: Page, world: World) -> None:
    """A board asks once more for what happened just before it was opened: that is over when the
    card of a later deal stands there."""
    expect(card(page, Deal.open("Stays", world.anna, world.anna))).to_be_visible()


def hold_first(page: Page, deal: Deal) -> list[Route]:
    """The first question for a card waits for its answer in the list that this gives; others go
    through."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held or not asks_for(route.request.url, deal):
            route.continue_()
        else:
            held.append(route)

    page.route(ASKED, hold)
    return held


def test_a_move_is_seen_before_anything_is_asked(world: World, deal: Deal, enter: Enter) -> None:
    """The news itself says where the card is; what comes of asking never takes it back."""
    hugo = enter("hugo")
    settle(hugo, world)
    held = hold_first(hugo, deal)
    hugo.evaluate(TRAIL, deal.id)
    with hugo.expect_request(lambda request: asks_for(request.url, deal)) as asked:
        deals.change(deal, world.anna, title="Big roof")
    # The answer as of now, that comes later than what happens next.
    old = hugo.request.get(asked.value.url, headers={"HX-Request": "true"})
    assert "Big roof" in old.text()
    deal.move_to(world.stage("Documents"), by=world.anna)
    stands_in(hugo, world, deal, "Documents")
    expect(hugo.locator("#announcer")).to_have_text("Anna Krüger moved Roof to Documents.")
    expect(head(hugo, world, "Documents")).to_have_text("1")
    expect(head(hugo, world, "Unsorted")).to_have_text("1")
    deal.move_to(world.stage("Opportunity"), by=world.anna)
    stands_in(hugo, world, deal, "Opportunity")
    deals.take_back_move(deal, world.anna)
    stands_in(hugo, world, deal, "Documents")
    expect(head(hugo, world, "Opportunity")).to_have_text("0")
    expect(head(hugo, world, "Documents")).to_have_text("1")
    for route in held:
        route.fulfill(response=old)
    expect(card(hugo, deal)).to_contain_text("Big roof")
    stands_in(hugo, world, deal, "Documents")
    trail = hugo.evaluate("() => trail")
    assert [name for name, _ in groupby(trail)] == ["Documents", "Opportunity", "Documents"]


def test_what_is_not_loaded_is_asked_for_together(world: World, enter: Enter) -> None:
    made = [
        Deal.open(f"deal {n}", world.anna, world.anna, at=utcnow() - timedelta(minutes=n))
        for n in range(70)
    ]
    hugo = enter("hugo")
    settle(hugo, world)
    there, away = made[0], made[-4:]
    held = hold_first(hugo, away[0])
    with hugo.expect_request(lambda request: asks_for(request.url, away[0])):
        away[0].move_to(world.stage("Documents"), by=world.anna)
    for one in [*away[1:], there]:
        one.move_to(world.stage("Documents"), by=world.anna)
    stands_in(hugo, world, there, "Documents")
    assert card(hugo, away[0]).count() == 0
    with hugo.expect_request(lambda request: asks_for(request.url, there)) as asked:
        for route in held:
            route.continue_()
    wanted = parse_qs(urlsplit(asked.value.url).query)["deals"][0].split(",")
    assert {*wanted} == {str(one.id) for one in [*away[1:], there]}
    for one in away:
        stands_in(hugo, world, one, "Documents")
    expect(head(hugo, world, "Documents")).to_have_text("5")
    # The server is away for a moment: what was told then is asked for until it answers.
    hugo.route(ASKED, lambda route: route.abort())
    with hugo.expect_event("requestfailed"):
        late = Deal.open("Late", world.anna, world.anna)
    hugo.unroute(ASKED)
    stands_in(hugo, world, late, "Unsorted")


def test_what_is_in_somebodys_hand_or_no_longer_fits(
    world: World, deal: Deal, enter: Enter
) -> None:
    other = Deal.open("Wall", world.anna, world.anna)
    hugo = enter("hugo")
    settle(hugo, world)
    place = box(card(hugo, deal))
    hugo.mouse.move(place["x"] + 40, place["y"] + 15)
    hugo.mouse.down()
    # Between the press and the first movement the card isn't exchanged under the hand, either.
    with hugo.expect_response(lambda answer: asks_for(answer.url, deal)):
        deals.change(deal, world.anna, title="New roof")
    deals.change(other, world.anna, title="New wall")
    expect(card(hugo, other)).to_contain_text("New wall")
    assert "New" not in card(hugo, deal).inner_text()
    hugo.mouse.move(place["x"] + 60, place["y"] + 25, steps=3)
    expect(hugo.locator("body")).to_have_class(re.compile("is-dragging"))
    deal.move_to(world.stage("Documents"), by=world.anna)
    other.move_to(world.stage("Opportunity"), by=world.anna)
    stands_in(hugo, world, other, "Opportunity")
    # It stays in the hand, and is told when it is put down elsewhere.
    assert column(hugo, world, "Documents").locator(".card").count() == 0
    target = box(column(hugo, world, "Opportunity"))
    hugo.mouse.move(target["x"] + target["width"] / 2, target["y"] + 40, steps=8)
    hugo.mouse.up()
    expect(hugo.locator(".toast")).to_contain_text("Anna Krüger moved this deal to “Documents”.")
    stands_in(hugo, world, deal, "Documents")
    expect(card(hugo, deal)).to_contain_text("New roof")
    stage = world.stage("Commercial offer")
    stuck = Deal.open("Old", world.anna, world.anna, stage=stage, at=utcnow() - timedelta(days=30))
    hugo.goto("/?stuck=1")
    hugo.wait_for_selector("html[data-live=on]")
    expect(card(hugo, stuck)).to_be_visible()
    stuck.move_to(world.stage("Opportunity"), by=world.anna)
    expect(card(hugo, stuck)).to_have_count(0)
    expect(head(hugo, world, "Opportunity")).to_have_text("0")
