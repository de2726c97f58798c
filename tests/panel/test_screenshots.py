"""The pictures of bin/screenshots: no page is left out."""

from __future__ import annotations

from dataclasses import replace

from shot_pages import NO_PAGES, SHOTS, missing

from panel import create_app
from tests.world import World


def test_there_is_a_picture_of_every_page(world: World) -> None:
    app = create_app(world.settings)
    assert missing(app) == []
    # And nothing is named as none that there is not.
    there = {rule.endpoint for rule in app.url_map.iter_rules()} | {"broken"}
    assert NO_PAGES - there == set()
    assert {name for shot in SHOTS for name in shot.covers} - there == set()


def test_a_page_without_one_is_named(world: World) -> None:
    without = [replace(shot, covers=()) if shot.name == "tasks" else shot for shot in SHOTS]
    assert missing(create_app(world.settings), without) == ["tasks.index (/tasks)"]


def test_each_picture_has_a_file_of_its_own() -> None:
    names = [shot.name for shot in SHOTS]
    assert sorted({*names}) == sorted(names)
