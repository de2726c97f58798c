"""How pages look where figures and languages differ: what has to be in line is in line, what has to
be seen is in sight, and paper shows what is known and nothing to press."""

from __future__ import annotations

from decimal import Decimal

from playwright.sync_api import Page, expect

from models import Deal, Funnel, Stage
from tests.desk import Enter, box
from tests.world import World
from verbs import funnels, notes, users


def tops(page: Page, selector: str) -> set[float]:
    """The upper edges of all these, in pixels; what is not shown has none."""
    return set(
        page.locator(selector).evaluate_all(
            "all => all.filter(one => one.checkVisibility())"
            ".map(one => Math.round(one.getBoundingClientRect().y))"
        )
    )


def test_a_heads_board_is_in_line_in_each_language(world: World, enter: Enter) -> None:
    Deal.open("Roof", world.anna, world.anna, amount=Decimal(1854390))
    Stage.update(required_fields="amount").where(Stage.name == "Documents").execute()
    funnels.add_funnel("Service contracts", world.ada)
    hugo = enter("hugo", viewport={"width": 1440, "height": 900})
    for language in ("en", "de", "ru"):
        users.change(world.hugo, locale=language)
        hugo.goto("/")
        name, choose, sums = (
            box(hugo.locator(one)) for one in ("#funnel", ".bar__choose", "#outlook")
        )
        middles = [part["y"] + part["height"] / 2 for part in (name, choose, sums)]
        assert max(middles) - min(middles) <= 4, language
        assert sums["x"] + sums["width"] > 1400, f"{language}: at the right edge"
        assert len(tops(hugo, ".col__cards")) == 1, f"{language}: cards begin at one height"


def test_the_open_part_is_in_sight_on_a_phone(world: World, enter: Enter) -> None:
    ada = enter("ada", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    ada.goto("/admin/doctor/")
    expect(ada.locator(".parts [aria-current]")).to_be_in_viewport(ratio=0.9)
    assert ada.evaluate("scrollX") == 0, "the page itself stays where it is"


def test_a_deal_on_paper(world: World, enter: Enter) -> None:
    deal = Deal.open("Roof", world.anna, world.anna, stage=Funnel.default().in_order()[1])
    notes.add("Ring after ten.", world.anna, deal)
    anna = enter("anna", viewport={"width": 717, "height": 1014}, color_scheme="dark")
    anna.goto(f"/deals/{deal.id}")
    anna.emulate_media(media="print")
    for shown in (anna.get_by_role("heading", name="Roof"), anna.locator(".story__text")):
        expect(shown).to_be_visible()
    pressable = "button, input:not([type=hidden]), textarea, select, summary, nav a"
    assert tops(anna, pressable) == set()
    paper, ink = (
        anna.locator("h1").evaluate(f"one => getComputedStyle({where}).{what}")
        for where, what in (("document.documentElement", "colorScheme"), ("one", "color"))
    )
    assert (paper, ink) == ("light", "rgb(27, 31, 34)")
