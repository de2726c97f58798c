"""The first run: from an empty database to the first card, as an administrator does it, on the real
server. At each step the panel says what is next."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from models import Device, Funnel, User
from tests.browser import NewPage
from tests.desk import ROOT, Panel
from tests.world import PASSWORD, Story, World, release, use
from verbs.exchange import EXCHANGE


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Panel]:
    """`trichter init` was run, and nothing else."""
    url = f"sqlite:///{tmp_path}/trichter.db"
    settings = use(url)
    running = None
    try:
        place = World(settings=settings)
        trichter(url, "init")
        running = Panel(place)
        yield running
    finally:
        if running:
            running.stop()
        release()


def trichter(url: str, *words: str, said: str = "") -> str:
    """A command as an administrator types it."""
    done = subprocess.run(
        [sys.executable, "-m", "trichter", *words],
        cwd=ROOT,
        env={"TRICHTER_DATABASE_URL": url, "PATH": "/usr/bin:/bin"},
        input=said,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_from_nothing_to_the_first_card(empty: Panel, new_page: NewPage) -> None:
    url = empty.environment["TRICHTER_DATABASE_URL"]
    page = new_page(base_url=empty.address)
    page.goto("/")
    expect(page.locator(".login__nobody")).to_contain_text("Nobody can log in yet")
    command = page.locator(".login__nobody code").inner_text()
    assert command.startswith("trichter user add ada ")
    words = ("--name", "Ada", "--role", "admin", "--password-stdin")
    trichter(url, "user", "add", "ada", *words, said=f"{PASSWORD}\n")
    page.reload()
    expect(page.locator(".login__nobody")).to_have_count(0)
    page.fill("#login", "ada")
    page.fill("#password", PASSWORD)
    page.get_by_role("button", name="Log in").click()
    # The empty board says what is missing, and leads there.
    expect(page.get_by_role("heading", name="Before the first call makes a card")).to_be_visible()
    page.get_by_role("link", name="Set up").click()
    steps = page.locator(".first-steps .first")
    expect(steps).to_have_count(4)
    expect(steps.filter(has_text="Connect the exchange")).to_contain_text("trichter serve")
    page.get_by_role("link", name="Check everything").click()
    page.locator("main").get_by_role("button").first.click()
    expect(page.locator("main")).to_contain_text("database", ignore_case=True)
    page.goto("/admin/")
    page.get_by_role("link", name="To the users").click()
    page.get_by_role("link", name="New user").click()
    page.get_by_label("Name").fill("Kim Kowalski")
    page.get_by_label("Login").fill("kim")
    page.get_by_label("Phone", exact=False).first.fill("PJSIP/101")
    page.get_by_role("button", name="Add").click()
    expect(page.locator(".command--large")).to_be_visible()
    assert User.get(User.login == "kim").endpoint == "PJSIP/101"
    page.goto("/admin/")
    people = steps.filter(has_text="Add the people and their phones")
    expect(people).to_contain_text("Users have phones.")
    # No page of an empty system is bare: each says what would be there.
    for path in ("/contacts", "/tasks", "/calls", "/calls/missed", "/exchange"):
        page.goto(path)
        assert len(page.locator("main").inner_text()) > 40, path
    # The first call comes: the board has its card, and the step is done.
    page.goto("/")
    page.wait_for_selector("html[data-live=on]")
    Story.begins(name="Miriam").rings("PJSIP/101").answered("PJSIP/101").ended()
    expect(page.locator(".card")).to_contain_text("Miriam")
    page.goto("/admin/")
    expect(steps.filter(has_text="Take the first call")).to_contain_text("Calls are recorded.")
    assert not Device.select().where(Device.endpoint == EXCHANGE).exists()
    assert Funnel.select().count() == 1
