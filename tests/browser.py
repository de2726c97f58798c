"""pytest plugin: headless Chromium, driven by Playwright.

Fixtures: `browser` (one for the session), and `new_page`, which opens a page in a context of its
own, as another person with another browser would. A test in which a page threw an error fails.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests import programs

AXE = programs.CHECKOUT / ".private/frontend/node_modules/axe-core/axe.min.js"
# Milliseconds that Playwright waits for what a test expects. It only costs where something fails,
# and the machine may be busy with other tests.
PATIENCE = 40_000
expect.set_options(timeout=PATIENCE)
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)

NewPage = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started when a test first asks for it. It runs without its sandbox, as Playwright
    prefers: root and containers cannot have one, and it only ever opens our own pages."""
    program = programs.chromium()
    environment: dict[str, str | float | bool] = dict(program.environ())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in programs.driver_environment().items():
            patch.setenv(name, value)
        playwright = sync_playwright().start()
    try:
        started = playwright.chromium.launch(
            executable_path=program.path, env=environment, args=list(FLAGS)
        )
        yield started
        started.close()
    finally:
        playwright.stop()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """A function that opens a page: `new_page(base_url=…, viewport=…, color_scheme="dark", …)`.

    It takes the options of Playwright's `Browser.new_context`. Every page is a browser of its own,
    with its own cookies; the page's `context` opens further tabs.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"locale": "en-GB", "timezone_id": "UTC", **options})
        context.set_default_timeout(PATIENCE)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()
    assert not errors, f"errors in the page: {errors}"


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """One page, for tests that need a single browser."""
    return new_page()


@pytest.fixture(scope="session")
def axe_path() -> Path:
    """The accessibility checker axe-core, a script to add to a page."""
    assert AXE.is_file(), f"{AXE} is missing: run bin/setup"
    return AXE
