"""C1, C3 as people use them in a real browser: a customer is looked for, written about, merged,
parted, saved in a file and erased."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import expect

from fields import utcnow
from models import Call, Contact, Deal, Merge, Note, Phone, Task
from tests.desk import Enter
from tests.world import CUSTOMER, PASSWORD, Story, World
from verbs import contacts, users

OTHER = "+4915155522100"


def test_a_customers_whole_story(world: World, enter: Enter, tmp_path: Path) -> None:
    Story.begins(name="Miriam Sander").rings("PJSIP/101").answered("PJSIP/101").ended()
    miriam = Contact.by_number(CUSTOMER)
    assert miriam
    contacts.change(miriam, world.anna, name="Miriam Sander", company="Fitwerk", owner=world.anna)
    twin = Contact.of_number(OTHER, "Sander, Miriam", world.anna)
    contacts.change(twin, world.anna, email="=cmd@example.com", tags="solar")
    page = enter("hugo")
    page.wait_for_selector("html[data-live=on]")
    # Looked for by the shortcut, with two typing errors; then by a number as people write them.
    page.keyboard.press("/")
    page.keyboard.type("Mirjam Sandr")
    found = page.get_by_role("option", name="Miriam Sander")
    expect(found.first).to_be_visible()
    page.locator("#find-field").fill("(0151) 555-221 00")
    page.get_by_role("option", name="Sander, Miriam").first.click()
    expect(page.get_by_role("heading", name="Sander, Miriam")).to_be_visible()
    # What is known of her, written where it stands.
    page.get_by_label("New note").fill("Wants it in <b>May</b>")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator(".past__note p")).to_have_text("Wants it in <b>May</b>")
    page.get_by_text("New task", exact=True).click()
    page.get_by_label("What is to be done?").fill("Send her the list")
    page.locator(".task-add").get_by_role("button", name="Add").click()
    expect(page.get_by_role("link", name="Send her the list")).to_be_visible()
    # She is there twice.
    twins = page.get_by_role("region", name="Perhaps the same person")
    twins.get_by_role("link", name="Merge… Miriam Sander").click()
    page.locator(".keep__one", has_text="Fitwerk").click()
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_role("heading", name="Miriam Sander")).to_be_visible()
    for text in ("+49 30 44701182", "+49 1515 5522100"):
        expect(page.locator(".reach")).to_contain_text(text)
    expect(page.locator(".past")).to_contain_text("Wants it in")
    # She rings with the other number; then it turns out that they were two.
    Story.begins(OTHER, "9.1").rings("PJSIP/102").answered("PJSIP/102").ended()
    page.get_by_role("button", name="Part them again").click()
    expect(page.locator(".reach")).not_to_contain_text("5522100")
    expect(page.locator(".past")).not_to_contain_text("Wants it in")
    again = Contact.by_number(OTHER)
    assert again
    assert Call.get(Call.linkedid == "9.1").contact == again
    assert Note.get().contact == again
    assert Task.get(Task.title == "Send her the list").contact == again
    # A file of them all, harmless in Excel, comes back in as what is known already.
    page.goto("/contacts")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as CSV").click()
    file = tmp_path / "contacts.csv"
    saved.value.save_as(file)
    rows = csv.reader(file.read_text(encoding="utf-8-sig").splitlines())
    cells = [cell for row in rows for cell in row]
    assert "'=cmd@example.com" in cells
    assert not [c for c in cells if c[:1] in ("=", "+", "-", "@") and not c[1:].isdigit()]
    # Erased for ever, with a receipt, after the name was typed.
    page.goto(f"/contacts/{miriam.id}")
    page.get_by_role("link", name="Erase this person’s data…").click()
    page.get_by_label("Type “Miriam Sander” to confirm").fill("Mirjam")
    page.get_by_role("button", name="Erase for ever").click()
    expect(page.get_by_text("This is not the name.")).to_be_visible()
    page.get_by_label("Type “Miriam Sander” to confirm").fill("miriam sander")
    page.get_by_role("button", name="Erase for ever").click()
    expect(page.get_by_role("heading", name="Receipt 1 of an erasure")).to_be_visible()
    page.goto("/search?q=03044701182")
    expect(page.locator("main")).not_to_contain_text("Miriam")
    assert not Phone.select().where(Phone.e164 == CUSTOMER).exists()
    assert Deal.select().where(Deal.title.contains("Miriam")).count() == 0
    assert Merge.select().count() == 0


def test_what_is_written_while_the_log_in_ends_is_kept(world: World, enter: Enter) -> None:
    miriam = Contact.of_number(CUSTOMER, "Miriam Sander", world.anna)
    page = enter("anna")
    page.goto(f"/contacts/{miriam.id}")
    page.get_by_label("New note").fill("A long note\nthat nobody writes twice")
    # By herself, in another browser.
    users.end_all_sessions(world.anna)
    page.get_by_role("button", name="Add note").click()
    kept = page.locator("textarea[readonly]")
    expect(kept).to_have_value("A long note\nthat nobody writes twice")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in in another window first").click()
    opened.value.fill("#login", "anna")
    opened.value.fill("#password", PASSWORD)
    opened.value.get_by_role("button", name="Log in").click()
    opened.value.wait_for_url("**/")
    # The page asks who is logged in now, and sends it as that one.
    page.get_by_role("button", name="Send it again").click()
    expect(page.locator(".past__note p")).to_have_text("A long note\nthat nobody writes twice")
    assert Note.select().count() == 1
    assert utcnow() - Note.get().at < timedelta(minutes=1)
