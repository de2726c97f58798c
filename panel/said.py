"""The company's own texts, on every page: read once a minute, not with every request."""

from __future__ import annotations

import time

from flask import Flask

from verbs import wordings

SECONDS = 60.0


class Said:
    """What ``wordings.texts`` said lately. The process that changes one reads them at once."""

    def __init__(self) -> None:
        self._read: tuple[float, dict[str, str]] = (0.0, {})

    def text(self, name: str) -> str:
        until, texts = self._read
        if time.monotonic() >= until:
            texts = wordings.texts()
            self._read = (time.monotonic() + SECONDS, texts)
        return texts[name]

    def forget(self) -> None:
        self._read = (0.0, {})


def install(app: Flask) -> None:
    said = Said()
    app.extensions["said"] = said
    app.jinja_env.globals["wording"] = said.text
