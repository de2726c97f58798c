"""The catalogues as tests read them, and what a person reads of a page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
import texts
from babel.messages.catalog import Catalog, Message

LANGUAGES = pytest.mark.parametrize("language", texts.LANGUAGES)


def of(language: str) -> Catalog:
    return texts.read(language)


def english(message: Message) -> tuple[str, ...]:
    """Its one text, or singular and plural."""
    return tuple(message.id) if isinstance(message.id, tuple | list) else (str(message.id),)


def forms(message: Message) -> tuple[str, ...]:
    string = message.string
    return tuple(string) if isinstance(string, tuple | list) else (str(string or ""),)


class Seen(HTMLParser):
    """What a person reads or hears on a page; not what is marked as English."""

    ATTRIBUTES = ("title", "aria-label", "placeholder", "alt", "data-label", "data-confirm")
    EMPTY = ("input", "meta", "link", "br", "img", "rect", "path", "use", "line", "circle")

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        hidden = tag in ("script", "style", "code") or (tag != "html" and "lang" in about)
        hidden = hidden or bool(self._open and self._open[-1][1])
        if tag not in self.EMPTY:
            self._open.append((tag, hidden))
        if not hidden:
            told = [about[name] for name in self.ATTRIBUTES if name in about]
            if about.get("id") in ("texts", "board-texts"):
                told += [value for name, value in attrs if name.startswith("data-")]
            self._keep(*told)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not (self._open and self._open[-1][1]):
            self._keep(data)

    def _keep(self, *told: str | None) -> None:
        self.texts += [" ".join(text.split()) for text in told if text and text.strip()]
