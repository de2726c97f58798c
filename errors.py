"""What can't be done, said so that people in any language can be told.

``text`` is plain English with places in braces, and the key of its translations; ``values`` fill
the places; ``field`` names the entry it is about, or is ''.
"""

from __future__ import annotations


class Words(str):
    """A text for people that is a value of an error, or kept for later: it has translations too."""

    __slots__ = ()


class Sentence(str):
    """A text whose places are filled, in English; ``text`` has translations, ``values`` what fills
    it there."""

    text: str
    values: dict[str, object]

    def __new__(cls, text: str, **values: object) -> Sentence:
        made = super().__new__(cls, filled(text, values))
        made.text, made.values = text, values
        return made


class TrichterError(Exception):
    """A request that can't be done; the message says what to do instead."""

    def __init__(self, text: str, *, field: str = "", **values: object) -> None:
        super().__init__(text)
        self.text, self.field, self.values = text, field, values

    @property
    def sentence(self) -> str:
        """The text with its places filled, in English."""
        return filled(self.text, self.values)

    def __str__(self) -> str:
        return f"{self.field}: {self.sentence}" if self.field else self.sentence


class Refused(TrichterError):
    """The value or the act is not allowed."""


class Incomplete(Refused):
    """What has to be filled in first; ``missing`` in words out of models.REQUIRABLE, and reason."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__("fill in first: {missing}", missing=", ".join(missing))
        self.missing = missing


class Conflict(TrichterError):
    """Somebody else changed the same thing in the meantime."""


def filled(text: str, values: dict[str, object]) -> str:
    """``text`` with its places filled; a text without values is taken as it stands."""
    return text.format(**values) if values else text
