"""What can be done with keys (E4): declared here alone. The scripts bind these names and no others,
so what the help says of a page is what holds there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template
from flask_babel import gettext as _

from panel.urls import wants_fragment

bp = Blueprint("shortcuts", __name__)

KEYS = {
    "help": ("?",),
    "search": ("/", "Control+K"),
    "new": ("N",),
    "popup": ("P",),
    "undo": ("Control+Z",),
    "cards": ("C",),
    "quick": ("A",),
    "filter": ("F",),
    "card-up": ("ArrowUp",),
    "card-down": ("ArrowDown",),
    "card-left": ("ArrowLeft", "["),
    "card-right": ("ArrowRight", "]"),
    "column-left": ("Shift+ArrowLeft",),
    "column-right": ("Shift+ArrowRight",),
    "card-open": ("Enter",),
    "choose": ("Space",),
    "stage": ("M",),
    "note": ("W",),
    "save": ("Control+Enter",),
    "tasks": ("T",),
    "task-up": ("ArrowUp",),
    "task-down": ("ArrowDown",),
    "task-done": ("D",),
    "task-later": ("S",),
    "dismiss": ("Escape",),
}
"""By name, as in aria-keyshortcuts; Control is Command on a Mac. Letters hold whatever alphabet the
keyboard writes."""


@dataclass(frozen=True)
class Shortcut:
    """One line of the help."""

    name: str
    what: str

    @property
    def keys(self) -> tuple[str, ...]:
        return KEYS[self.name]


@bp.app_template_global("shortcut_keys")
def shortcut_keys() -> dict[str, tuple[str, ...]]:
    return KEYS


@bp.get("/shortcuts")
def index() -> str:
    page = "_shortcuts.html" if wants_fragment() else "shortcuts.html"
    return render_template(page, groups=groups(), caps=caps())


def groups() -> list[tuple[str, list[Shortcut]]]:
    """The help: what holds where."""
    parts: list[tuple[str, dict[str, str]]] = [
        (_("On every page"), _everywhere()),
        (_("On the board"), _board()),
        (_("On a card of the board"), _card()),
        (_("On a deal"), _deal()),
        (_("Among tasks"), _tasks()),
        (_("In the card of a call"), {"dismiss": _("Put the card of the call away")}),
    ]
    return [(title, [Shortcut(*line) for line in lines.items()]) for title, lines in parts]


def _everywhere() -> dict[str, str]:
    return {
        "search": _("Search"),
        "new": _("New deal"),
        "popup": _("To the card of the call, and from one to the next"),
        "undo": _("Take back what was done last"),
        "save": _("Save the note that is being written"),
        "help": _("Show what can be done with keys"),
    }


def _board() -> dict[str, str]:
    return {
        "cards": _("To the first card"),
        "quick": _("Enter a deal in this column"),
        "filter": _("To the filters"),
    }


def _card() -> dict[str, str]:
    return {
        "card-up": _("To the card above"),
        "card-down": _("To the card below"),
        "card-left": _("Move the card to the stage before"),
        "card-right": _("Move the card to the next stage"),
        "column-left": _("To the column before"),
        "column-right": _("To the next column"),
        "card-open": _("Open the deal"),
        "choose": _("Choose the card, to do something with several"),
    }


def _deal() -> dict[str, str]:
    return {"stage": _("To the list of stages"), "note": _("Write a note")}


def _tasks() -> dict[str, str]:
    return {
        "tasks": _("To the first task"),
        "task-up": _("To the task above"),
        "task-down": _("To the task below"),
        "task-done": _("Finish the task"),
        "task-later": _("Put the task off"),
    }


def caps() -> dict[str, Any]:
    """What is written on the keys, where a sign alone is not it."""
    return {
        "Control": _("Ctrl"),
        "Shift": _("Shift"),
        "Space": _("Space bar"),
        "Enter": _("Enter"),
        "Escape": _("Esc"),
        "ArrowUp": "↑",
        "ArrowDown": "↓",
        "ArrowLeft": "←",
        "ArrowRight": "→",
    }
