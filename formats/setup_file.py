"""What administrators set up, as a file (TOML): departments, users, funnels, reasons, texts."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from errors import Refused
from fields import clean
from formats import setup_people, toml_text
from formats.setup_entries import Places, Wrong, entries, flag, table, text, texts
from formats.setup_people import DepartmentWords, UserWords
from models import Funnel, Stage
from verbs import reasons, wordings
from verbs.stage_fields import LONGEST_STUCK, checked

DAY = 86400
PARTS = ("reasons", "texts", "department", "user", "funnel")
FUNNEL_KEYS = ("name", "was", "archived", "stage")
STAGE_KEYS = (
    "name", "kind", "buyer_phase", "advice", "probability", "stuck_after_days", "required",
    "colour", "was", "takes",
)  # fmt: skip
HEAD = """\
# Departments, users, funnels, reasons of loss and texts; docs/setup.md explains it.
# To be loaded with: trichter setup load FILE
"""


@dataclass
class StageWords:
    """A stage of the file: its columns; the name that it had; the stages whose deals it takes."""

    values: dict[str, Any]
    was: str = ""
    takes: tuple[str, ...] = ()
    place: str = ""


@dataclass
class FunnelWords:
    """``was``: the name that it had; ``place``: where it stands in the file."""

    name: str
    was: str = ""
    archived: bool = False
    stages: list[StageWords] = field(default_factory=list)
    place: str = ""


@dataclass
class Contents:
    """What a file says; None: it says nothing of that part. ``problems``: what can't be used."""

    reasons: list[str] | None = None
    texts: dict[str, str] | None = None
    departments: list[DepartmentWords] | None = None
    users: list[UserWords] | None = None
    funnels: list[FunnelWords] | None = None
    problems: list[str] = field(default_factory=list)
    places: Places = field(default_factory=lambda: Places("", {}))


def read(data: bytes, only: Collection[str] = PARTS) -> Contents:
    """A file's contents. Never raises: what can't be used is among the problems."""
    found = Contents()
    try:
        written, document = toml_text.read(data)
    except toml_text.Unreadable as error:
        found.problems.append(str(error))
        return found
    if not document:
        found.problems.append(f"nothing in it; there can be {', '.join(only)}")
    found.places = Places(written, document)
    for part, value in document.items():
        try:
            if part not in only:
                raise Wrong(f"{part!r}: only {', '.join(only)} belong here{_elsewhere(part)}")
            READERS[part](found, value)
        except Wrong as wrong:
            said = str(wrong)
            found.problems.append(said if "(line " in said else said + found.places.of(part))
    return found


def _elsewhere(part: str) -> str:
    """What loads a part that another command's file has."""
    if part in ("rule", "ignore"):
        return "; 'trichter rules load' loads rules"
    return "; 'trichter setup load' loads the others" if part in PARTS else ""


def _take_reasons(found: Contents, value: Any) -> None:
    found.reasons = texts("reasons", value)


def _take_texts(found: Contents, value: Any) -> None:
    table("texts", value, tuple(wordings.LENGTHS))
    for name, said in value.items():
        if not isinstance(said, str) or len(said) > wordings.LENGTHS[name]:
            raise Wrong(f"texts.{name}: a text of at most {wordings.LENGTHS[name]} characters")
    found.texts = value


def _take_departments(found: Contents, value: Any) -> None:
    found.departments = setup_people.departments(found.places, value)


def _take_users(found: Contents, value: Any) -> None:
    found.users = setup_people.users(found.places, value)


def _take_funnels(found: Contents, value: Any) -> None:
    found.funnels = []
    for place, entry in entries(found.places, "funnel", value):
        table(place, entry, FUNNEL_KEYS)
        name, was = text(place, entry, "name"), text(place, entry, "was", "")
        funnel = FunnelWords(name, was, flag(place, entry, "archived"), place=place)
        if funnel.name in {other.name for other in found.funnels}:
            raise Wrong(f"{place}: {funnel.name!r} is there already; keep one of them")
        stages = entries(found.places, "stage", entry.get("stage", []), inside=place)
        funnel.stages = [_stage(at, words) for at, words in stages]
        _check_funnel(place, funnel)
        found.funnels.append(funnel)


