"""The languages of the panel: catalogues of translations, and which one a page is written in."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, request
from flask_babel import Babel, Domain, get_locale, gettext

from errors import TrichterError, filled

LANGUAGES = {"en": "English", "de": "Deutsch", "ru": "Русский"}
"""As those who speak them call them; English is what the sources are written in."""
FOLDER = Path(__file__).parent / "translations"


class Catalogues(Domain):
    """Read straight from the .po files, once a process: nothing has to be compiled before."""

    def get_translations(self) -> NullTranslations:
        return catalogue(get_locale().language)


@cache
def catalogue(language: str) -> NullTranslations:
    file = FOLDER / f"{language}.po"
    if not file.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with file.open("rb") as texts:
        write_mo(compiled, read_po(texts, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def install(app: Flask) -> None:
    Babel(app, locale_selector=language)
    catalogues = Catalogues()
    app.before_request(catalogues.as_default)
    app.jinja_env.globals.update(languages=LANGUAGES, language=language)


def language() -> str:
    """The user's own; before the log-in what the browser asks for."""
    viewer = g.get("viewer")
    if viewer and viewer.locale in LANGUAGES:
        return str(viewer.locale)
    return request.accept_languages.best_match(list(LANGUAGES), "en") or "en"


def sentence(error: TrichterError) -> str:
    """What a refusal says, in the language of the page."""
    values: dict[str, Any] = {key: str(value) for key, value in error.values.items()}
    return filled(gettext(error.text), values)
