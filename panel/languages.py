"""The languages of the panel: catalogues of translations, and which one a page is written in."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, request
from flask_babel import Babel, Domain, get_locale, gettext
from flask_babel import gettext as _
from jinja2 import pass_context

from errors import Incomplete, Sentence, TrichterError, Words, filled
from fields import BadNumber
from panel.shown import grouped

LANGUAGES = {"en": "English", "de": "Deutsch", "ru": "Русский"}
"""As those who speak them call them; English is what the sources are written in."""
FOLDER = Path(__file__).parent / "translations"
_COUNT = re.compile(r"%\((\w+)\)d")


class Texts(Translations):
    """A catalogue whose whole numbers, as in %(num)d, are written as texts: see ``spoken``."""

    def ugettext(self, message: str) -> str:
        return _as_text(str(super().ugettext(message)))

    def ungettext(self, singular: str, plural: str, num: int) -> str:
        return _as_text(str(super().ungettext(singular, plural, num)))


def _as_text(text: str) -> str:
    return _COUNT.sub(r"%(\1)s", text) if ")d" in text else text


class Catalogues(Domain):
    """Read straight from the .po files, once a process: nothing has to be compiled before."""

    def get_translations(self) -> NullTranslations:
        return catalogue(get_locale().language)

    def gettext(self, text: str, /, **values: Any) -> str:
        return str(super().gettext(text, **spoken(text, values)))

    def ngettext(self, singular: str, plural: str, num: int, /, **values: Any) -> str:
        text = self.get_translations().ungettext(singular, plural, num)
        return str(text % spoken(plural, {"num": num, **values}))


class Languages(Babel):
    """Wherever a text is asked for: in requests, and in errors before one has begun."""

    domain_instance = Catalogues()


@lru_cache(maxsize=2048)
def _counts(text: str) -> frozenset[str]:
    return frozenset(_COUNT.findall(text))


def spoken(text: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a text; whole numbers (%(num)d) as the language writes them: 12,345."""
    counts = _counts(text)
    return {name: _whole(value) if name in counts else value for name, value in values.items()}


def _whole(number: float) -> str:
    """Most are small, and a board has hundreds of them."""
    return grouped(int(number)) if abs(number) >= 1000 else str(int(number))


def _in_templates(write: Callable[..., str]) -> Callable[..., str]:
    """The same for the texts of templates: one, or two forms and the number that chooses."""

    @pass_context
    def written(context: Any, /, *texts: Any, **values: Any) -> str:
        text, counted = texts[0], {}
        if len(texts) > 1:
            text, counted = texts[1], {"num": texts[2]}
        return write(context, *texts, **spoken(text, {**counted, **values}))

    return written


@cache
def catalogue(language: str) -> NullTranslations:
    file = FOLDER / f"{language}.po"
    if not file.is_file():
        return Texts()
    compiled = BytesIO()
    with file.open("rb") as texts:
        write_mo(compiled, read_po(texts, locale=language))
    compiled.seek(0)
    return Texts(compiled)


def install(app: Flask) -> None:
    Languages(app, locale_selector=language)
    texts: dict[str, Any] = app.jinja_env.globals
    for name in ("gettext", "ngettext"):
        texts[name] = _in_templates(texts[name])
    texts.update(languages=LANGUAGES, page_language=page_language)
    app.jinja_env.filters["in_words"] = in_words
    app.jinja_env.tests["words"] = has_words


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


def in_words(text: str) -> str:
    """A text that may have translations, as what the doctor finds; else as it is."""
    if isinstance(text, Sentence):
        return filled(gettext(text.text), {k: _said(v) for k, v in text.values.items()})
    return _said(text)


def has_words(text: str) -> bool:
    """Whether it may have translations: what other programs say is English everywhere."""
    return isinstance(text, Words | Sentence)


def _said(value: object) -> str:
    """A value of a refusal. Names stay as they are."""
    if isinstance(value, BadNumber):
        return _("“%(text)s” is not a telephone number", text=value.written)
    if isinstance(value, int):
        return _whole(value)
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
