"""pytest plugin: the panel under its real server, and browsers of people who are logged in.

Calls are entered as the ledger does, by ``record_call``; the exchange has tests of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3
from playwright.sync_api import FloatRect, Locator, Page
from ports import free_tcp_port

from models import Deal
from tests.browser import NewPage
from tests.office import until
from tests.world import PASSWORD, World

ROOT = Path(__file__).resolve().parents[1]
COMPILED = ROOT / ".private" / "compiled_templates"
"""For all panels of all tests: each would else compile its pages anew."""
SERVE = f"""
import flask, jinja2, settings
from panel.server import serve
cache = jinja2.FileSystemBytecodeCache({str(COMPILED)!r})
flask.Flask.jinja_options = {{"bytecode_cache": cache}}
serve(settings.load())
"""

Enter = Callable[..., Page]


def answers(address: str) -> bool:
    try:
        return urllib3.request("GET", f"{address}/healthz", timeout=2, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


class Panel:
    """The panel's server on a database, as `trichter panel` runs it."""

    def __init__(self, world: World) -> None:
        self.port = free_tcp_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "TRICHTER_DATABASE_URL": world.settings.database.url,
            "TRICHTER_PANEL_SECRET_KEY": "k" * 32,
            "TRICHTER_PANEL_BIND": f"127.0.0.1:{self.port}",
            "TRICHTER_PANEL_PUBLIC_URL": self.address,
        }
        self.start()

    def start(self) -> None:
        COMPILED.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE], cwd=ROOT, env=self.environment
        )
        until(lambda: answers(self.address), "the panel answers", 30)

    def stop(self) -> float:
        """Ends it as an administrator would; the seconds that it took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        return time.monotonic() - begun

    def end(self) -> None:
        """Ends it at once: it waits two seconds for requests that no browser is left to send."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)


@pytest.fixture
def panel(world: World) -> Iterator[Panel]:
    running = Panel(world)
    yield running
    running.end()


@pytest.fixture
def enter(panel: Panel, new_page: NewPage) -> Enter:
    """``enter("anna")`` is a browser with her board, its stream open."""

    def logged_in(login: str, **options: object) -> Page:
        page = new_page(base_url=panel.address, **options)
        page.goto("/login")
        page.fill("[name=login]", login)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("html[data-live=on]")
        return page

    return logged_in


def card(page: Page, deal: Deal) -> Locator:
    return page.locator(f"#deal-{deal.id}")


def column(page: Page, world: World, name: str) -> Locator:
    return page.locator(f".col__cards[data-stage='{world.stage(name).id}']")


def head(page: Page, world: World, name: str) -> Locator:
    return page.locator(f"#head-{world.stage(name).id} .col__count")


def box(what: Locator) -> FloatRect:
    """Where it is. A card may be exchanged for its newer self while it is looked at."""
    return until(what.bounding_box, f"a place of {what}")


def at_rest(what: Locator) -> None:
    """Return when it has come to where it glides: nobody takes a card in its flight."""
    what.evaluate("one => Promise.allSettled(one.getAnimations().map(glide => glide.finished))")


def drag(page: Page, what: Locator, where: Locator) -> None:
    """As a hand does, with a little way in between; drop on the column's upper part."""
    at_rest(what)
    start, end = box(what), box(where)
    page.mouse.move(start["x"] + 40, start["y"] + 15)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + 25, steps=3)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + 40, steps=8)
    page.mouse.up()


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    """By the form, on a page that nobody is logged in on."""
    page.goto("/login")
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("main .btn--go")
    page.wait_for_selector("header .me")


def follow(page: Page, what: Locator) -> None:
    """A press that leads to another page, by a link or a form: return when that one is there."""
    with page.expect_navigation():
        what.click()


def enter_leads_on(page: Page) -> None:
    """As ``follow``, by Enter in a form."""
    with page.expect_navigation():
        page.keyboard.press("Enter")
