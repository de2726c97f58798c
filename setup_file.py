"""What administrators set up, as a file: departments, funnels, reasons of loss, texts (TOML)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from errors import Refused
from fields import clean
from models import Department, Funnel, Reason, Stage
from verbs import wordings
from verbs.stage_fields import checked

DAY = 86400
PARTS = ("reasons", "texts", "department", "funnel")
STAGE_KEYS = (
    "name", "kind", "buyer_phase", "advice", "probability", "stuck_after_days", "required",
    "colour", "was", "takes",
)  # fmt: skip
HEAD = """\
# Departments, funnels, reasons of loss and texts; docs/setup.md explains it.
# To be loaded with: trichter setup load FILE
"""


@dataclass
class StageWords:
    """A stage of the file: its columns; the name that it had; the stages whose deals it takes."""

    values: dict[str, Any]
    was: str = ""
    takes: tuple[str, ...] = ()


@dataclass
class FunnelWords:
    name: str
    archived: bool = False
    stages: list[StageWords] = field(default_factory=list)


@dataclass
class Contents:
    """What a file says; None: it says nothing of that part. ``problems``: what can't be used."""

    reasons: list[str] | None = None
    texts: dict[str, str] | None = None
    departments: dict[str, str] | None = None
    funnels: list[FunnelWords] | None = None
    problems: list[str] = field(default_factory=list)


class _Wrong(Exception):
    """What of an entry can't be used, and where."""


def read(data: bytes, only: Collection[str] = PARTS) -> Contents:
    """A file's contents. Never raises: what can't be used is among the problems."""
    found = Contents()
    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        found.problems.append(f"this is not text in UTF-8: byte {error.start + 1} is none")
        return found
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found.problems.append(f"this is not TOML: {error}")
        return found
    if not document:
        found.problems.append(f"nothing in it; there can be {', '.join(only)}")
    for part, value in document.items():
        try:
            if part not in only:
                raise _Wrong(f"{part!r}: only {', '.join(only)} belong here")
            READERS[part](found, value)
        except _Wrong as wrong:
            found.problems.append(str(wrong))
    return found


def _take_reasons(found: Contents, value: Any) -> None:
    found.reasons = _texts("reasons", value)


def _take_texts(found: Contents, value: Any) -> None:
    _table("texts", value, tuple(wordings.LENGTHS))
    for name, text in value.items():
        if not isinstance(text, str) or len(text) > wordings.LENGTHS[name]:
            raise _Wrong(f"texts.{name}: a text of at most {wordings.LENGTHS[name]} characters")
    found.texts = value


def _take_departments(found: Contents, value: Any) -> None:
    found.departments = {}
    for place, entry in _entries("department", value):
        _table(place, entry, ("name", "did"))
        name = _text(place, entry, "name")
        if name in found.departments:
            raise _Wrong(f"{place}: {name!r} is there already; keep one of them")
        found.departments[name] = _text(place, entry, "did", "")


def _take_funnels(found: Contents, value: Any) -> None:
    found.funnels = []
    for place, entry in _entries("funnel", value):
        _table(place, entry, ("name", "archived", "stage"))
        funnel = FunnelWords(_text(place, entry, "name"))
        if funnel.name in {other.name for other in found.funnels}:
            raise _Wrong(f"{place}: {funnel.name!r} is there already; keep one of them")
        if not isinstance(entry.get("archived", False), bool):
            raise _Wrong(f"{place}: archived: true or false")
        funnel.archived = entry.get("archived", False)
        stages = _entries(f"{place}, stage", entry.get("stage", []))
        funnel.stages = [_stage(at, words) for at, words in stages]
        _check_funnel(place, funnel)
        found.funnels.append(funnel)


def _check_funnel(place: str, funnel: FunnelWords) -> None:
    kinds = [stage.values["kind"] for stage in funnel.stages]
    names = [stage.values["name"] for stage in funnel.stages]
    if kinds[:1] != ["unsorted"] or kinds.count("unsorted") != 1:
        raise _Wrong(f'{place}: the first stage, and no other one, has kind = "unsorted"')
    if "won" not in kinds or "lost" not in kinds:
        raise _Wrong(f'{place}: needs a stage of kind "won" and one of kind "lost"')
    if len(set(names)) < len(names):
        twin = next(name for name in names if names.count(name) > 1)
        raise _Wrong(f"{place}: two stages are called {twin!r}")


def _stage(place: str, entry: Any) -> StageWords:
    _table(place, entry, STAGE_KEYS)
    values = {key: entry[key] for key in entry.keys() - {"stuck_after_days", "required"}}
    was, takes = values.pop("was", ""), values.pop("takes", [])
    values = {"name": "", "kind": "open", **values}
    if "stuck_after_days" in entry:
        days = entry["stuck_after_days"]
        if type(days) is not int:
            raise _Wrong(f"{place}: stuck_after_days: a whole number of days")
        values["stuck_after"] = days * DAY or None
    if "required" in entry:
        values["required_fields"] = _texts(f"{place}: required", entry["required"])
    if not isinstance(was, str) or not isinstance(values.get("advice", ""), str):
        raise _Wrong(f"{place}: was and advice are texts in quotes")
    try:
        return StageWords(checked(values), clean(was), tuple(_texts(f"{place}: takes", takes)))
    except Refused as refusal:
        raise _Wrong(f"{place}: {refusal}") from refusal


def _entries(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, list):
        raise _Wrong(f"{name}: write each one below a line [[{name.rpartition(' ')[2]}]]")
    for number, entry in enumerate(value, 1):
        called = entry.get("name") if isinstance(entry, dict) else None
        yield f"{name} {number}" + (f" ({called})" if isinstance(called, str) else ""), entry


def _table(place: str, value: Any, known: tuple[str, ...]) -> None:
    if not isinstance(value, dict):
        raise _Wrong(f"{place}: {repr(value)[:60]} is not a table of keys and values")
    for key in value.keys() - set(known):
        like = get_close_matches(key, known, 1)
        meant = f"did you mean {like[0]}?" if like else f"there are {', '.join(known)}"
        raise _Wrong(f"{place}: unknown key {key!r}; {meant}")


def _text(place: str, entry: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str) or (default is None and not clean(value)):
        raise _Wrong(f"{place}: {key}: a text in quotes")
    return clean(value)


def _texts(place: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise _Wrong(f'{place}: a list of texts, such as ["Price", "No need"]')
    return value


READERS: dict[str, Any] = {
    "reasons": _take_reasons,
    "texts": _take_texts,
    "department": _take_departments,
    "funnel": _take_funnels,
}


def as_toml(only: Collection[str] = PARTS) -> str:
    """A file that ``read`` understands, with what is set up now."""
    blocks = []
    if "reasons" in only:
        blocks.append(_lines({"reasons": [reason.name for reason in Reason.offered()]}))
    if "texts" in only:
        blocks.append("[texts]\n" + _lines(wordings.texts()))
    if "department" in only:
        rows = Department.select().order_by(Department.name)
        said = [_lines({"name": row.name, "did": row.did}) for row in rows]
        blocks += [f"[[department]]\n{lines}" for lines in said]
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
