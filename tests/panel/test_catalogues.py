"""E1: every text that people read is in the catalogues, and its translation fits it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import texts

from tests.panel.catalogues import LANGUAGES, Seen, english, forms, of

SOURCES = texts.extract()
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
TAG = re.compile(r"</?\w+[^>]*>")


@LANGUAGES
def test_every_text_is_translated(language: str) -> None:
    assert texts.missing(texts.updated(language, SOURCES)) == []


@LANGUAGES
def test_the_file_is_what_the_command_writes(language: str) -> None:
    """No text that is gone, none that is guessed, nothing out of order."""
    file = texts.FOLDER / f"{language}.po"
    assert file.read_bytes() == texts.written(texts.updated(language, SOURCES)), "run bin/texts"
    assert not [m.id for m in of(language) if m.fuzzy]
    assert not of(language).obsolete


@LANGUAGES
def test_places_and_edges_are_those_of_the_english_text(language: str) -> None:
    wrong = [
        (message.id, form)
        for message in of(language)
        if message.id
        for number, form in enumerate(forms(message))
        if form and not _fits(english(message), form, number, len(forms(message)))
    ]
    assert wrong == []


def _fits(said: tuple[str, ...], form: str, number: int, of_forms: int) -> bool:
    # Only where the first form is for one alone may it do without the number.
    models = said if number == 0 and of_forms == 2 else said[-1:]
    return any(_shape(model) == _shape(form) for model in models)


def _shape(text: str) -> tuple[list[str], list[str], str, str]:
    edges = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return sorted(PLACE.findall(text)), sorted(TAG.findall(text)), *edges


@LANGUAGES
def test_percent_signs_are_only_those_of_places(language: str) -> None:
    """Templates fill each text with %: another such sign would break the page."""
    broken = [
        form
        for message in of(language)
        if message.id
        for form in forms(message)
        if "%" in PLACE.sub("", form)
    ]
    assert broken == []


@LANGUAGES
def test_plural_forms(language: str) -> None:
    wanted = {"de": 2, "ru": 3}[language]
    assert of(language).num_plurals == wanted
    plurals = [m for m in of(language) if len(english(m)) == 2]
    assert plurals
    assert not [m.id for m in plurals if len(forms(m)) != wanted]


def test_texts_are_taken_from_all_sources() -> None:
    found = {english(message)[0] for message in SOURCES if message.id}
    for text in (
        "To call back",  # a template
        "%(num)d deal",  # a plural
        "This deal belongs to somebody else.",  # a refusal of models.py
        "there is a stage of this name already",  # a value of a refusal
        "It fits several contacts ({names}): merge them first.",  # why a row was refused
        "{deal} moved to {stage}.",  # for a script
    ):
        assert text in found
    assert "{error}" not in found


TRANSLATORS = ("_", "gettext", "ngettext", "pgettext", "Words")


def test_what_is_translated_can_be_found() -> None:
    """A text put together before it is looked up has no translation."""
    panel = [*(texts.ROOT / "panel").glob("*.py"), *(texts.ROOT / "verbs").glob("*.py")]
    wrong = []
    for path in panel:
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                is_text = node.func.id in (*TRANSLATORS, "Refused", "Conflict")
                if is_text and isinstance(node.args[0], ast.JoinedStr | ast.BinOp):
                    wrong.append(f"{path.name}:{node.lineno}")
    assert wrong == []


@pytest.mark.parametrize(
    "path", sorted((texts.ROOT / "panel" / "templates").glob("*.html")), ids=lambda p: p.name
)
def test_templates_have_no_words_of_their_own(path: Path) -> None:
    source = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text(), flags=re.S)
    seen = Seen()
    seen.feed(source)
    # Macros that write attributes, and blocks that name classes, are not for people.
    told = {re.sub(r"""[\w-]+="[^"]*"|\bis-\w+""", "", text) for text in seen.texts}
    words = {text for text in told if re.search(r"[A-Za-z]{2}", text)}
    assert words <= {"Trichter", "· Trichter", "PJSIP/101"}, path.name
    assert not re.findall(r"""=["'][A-Z][a-z]+ [a-z]+""", source), path.name


def test_scripts_have_no_words_of_their_own() -> None:
    folder = texts.ROOT / "panel" / "static" / "js"
    sentence_in = re.compile(r"""["'`][A-Z][a-z]+ [a-z]+[^"'`]*["'`]""")
    wrong = [
        f"{path.name}: {line.strip()}"
        for path in folder.rglob("*.js")
        for line in path.read_text().splitlines()
        if sentence_in.search(re.sub(r"^\s*(//|/?\*).*|\s// .*", "", line))
    ]
    assert wrong == []
