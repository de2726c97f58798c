"""The board as people use it: filters, more cards, one line for a deal, moves that ask for
something, undo, and several cards at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from fields import utcnow
from models import Deal, Reason, Stage
from tests.browser import NewPage
from tests.desk import Enter, Panel, card, column, drag, follow, head, sign_in
from tests.office import until
from tests.panel.test_server import FAULTS, RULES
from tests.world import World
from verbs import deals, tasks


def stage_of(deal: Deal) -> str:
    return Deal.get_by_id(deal.id).stage.name


def stands_in(page: Page, world: World, deal: Deal, name: str) -> None:
    inside = column(page, world, name).locator(f"#deal-{deal.id}")
    expect(inside).to_be_visible()


@pytest.fixture
def deal(world: World) -> Deal:
    Reason.create(name="Too expensive")
    return Deal.open("Roof", world.anna, world.anna)


def test_dragged_to_lost_it_asks_why(world: World, deal: Deal, enter: Enter) -> None:
    wide = {"width": 2600, "height": 800}
    anna = enter("anna", viewport=wide)
    drag(anna, card(anna, deal), column(anna, world, "Lost"))
    dialog = anna.locator("#completion")
    expect(dialog.get_by_role("heading")).to_have_text("“Roof” to “Lost”")
    dialog.get_by_role("link", name="Cancel").click()
    expect(dialog).to_be_hidden()
    stands_in(anna, world, deal, "Unsorted")
    assert stage_of(deal) == "Unsorted"
    drag(anna, card(anna, deal), column(anna, world, "Lost"))
    dialog.get_by_role("button", name="Move").click()
    expect(dialog.locator(".field__problem")).to_have_text("Please fill this in.")
    dialog.get_by_label("Too expensive").check()
    dialog.get_by_role("button", name="Move").click()
    expect(dialog).to_be_hidden()
    stands_in(anna, world, deal, "Lost")
    assert Deal.get_by_id(deal.id).lost_reason == "Too expensive"


def test_by_keyboard_and_with_all_that_is_missing(world: World, deal: Deal, enter: Enter) -> None:
    opportunity = world.stage("Opportunity").id
    Stage.update(required_fields="contact amount task").where(Stage.id == opportunity).execute()
    anna = enter("anna")
    card(anna, deal).focus()
    anna.keyboard.press("ArrowRight")
    expect(anna.get_by_label("Contact", exact=True)).to_be_focused()
    anna.keyboard.press("Escape")
    expect(card(anna, deal)).to_be_focused()
    stands_in(anna, world, deal, "Unsorted")
    anna.keyboard.press("ArrowRight")
    expect(anna.get_by_label("Contact", exact=True)).to_be_focused()
    for text in ("Inga Holm", "12,500", "Send the offer"):
        anna.keyboard.type(text)
        anna.keyboard.press("Tab")
    anna.get_by_label("What is to be done next?").press("Enter")
    stands_in(anna, world, deal, "Opportunity")
    expect(card(anna, deal)).to_contain_text("Inga Holm")
    expect(card(anna, deal)).to_contain_text("Send the offer· tomorrow, 09:00")


def test_undo_by_button_and_by_keys(world: World, deal: Deal, enter: Enter) -> None:
    anna, hugo = enter("anna"), enter("hugo")
    drag(anna, card(anna, deal), column(anna, world, "Opportunity"))
    expect(anna.locator(".toast--undo")).to_contain_text("Roof moved to Opportunity.")
    stands_in(hugo, world, deal, "Opportunity")
    anna.get_by_role("button", name="Undo").click()
    stands_in(anna, world, deal, "Unsorted")
    stands_in(hugo, world, deal, "Unsorted")
    expect(anna.locator("#announcer")).to_have_text("Roof is back in Unsorted.")
    card(anna, deal).focus()
    anna.keyboard.press("ArrowRight")
    stands_in(anna, world, deal, "Opportunity")
    expect(anna.locator(".toast--undo")).to_be_visible()
    anna.keyboard.press("Control+z")
    stands_in(anna, world, deal, "Unsorted")
    until(lambda: stage_of(deal) == "Unsorted", "the move is taken back")
    anna.keyboard.press("Control+z")
    expect(anna.locator("#announcer")).to_have_text("There is nothing to take back.")


def test_undo_of_what_somebody_else_moved_on(world: World, deal: Deal, enter: Enter) -> None:
    anna = enter("anna")
    card(anna, deal).focus()
    anna.keyboard.press("ArrowRight")
    expect(anna.locator(".toast--undo")).to_be_visible()
    Deal.get_by_id(deal.id).move_to(world.stage("Documents"), by=world.hugo)
    anna.get_by_role("button", name="Undo").click()
    expect(anna.locator(".toast--bad")).to_have_text("There is no move of yours to take back.")
    stands_in(anna, world, deal, "Documents")


def test_one_line_makes_a_deal(world: World, enter: Enter) -> None:
    anna = enter("anna")
    line = anna.get_by_label("New deal in Opportunity")
    for title in ("Roof", "Wall"):
        line.fill(title)
        line.press("Enter")
        expect(line).to_have_value("")
        expect(column(anna, world, "Opportunity").locator(".card").first).to_contain_text(title)
    # What is written while one is on its way is the next one; Enter twice makes no third.
    held: list[Route] = []

    def hold_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    anna.route("**/board/stages/*/deals*", hold_first)
    line.fill("Gate")
    with anna.expect_request("**/board/stages/*/deals*"):
        line.press("Enter")
    line.press("End")
    anna.keyboard.type("Yard")
    for _ in range(2):
        anna.keyboard.press("Enter")
    held[0].continue_()
    expect(column(anna, world, "Opportunity").locator(".card")).to_have_count(4)
    expect(line).to_have_value("")
    expect(line).to_be_focused()
    expect(head(anna, world, "Opportunity")).to_have_text("4")
    assert {deal.title for deal in Deal.select()} == {"Roof", "Wall", "Gate", "Yard"}
    # Written over with another text that begins alike, all of it is the next one.
    held.clear()
    line.fill("Anna")
    with anna.expect_request("**/board/stages/*/deals*"):
        line.press("Enter")
    line.press("Control+a")
    anna.keyboard.type("Annabelle")
    held[0].continue_()
    expect(column(anna, world, "Opportunity").locator(".card")).to_have_count(5)
    expect(line).to_have_value("Annabelle")
    # What was written over and could not be sent is told, for it is nowhere else.
    held.clear()
    with anna.expect_request("**/board/stages/*/deals*"):
        line.press("Enter")
    line.press("Control+a")
    anna.keyboard.type("Smith")
    held[0].abort()
    expect(anna.locator(".toast--bad")).to_contain_text("Annabelle: ")
    expect(line).to_have_value("Smith")
    assert not Deal.select().where(Deal.title.in_(["Annabelle", "Smith"])).exists()
    Stage.update(required_fields="company").where(Stage.name == "Documents").execute()
    line = anna.get_by_label("New deal in Documents")
    line.fill("Door")
    line.press("Enter")
    anna.get_by_label("Contact", exact=True).press("Escape")
    expect(anna.locator("#completion")).to_be_hidden()
    expect(line).to_be_focused()
    expect(line).to_have_value("Door")
    line.press("Enter")
    anna.get_by_label("Contact", exact=True).fill("Inga Holm")
    anna.get_by_label("Company").fill("Holm GmbH")
    anna.get_by_role("button", name="Create deal").last.click()
    expect(column(anna, world, "Documents").locator(".card")).to_contain_text("Holm GmbH")
    expect(line).to_have_value("")
    assert Deal.select().where(Deal.title == "Door").count() == 1


def test_filters_hold_while_others_work(world: World, deal: Deal, enter: Enter) -> None:
    hugo = enter("hugo")
    hugo.get_by_role("link", name="High priority").click()
    hugo.wait_for_url("**/?*priority=1*")
    hugo.wait_for_selector("html[data-live=on]")
    expect(hugo.locator(".card")).to_have_count(0)
    deals.change(deal, world.anna, priority=1)
    stands_in(hugo, world, deal, "Unsorted")
    expect(hugo.locator("#count-high")).to_have_text("1")
    other = Deal.open("Wall", world.anna, world.anna)
    deals.change(deal, world.anna, priority=0)
    expect(hugo.locator(".card")).to_have_count(0)
    expect(hugo.locator("#count-high")).to_have_text("0")
    hugo.get_by_label("Only deals with these words").fill("wal")
    hugo.keyboard.press("Enter")
    hugo.wait_for_url("**q=wal*")
    assert "priority=1" in hugo.url
    hugo.get_by_role("link", name="High priority").click()
    expect(hugo.locator(".card")).to_have_count(1)
    expect(card(hugo, other)).to_be_visible()
    hugo.get_by_role("link", name="Show all").first.click()
    expect(hugo.locator(".card")).to_have_count(2)


def test_lists_of_the_filters(world: World, deal: Deal, enter: Enter) -> None:
    Deal.open("Wall", world.ben, world.ben)
    hugo = enter("hugo")
    hugo.get_by_label("Whose deals").select_option(label="Ben Okafor")
    hugo.wait_for_url(f"**owner={world.ben.id}*")
    expect(hugo.locator(".card")).to_have_count(1)
    hugo.get_by_label("Sort by").select_option(label="Largest amount first")
    hugo.wait_for_url(f"**owner={world.ben.id}*sort=amount*")
    expect(hugo.locator(".card")).to_have_count(1)


def test_a_column_loads_more_as_it_scrolls(world: World, enter: Enter) -> None:
    for n in range(70):
        Deal.open(f"deal {n}", world.anna, world.anna, at=utcnow() - timedelta(minutes=n))
    anna = enter("anna")
    unsorted = column(anna, world, "Unsorted")
    expect(unsorted.locator(".card").first).to_contain_text("deal 0")
    last = unsorted.locator(".card", has_text="deal 69")
    assert last.count() == 0

    def scrolled() -> bool:
        unsorted.evaluate("list => list.scrollTo(0, list.scrollHeight)")
        return last.count() == 1

    until(scrolled, "the last card is loaded")
    expect(unsorted.locator(".card")).to_have_count(70)
    expect(unsorted.locator(".more")).to_have_count(0)


def test_heads_move_several_and_back(world: World, deal: Deal, enter: Enter) -> None:
    others = [Deal.open(name, world.ben, world.ben) for name in ("Wall", "Door")]
    hugo = enter("hugo")
    bar = hugo.locator("#bulk")
    card(hugo, deal).click(modifiers=["Control"])
    expect(bar).to_contain_text("Chosen: 1")
    card(hugo, others[0]).click()
    card(hugo, others[1]).focus()
    hugo.keyboard.press("Space")
    expect(bar).to_contain_text("Chosen: 3")
    card(hugo, others[1]).get_by_role("checkbox").click()
    expect(bar).to_contain_text("Chosen: 2")
    bar.get_by_label("Move to").select_option(label="Documents")
    bar.get_by_role("button", name="Do it").click()
    expect(hugo.locator(".toast--undo")).to_contain_text("2 deals moved to “Documents”.")
    expect(bar).to_be_hidden()
    expect(column(hugo, world, "Documents").locator(".card")).to_have_count(2)
    hugo.get_by_role("button", name="Undo").click()
    expect(column(hugo, world, "Unsorted").locator(".card")).to_have_count(3)
    expect(hugo.locator(".card__choice")).to_have_count(0)


def test_heads_lose_and_give_several(world: World, deal: Deal, enter: Enter) -> None:
    Deal.open("Wall", world.anna, world.anna)
    hugo = enter("hugo", viewport={"width": 2600, "height": 800})
    bar = hugo.locator("#bulk")
    hugo.get_by_role("button", name="Choose several").click()
    column(hugo, world, "Unsorted").locator(".card").first.click()
    column(hugo, world, "Unsorted").locator(".card").last.click(modifiers=["Shift"])
    expect(bar).to_contain_text("Chosen: 2")
    bar.get_by_label("Move to").select_option(label="Lost")
    bar.get_by_label("Give to").select_option(label="Ben Okafor")
    bar.get_by_role("button", name="Do it").click()
    hugo.get_by_label("In your own words").fill("moved abroad")
    hugo.keyboard.press("Enter")
    expect(hugo.locator(".toast", has_text="2 deals given to Ben Okafor.")).to_be_visible()
    expect(column(hugo, world, "Lost").locator(".card")).to_have_count(2)
    found = {(deal.owner.name, deal.lost_reason) for deal in Deal.select()}
    assert found == {("Ben Okafor", "moved abroad")}
    undo = hugo.locator(".toast--undo")
    expect(undo).to_contain_text("2 deals moved to “Lost”. 2 deals given to Ben Okafor.")
    undo.get_by_role("button", name="Undo").click()
    back = "2 deals given back. 2 deals are back where they were."
    expect(hugo.locator(".toast", has_text=back)).to_be_visible()
    expect(column(hugo, world, "Unsorted").locator(".card")).to_have_count(2)
    found = {(deal.owner.name, deal.lost_reason) for deal in Deal.select()}
    assert found == {("Anna Krüger", None)}


def test_the_list_on_the_deal_asks_too(world: World, deal: Deal, enter: Enter) -> None:
    anna = enter("anna")
    anna.goto(f"/deals/{deal.id}")
    anna.wait_for_selector("html[data-live=on]")
    anna.get_by_label("Stage", exact=True).select_option(label="Completed")
    anna.get_by_label("For how much is it won").fill("12,500")
    anna.get_by_role("button", name="Move", exact=True).click()
    anna.wait_for_url(f"**/deals/{deal.id}")
    until(lambda: stage_of(deal) == "Completed", "it is won")


def test_without_scripts(world: World, deal: Deal, panel: Panel, new_page: NewPage) -> None:
    page = new_page(base_url=panel.address, java_script_enabled=False)
    sign_in(page, "anna")
    page.get_by_label("New deal in Opportunity").fill("Wall")
    page.keyboard.press("Enter")
    expect(column(page, world, "Opportunity").locator(".card")).to_have_count(1)
    follow(page, page.get_by_role("link", name="No next task"))
    page.get_by_label("Only deals with these words").fill("wall")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=wall*")
    expect(page.locator(".card")).to_have_count(1)
    assert "idle=1" in page.url


@pytest.mark.parametrize("width", [1440, 390])
def test_it_is_accessible_and_fits(
    world: World, deal: Deal, enter: Enter, axe_path: Path, width: int
) -> None:
    deals.change(deal, world.anna, priority=1)
    late = Deal.open("Wall", world.anna, world.anna, at=utcnow() - timedelta(days=9))
    tasks.add("Demo", utcnow() - timedelta(days=2), world.anna, world.anna, deal=late)
    Deal.open("Door", None, None, priority=-1)
    page = enter(
        "hugo",
        viewport={"width": width, "height": 844},
        has_touch=width < 500,
        is_mobile=width < 500,
        bypass_csp=True,
    )

    def judged(where: str) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.add_script_tag(path=axe_path)
            assert page.evaluate(FAULTS, RULES) == [], f"{where}, {scheme}"
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"{where} is {over} px wider than the screen"

    page.goto("/?priority=1")
    page.wait_for_selector("html[data-live=on]")
    judged("filtered")
    page.goto("/")
    page.wait_for_selector("html[data-live=on]")
    judged("board")
    page.get_by_role("button", name="Choose several").click()
    judged("choosing")
    page.get_by_role("button", name="Done").click()
    card(page, deal).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".toast--undo")).to_be_visible()
    judged("moved")
    Stage.update(required_fields="contact number email company amount task note").where(
        Stage.id == world.stage("Commercial offer").id
    ).execute()
    card(page, deal).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#completion")).to_be_visible()
    judged("asked")
