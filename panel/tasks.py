"""Tasks (K1): the day view, one task, and what people do with it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request
from flask import url_for as url
from flask_babel import gettext as _

from errors import Conflict, Refused
from models import TASK_KINDS, Contact, Deal, Task, User
from panel import due, task_lists
from panel.admin import replaced
from panel.auth import viewer
from panel.languages import sentence
from panel.once import once
from panel.task_seen import DUE, seen, seen_of
from panel.urls import came_from, is_local, wants_fragment, whole
from verbs import tasks

bp = Blueprint("tasks", __name__)
bp.record_once(lambda state: due.install(state.app))

SNOOZES = ("hour", "tomorrow", "days3", "week")


class Unusable(Exception):
    """Entries that can't be used: what is wrong, by field."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(problems)
        self.problems = problems


def the_task(number: int) -> Task:
    """404 if the viewer may not see it."""
    return Task.visible_to(viewer()).where(Task.id == number).first() or abort(404)


bp.add_app_template_global(task_lists.of_deal, "open_tasks_of")
bp.add_app_template_global(task_lists.counts, "tasks_due")
bp.add_app_template_global(lambda task: seen_of(task, DUE), "due_seen_of")


@bp.get("/tasks")
def index() -> str:
    view = task_lists.View(viewer())
    return render_template("tasks.html", view=view, page=view.page())


@bp.get("/tasks/count")
def count() -> str:
    return render_template("_tasks_badge.html")


@bp.post("/tasks")
def create() -> Any:
    """From the quick add, of a ``deal`` or ``contact``, or as the next step ``after`` another."""
    before = the_task(whole(request.form["after"]) or 0) if "after" in request.form else None
    deal, contact = (_seen_deal(before), before.contact) if before else (_deal(), _contact())
    try:
        about = {"owner": _owner(deal), "deal": deal, "contact": contact, **_entries()}
        number = once(lambda: tasks.add(by=viewer(), **about))
    except (Unusable, Refused) as error:
        return _refused(error, deal=deal, before=before, contact=contact)
    return _done(the_task(number))


@bp.get("/tasks/<int:number>")
def task(number: int) -> str:
    found = the_task(number)
    if wants_fragment():
        return render_template("_task.html", row=task_lists.row_of(found))
    return _form(task=found)


@bp.post("/tasks/<int:number>")
def change(number: int) -> Any:
    """Title, kind, time, and by heads the owner."""
    found = the_task(number)
    try:
        about = _entries(found)
        if viewer().sees_all and "owner" in request.form:
            about["owner"] = _person(request.form["owner"])
        tasks.change(found, viewer(), seen(), **about)
    except (Unusable, Refused) as error:
        return _refused(error, task=found)
    except Conflict:
        return _form(problems={"": replaced()}, task=the_task(number), beside=True), 409
    return _done(found)


@bp.post("/tasks/<int:number>/done")
def finish(number: int) -> Any:
    """Finished, with its result; then the next step is asked for."""
    found = the_task(number)
    fresh = tasks.finish(found, viewer(), request.form.get("result", ""))
    if wants_fragment():
        row = task_lists.row_of(the_task(number))
        return render_template("_task.html", row=row, asks=fresh)
    back = came_from(url("tasks.index"))
    return redirect(url("tasks.next_step", number=number, back=back), 303)


@bp.get("/tasks/<int:number>/next")
def next_step(number: int) -> str:
    """What to do after it, for those without scripts."""
    return _form(before=the_task(number))


@bp.post("/tasks/<int:number>/reopen")
def reopen(number: int) -> Any:
    found = the_task(number)
    tasks.reopen(found, viewer())
    return _done(the_task(number))


@bp.post("/tasks/<int:number>/due")
def put_off(number: int) -> Any:
    found = the_task(number)
    preset = request.form.get("when", "")
    if preset not in SNOOZES:
        abort(400)
    tasks.change(found, viewer(), seen(), due_at=due.chosen(preset))
    return _done(found)


