"""Pictures of every page of a running demonstration, while a customer rings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import story
from playwright.sync_api import Browser, Page, sync_playwright
from run_demo import BRISK, Demo, free_port
from sip_parties import Caller, Phone

import demo_data
from models import Deal
from tests import programs

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"wide": (1440, 900), "middle": (1024, 768), "phone": (390, 844)}
SCHEMES = ("light", "dark")
RINGING = story.Scene("+492219955120", "Lindner Logistik", story.ROUTED, "anna", known=True)
README_PICTURE = ROOT / "docs" / "board.png"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bin/screenshots", description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / ".private" / "screenshots")
    parser.add_argument("--readme", action="store_true", help="also make docs/board.png")
    arguments = parser.parse_args()
    arguments.into.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        demo = Demo(stack, free_port(0))
        for scene in story.scenes(len(story.SCENES)):
            demo.place(scene, BRISK)
        browser = stack.enter_context(_chromium())
        panel = f"http://{demo.panel}"
        if arguments.readme:
            with _ringing(demo):
                _shoot_ringing(_page(browser, panel, "wide", "light", "anna"), README_PICTURE)
        for size in SIZES:
            for scheme in SCHEMES:
                with _ringing(demo):
                    _take_all(browser, panel, arguments.into, size, scheme)
        print(arguments.into)
    return 0


@contextmanager
def _ringing(demo: Demo) -> Iterator[None]:
    """Anna's phone rings all the while."""
    with (
        Phone(demo.pbx.ports.phone("101"), "ring"),
        Phone(demo.pbx.ports.phone("102"), "ring"),
        Phone(demo.pbx.ports.phone("103"), "busy"),
        Caller(demo.pbx, number=RINGING.number, name=RINGING.name, way="observe", hold=None),
    ):
        yield
        # A caller that is ended from outside does not take leave of Asterisk.
        demo.pbx.cli("channel request hangup all")


@contextmanager
def _chromium() -> Iterator[Browser]:
    program = programs.chromium()
    environment: dict[str, str | float | bool] = dict(program.environ())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program.path, env=environment)
        yield browser
        browser.close()


def _take_all(browser: Browser, panel: str, into: Path, size: str, scheme: str) -> None:
    deal = Deal.get(Deal.title == "Lindner Logistik").id
    pages = {
        "board": "/",
        "deal": f"/deals/{deal}",
        "new-deal": "/deals/new",
        "tasks": "/tasks",
        "calls": "/calls",
        "missed-calls": "/calls/missed",
        "missing": "/deals/0",
    }
    end = f"{size}-{scheme}.png"
    for who in ("anna", "hugo"):
        page = _page(browser, panel, size, scheme, who)
        if who == "anna":
            _shoot_ringing(page, into / f"popup-{end}")
            page.locator("[data-dismiss]").click()
        if who == "hugo":
            pages["call-statistics"] = "/calls/statistics"
        for name, path in pages.items():
            page.goto(path)
            page.screenshot(path=into / f"{name}-{who}-{end}")
        page.context.close()
    login = _open(browser, panel, size, scheme)
    login.goto("/login")
    login.screenshot(path=into / f"login-{end}")
    login.context.close()


def _shoot_ringing(page: Page, path: Path) -> None:
    page.locator("#popups .pop").wait_for()
    page.screenshot(path=path)


def _open(browser: Browser, panel: str, size: str, scheme: str) -> Page:
    width, height = SIZES[size]
    return browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
        base_url=panel,
        has_touch=size == "phone",
    ).new_page()


def _page(browser: Browser, panel: str, size: str, scheme: str, who: str) -> Page:
    page = _open(browser, panel, size, scheme)
    page.goto("/login")
    page.get_by_label("Login").fill(who)
    page.get_by_label("Password").fill(demo_data.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("#board").wait_for()
    return page


if __name__ == "__main__":
    sys.exit(main())
