"""What can be said of a stage, and what makes a column's value of it or raises Refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from errors import Refused, Words
from fields import clean, readable_lines
from models import REQUIRABLE

BUYER_PHASES = ("", "motivation", "interest", "decision", "action")
KINDS = ("unsorted", "open", "won", "lost")
COLOURS = ("", "grey", "blue", "teal", "green", "amber", "red", "violet")
LONGEST_STUCK = 3650 * 86400


def checked(about: dict[str, Any]) -> dict[str, Any]:
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


def read_name(text: Any) -> str:
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


UNSAID = {
    "buyer_phase": "",
    "advice": "",
    "probability": 0,
    "stuck_after": None,
    "required_fields": "",
    "colour": "",
}
"""What a new stage says where nothing else is said."""
READERS: dict[str, Any] = {
    "name": read_name,
    "kind": _one_of("kind", KINDS),
    "buyer_phase": _one_of("buyer_phase", BUYER_PHASES),
    "advice": lambda text: readable_lines(text, 2000),
    "probability": lambda value: _whole("probability", 100, Words("percent"))(value) or 0,
    "stuck_after": _whole("stuck_after", LONGEST_STUCK, Words("seconds")),
    "required_fields": _required,
    "colour": _one_of("colour", COLOURS),
}
