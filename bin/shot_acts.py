"""What is done on a page before its picture is taken."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

Act = Callable[[Page], object]
LOST, WON, ASKS = 1, 2, 5
"""Places of stages, counted from the end."""
IMPORTED = """Vorname;Nachname;Firma;Telefon;E-Mail;Schlagworte;Notiz
Jürgen;Groß;Groß & Söhne;0221 1234567;j.gross@example.com;VIP;Rings back himself
Анна;Преображенская;ООО «Лира»;+7 812 333-44-66;anna@example.com;;
Sam;No Number;;12;;;The number is none
;;;;nobody@;;
Zoë;Ångström;Fjällräven;+46 8 123 456 78;zoe@example.com;reseller;
"""


def press(selector: str, awaited: str = "") -> Act:
    """Click, and wait for what has to show then."""

    def act(page: Page) -> None:
        page.locator(selector).first.click()
        if awaited:
            page.locator(awaited).first.wait_for()

    return act


def check_up(page: Page) -> None:
    """The findings of the round before stand there, too, until the next page comes."""
    with page.expect_navigation():
        page.locator("main form .btn").first.click()
    page.locator(".findings").wait_for()


def to_stage(back: int) -> Act:
    """Move the deal of the page by its list of stages, counted from the end, to where something is
    asked."""

    def act(page: Page) -> None:
        stages = page.locator("#stage")
        stages.select_option(index=stages.locator("option").count() - back)
        page.locator("#completion-title").wait_for()

    return act


def search(words: str) -> Act:
    def act(page: Page) -> None:
        opener = page.locator("[data-find-open]")
        if opener.is_visible():
            opener.click()
        else:
            page.keyboard.press("/")
        page.locator(".find input:visible").first.fill(words)
        page.locator(".found, [role=listbox]").first.wait_for()

    return act


def upload(then: Act | None = None, text: str = IMPORTED) -> Act:
    def act(page: Page) -> None:
        file = {"name": "Messe 2026.csv", "mimeType": "text/csv", "buffer": text.encode()}
        page.set_input_files("input[type=file]", file)  # type: ignore[arg-type]
        with page.expect_navigation():
            page.locator("main form button, .form button").last.click()
        if then:
            then(page)

    return act


def run_import(page: Page) -> None:
    page.locator("form[method=post] .btn--go").last.click()
    page.wait_for_url("**/result")
    page.locator("meta[http-equiv=refresh], .tally").first.wait_for(state="attached")


def wrong_login(page: Page) -> None:
    page.locator("[name=login]").fill("anna")
    page.locator("[name=password]").fill("not this one")
    page.locator("form .btn--go").click()
    page.locator("[role=alert]").wait_for()


def choose_cards(page: Page) -> None:
    page.locator("[data-choosing]").click()
    for card in page.locator(".card").all()[:3]:
        card.click()


def quick_add(page: Page) -> None:
    page.locator(".quick__line").first.fill("Bäckerei Holm, zweite Filiale")


def play(page: Page) -> None:
    page.locator("[data-play]").first.click()
    page.locator("#player audio").wait_for(state="attached")


def ask_for_keys(page: Page) -> None:
    page.locator("body").press("?")
    page.locator("dialog:popover-open, dialog[open]").first.wait_for()


def on_paper(page: Page) -> None:
    """As it is printed: a sheet of A4 is 717 px wide between its margins."""
    page.emulate_media(media="print")
    size = page.viewport_size
    if size and size["width"] > 717:
        page.set_viewport_size({"width": 717, "height": 1014})


def snooze(page: Page) -> None:
    page.locator(".task__act summary").first.click()
