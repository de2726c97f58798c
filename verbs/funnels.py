"""F1: funnels, their stages in their order, and the reasons of loss, as administrators set them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from database import database, locked
from errors import Refused
from fields import clean, readable_lines, utcnow
from models import REQUIRABLE, Deal, Event, Funnel, Reason, Stage, User

BUYER_PHASES = ("", "motivation", "interest", "decision", "action")
KINDS = ("unsorted", "open", "won", "lost")
COLOURS = ("", "grey", "blue", "teal", "green", "amber", "red", "violet")
LONGEST_STUCK = 3650 * 86400


def add_funnel(name: str, by: User | None) -> Funnel:
    """A funnel with the least that one needs: Unsorted, won and lost. Raises Refused."""
    stages = ({"name": "Unsorted", "kind": "unsorted"}, {"name": "Completed", "kind": "won"},
              {"name": "Lost", "kind": "lost"})  # fmt: skip
    with database.atomic():
        _check_free(Funnel.select().where(Funnel.name == _name(name)), "funnel")
        funnel = Funnel.add(name, [_checked(stage) for stage in stages])
        _tell("funnel.added", by, funnel)
    return funnel


def change_funnel(funnel: Funnel, by: User | None, **about: Any) -> bool:
    """Another name or position, or ``archived``. False: nothing differs. Raises Refused."""
    if "name" in about:
        about["name"] = _name(about["name"])
        others = Funnel.select().where(Funnel.name == about["name"], Funnel.id != funnel.id)
        _check_free(others, "funnel")
    with database.atomic():
        if about.get("archived") and not funnel.archived:
            _check_can_go(funnel)
        funnel.assign(**about)
        if not funnel.dirty_fields:
            return False
        funnel.save(only=funnel.dirty_fields)
        _tell("funnel.changed", by, funnel)
    return True


def add_stage(funnel: Funnel, by: User | None, **about: Any) -> Stage:
    """A stage, before the closed ones. Raises Refused."""
    values = _checked({"kind": "open", **about})
    if values["kind"] == "unsorted":
        raise Refused("a funnel has one Unsorted, which is its first stage", field="kind")
    with database.atomic():
        stages = _stages(funnel)
        _check_free([s for s in stages if s.name == values["name"]], "stage")
        place = len(stages) if values["kind"] in ("won", "lost") else _before_closed(stages)
        stage = Stage.create(funnel=funnel, position=place, **values)
        _number([*stages[:place], stage, *stages[place:]])
        _tell("stage.added", by, funnel, stage=stage.id)
    return stage


def change_stage(stage: Stage, by: User | None, **about: Any) -> bool:
    """Some of its columns but kind, funnel and place. False: nothing differs. Raises Refused."""
    values = _checked({"kind": stage.kind, "name": stage.name, **about})
    with database.atomic():
        same = [s for s in _stages(stage.funnel) if s.name == values["name"] and s.id != stage.id]
        _check_free(same, "stage")
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
    many deals went. Raises Refused: for Unsorted, the last won or lost one, or without target."""
    with database.atomic():
        stages = _stages(stage.funnel)
        alone = [s for s in stages if s.kind == stage.kind] == [stage]
        if stage.kind == "unsorted" or (stage.is_closed and alone):
            raise Refused("A funnel needs its first stage, and one each for won and lost.")
        deals = list(locked(Deal.select().where(Deal.stage == stage).order_by(Deal.id)))
        if deals and (target is None or target.id not in {s.id for s in stages} - {stage.id}):
            raise Refused("Say to which stage of this funnel its deals go.")
        for deal in deals:
            deal.move_to(target, by=None)
        stage.archived = True
        stage.save(only=[Stage.archived])
        _number([s for s in stages if s.id != stage.id])
        _tell("stage.removed", by, stage.funnel, stage=stage.id, deals=len(deals))
    return len(deals)


def set_reasons(names: Iterable[str], by: User | None) -> list[Reason]:
    """The reasons of loss that are offered, in this order; others are kept, but not offered."""
    wanted = list(dict.fromkeys(name for text in names if (name := clean(text, 120))))
    with database.atomic():
        Reason.update(active=False).execute()
        for place, name in enumerate(wanted):
            reason, _fresh = Reason.get_or_create(name=name)
            reason.position, reason.active = place, True
            reason.save()
        Event.add("reasons.changed", by=by, payload={"reasons": len(wanted)})
    return Reason.offered()


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


def _check_free(others: Any, noun: str) -> None:
    if list(others):
        raise Refused("there is a {noun} of this name already", field="name", noun=noun)


def _check_can_go(funnel: Funnel) -> None:
    others = Funnel.select().where(Funnel.id != funnel.id, ~Funnel.archived)
    if not others.exists():
        raise Refused("The last funnel can't be archived.")
    of_funnel = Deal.select().join(Stage).where(Stage.funnel == funnel, Deal.closed_at.is_null())
    if of_funnel.exists():
        raise Refused("There are open deals in this funnel: close or move them first.")


def _checked(about: dict[str, Any]) -> dict[str, Any]:
    """Columns for what is said of a stage. Raises Refused."""
    unknown = about.keys() - READERS.keys()
    if unknown:
        raise Refused(
            "'{unknown}' is unknown; known: {readers}",
            field="stage",
            unknown=min(unknown),
            readers=", ".join(READERS),
        )
    return {key: READERS[key](value) for key, value in about.items()}


def _name(text: Any) -> str:
    if not isinstance(text, str) or not clean(text):
        raise Refused("must not be empty", field="name")
    return clean(text)


def _one_of(key: str, known: Sequence[str]) -> Any:
    def read(value: Any) -> str:
        if value not in known:
            raise Refused("one of {value}", field=key, value=", ".join(filter(None, known)))
        return str(value)

    return read


def _whole(key: str, most: int, unit: str) -> Any:
    def read(value: Any) -> int | None:
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
            raise Refused("a whole number of {unit}, 0 to {most}", field=key, unit=unit, most=most)
        return value

    return read


def _required(value: Any) -> str:
    words = value.split() if isinstance(value, str) else list(value)
    wrong = [word for word in words if word not in REQUIRABLE]
    if wrong:
        raise Refused(
            "'{wrong}' is none of {requirable}",
            field="required_fields",
            wrong=wrong[0],
            requirable=", ".join(REQUIRABLE),
        )
    return " ".join(word for word in REQUIRABLE if word in words)


READERS: dict[str, Any] = {
    "name": _name,
    "kind": _one_of("kind", KINDS),
    "buyer_phase": _one_of("buyer_phase", BUYER_PHASES),
    "advice": lambda text: readable_lines(text, 2000),
    "probability": lambda value: _whole("probability", 100, "percent")(value) or 0,
    "stuck_after": _whole("stuck_after", LONGEST_STUCK, "seconds"),
    "required_fields": _required,
    "colour": _one_of("colour", COLOURS),
}
"""What can be said of a stage, and what makes a column's value of it or raises Refused."""


def _tell(kind: str, by: User | None, funnel: Funnel, **payload: Any) -> None:
    Event.add(kind, by=by, at=utcnow(), payload={"funnel": funnel.id, **payload})
