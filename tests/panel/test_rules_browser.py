"""The pages of the rules in a real browser: they fit, everybody can read them, no script needed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser import NewPage
from tests.desk import Panel, sign_in
from tests.world import World

PAGES = (
    "/admin/rules?situation=missed&number=030+4470+1182",
    "/admin/rules/rule?did=&situation=missed&caller=unknown",
    "/admin/rules/rule?did=&situation=incoming&caller=known",
)


@pytest.mark.parametrize("scripts", [True, False])
def test_an_administrators_round(
    world: World, panel: Panel, new_page: NewPage, scripts: bool
) -> None:
    page = new_page(base_url=panel.address, java_script_enabled=scripts)
    sign_in(page, "ada")
    page.click("nav >> text=Setup")
    page.click("nav >> text=Rules")
    page.fill("#new-did", "030 555 000")
    page.get_by_role("button", name="Add").click()
    own = page.locator(".panel--rules").nth(1)
    own.get_by_role("link", name="Change Missed, unknown number").click()
    page.get_by_label("task").uncheck()
    page.get_by_label("It belongs to").select_option("turns")
    page.get_by_role("button", name="Save").click()
    expect(own.locator("tr", has_text="in turn")).to_contain_text("contact deal")
    page.get_by_label("Number outside").fill("030 4470 1182")
    page.fill("#did", "030555000")
    page.get_by_label("Call", exact=True).select_option("missed")
    page.get_by_role("button", name="What would it make?").click()
    expect(page.locator(".trial")).to_contain_text("A deal in Unsorted, of Anna Krüger.")
    own.get_by_role("button", name="Remove").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(".panel--rules")).to_have_count(1)
    page.get_by_label("Number", exact=True).fill("030 4470 1182")
    page.get_by_label("Note").fill("Taxi")
    page.get_by_role("button", name="Ignore").click()
    expect(page.locator(".ignored li")).to_contain_text("Taxi")
    page.locator(".ignored").get_by_role("button", name="Remove").click()
    expect(page.locator(".ignored li")).to_have_count(0)
