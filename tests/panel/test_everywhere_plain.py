"""The panel without JavaScript: a seller's day and an administrator's, form by form."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from models import Contact, Deal, Funnel, Merge, Reason, Task, User
from tests.browser import NewPage
from tests.desk import Enter, Panel, enter_leads_on, follow
from tests.world import PASSWORD, World
from verbs import reasons

FILE = b"Name;Telefon\nOtto Blum;030 1234599\nnobody;by hand\n"


@pytest.fixture
def enter_plainly(panel: Panel, new_page: NewPage) -> Enter:
    def logged_in(login: str, **options: Any) -> Page:
        page = new_page(base_url=panel.address, java_script_enabled=False, **options)
        page.goto("/login")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        page.press("#password", "Enter")
        page.wait_for_selector("header .me")
        return page

    return logged_in


def test_a_sellers_day(world: World, enter_plainly: Enter) -> None:
    Reason.create(name="Too expensive")
    page = enter_plainly("anna", viewport={"width": 390, "height": 844})
    page.get_by_label("New deal in Opportunity").fill("Wall")
    page.keyboard.press("Enter")
    follow(page, page.get_by_role("link", name="Wall"))
    page.get_by_label("Stage", exact=True).select_option(label="Lost")
    follow(page, page.get_by_role("button", name="Move", exact=True))
    page.get_by_label("Too expensive").check()
    follow(page, page.get_by_role("button", name="Move", exact=True))
    deal = Deal.get()
    assert (deal.stage.kind, deal.lost_reason) == ("lost", "Too expensive")
    page.goto("/deals/new")
    page.get_by_label("What is it about?").fill("Roof")
    page.locator("#new-name").fill("Inga Holm")
    page.locator("#new-number").fill("030 4470 1182")
    with page.expect_navigation():
        page.get_by_role("button", name="Create deal").dblclick()
    expect(page.locator("h1")).to_have_text("Roof")
    page.locator("#edit-title").click()
    page.get_by_role("textbox", name="Title").fill("Roof and wall")
    enter_leads_on(page)
    page.get_by_placeholder("What was said").fill("Wants it red.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("main")).to_contain_text("Wants it red.")
    page.get_by_placeholder("New task: what is to be done?").fill("Send the offer")
    with page.expect_navigation():
        page.locator(".task-add").get_by_role("button", name="Add").dblclick()
    # The pages are a menu here; it opens without scripts.
    page.get_by_role("button", name="Pages").click()
    follow(page, page.get_by_role("navigation", name="Pages").get_by_role("link", name="Tasks"))
    page.locator("summary", has_text="Done: Send the offer").click()
    page.get_by_label("What came of it?").fill("sent")
    follow(page, page.locator(".task__finish").get_by_role("button", name="Done"))
    page.get_by_label("What is to be done?").fill("Ask for an answer")
    follow(page, page.get_by_role("button", name="Add"))
    done, following = Task.select().order_by(Task.id)
    assert (done.result, following.deal.title) == ("sent", "Roof and wall")
    page.goto("/search?q=holm")
    follow(page, page.get_by_role("link", name="Inga Holm").first)
    assert Contact.get().name == "Inga Holm"
    page.get_by_role("button", name="Anna Krüger: your account").click()
    page.get_by_role("link", name="Keyboard").click()
    expect(page.locator("h1")).to_have_text("Keyboard")
    page.goto("/account/")
    page.get_by_label("Language of the panel").select_option("de")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")


def test_a_heads_and_an_administrators_day(world: World, enter_plainly: Enter) -> None:
    Deal.open("Roof", world.anna, world.anna)
    one = Contact.of_number("+493044701182", "Inga Holm", world.anna)
    Contact.of_number("+493044701183", "Inga Holm", world.anna)
    page = enter_plainly("hugo")
    page.get_by_label("Whose deals").select_option(label="Ben Okafor")
    follow(page, page.get_by_role("button", name="Show"))
    expect(page.locator(".card")).to_have_count(0)
    follow(page, page.get_by_role("link", name="Show all").first)
    follow(page, page.get_by_role("link", name="Roof"))
    page.get_by_label("Give it to").select_option(label="Ben Okafor")
    follow(page, page.locator("form:has(#owner) button"))
    assert Deal.get().owner == world.ben
    follow(page, page.get_by_role("button", name="Undo"))
    assert Deal.get().owner == world.anna
    page.goto(f"/contacts/{one.id}")
    follow(page, page.get_by_role("link", name="Merge…"))
    follow(page, page.get_by_role("button", name="Merge"))
    assert Merge.select().count() == 1
    follow(page, page.locator(".notice").get_by_role("button"))
    assert Contact.select().where(Contact.name == "Inga Holm").count() == 2
    page.goto("/contacts/import")
    file: Any = {"name": "kunden.csv", "mimeType": "text/csv", "buffer": FILE}
    page.set_input_files("#file", file)
    follow(page, page.get_by_role("button", name="Look at it"))
    page.get_by_role("button", name="Import 1 contact").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The contacts are in")
    page.goto("/")
    page.get_by_role("button", name="Hugo Head: your account").click()
    follow(page, page.get_by_role("button", name="Log out"))
    _administrate(page)


def _administrate(page: Page) -> None:
    page.fill("#login", "ada")
    page.fill("#password", PASSWORD)
    enter_leads_on(page)
    page.goto("/admin/funnels/")
    page.get_by_label("New funnel").fill("Service")
    follow(page, page.locator("form", has=page.get_by_label("New funnel")).get_by_role("button"))
    assert Funnel.select().where(Funnel.name == "Service").exists()
    page.goto("/admin/funnels/")
    page.get_by_label("New reason").fill("Moved away")
    follow(page, page.locator("form", has=page.get_by_label("New reason")).get_by_role("button"))
    assert [reason.name for reason in reasons.offered()] == ["Moved away"]
    page.goto(f"/admin/users/{User.get(User.login == 'olga').id}")
    follow(page, page.get_by_role("button", name="Disable"))
    assert not User.get(User.login == "olga").active
    page.goto("/admin/texts/")
    page.get_by_label("Name of the company").fill("Roofs Ltd")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".brand__company")).to_have_text("Roofs Ltd")
