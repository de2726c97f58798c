"""The setup and the account in a real browser: they fit, everybody can read them, and what can be
dragged can be done by button, and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from models import Deal, Funnel, User
from tests.browser import NewPage
from tests.desk import Enter, Panel, follow, sign_in
from tests.office import until
from tests.world import PASSWORD, World
from verbs import funnels, reasons


@pytest.mark.parametrize("scripts", [True, False])
def test_an_administrators_round(
    world: World, panel: Panel, new_page: NewPage, scripts: bool
) -> None:
    Deal.open("Roof", world.anna, world.anna)
    page = new_page(base_url=panel.address, java_script_enabled=scripts)
    sign_in(page, "ada")
    page.click("nav >> text=Setup")
    expect(page.get_by_role("heading", name="To begin with")).to_be_visible()
    parts = page.get_by_role("navigation", name="Parts of the setup")
    parts.get_by_role("link", name="Departments").click()
    page.locator("#new-name").fill("Export")
    follow(page, page.get_by_role("button", name="Add"))
    parts.get_by_role("link", name="Users").click()
    page.get_by_role("link", name="New user").click()
    page.get_by_label("Name").fill("Kim Kowalski")
    page.get_by_label("Login").fill("kim")
    page.get_by_label("Department").select_option("Export")
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".command--large")).to_be_visible()
    parts.get_by_role("link", name="Users").click()
    page.get_by_role("link", name="Anna Krüger").click()
    page.get_by_label("Who gets the open work").select_option("Kim Kowalski")
    page.get_by_role("button", name="Disable").click()
    expect(page.locator(".told")).to_contain_text("1 deal went to Kim Kowalski")
    parts.get_by_role("link", name="Funnels").click()
    page.get_by_role("link", name="Sales").click()
    page.get_by_label("New stage").fill("Visit")
    follow(page, page.get_by_role("button", name="Add"))
    page.get_by_label("Probability, percent").fill("40")
    page.get_by_label("the amount").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Visit 40 %")).to_be_visible()
    page.get_by_role("button", name="Visit up").click()
    rows = page.locator("[data-item]")
    expect(rows.nth(5)).to_contain_text("Visit")
    parts.get_by_role("link", name="Texts").click()
    page.get_by_label("Name of the company").fill("Roofs Ltd")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".brand__company")).to_contain_text("Roofs Ltd")
    assert User.get(User.login == "kim").department.name == "Export"
    assert Deal.get().owner.login == "kim"


def test_rows_are_dragged_into_another_order(world: World, enter: Enter) -> None:
    reasons.set_reasons(["One", "Two", "Three"], world.ada)
    page = enter("ada")
    page.goto("/admin/funnels/")
    grips = page.locator("#reasons [data-grip]")
    page.locator("#reasons").scroll_into_view_if_needed()
    start, end = grips.nth(2).bounding_box(), grips.nth(0).bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 18, start["y"] + 22)
    page.mouse.down()
    page.mouse.move(start["x"] + 18, start["y"] + 5, steps=3)
    page.mouse.move(end["x"] + 18, end["y"] + 4, steps=10)
    page.mouse.up()
    wanted = ["Three", "One", "Two"]
    until(lambda: [r.name for r in reasons.offered()] == wanted, "the order is kept")
    expect(page.get_by_role("button", name="Three up")).to_be_disabled()
    page.reload()
    assert page.locator("#reasons .row__name").all_text_contents() == wanted


def test_a_stage_with_deals_is_dragged_and_then_taken_out(world: World, enter: Enter) -> None:
    documents = world.stage("Documents")
    deal = Deal.open("Roof", world.anna, None, stage=documents)
    seller, page = enter("anna"), enter("ada")
    line = seller.get_by_label("New deal in Opportunity")
    line.fill("Half a name")
    page.goto(f"/admin/funnels/{world.funnel.id}")
    rows = page.locator("[data-item]")
    names = [stage.name for stage in world.funnel.in_order()]
    at = names.index("Documents")
    grip, above = (rows.nth(n).locator("[data-grip]").bounding_box() for n in (at, at - 1))
    assert grip
    assert above
    page.mouse.move(grip["x"] + 18, grip["y"] + 22)
    page.mouse.down()
    page.mouse.move(grip["x"] + 18, grip["y"] + 5, steps=3)
    page.mouse.move(above["x"] + 18, above["y"] + 4, steps=10)
    page.mouse.up()
    names.insert(at - 1, names.pop(at))
    until(lambda: [s.name for s in world.funnel.in_order()] == names, "the order is kept")
    # The open board waits until what is being written there is done.
    expect(seller.locator(".toast")).to_contain_text("comes when you are done")
    page.goto(f"/admin/stages/{documents.id}")
    # Asked where its one deal goes: without an answer nothing happens.
    target = page.locator("[name=target]")
    expect(target).to_be_visible()
    target.select_option(label="Implementation")
    page.locator("form", has=target).get_by_role("button").click()
    page.wait_for_url(f"**/admin/funnels/{world.funnel.id}")
    expect(page.get_by_role("link", name="Documents")).to_have_count(0)
    assert Deal.get_by_id(deal.id).stage.name == "Implementation"
    expect(line).to_have_value("Half a name")
    expect(seller.locator(f"#stage-{documents.id}")).to_be_visible()
    line.fill("")
    seller.locator("#funnel").click()
    expect(seller.locator(f"#stage-{documents.id}")).to_have_count(0)
    expect(seller.locator(".toast")).to_contain_text("this is the new board")
    there = seller.locator(f".col__cards[data-stage='{world.stage('Implementation').id}']")
    expect(there).to_contain_text("Roof")
    # When the funnel itself goes, the board of it leads to the first one.
    service = funnels.add_funnel("Service", world.ada)
    Deal.get_by_id(deal.id).move_to(world.stage("Lost"), by=world.anna, reason="Too dear")
    seller.goto(f"/?funnel={world.funnel.id}")
    seller.wait_for_function("document.documentElement.dataset.live === 'on'")
    # As if the board had been loaded anew long ago: else it waits for half a minute.
    assert seller.evaluate("Number(sessionStorage.getItem('trichter.reloaded'))")
    seller.evaluate("sessionStorage.removeItem('trichter.reloaded')")
    funnels.change_funnel(Funnel.get_by_id(world.funnel.id), world.ada, archived=True)
    expect(seller.locator("#funnel")).to_have_text(service.name)
    expect(seller.locator(".toast")).to_contain_text("this is the new board")


def test_the_account(world: World, enter: Enter) -> None:
    page = enter("anna")
    page.get_by_role("button", name="Anna Krüger: your account").click()
    page.get_by_role("link", name="Your account").click()
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill("battery staple")
    page.get_by_label("The new one again").fill("battery staple")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("status").first).to_contain_text("Your password is changed")
    page.get_by_role("button", name="Log out everywhere").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
