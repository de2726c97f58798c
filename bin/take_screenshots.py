"""Pictures of every page: wide and on a phone, by day and by night, in each language."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import readme_picture
import shot_pages
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as BrowserError
from shot_pages import SHOTS, Shot
from shot_world import Studio, studio

from models import User
from panel.languages import LANGUAGES
from tests import programs
from verbs import users

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"1440": (1440, 900), "390": (390, 844), "1024": (1024, 768), "1920": (1920, 1080)}
USUAL = ("1440", "390")
SCHEMES = ("light", "dark")
PATIENCE_MS = 10_000


def main() -> int:
    arguments = _arguments()
    began = time.monotonic()
    with _chromium() as browser:
        if arguments.readme:
            readme_picture.take(browser)
            return 0
        taken, failed = 0, []
        for empty in (True, False):
            chosen = [shot for shot in _chosen(arguments.only) if shot.empty == empty]
            if chosen:
                series = Series(browser, arguments, chosen)
                series.take(empty)
                taken += series.taken
                failed += series.failed
    print(f"{taken} pictures in {time.monotonic() - began:.0f} s: {arguments.into}")
    for line in failed:
        print(line, file=sys.stderr)
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/screenshots", description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / ".private" / "screenshots")
    parser.add_argument("--readme", action="store_true", help="only docs/board.png, of real calls")
    parser.add_argument("--only", nargs="+", default=[], help="names of pages, or their beginnings")
    parser.add_argument("--size", nargs="+", choices=SIZES, default=USUAL)
    parser.add_argument("--scheme", nargs="+", choices=SCHEMES, default=list(SCHEMES))
    parser.add_argument("--language", nargs="+", choices=LANGUAGES, default=list(LANGUAGES))
    return parser.parse_args()


def _chosen(only: list[str]) -> list[Shot]:
    return [s for s in SHOTS if not only or any(s.name.startswith(name) for name in only)]


@contextmanager
def _chromium() -> Iterator[Browser]:
    program = programs.chromium()
    environment: dict[str, str | float | bool] = dict(program.environ())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program.path, env=environment)
        yield browser
        browser.close()


@dataclass
class Series:
    """Pictures of some pages in one world. ``failed``: what could not be shown, a line each."""

    browser: Browser
    arguments: argparse.Namespace
    shots: list[Shot]
    taken: int = 0
    failed: list[str] = field(default_factory=list)

    def take(self, empty: bool) -> None:
        self.arguments.into.mkdir(parents=True, exist_ok=True)
        # What still reads when the panel stops may write its last file beside the others.
        place = tempfile.TemporaryDirectory(prefix="trichter-shots-", ignore_cleanup_errors=True)
        with place as folder, studio(Path(folder), with_life=not empty) as at:
            self.failed += [f"no picture of {page}" for page in shot_pages.missing(at.app)]
            for language in self.arguments.language:
                for user in User.select():
                    users.change(user, locale=language)
                for size in self.arguments.size:
                    self._of_size(at, language, size)

    def _of_size(self, at: Studio, language: str, size: str) -> None:
        for who in dict.fromkeys(shot.who for shot in self.shots):
            context = self._context(at, who, language, size)
            for shot in self.shots:
                if shot.who == who:
                    self._shoot(context, at, shot, f"{size}-{language}")
            context.close()

    def _context(self, at: Studio, who: str, language: str, size: str) -> BrowserContext:
        width, height = SIZES[size]
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            locale={"en": "en-GB", "de": "de-DE", "ru": "ru-RU"}[language],
            base_url=at.address,
            reduced_motion="reduce",
            has_touch=size == "390",
            is_mobile=size == "390",
        )
        context.set_default_timeout(PATIENCE_MS)
        if who:
            name = at.app.config["SESSION_COOKIE_NAME"]
            context.add_cookies([{"name": name, "value": at.cookie(who), "url": at.address}])
        return context

    def _shoot(self, context: BrowserContext, at: Studio, shot: Shot, about: str) -> None:
        page = context.new_page()
        try:
            self._prepare(page, at, shot)
            if shot.whole:
                self._unroll(page)
            for scheme in self.arguments.scheme:
                page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
                path = self.arguments.into / f"{shot.name}-{about}-{scheme}.png"
                page.screenshot(path=path, scale="css")
                self.taken += 1
            self._check_width(page, shot, about)
        except BrowserError as error:
            self.failed.append(f"{shot.name}-{about}: {str(error).splitlines()[0]}")
        finally:
            page.close()

    def _prepare(self, page: Page, at: Studio, shot: Shot) -> None:
        at.go_on()
        answer = page.goto(shot.address.format(**at.known))
        status = answer.status if answer else 0
        if status != 200 and shot.name != f"error-{status}":
            raise BrowserError(f"the page answers with {status}")
        if shot in shot_pages.POPUPS:
            page.locator(shot_pages.RINGS).first.wait_for()
        if shot.act:
            shot.act(page)
        page.evaluate("document.fonts.ready")

    def _unroll(self, page: Page) -> None:
        """Make the window as high as the page. A picture of the whole page would do so, too, but
        then a phone is no phone any more: its media queries are those of a mouse."""
        now = page.viewport_size
        height = page.evaluate("document.documentElement.scrollHeight")
        if now:
            page.set_viewport_size({"width": now["width"], "height": max(now["height"], height)})

    def _check_width(self, page: Page, shot: Shot, about: str) -> None:
        """A page that must be scrolled sideways is broken."""
        # Not innerWidth, which grows with the page on a phone.
        limit = int(about.partition("-")[0])
        wide = page.evaluate("document.documentElement.scrollWidth") - limit
        if wide > 0:
            self.failed.append(f"{shot.name}-{about}: {wide} px wider than the window")


if __name__ == "__main__":
    sys.exit(main())
