"""The setup of the company, as a file says it: wholly, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from database import database
from errors import Refused
from fields import normal_did
from models import Department, Event, Funnel, Stage
from verbs import departments, funnels, reasons, setup_users, wordings

KEPT = 200
"""Changes that stand in the audit trail."""


def apply(contents: Any, only_say: bool = False) -> list[str]:
    """What a file says (see setup_file.Contents) holds from now on. Returns what changes, a line
    each; ``only_say`` leaves it at that. Raises Refused, and then nothing has changed.

    Departments, users and funnels that the file does not name stay as they are. A stage that it
    does not name is removed from its funnel, if it has no deals or another stage takes them.
    """
    with database.atomic() as transaction:
        said = list(_all(contents))
        if only_say:
            transaction.rollback()
        elif said:
            Event.add("setup.loaded", payload={"count": len(said), "changes": said[:KEPT]})
    if said and not only_say:
        funnels.gather()
    return said


def _all(contents: Any) -> Iterable[str]:
    if contents.reasons is not None:
        yield from _reasons(contents.reasons)
    if contents.texts is not None and wordings.change(contents.texts):
        yield f"~ texts: {', '.join(contents.texts)}"
    for words in contents.departments or ():
        with _at(words):
            yield from _department(words)
    for words in contents.users or ():
        with _at(words):
            yield from setup_users.user(words)
    # Last: by then the file has given whoever belonged to them another one.
    for words in contents.departments or ():
        with _at(words):
            yield from _removed_department(words)
    for words in contents.funnels or ():
        with _at(words):
            yield from _funnel(words)
    if contents.funnels:
        yield from _order([words.name for words in contents.funnels])


def _reasons(names: list[str]) -> Iterable[str]:
    before = [reason.name for reason in reasons.offered()]
    after = [reason.name for reason in reasons.set_reasons(names, None)] if names != before else []
    if names != before and after != before:
        yield f"~ reasons: {', '.join(after) or 'none'}"


@contextmanager
def _at(words: Any) -> Iterator[None]:
    """A refusal also says where in the file the entry stands."""
    try:
        yield
    except Refused as refusal:
        raise Refused("{place}: {why}", place=words.place, why=refusal.sentence) from refusal


def _department(words: Any) -> Iterable[str]:
    name, did = words.name, words.did
    row = Department.get_or_none(Department.name == name)
    row = row or Department.get_or_none(Department.name == words.was)
    if words.removed:
        return
    if row is None:
        departments.add(name, did)
        yield f"+ department {name}"
    elif (row.name, row.did) != (name, normal_did(did)) and departments.change(row, name, did):
        yield f"~ department {name}: {did or 'all numbers'}"


def _removed_department(words: Any) -> Iterable[str]:
    row = Department.get_or_none(Department.name == words.name) if words.removed else None
    if row:
        departments.remove(row)
        yield f"- department {words.name}"


def _funnel(words: Any) -> Iterable[str]:
    funnel = Funnel.get_or_none(Funnel.name == words.name)
    if funnel is None and words.was:
        funnel = Funnel.get_or_none(Funnel.name == words.was)
        if funnel and funnels.change_funnel(funnel, None, name=words.name):
            yield f"~ funnel {words.was}: now {words.name}"
    if funnel is None:
        funnel = funnels.add_funnel(words.name, None)
        # Its own three are not those of the file: they take the names of it, one for one.
        for kind in ("unsorted", "won", "lost"):
            first = next(s for s in words.stages if s.values["kind"] == kind)
            row = Stage.get(Stage.funnel == funnel, Stage.kind == kind)
            funnels.change_stage(row, None, name=first.values["name"])
        yield f"+ funnel {words.name}"
    yield from _stages(funnel, words.stages)
    if funnels.change_funnel(funnel, None, archived=words.archived):
        yield f"~ funnel {words.name}: {'archived' if words.archived else 'back'}"


def _stages(funnel: Funnel, wanted: list[Any]) -> Iterable[str]:
    here = {stage.name: stage for stage in funnel.in_order()}
    kept = [_kept(here, words) for words in wanted]
    for words, stage in zip(wanted, kept, strict=True):
        yield from _renewed(funnel, words, stage)
    takes = {gone: words.values["name"] for words in wanted for gone in words.takes}
    now = {stage.name: stage for stage in funnel.in_order()}
    for stage in [stage for stage in here.values() if stage not in kept]:
        yield from _removed(stage, now.get(takes.get(stage.name, "")))
    rows = {stage.name: stage.id for stage in funnel.in_order()}
    order = [rows[words.values["name"]] for words in wanted]
    if order != [stage.id for stage in funnel.in_order()]:
        funnels.reorder(funnel, None, order)
        yield f"~ funnel {funnel.name}: another order of its stages"


def _kept(here: Mapping[str, Stage], words: Any) -> Stage | None:
    """The stage that an entry means, by its name or the one that it had."""
    return here.get(words.values["name"]) or (here.get(words.was) if words.was else None)


def _renewed(funnel: Funnel, words: Any, stage: Stage | None) -> Iterable[str]:
    name = words.values["name"]
    if stage is None:
        funnels.add_stage(funnel, None, **words.values)
        yield f"+ stage {name} of {funnel.name}"
        return
    if stage.kind != words.values["kind"]:
        raise Refused(
            "stage {name} is of kind {kind}, which can't be changed", name=name, kind=stage.kind
        )
    about = {**funnels.UNSAID, **words.values}
    if funnels.change_stage(stage, None, **about):
        yield f"~ stage {name} of {funnel.name}"


def _removed(stage: Stage, target: Stage | None) -> Iterable[str]:
    try:
        count = funnels.remove_stage(stage, None, target)
    except Refused as refusal:
        raise Refused(
            'stage {name} is not in the file: {why} Write takes = ["{name}"] at the stage that '
            "gets its deals.",
            name=stage.name,
            why=refusal.sentence,
        ) from refusal
    yield f"- stage {stage.name} of {stage.funnel.name}" + (
        f", {count} deals to {target.name}" if target and count else ""
    )


def _order(names: list[str]) -> Iterable[str]:
    """The funnels of the file come first, in its order."""
    rows = list(Funnel.select().order_by(Funnel.position, Funnel.id))
    ids = {row.name: row.id for row in rows}
    wanted = [ids[name] for name in names]
    if [row.id for row in rows if row.id in set(wanted)] != wanted:
        funnels.order_funnels(wanted, None)
        yield f"~ order of the funnels: {', '.join(names)}"
