"""/admin/funnels and /admin/stages: funnels, stages, their order, reasons of loss."""

from __future__ import annotations

import html
import re

import pytest

from models import Deal, Event, Funnel, Reason, Stage
from tests.panel.conftest import FRAGMENT, Browser, Visit
from tests.world import World
from verbs import funnels, reasons


@pytest.fixture
def ada(visit: Visit) -> Browser:
    return visit("ada")


def names(funnel: Funnel) -> list[str]:
    return [stage.name for stage in funnel.in_order()]


def seen(text: str) -> str:
    return html.unescape(re.findall(r'name="seen" value="([^"]*)"', text)[0])


def test_a_funnel_is_made_renamed_and_archived(world: World, ada: Browser) -> None:
    answer = ada.post("/admin/funnels/", {"name": "Renewals"})
    made = Funnel.get(Funnel.name == "Renewals")
    assert answer.location.endswith(f"/admin/funnels/{made.id}")
    assert names(made) == ["Unsorted", "Completed", "Lost"]
    assert Funnel.default() == world.funnel, "a new one comes last"
    form = {"name": "Service", "seen": seen(ada.get(f"/admin/funnels/{made.id}").text)}
    assert ada.post(f"/admin/funnels/{made.id}", form).status_code == 303
    stale = ada.post(f"/admin/funnels/{made.id}", {**form, "name": "Late"})
    assert (stale.status_code, "Somebody else" in stale.text) == (409, True)
    assert ada.post(f"/admin/funnels/{made.id}/archive", {"archived": "yes"}).status_code == 303
    assert Funnel.get_by_id(made.id).archived
    assert ada.post(f"/admin/funnels/{made.id}/archive", {"archived": "no"}).status_code == 303
    assert not Funnel.get_by_id(made.id).archived
    assert (
        Event.select().where(Event.user == world.ada, Event.kind == "funnel.changed").count() == 3
    )


def test_what_a_funnel_refuses(world: World, ada: Browser) -> None:
    assert "of this name already" in ada.post("/admin/funnels/", {"name": "Sales"}).text
    assert ada.post("/admin/funnels/", {"name": " "}).status_code == 422
    answer = ada.post(f"/admin/funnels/{world.funnel.id}/archive", {"archived": "yes"})
    assert (answer.status_code, "last funnel" in answer.text) == (422, True)


def test_funnels_in_another_order(world: World, ada: Browser) -> None:
    second = funnels.add_funnel("Second", world.ada)
    ada.post("/admin/funnels/order", {"item": second.id, "way": "up"})
    assert Funnel.default() == second
    order = f"{world.funnel.id},{second.id}"
    answer = ada.post("/admin/funnels/order", {"order": order}, headers=FRAGMENT)
    assert answer.status_code == 204
    assert Funnel.default() == world.funnel


def test_stages_up_and_down_by_button(world: World, ada: Browser) -> None:
    url, before = f"/admin/funnels/{world.funnel.id}/order", names(world.funnel)
    offer = world.stage("Commercial offer")
    assert ada.post(url, {"item": offer.id, "way": "down"}).location.endswith("#stages")
    assert names(world.funnel).index(offer.name) == before.index(offer.name) + 1
    ada.post(url, {"item": offer.id, "way": "up"})
    assert names(world.funnel) == before
    top = ada.post(url, {"item": world.stage("Opportunity").id, "way": "up"})
    assert (top.status_code, "always the first" in top.text) == (422, True)
    ada.post(url, {"item": world.stage("Lost").id, "way": "down"})
    assert names(world.funnel) == before


def test_stages_by_dragging(world: World, ada: Browser) -> None:
    url, ids = f"/admin/funnels/{world.funnel.id}/order", [s.id for s in world.funnel.in_order()]
    wanted = [ids[0], *reversed(ids[1:])]
    form = {"order": ",".join(map(str, wanted))}
    assert ada.post(url, form, headers=FRAGMENT).status_code == 204
    assert [stage.id for stage in world.funnel.in_order()] == wanted
    gone = ada.post(url, {"order": f"{ids[0]},x,,{ids[1]}"}, headers=FRAGMENT)
    assert (gone.status_code, gone.text) == (
        422,
        "The stages were changed in the meantime. Look at them again.",
    )


