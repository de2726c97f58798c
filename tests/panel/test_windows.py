"""Pages that stay open while somebody else logs in in the same browser."""

from __future__ import annotations

import pytest

from models import Deal
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import World


def test_a_page_gets_nothing_of_what_somebody_else_sees(world: World, hugo: Browser) -> None:
    deal = Deal.open("Roof", world.anna, world.anna)
    hers = {**FRAGMENT, "X-Viewer": str(world.anna.id)}
    for path in ("/popups", f"/deals/{deal.id}", f"/deals/{deal.id}/card"):
        answer = hugo.get(path, headers=hers)
        assert (answer.status_code, answer.mimetype) == (409, "text/plain")
        assert answer.text.startswith("Somebody else is logged in in this browser now.")
        assert "X-Other-Viewer" in answer.headers
    form = {"from": str(deal.stage_id), "stage": str(world.stage("Documents").id)}
    assert hugo.post(f"/deals/{deal.id}/moves", form, headers=hers).status_code == 409
    assert Deal.get().stage.name == "Unsorted"
    assert hugo.get(f"/live?viewer={world.anna.id}").status_code == 409


def test_the_own_page_goes_on(world: World, hugo: Browser) -> None:
    his = {**FRAGMENT, "X-Viewer": str(world.hugo.id)}
    assert hugo.get("/popups", headers=his).status_code == 200
    assert hugo.get("/popups", headers=FRAGMENT).status_code == 200


@pytest.mark.parametrize("made_up", ["0", "x", "1" * 400, "\u00e4"])
def test_what_is_made_up_is_nobodys(hugo: Browser, made_up: str) -> None:
    answer = hugo.get(
        "/popups", headers={**FRAGMENT, "X-Viewer": made_up.encode().decode("latin1")}
    )
    assert answer.status_code == 409
