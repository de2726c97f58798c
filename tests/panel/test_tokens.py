"""The design tokens, by day and by night, against WCAG 2.2 AA."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

import panel

CSS = Path(panel.__file__).parent / "static" / "css"
PAIR = re.compile(r"--([a-z-]+):\s*light-dark\((#[0-9a-f]{6},\s*#[0-9a-f]{6})\)")
TOKENS = dict(PAIR.findall((CSS / "tokens.css").read_text()))
SURFACES = ("paper", "sunk", "card")
TEXT = [
    *product(("ink", "soft", "go", "live", "warn", "bad"), SURFACES),
    ("on-go", "go"),
    ("on-go", "go-strong"),
    ("live", "live-bg"),
    ("warn", "warn-bg"),
    ("bad", "bad-bg"),
    ("bad", "live-bg"),
    ("go", "go-bg"),
    ("ink", "go-bg"),
    ("ink", "live-bg"),
    ("soft", "live-bg"),
    ("paper", "ink"),
]
LINES = [("field-line", surface) for surface in SURFACES]


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str, night: bool) -> float:
    light, dark = sorted(
        (luminance(TOKENS[name].replace(" ", "").split(",")[night]) for name in (one, other)),
        reverse=True,
    )
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("night", [False, True])
@pytest.mark.parametrize(("text", "surface"), TEXT)
def test_text_can_be_read(text: str, surface: str, night: bool) -> None:
    assert contrast(text, surface, night) >= 4.5


@pytest.mark.parametrize("night", [False, True])
@pytest.mark.parametrize(("line", "surface"), LINES)
def test_the_edges_of_fields_can_be_seen(line: str, surface: str, night: bool) -> None:
    assert contrast(line, surface, night) >= 3


def test_colours_stand_in_the_tokens_only() -> None:
    for file in CSS.glob("*.css"):
        if file.name != "tokens.css":
            strays = re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*[;}])", file.read_text())
            assert not strays, f"{file.name}: {strays}"


def test_every_token_used_exists() -> None:
    defined = set(re.findall(r"(--[a-z0-9-]+):", "".join(f.read_text() for f in CSS.glob("*.css"))))
    for file in CSS.glob("*.css"):
        unknown = set(re.findall(r"var\((--[a-z0-9-]+)", file.read_text())) - defined
        assert not unknown, f"{file.name}: {unknown}"
