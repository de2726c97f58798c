"""Pictures of the pages of a running demonstration: while a phone rings, and while one talks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import past_calls
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
PAGES = {
    "board": "/",
    "new-deal": "/deals/new",
    "calls": "/calls",
    "missed-calls": "/calls/missed",
    "missing": "/deals/0",
}
OF_HEADS = {
    "calls-filtered": "/calls?direction=incoming&outcome=missed",
    "call-statistics": "/calls/statistics",
    "exchange": "/exchange",
}
RULES = {"rules": "/admin/rules", "rule": "/admin/rules/rule?situation=missed&caller=unknown"}


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
        if arguments.readme:
            with _ringing(demo):
                page = _page(browser, f"http://{demo.panel}", "wide", "light", "anna")
                _shoot_ringing(page, README_PICTURE)
        past_calls.load(Path(demo.pbx.runtime) / "spool" / "recording")
        for size in SIZES:
            for scheme in SCHEMES:
                camera = Camera(browser, demo, arguments.into, size, scheme)
                with _ringing(demo):
                    camera.ringing()
                with _talking(demo):
                    camera.talking()
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
def _talking(demo: Demo) -> Iterator[None]:
    """Anna talks with a customer of hers, and Hugo would pick up his phone."""
    with (
        Phone(demo.pbx.ports.phone("101"), "answer"),
        Phone(demo.pbx.ports.phone("102"), "ring"),
        Phone(demo.pbx.ports.phone("103"), "answer"),
        Caller(demo.pbx, number=RINGING.number, name=RINGING.name, hold=None) as caller,
    ):
        caller.wait_for("answered")
        yield
        demo.pbx.cli("channel request hangup all")


@contextmanager
def _chromium() -> Iterator[Browser]:
    program = programs.chromium()
    environment: dict[str, str | float | bool] = dict(program.environ())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program.path, env=environment)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Camera:
    """Pictures of one size and colour scheme."""

    browser: Browser
    demo: Demo
    into: Path
    size: str
    scheme: str

    def ringing(self) -> None:
        """What everybody sees while the phones ring."""
        anna = self.enter("anna")
        _shoot_ringing(anna, self.path("popup"))
        anna.locator("[data-dismiss]").click()
        self.look(anna, "anna", PAGES)
        self.ask_for_a_call(anna)
        anna.context.close()
        hugo = self.enter("hugo")
        self.look(hugo, "hugo", PAGES | OF_HEADS)
        hugo.context.close()
        ada = self.enter("ada")
        self.look(ada, "ada", RULES)
        ada.context.close()
        login = self.open()
        login.goto("/login")
        login.screenshot(path=self.path("login"))
        login.context.close()

    def ask_for_a_call(self, page: Page) -> None:
        """A deal with recordings: one is heard, and then the customer is called."""
        page.goto(f"/deals/{past_calls.recorded_deal().id}")
        self.shoot(page, "deal-anna")
        page.locator("[data-play]").first.click()
        page.locator("#player audio").wait_for()
        page.screenshot(path=self.path("player"))
        page.locator(".player__close").click()
        page.locator(".contact__numbers .dial button").click()
        page.get_by_text("Your phone rings").wait_for()
        page.screenshot(path=self.path("call-request"))
        page.locator("#request").get_by_role("button", name="Cancel").click()
        page.locator(".request--failed, .request--done").wait_for()

    def talking(self) -> None:
        """What a head sees of a call that goes on, and how it is to listen to it."""
        page = self.enter("hugo")
        self.look(page, "talks", {"exchange": "/exchange", "calls": "/calls"})
        page.goto(f"/deals/{Deal.get(Deal.title == RINGING.name).id}")
        self.shoot(page, "deal-talks")
        page.get_by_role("button", name="Listen").click()
        page.get_by_text("Nobody hears you.").wait_for()
        page.screenshot(path=self.path("listening"))
        page.locator("#request").get_by_role("button", name="Hang up").click()
        page.locator(".request--done").wait_for()
        page.reload()
        self.shoot(page, "deal-listened")
        page.context.close()

    def look(self, page: Page, who: str, pages: dict[str, str]) -> None:
        for name, address in pages.items():
            page.goto(address)
            self.shoot(page, f"{name}-{who}")

    def shoot(self, page: Page, name: str) -> None:
        page.screenshot(path=self.path(name), full_page=True)

    def path(self, name: str) -> Path:
        return self.into / f"{name}-{self.size}-{self.scheme}.png"

    def open(self) -> Page:
        return _open(self.browser, f"http://{self.demo.panel}", self.size, self.scheme)

    def enter(self, who: str) -> Page:
        return _page(self.browser, f"http://{self.demo.panel}", self.size, self.scheme, who)


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
        is_mobile=size == "phone",
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
