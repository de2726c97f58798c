"""Style sheets and scripts of the panel, looked at without a browser."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import panel
from panel import shortcuts

STATIC = Path(panel.__file__).parent / "static"
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# What a rule is for: everything up to its brace; at-rules hold rules of their own.
SELECTORS = re.compile(r"(?:^|[{};])\s*([^{};@]+)\{")
ALONE = re.compile(r"\.([a-z][\w-]*)(?:::?[\w-]+(?:\([^)]*\))?)*")
BOUND = re.compile(r'\b(?:bind|lead)\("([\w-]+)"')
SHARED = {
    # Lists say what differs there from the component's own page.
    "log__play": {"log.css", "player.css"},
    "person-head__tags": {"clients.css", "person-head.css"},
    # The receipt on paper has neither.
    "sheet__back": {"sheet.css", "erasure.css"},
    "top": {"top.css", "erasure.css"},
}
"""Classes that may be styled in more than one file, with those files."""


def styled() -> dict[str, set[str]]:
    """Which files say how a class alone looks on a screen, whatever it stands in."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in sorted({*(STATIC / "css").glob("*.css")} - {STATIC / "css" / "print.css"}):
        for selectors in SELECTORS.findall(COMMENT.sub("", file.read_text())):
            for selector in re.split(r",(?![^(]*\))", selectors):
                if match := ALONE.fullmatch(selector.strip()):
                    found[match[1]].add(file.name)
    return found


def test_a_class_is_styled_in_one_file() -> None:
    """Two components of one name once stood in a column where they should stand in a row."""
    files = {name: where for name, where in styled().items() if len(where) > 1}
    assert {"top", "btn", "card", "toast"} <= styled().keys()
    assert files == SHARED


def test_reduced_motion_holds_in_scripts_too() -> None:
    """Style sheets stop all motion in one place; what scripts move, they ask for."""
    moving = re.compile(r"\.animate\(|behavior:\s*[\"']smooth|animation:")
    for file in (STATIC / "js").rglob("*.js"):
        text = file.read_text()
        assert not moving.search(text) or "calm.matches" in text, file.name


def test_keys_that_are_declared_are_bound() -> None:
    """The help lists what is declared and bound: neither may be without the other."""
    scripts = "".join(file.read_text() for file in (STATIC / "js").glob("*.js"))
    assert set(BOUND.findall(scripts)) == set(shortcuts.KEYS)
