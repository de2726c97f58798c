"""From a ringing phone to the pop-up in its seller's browser: a real call over a real Asterisk, and
a real browser that shows the board."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, sync_playwright
from private_asterisk import PrivateAsterisk
from sip_parties import Caller

from bench.company import DIALPLAN
from bench.load import percentile
from bench.visitor import Panel
from tests import programs
from tests.browser import FLAGS
from tests.office import Office
from tests.softphone import Softphone
from tests.softphone.calls import IncomingCall
from tests.world import PASSWORD, release, use

SELLER, PHONE, DID = "anna", "101", "493055501"
RINGS = 1.2
"""Seconds after which a caller gives up."""
PATIENCE_MS = 20_000
# The time at which a pop-up can first be seen, by the machine's clock in milliseconds.
WATCH = """() => {
  window.seen = [];
  const known = new Set();
  const look = () => {
    for (const popup of document.querySelectorAll("#popups .pop")) {
      if (known.has(popup.id) || !popup.checkVisibility()) continue;
      known.add(popup.id);
      seen.push(performance.timeOrigin + performance.now());
    }
  };
  new MutationObserver(look).observe(document.body, {childList: true, subtree: true});
  const frame = () => { look(); requestAnimationFrame(frame); };
  frame();
}"""


class Exchange(Office):
    """The private exchange with `trichter ari`, on a database that is there."""

    def __init__(self, pbx: PrivateAsterisk, folder: Path, database: Path) -> None:
        self.pbx, self.folder, self.url = pbx, folder, f"sqlite:///{database}"
        self.settings = use(self.url)
        self.processes = []


class Desk(Softphone):
    """A phone that rings and is not picked up; ``rang``: since when, by the machine's clock in
    milliseconds."""

    rang = 0.0

    def _behave(self, call: IncomingCall) -> None:
        self.rang = time.time() * 1000
        super()._behave(call)


def give_customers(database: Path, count: int) -> list[str]:
    """So many customers with open deals become the seller's. Their numbers."""
    with closing(sqlite3.connect(database)) as rows, rows:
        (seller,) = rows.execute("SELECT id FROM users WHERE login = ?", (SELLER,)).fetchone()
        found = rows.execute(
            "SELECT DISTINCT p.e164, p.contact_id FROM deals d JOIN phones p"
            " ON p.contact_id = d.contact_id WHERE d.closed_at IS NULL ORDER BY d.id LIMIT ?",
            (count,),
        ).fetchall()
        for _, contact in found:
            rows.execute("UPDATE contacts SET owner_id = ? WHERE id = ?", (seller, contact))
            change = "UPDATE deals SET owner_id = ? WHERE contact_id = ? AND closed_at IS NULL"
            rows.execute(change, (seller, contact))
    return [number for number, _ in found]


def figures(release_number: int, database: Path, folder: Path, calls: int) -> dict[str, float]:
    """Milliseconds from ringing to pop-up, of so many calls one after the other."""
    numbers = give_customers(database, calls)
    with ExitStack() as stack:
        pbx = stack.enter_context(PrivateAsterisk(release_number))
        with (pbx.etc / "extensions.conf").open("a") as dialplan:
            dialplan.write(DIALPLAN)
        pbx.cli("dialplan reload")
        exchange = Exchange(pbx, folder, database)
        stack.callback(release)
        stack.callback(exchange.close)
        exchange.listen()
        panel = stack.enter_context(Panel(database, folder))
        phone = Desk(pbx.ports.phone(PHONE), PHONE, pbx=("127.0.0.1", pbx.ports.sip))
        stack.enter_context(phone).auto()
        page = stack.enter_context(browser_at_the_board(panel.address))
        page.evaluate(WATCH)
        delays = [_ring(pbx, phone, page, number) for number in numbers]
    return {
        "popup_p95_ms": percentile(delays, 95),
        "popup_p50_ms": percentile(delays, 50),
        "popup_max_ms": max(delays),
        "popup_calls": len(delays),
    }


@contextmanager
def browser_at_the_board(
    address: str, login: str = SELLER, screen: ViewportSize | None = None
) -> Iterator[Page]:
    """Chromium, with somebody's board and its stream open."""
    program = programs.chromium()
    environment: dict[str, Any] = dict(program.environ())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program.path, env=environment, args=list(FLAGS)
        )
        page = browser.new_page(base_url=address, viewport=screen)
        page.set_default_timeout(PATIENCE_MS)
        page.goto("/login")
        page.fill("[name=login]", login)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("html[data-live=on]")
        yield page
        browser.close()


def _ring(pbx: PrivateAsterisk, phone: Desk, page: Page, number: str) -> float:
    count = page.evaluate("seen.length")
    with Caller(pbx, did=DID, number=number, way="observe", cancel_after=RINGS) as caller:
        page.wait_for_function("count => seen.length > count", arg=count)
        caller.wait()
    page.wait_for_selector("#popups .pop", state="detached")
    return float(page.evaluate("seen.at(-1)")) - phone.rang
