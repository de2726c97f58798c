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
from flask_babel import gettext as _

from errors import Incomplete, TrichterError, Words, filled
from fields import BadNumber

LANGUAGES = {"en": "English", "de": "Deutsch", "ru": "Русский"}
"""As those who speak them call them; English is what the sources are written in."""
FOLDER = Path(__file__).parent / "translations"


class Catalogues(Domain):
    """Read straight from the .po files, once a process: nothing has to be compiled before."""

    def get_translations(self) -> NullTranslations:
        return catalogue(get_locale().language)


class Languages(Babel):
    """Wherever a text is asked for: in requests, and in errors before one has begun."""

    domain_instance = Catalogues()


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
    Languages(app, locale_selector=language)
    app.jinja_env.globals.update(languages=LANGUAGES, page_language=page_language)


def language() -> str:
    """The user's own; before the log-in what the browser asks for."""
    viewer = g.get("viewer")
    if viewer and viewer.locale in LANGUAGES:
        return str(viewer.locale)
    return request.accept_languages.best_match(list(LANGUAGES), "en") or "en"


def page_language() -> str:
    """What the page is written in: of an error page also the user's, though it is nobody's."""
    return str(get_locale().language)


def sentence(error: TrichterError) -> str:
    """What a refusal says, in the language of the page."""
    if isinstance(error, Incomplete):
        needed = _needed()
        return _("Fill in first: %(what)s.", what=", ".join(needed[word] for word in error.missing))
    values: dict[str, Any] = {key: _said(value) for key, value in error.values.items()}
    return filled(gettext(error.text), values)


def _said(value: object) -> str:
    """A value of a refusal. Names and numbers stay as they are."""
    if isinstance(value, BadNumber):
        return _("“%(text)s” is not a telephone number", text=value.written)
    return gettext(value) if isinstance(value, Words) else str(value)


def _needed() -> dict[str, str]:
    """What a stage can ask for, and the reason of a loss."""
    return {
        "contact": _("the contact"),
        "number": _("a telephone number"),
        "email": _("an e-mail address"),
        "company": _("the company"),
        "amount": _("the amount"),
        "task": _("an open task"),
        "note": _("a note"),
        "reason": _("the reason"),
    }
