"""verbs.funnels: what administrators set up (F1, F5)."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

import database
from errors import Refused
from models import Deal, Event, Funnel, Reason, Stage, StageChange
from tests.at_once import at_once
from tests.world import World
from verbs import funnels, reasons


def names(funnel: Funnel) -> list[str]:
    return [stage.name for stage in funnel.in_order()]


def test_a_new_funnel_can_be_used_at_once(world: World) -> None:
    funnel = funnels.add_funnel("Service", world.ada)
    assert [s.kind for s in funnel.in_order()] == ["unsorted", "won", "lost"]
    funnels.add_stage(funnel, world.ada, name="Visit", probability=40, stuck_after=86400)
    assert names(funnel) == ["Unsorted", "Visit", "Completed", "Lost"]
    deal = Deal.open("Repair", world.anna, world.anna, stage=funnel.unsorted)
    assert deal.move_to(funnel.in_order()[1], by=world.anna)
    with pytest.raises(Refused, match="already"):
        funnels.add_funnel("Service", world.ada)


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Documents"}, "name"),
        ({"name": "x", "probability": 101}, "probability"),
        ({"name": "x", "probability": True}, "probability"),
        ({"name": "x", "stuck_after": -1}, "stuck_after"),
        ({"name": "x", "required_fields": "shoe"}, "required_fields"),
        ({"name": "x", "colour": "url(x)"}, "colour"),
        ({"name": "x", "buyer_phase": "sleep"}, "buyer_phase"),
        ({"name": "x", "kind": "unsorted"}, "kind"),
        ({"name": "x", "shape": "round"}, "shape"),
    ],
)
def test_what_makes_no_sense(world: World, about: dict[str, Any], field: str) -> None:
    before = names(world.funnel)
    with pytest.raises(Refused, match=field):
        funnels.add_stage(world.funnel, world.ada, **about)
    assert names(world.funnel) == before


def test_change(world: World) -> None:
    stage = world.stage("Documents")
    assert funnels.change_stage(stage, world.ada, name="Papers", required_fields=["note", "amount"])
    found = Stage.get_by_id(stage.id)
    assert (found.name, found.required_fields, found.kind) == ("Papers", "amount note", "open")
    assert funnels.change_stage(found, world.ada, name="Papers") is False
    assert Event.of_kind("stage.changed").count() == 1


def test_order(world: World) -> None:
    first, *others = world.funnel.in_order()
    funnels.reorder(world.funnel, world.ada, [first.id, *(s.id for s in reversed(others))])
    assert names(world.funnel)[:3] == ["Unsorted", "Lost", "Completed"]
    with pytest.raises(Refused, match="always the first"):
        funnels.reorder(world.funnel, world.ada, [*(s.id for s in others), first.id])
    with pytest.raises(Refused, match="in the meantime"):
        funnels.reorder(world.funnel, world.ada, [first.id])


def test_a_stage_with_deals_asks_where_they_go(world: World) -> None:
    stage = world.stage("Documents")
    deal = Deal.open("Roof", world.anna, world.anna, stage=stage)
    with pytest.raises(Refused, match="to which stage"):
        funnels.remove_stage(stage, world.ada)
    elsewhere = funnels.add_funnel("Service", world.ada).unsorted
    for wrong in (elsewhere, stage):
        with pytest.raises(Refused, match="to which stage"):
            funnels.remove_stage(stage, world.ada, wrong)
    assert funnels.remove_stage(stage, world.ada, world.stage("Opportunity")) == 1
    assert "Documents" not in names(world.funnel)
    assert Deal.get_by_id(deal.id).stage.name == "Opportunity"
    assert StageChange.select().where(StageChange.to_stage == stage).exists(), "history stays"
    with pytest.raises(Refused):
        Deal.get_by_id(deal.id).move_to(stage, by=world.hugo)


@pytest.mark.parametrize("name", ["Unsorted", "Completed", "Lost"])
def test_a_funnel_keeps_what_it_needs(world: World, name: str) -> None:
    with pytest.raises(Refused, match="needs its first stage"):
        funnels.remove_stage(world.stage(name), world.ada, world.stage("Opportunity"))


def test_two_remove_one_stage_at_once(anywhere: World) -> None:
    """Each with another stage for its deals: each deal is in one of the two, none is lost."""
    world = anywhere
    stage = world.stage("Documents")
    for n in range(funnels.AT_ONCE + 20):
        Deal.open(f"Roof {n}", world.anna, None, stage=stage)
    targets = [world.stage("Opportunity"), world.stage("Implementation")]

    def remove(mine: Stage, to: Stage) -> str:
        try:
            funnels.remove_stage(mine, world.ada, to)
        except Refused as refusal:
            return str(refusal)
        return ""

    said = at_once(*(partial(remove, Stage.get_by_id(stage.id), to) for to in targets))
    assert sorted(map(bool, said)) == [False, True]
    assert "changed in the meantime" in max(said)
    there = {s.id for s in world.funnel.in_order()}
    assert stage.id not in there
    where = {deal.stage_id for deal in Deal.select()}
    assert where <= {stage.id for stage in targets}
    assert Deal.select().count() == funnels.AT_ONCE + 20


def test_no_deal_goes_to_a_stage_that_was_just_removed(world: World) -> None:
    deal = Deal.open("Roof", world.anna, None)
    stage = world.stage("Documents")
    funnels.remove_stage(Stage.get_by_id(stage.id), world.ada)
    with pytest.raises(Refused, match="changed in the meantime"):
        deal.move_to(stage, world.anna)
    assert Deal.get_by_id(deal.id).stage.kind == "unsorted"


def test_a_move_at_the_moment_of_removal(anywhere: World) -> None:
    """The move is not yet committed when the stage is taken out: its deal goes along."""
    world = anywhere
    deal, stage = Deal.open("Roof", world.anna, None), world.stage("Documents")

    def remove() -> None:
        try:
            funnels.remove_stage(Stage.get_by_id(stage.id), world.ada, world.stage("Opportunity"))
        finally:
            database.database.close()

    removing = threading.Thread(target=remove)
    with database.database.atomic():
        deal.move_to(stage, world.anna)
        removing.start()
        # It waits for this transaction; one that does not gets the time to be done before.
        removing.join(0.5)
    removing.join(30)
    assert not removing.is_alive()
    assert Deal.get_by_id(deal.id).stage == world.stage("Opportunity")


def test_no_deal_is_opened_in_a_stage_that_was_just_removed(world: World) -> None:
    stage = world.stage("Documents")
    assert not stage.funnel.archived
    funnels.remove_stage(Stage.get_by_id(stage.id), world.ada)
    with pytest.raises(Refused, match="changed in the meantime"):
        Deal.open("Roof", world.anna, world.anna, stage=stage)
    assert not Deal.select().exists()


def test_archiving_a_funnel(world: World) -> None:
    with pytest.raises(Refused, match="last funnel"):
        funnels.change_funnel(world.funnel, world.ada, archived=True)
    other = funnels.add_funnel("Service", world.ada)
    deal = Deal.open("Roof", world.anna, world.anna)
    with pytest.raises(Refused, match="open deals"):
        funnels.change_funnel(world.funnel, world.ada, archived=True)
    deal.move_to(world.stage("Lost"), by=world.anna, reason="Too dear")
    assert funnels.change_funnel(world.funnel, world.ada, archived=True)
    assert Funnel.default() == other
    # Nobody would see it there.
    with pytest.raises(Refused, match="changed in the meantime"):
        Deal.get_by_id(deal.id).move_to(world.stage("Documents"), by=world.anna)
    assert Deal.get_by_id(deal.id).stage.kind == "lost"


def test_a_move_at_the_moment_of_archiving(anywhere: World) -> None:
    """The move that opens a deal again is not yet committed when the funnel is to go."""
    world, refused = anywhere, []
    funnels.add_funnel("Service", world.ada)
    deal = Deal.open("Roof", world.anna, None)
    deal.move_to(world.stage("Lost"), by=world.anna, reason="Too dear")

    def archive() -> None:
        try:
            funnels.change_funnel(Funnel.get_by_id(world.funnel.id), world.ada, archived=True)
        except Refused as refusal:
            refused.append(str(refusal))
        finally:
            database.database.close()

    archiving = threading.Thread(target=archive)
    with database.database.atomic():
        Deal.get_by_id(deal.id).move_to(world.stage("Documents"), by=world.anna)
        archiving.start()
        # It waits for this transaction; one that does not gets the time to be done before.
        archiving.join(0.5)
    archiving.join(30)
    assert not archiving.is_alive()
    assert refused == ["There are open deals in this funnel: close or move them first."]
    assert not Funnel.get_by_id(world.funnel.id).archived


@pytest.mark.parametrize("first", ["call", "archive"])
def test_a_call_at_the_moment_of_archiving(anywhere: World, first: str) -> None:
    """Whichever commits last: the deal of the call is where people see it."""
    world = anywhere
    service = funnels.add_funnel("Service", world.ada)

    def archive() -> None:
        funnels.change_funnel(Funnel.get_by_id(world.funnel.id), world.ada, archived=True)

    def call() -> None:
        with database.database.atomic():
            Deal.open("Roof", world.anna, None, source="call")

    def other() -> None:
        try:
            # Where it waits for the call, it is refused for its deal.
            with suppress(Refused):
                (archive if first == "call" else call)()
        finally:
            database.database.close()

    meanwhile = threading.Thread(target=other)
    with database.database.atomic():
        (call if first == "call" else archive)()
        meanwhile.start()
        # It waits for this transaction, or is done before.
        meanwhile.join(0.5)
    meanwhile.join(30)
    assert not meanwhile.is_alive()
    if first == "archive":
        funnels.gather()
    deal = Deal.get()
    assert not deal.stage.funnel.archived
    assert funnels.gather() == 0
    assert StageChange.select().where(StageChange.to_stage == deal.stage).count() == 1
    assert Funnel.get_by_id(world.funnel.id).archived == (deal.stage.funnel == service)


def test_a_call_that_began_before_archiving(
    on_postgresql: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has read which funnel is the first, and all of the archiving happens before it goes on."""
    world = on_postgresql
    service, first = funnels.add_funnel("Service", world.ada), Funnel.default()

    def archive() -> None:
        funnels.change_funnel(Funnel.get_by_id(first.id), world.ada, archived=True)
        database.database.close()

    def overtaken() -> Funnel:
        monkeypatch.undo()
        archiving = threading.Thread(target=archive)
        archiving.start()
        archiving.join(30)
        return first

    monkeypatch.setattr(Funnel, "default", overtaken)
    deal = Deal.open("Roof", world.anna, None, source="call")
    assert Funnel.get_by_id(first.id).archived
    assert Deal.get_by_id(deal.id).stage.funnel == service


def test_reasons(world: World) -> None:
    reasons.set_reasons(["Too dear", " Too late ", "", "Too dear"], world.ada)
    assert [r.name for r in reasons.offered()] == ["Too dear", "Too late"]
    reasons.set_reasons(["No need", "Too dear"], world.ada)
    assert [r.name for r in reasons.offered()] == ["No need", "Too dear"]
    assert Reason.select().count() == 3
