"""The player in a real browser: it plays, seeks, says what is wrong, and needs no mouse."""

from __future__ import annotations

import wave
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from fields import utcnow
from models import Call, Deal, Event, User
from tests.browser import NewPage
from tests.desk import Enter, Panel, sign_in
from tests.office import until
from tests.world import Story, World

SECONDS = 90


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "monitor"
    made.mkdir()
    monkeypatch.setenv("TRICHTER_RECORDINGS_FOLDERS", str(made))
    return made


@pytest.fixture
def deal(world: World, folder: Path) -> Deal:
    """Anna's, with three calls: two that can be heard, and one whose file is gone."""
    for number, name in enumerate(("first.wav", "second.wav", "gone.wav"), start=1):
        at = utcnow() - timedelta(hours=number)
        story = Story.begins(linkedid=f"{number}.1", name="Fitwerk", at=at)
        story.rings("PJSIP/101").answered("PJSIP/101").ended(SECONDS)
        Call.update(recording=name).where(Call.linkedid == f"{number}.1").execute()
    for name in ("first.wav", "second.wav"):
        with wave.open(str(folder / name), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(bytes(16000 * SECONDS))
    return Deal.get()


def links(page: Page) -> Locator:
    """Of the recordings: first, second, gone."""
    return page.locator("[data-play][role=button]")


def test_one_plays_at_a_time_and_can_be_sought(world: World, deal: Deal, enter: Enter) -> None:
    page = enter("anna")
    page.goto(f"/deals/{deal.id}")
    audio = page.locator("audio")
    links(page).nth(0).click()
    expect(audio).to_have_js_property("paused", False)
    expect(audio).to_have_js_property("duration", SECONDS)
    audio.evaluate("player => { player.currentTime = 80 }")
    until(lambda: audio.evaluate("player => player.currentTime") > 80, "it plays from there")
    links(page).nth(1).click()
    expect(links(page).nth(0)).to_have_attribute("aria-pressed", "false")
    expect(links(page).nth(1)).to_have_attribute("aria-pressed", "true")
    assert page.locator("audio").count() == 1
    links(page).nth(1).click()
    expect(audio).to_have_js_property("paused", True)
    heard = [("1.1", world.anna), ("2.1", world.anna)]

    def played() -> list[tuple[str, User]]:
        events = Event.of_kind("recording.played").order_by(Event.id)
        return [(event.call.linkedid, event.user) for event in events]

    until(lambda: played() == heard, "both are told of, in their order")


def test_it_goes_on_while_the_page_is_renewed(world: World, deal: Deal, enter: Enter) -> None:
    page = enter("anna")
    page.goto(f"/deals/{deal.id}")
    page.wait_for_selector("html[data-live=on]")
    links(page).nth(0).click()
    expect(page.locator("audio")).to_have_js_property("paused", False)
    deal.move_to(world.stage("Opportunity"), by=world.hugo)
    expect(page.locator(".steps .is-here")).to_have_text("Opportunity")
    expect(page.locator("audio")).to_have_js_property("paused", False)
    expect(links(page).nth(0)).to_have_attribute("aria-pressed", "true")


def test_a_file_that_is_gone_is_said_in_words(deal: Deal, enter: Enter) -> None:
    page = enter("anna")
    page.goto("/calls")
    links(page).nth(2).click()
    expect(page.locator(".player__trouble")).to_have_text("This recording is not there any more.")
    expect(page.locator("audio")).to_be_hidden()
    links(page).nth(0).click()
    expect(page.locator("audio")).to_have_js_property("paused", False)
    expect(page.locator(".player__trouble")).to_be_empty()


def test_by_keyboard(deal: Deal, enter: Enter) -> None:
    page = enter("anna")
    page.goto(f"/deals/{deal.id}")
    audio, first = page.locator("audio"), links(page).nth(0)
    first.focus()
    page.keyboard.press("Space")
    expect(audio).to_have_js_property("paused", False)
    page.keyboard.press("Enter")
    expect(audio).to_have_js_property("paused", True)
    page.locator(".player__close").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#player")).to_be_hidden()
    expect(first).to_be_focused()


def test_without_scripts_it_is_a_link(deal: Deal, panel: Panel, new_page: NewPage) -> None:
    page = new_page(base_url=panel.address, java_script_enabled=False)
    sign_in(page, "anna")
    page.goto(f"/deals/{deal.id}")
    where = page.locator("[data-play]").nth(0).get_attribute("href")
    assert page.request.get(str(where)).headers["content-type"] == "audio/wav"
    expect(page.locator("#player")).to_be_hidden()
