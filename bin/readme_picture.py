"""The picture in the README: the board of a running demonstration while a real phone rings."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import story
from demonstration import BRISK, Demo, panel_port
from playwright.sync_api import Browser, Page
from sip_parties import Caller, Phone

from commands import demo_data

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "board.png"
RINGING = story.Scene("+492219955120", "Lindner Logistik", story.ROUTED, "anna", known=True)


def take(browser: Browser) -> None:
    """Let the demonstration's customers call, then one more, and picture Anna's board."""
    with ExitStack() as stack:
        demo = Demo(stack, panel_port(0))
        for scene in story.scenes(len(story.SCENES)):
            demo.place(scene, BRISK)
        ports = demo.pbx.ports
        stack.enter_context(Phone(ports.phone("101"), "ring"))
        stack.enter_context(Phone(ports.phone("102"), "ring"))
        stack.enter_context(Phone(ports.phone("103"), "busy"))
        caller = Caller(
            demo.pbx, number=RINGING.number, name=RINGING.name, way="observe", hold=None
        )
        stack.enter_context(caller)
        page = _board_of_anna(browser, f"http://{demo.panel}")
        page.locator("#popups .pop").wait_for()
        page.screenshot(path=PICTURE)
        # A caller that is ended from outside does not take leave of Asterisk.
        demo.pbx.cli("channel request hangup all")
    print(PICTURE)


def _board_of_anna(browser: Browser, panel: str) -> Page:
    page = browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-GB", base_url=panel
    ).new_page()
    page.goto("/login")
    page.get_by_label("Login").fill("anna")
    page.get_by_label("Password").fill(demo_data.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("#board").wait_for()
    return page
