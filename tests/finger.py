"""A finger on the screen of a page, as the browser itself gets it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from tests.desk import box
from tests.office import until

EDGE = 12
"""Pixels from the edge of the screen at which the board scrolls on under a card."""
SLOW_TO_LIFT = """() => {
  const after = window.setTimeout;
  window.setTimeout = (work, ms, ...more) => after(work, ms === 180 ? 60_000 : ms, ...more);
}"""


class Finger:
    """One finger, in the page's coordinates."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._devtools = page.context.new_cdp_session(page)

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": x, "y": y} for x, y in points]
        self._devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    def down(self, x: float, y: float) -> None:
        self._send("touchStart", (x, y))

    def move(self, x: float, y: float) -> None:
        self._send("touchMove", (x, y))

    def up(self) -> None:
        self._send("touchEnd")

    def lift(self, x: float, y: float) -> None:
        """Rests on a card until it is taken up, and takes it along a little."""
        self.down(x, y)
        expect(self.page.locator(".card.sortable-chosen")).to_be_visible()
        self.move(x + 30, y)
        expect(self.page.locator("body.is-dragging")).to_have_count(1)

    def carry(self, column: Locator, y: float) -> None:
        """Holds the card at an edge until this column is in the middle, then over it."""
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        ghost = column.locator(".sortable-ghost")

        def is_over_it() -> bool:
            place = box(column)
            left, right = place["x"], place["x"] + place["width"]
            is_there = left < width / 2 < right
            self.move(width / 2 if is_there else EDGE if right < width / 2 else width - EDGE, y)
            return is_there and ghost.count() == 1

        until(is_over_it, "the column is below the finger")

    def swipe(self, x: float, y: float, by: float) -> None:
        """Goes on at once, however slow the machine is: a card waits so much longer for a rest."""
        self.page.evaluate(SLOW_TO_LIFT)
        self.down(x, y)
        for step in range(1, 11):
            self.move(x + by * step / 10, y)
        self.up()