def test_a_stage_is_added_changed_and_removed(world: World, ada: Browser) -> None:
    url = f"/admin/funnels/{world.funnel.id}/stages"
    answer = ada.post(url, {"name": "Visit", "kind": "open"})
    visit = world.stage("Visit")
    assert answer.location.endswith(f"/admin/stages/{visit.id}")
    form = {
        "name": "Site visit",
        "buyer_phase": "interest",
        "advice": "Measure.\nTake photographs.",
        "probability": "40",
        "stuck_after": "7",
        "colour": "blue",
        "required": ["amount", "contact"],
        "seen": seen(ada.get(f"/admin/stages/{visit.id}").text),
    }
    assert ada.post(f"/admin/stages/{visit.id}", form).status_code == 303
    visit = Stage.get_by_id(visit.id)
    assert (visit.name, visit.probability, visit.stuck_after) == ("Site visit", 40, 7 * 86400)
    assert (visit.buyer_phase, visit.colour) == ("interest", "blue")
    assert visit.required_fields == "contact amount"
    assert "photographs" in visit.advice
    text = ada.get(f"/admin/stages/{visit.id}").text
    assert text.count(" checked") == 2
    assert 'value="7"' in text
    stale = ada.post(f"/admin/stages/{visit.id}", {**form, "probability": "50"})
    assert (stale.status_code, 'value="50"' in stale.text) == (409, True)
    assert ada.post(f"/admin/stages/{visit.id}/removal").status_code == 303
    assert ada.get(f"/admin/stages/{visit.id}").status_code == 404


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "Documents"}, "of this name already"),
        ({"name": ""}, "must not be empty"),
        ({"probability": "101"}, "0 to 100"),
        ({"probability": "-1"}, "0 to 100"),
        ({"probability": "²"}, "0 to 100"),
        ({"stuck_after": "4000"}, "0 to 3,650"),
        ({"colour": "pink"}, "one of grey"),
        ({"buyer_phase": "x"}, "one of motivation"),
    ],
)
def test_a_stage_is_refused(world: World, ada: Browser, changes: dict[str, str], said: str) -> None:
    stage = world.stage("Opportunity")
    text = ada.get(f"/admin/stages/{stage.id}").text
    form = {"name": stage.name, "probability": "10", "seen": seen(text), **changes}
    answer = ada.post(f"/admin/stages/{stage.id}", form)
    assert (answer.status_code, said in answer.text) == (422, True)
    assert 'aria-invalid="true"' in answer.text
    assert Stage.get_by_id(stage.id).__data__ == stage.__data__


def test_a_stage_with_deals_asks_where_they_go(world: World, ada: Browser) -> None:
    stage, other = world.stage("Documents"), world.stage("Opportunity")
    deals = [Deal.open(f"Deal {n}", world.anna, None, stage=stage) for n in range(3)]
    url = f"/admin/stages/{stage.id}/removal"
    answer = ada.post(url)
    assert (answer.status_code, "Say to which stage" in answer.text) == (422, True)
    assert ada.post(url, {"target": stage.id}).status_code == 422
    assert ada.post(url, {"target": other.id}).status_code == 303
    assert {Deal.get_by_id(deal.id).stage_id for deal in deals} == {other.id}
    assert "Documents" not in names(world.funnel)
    assert ada.post(f"/admin/stages/{world.stage('Unsorted').id}/removal").status_code == 422


def test_a_removed_stage_comes_back_by_its_name(world: World, ada: Browser) -> None:
    stage = world.stage("Documents")
    ada.post(f"/admin/stages/{stage.id}/removal")
    ada.post(f"/admin/funnels/{world.funnel.id}/stages", {"name": "Documents", "kind": "open"})
    assert Stage.get_by_id(stage.id).archived is False
    assert names(world.funnel).count("Documents") == 1
    ada.post(f"/admin/stages/{stage.id}/removal")
    other = world.stage("Opportunity")
    form = {"name": "Documents", "seen": seen(ada.get(f"/admin/stages/{other.id}").text)}
    answer = ada.post(f"/admin/stages/{other.id}", form)
    assert (answer.status_code, "add it again instead" in answer.text) == (422, True)


def test_reasons(world: World, ada: Browser) -> None:
    for name in ("Price", "No need", "Too late"):
        ada.post("/admin/funnels/reasons", {"reason": name})
    assert ada.post("/admin/funnels/reasons", {"reason": " "}).status_code == 422
    price, need, late = reasons.offered()
    ada.post("/admin/funnels/reasons/order", {"item": late.id, "way": "up"})
    assert [r.name for r in reasons.offered()] == ["Price", "Too late", "No need"]
    ada.post("/admin/funnels/reasons/order", {"order": f"{need.id},999"}, headers=FRAGMENT)
    assert [r.name for r in reasons.offered()] == ["No need", "Price", "Too late"], "none is lost"
    ada.post(f"/admin/funnels/reasons/{price.id}/removal")
    assert [r.name for r in reasons.offered()] == ["No need", "Too late"]
    reasons.offer_reason("Price", world.ada)
    assert Reason.get(Reason.name == "Price") == price