@bp.get("/tasks/<int:number>/reminder")
def reminder(number: int) -> str:
    """What a page shows when it is due; 404 for what is finished or somebody else's by now."""
    mine = task_lists.of_user(viewer()).where(Task.id == number, Task.done_at.is_null())
    return render_template("_reminder.html", task=mine.first() or abort(404))


def _entries(was: Task | None = None) -> dict[str, Any]:
    """Title, kind and time of a form. Raises Unusable."""
    form, problems = request.form, {}
    values: dict[str, Any] = {"title": form.get("title", ""), "kind": form.get("kind", "todo")}
    if not values["title"].strip():
        problems["title"] = _("Say what is to be done.")
    if values["kind"] not in TASK_KINDS:
        problems["kind"] = _("Choose one of the kinds.")
    try:
        values["due_at"] = due.chosen(
            form.get("when", "at"), form.get("at", ""), was.due_at if was else None
        )
    except due.BadTime as error:
        problems["at"] = str(error)
    if was and was.due_at is None and not form.get("at"):
        # It had none before, so it needs none now.
        problems.pop("at", None)
    if problems:
        raise Unusable(problems)
    if was and due.title_of(was) == values["title"]:
        values["title"] = was.title
    return values


def _deal() -> Deal | None:
    if not request.form.get("deal"):
        return None
    wanted = Deal.id == (whole(request.form["deal"]) or 0)
    return Deal.visible_to(viewer()).where(wanted).first() or abort(404)


def _contact() -> Contact | None:
    if not request.form.get("contact"):
        return None
    wanted = Contact.id == (whole(request.form["contact"]) or 0)
    return Contact.visible_to(viewer()).where(wanted).first() or abort(404)


def _seen_deal(task: Task) -> Deal | None:
    """The task's deal, if it is still this viewer's to see."""
    return Deal.visible_to(viewer()).where(Deal.id == (task.deal_id or 0)).first()


def _owner(deal: Deal | None) -> User | None:
    """Sellers make tasks for themselves, heads for whom they say, else for the deal's owner."""
    user = viewer()
    if user.sees_all and "owner" in request.form:
        return _person(request.form["owner"])
    return deal.owner if deal and deal.owner and user.sees_all else user


def _person(text: str) -> User | None:
    if not text:
        return None
    person = User.get_or_none(User.id == (whole(text) or 0))
    if person is None:
        raise Unusable({"owner": _("There is no such person.")})
    return person


def _refused(error: Unusable | Refused, **about: Any) -> Any:
    """422: the form again with what is wrong; scripts get that alone, by field."""
    problems = error.problems if isinstance(error, Unusable) else {error.field: sentence(error)}
    if wants_fragment():
        return render_template("_task_problems.html", problems=problems), 422
    return _form(problems=problems, **about), 422


def _form(
    task: Task | None = None,
    before: Task | None = None,
    deal: Deal | None = None,
    contact: Contact | None = None,
    problems: dict[str, str] | None = None,
    beside: bool = False,
) -> str:
    """``beside``: what the task says now stands beside what was entered."""
    back = request.values.get("back", "")
    shown = task or before
    row = task_lists.row_of(shown) if shown else None
    return render_template(
        "task.html",
        row=row,
        task=task,
        seen=seen_of(task) if task else "",
        beside=beside,
        before=before,
        contact=contact,
        deal=row.deal if row else deal,
        problems=problems or {},
        values=request.form,
        people=task_lists.people(),
        back=back if is_local(back) else came_from(url("tasks.index")),
    )


def _done(task: Task) -> Any:
    if wants_fragment():
        response = make_response(render_template("_task.html", row=task_lists.row_of(task)))
        response.headers["X-Task"] = str(task.id)
        return response
    back = request.form.get("back", "")
    return redirect(back if is_local(back) else came_from(url("tasks.index")), 303)