def _check_funnel(place: str, funnel: FunnelWords) -> None:
    kinds = [stage.values["kind"] for stage in funnel.stages]
    names = [stage.values["name"] for stage in funnel.stages]
    if kinds[:1] != ["unsorted"] or kinds.count("unsorted") != 1:
        raise Wrong(f'{place}: the first stage, and no other one, has kind = "unsorted"')
    if "won" not in kinds or "lost" not in kinds:
        raise Wrong(f'{place}: needs a stage of kind "won" and one of kind "lost"')
    if len(set(names)) < len(names):
        twin = next(name for name in names if names.count(name) > 1)
        raise Wrong(f"{place}: two stages are called {twin!r}")


def _stage(place: str, entry: Any) -> StageWords:
    table(place, entry, STAGE_KEYS)
    values = {key: entry[key] for key in entry.keys() - {"stuck_after_days", "required"}}
    was, takes = values.pop("was", ""), values.pop("takes", [])
    values = {"name": "", "kind": "open", **values}
    if "stuck_after_days" in entry:
        days = entry["stuck_after_days"]
        if type(days) is not int or not 0 <= days * DAY <= LONGEST_STUCK:
            most = LONGEST_STUCK // DAY
            raise Wrong(f"{place}: stuck_after_days: a whole number of days, 0 to {most}")
        values["stuck_after"] = days * DAY or None
    if "required" in entry:
        values["required_fields"] = texts(f"{place}: required", entry["required"])
    if not isinstance(was, str) or not isinstance(values.get("advice", ""), str):
        raise Wrong(f"{place}: was and advice are texts in quotes")
    try:
        gone = tuple(texts(f"{place}: takes", takes))
        return StageWords(checked(values), clean(was), gone, place)
    except Refused as refusal:
        key = "required" if refusal.field == "required_fields" else refusal.field
        raise Wrong(f"{place}: {key}: {refusal.sentence}") from refusal


READERS: dict[str, Any] = {
    "reasons": _take_reasons,
    "texts": _take_texts,
    "department": _take_departments,
    "user": _take_users,
    "funnel": _take_funnels,
}


def as_toml(only: Collection[str] = PARTS) -> str:
    """A file that ``read`` understands, with what is set up now."""
    blocks = []
    if "reasons" in only:
        blocks.append(_lines({"reasons": [reason.name for reason in reasons.offered()]}))
    if "texts" in only:
        blocks.append("[texts]\n" + _lines(wordings.texts()))
    if "department" in only:
        blocks += [f"[[department]]\n{_lines(row)}" for row in setup_people.department_rows()]
    if "user" in only:
        blocks += [f"[[user]]\n{_lines(row)}" for row in setup_people.user_rows()]
    if "funnel" in only:
        funnels = Funnel.select().order_by(Funnel.position, Funnel.id)
        blocks += [_funnel_block(funnel) for funnel in funnels]
    return HEAD + "\n" + "\n".join(blocks)


def _funnel_block(funnel: Funnel) -> str:
    about = {"name": funnel.name, **({"archived": True} if funnel.archived else {})}
    stages = ["[[funnel.stage]]\n" + _lines(_stage_words(s)) for s in funnel.in_order()]
    return "\n".join(["[[funnel]]\n" + _lines(about), *stages])


def _stage_words(stage: Stage) -> dict[str, Any]:
    """What says nothing is left out."""
    words = {
        "name": stage.name,
        "kind": stage.kind,
        "buyer_phase": stage.buyer_phase,
        "advice": stage.advice,
        "probability": stage.probability,
        "stuck_after_days": stage.stuck_after and stage.stuck_after // DAY,
        "required": stage.required_fields.split(),
        "colour": stage.colour,
    }
    return {key: value for key, value in words.items() if value or key in ("name", "kind")}


def _lines(words: Mapping[str, Any]) -> str:
    # Texts and lists as JSON writes them are TOML too; control characters do not come this far.
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in words.items())
    return "".join(f"{line}\n" for line in lines)
