"""F1: funnels and their stages in their order, as administrators set them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from peewee import fn

from database import database, locked, shared
from errors import Conflict, Refused, Words
from fields import clean, utcnow
from models import Deal, Event, Funnel, Stage, User
from verbs.stage_fields import UNSAID, checked, read_name

AT_ONCE = 50
"""Deals that change their stage in one transaction."""
FUNNEL_IS_THERE = Words("there is a funnel of this name already")
STAGE_IS_THERE = Words("there is a stage of this name already")


def add_funnel(
    name: str, by: User | None, stages: Sequence[str] = ("Unsorted", "Completed", "Lost")
) -> Funnel:
    """A funnel with the least that one needs: Unsorted, won and lost, named as ``stages`` says.
    Raises Refused."""
    kinds = zip(stages, ("unsorted", "won", "lost"), strict=True)
    with database.atomic():
        _check_free(Funnel.select().where(Funnel.name == read_name(name)), FUNNEL_IS_THERE)
        funnel = build_funnel(
            name, [checked({"name": stage, "kind": kind}) for stage, kind in kinds]
        )
        funnel.position = Funnel.select(fn.MAX(Funnel.position)).scalar() + 1
        funnel.save(only=[Funnel.position])
        _tell("funnel.added", by, funnel)
    return funnel


def build_funnel(name: str, stages: Iterable[dict[str, Any]]) -> Funnel:
    """A funnel with its stages, each given by its columns, in their order. Raises Refused."""
    rows = list(stages)
    kinds = [row["kind"] for row in rows]
    if kinds[:1] != ["unsorted"] or kinds.count("unsorted") > 1 or not clean(name):
        raise Refused("needs a name, and Unsorted as its first stage", field="funnel")
    with database.atomic():
        funnel = Funnel.create(name=clean(name))
        for position, row in enumerate(rows):
            Stage.create(funnel=funnel, position=position, **row)
    return funnel


def change_funnel(
    funnel: Funnel, by: User | None, seen: dict[str, Any] | None = None, **about: Any
) -> bool:
    """Another name or position, or ``archived``. False: nothing differs. ``seen``: columns as the
    person saw them. Raises Refused, or Conflict if somebody else has changed one since."""
    with database.atomic():
        # All of them: of the last two not each may be archived by somebody else. No deal is moved
        # meanwhile, nor one opened in a stage by hand.
        list(locked(Funnel.select().order_by(Funnel.id)))
        _check_seen(funnel, seen)
        if "name" in about:
            about["name"] = read_name(about["name"])
            others = Funnel.select().where(Funnel.name == about["name"], Funnel.id != funnel.id)
            _check_free(others, FUNNEL_IS_THERE)
        if about.get("archived") and not funnel.archived:
            _check_can_go(funnel)
        funnel.assign(**about)
        if not funnel.dirty_fields:
            return False
        funnel.save(only=funnel.dirty_fields)
        _tell("funnel.changed", by, funnel)
    if funnel.archived and not database.in_transaction():
        gather()
    return True


def gather() -> int:
    """Calls wait for nobody: one may have put its deal into a funnel while that was archived, where
    nobody would see it. Such deals go to where calls put them now; returns how many. To be called
    after the transaction that archives."""
    with database.atomic():
        funnels = list(shared(Funnel.select().order_by(Funnel.id)))
        gone = Stage.funnel << [funnel.id for funnel in funnels if funnel.archived]
        # Waits for the calls that are about to commit: each deal holds its stage (foreign key).
        list(locked(Stage.select().where(gone, Stage.kind == "unsorted").order_by(Stage.id)))
        open_there = Deal.closed_at.is_null() & (Deal.stage << Stage.select(Stage.id).where(gone))
        deals = list(locked(Deal.select().where(open_there).order_by(Deal.id)))
        for deal in deals:
            _bring(deal, Funnel.default().unsorted)
    return len(deals)


def add_stage(funnel: Funnel, by: User | None, **about: Any) -> Stage:
    """A stage, before the closed ones; one of this name that was removed comes back. Raises
    Refused."""
    values = checked({"kind": "open", **about})
    if values["kind"] == "unsorted":
        raise Refused("a funnel has one Unsorted, which is its first stage", field="kind")
    with database.atomic():
        stages = _stages(funnel)
        _check_free([s for s in stages if s.name == values["name"]], STAGE_IS_THERE)
        place = len(stages) if values["kind"] in ("won", "lost") else _before_closed(stages)
        stage = _removed(funnel, values["name"]) or Stage(funnel=funnel)
        stage.assign(**{**UNSAID, **values}, position=place, archived=False)
        stage.save()
        _number([*stages[:place], stage, *stages[place:]])
        _tell("stage.added", by, funnel, stage=stage.id)
    return stage


def change_stage(
    stage: Stage, by: User | None, seen: dict[str, Any] | None = None, **about: Any
) -> bool:
    """Some of its columns but kind, funnel and place. False: nothing differs. ``seen``: columns as
    the person saw them. Raises Refused, or Conflict if somebody else has changed one since."""
    values = checked({"kind": stage.kind, "name": stage.name, **about})
    with database.atomic():
        _check_seen(stage, seen)
        same = [s for s in _stages(stage.funnel) if s.name == values["name"] and s.id != stage.id]
        _check_free(same, STAGE_IS_THERE)
        if values["name"] != stage.name and _removed(stage.funnel, values["name"]):
            raise Refused("A stage of this name was removed: add it again instead.", field="name")
        stage.assign(**{key: values[key] for key in about})
        if not stage.dirty_fields:
            return False
        stage.save(only=stage.dirty_fields)
        _tell("stage.changed", by, stage.funnel, stage=stage.id)
    return True


def reorder(funnel: Funnel, by: User | None, stage_ids: Sequence[int]) -> None:
    """The stages in a new order: all of them, Unsorted first. Raises Refused."""
    with database.atomic():
        stages = {stage.id: stage for stage in _stages(funnel)}
        if sorted(stage_ids) != sorted(stages):
            raise Refused("The stages were changed in the meantime. Look at them again.")
        ordered = [stages[i] for i in stage_ids]
        if ordered[0].kind != "unsorted":
            raise Refused("Unsorted is always the first stage.")
        _number(ordered)
        _tell("funnel.reordered", by, funnel)


def remove_stage(stage: Stage, by: User | None, target: Stage | None = None) -> int:
    """Take a stage out of the funnel; its deals go to ``target``, its history stays. Returns how
    many deals went. Raises Refused: for Unsorted, the last won or lost one, or without target.

    Deals go a few at a time, so that calls are recorded in between; broken off, it can be repeated.
    """
    moved, left = 0, AT_ONCE
    while left == AT_ONCE:
        with database.atomic():
            stages = _stages(stage.funnel)
            _check_removable(stage, stages, target)
            deals = locked(Deal.select().where(Deal.stage == stage).order_by(Deal.id))
            left = _move(list(deals.limit(AT_ONCE)), target)
            moved += left
            if left < AT_ONCE:
                stage.archived = True
                stage.save(only=[Stage.archived])
                _number([s for s in stages if s.id != stage.id])
                _tell("stage.removed", by, stage.funnel, stage=stage.id, deals=moved)
    return moved


def order_funnels(ids: Sequence[int], by: User | None) -> None:
    """The funnels in a new order; those that are not named come after them."""
    with database.atomic():
        funnels = list(locked(Funnel.select().order_by(Funnel.id)))
        funnels.sort(key=lambda funnel: funnel.position)
        places = {number: place for place, number in enumerate(ids)}
        funnels.sort(key=lambda funnel: places.get(funnel.id, len(places)))
        for position, funnel in enumerate(funnels):
            Funnel.update(position=position).where(Funnel.id == funnel.id).execute()
        Event.add("funnels.reordered", by=by, payload={"funnels": [f.id for f in funnels]})


def _removed(funnel: Funnel, name: str) -> Stage | None:
    """The stage of this name that was taken out; its row is needed for what happened there."""
    gone = (Stage.funnel == funnel, Stage.name == name, Stage.archived)
    return Stage.get_or_none(*gone)


def _check_seen(row: Funnel | Stage, seen: dict[str, Any] | None) -> None:
    now = type(row).get_by_id(row.id)
    if any(now.__data__[key] != value for key, value in (seen or {}).items()):
        raise Conflict("Somebody else changed this just now. Look at it again.")


def _check_removable(stage: Stage, stages: list[Stage], target: Stage | None) -> None:
    if stage not in stages:
        raise Refused("The stages were changed in the meantime. Look at them again.")
    alone = [s for s in stages if s.kind == stage.kind] == [stage]
    if stage.kind == "unsorted" or (stage.is_closed and alone):
        raise Refused("A funnel needs its first stage, and one each for won and lost.")
    if target and target.id in {s.id for s in stages} - {stage.id}:
        return
    if Deal.select().where(Deal.stage == stage).exists():
        raise Refused("Say to which stage of this funnel its deals go.")


def _move(deals: Sequence[Deal], target: Stage | None) -> int:
    for deal in deals:
        if target:
            deal.move_to(target, by=None, reason=deal.lost_reason or "")
    return len(deals)


def _bring(deal: Deal, stage: Stage) -> None:
    """Into another funnel."""
    was, at = deal.stage, utcnow()
    deal.stage, deal.stage_since = stage, at
    deal.save(only=[Deal.stage, Deal.stage_since])
    news = deal.moved(deal._changed_stage(was, stage, None, at), None)
    Event.add("deal.moved", deal=deal, at=at, payload=news)


def _stages(funnel: Funnel) -> list[Stage]:
    """Locked, so that two administrators change one after the other."""
    locked(Funnel.select().where(Funnel.id == funnel.id)).get()
    return funnel.in_order()


def _before_closed(stages: list[Stage]) -> int:
    return next((place for place, stage in enumerate(stages) if stage.is_closed), len(stages))


def _number(stages: Sequence[Stage]) -> None:
    for position, stage in enumerate(stages):
        Stage.update(position=position).where(Stage.id == stage.id).execute()
        stage.position = position


def _check_free(others: Any, text: str) -> None:
    if list(others):
        raise Refused(text, field="name")


def _check_can_go(funnel: Funnel) -> None:
    others = Funnel.select().where(Funnel.id != funnel.id, ~Funnel.archived)
    if not others.exists():
        raise Refused("The last funnel can't be archived.")
    of_funnel = Deal.select().join(Stage).where(Stage.funnel == funnel, Deal.closed_at.is_null())
    if of_funnel.exists():
        raise Refused("There are open deals in this funnel: close or move them first.")


def _tell(kind: str, by: User | None, funnel: Funnel, **payload: Any) -> None:
    Event.add(kind, by=by, at=utcnow(), payload={"funnel": funnel.id, **payload})
