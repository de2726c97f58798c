"""The texts that people see, from the sources into a catalogue for each language.

New texts come into the catalogues without a translation, and those that no source has any more are
dropped; a test fails until each has its translation.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "panel" / "translations"
LANGUAGES = ("de", "ru")
METHODS = [
    ("panel/**.py", "python"),
    ("verbs/**.py", "python"),
    ("*.py", "python"),
    ("panel/templates/**.html", "jinja2"),
]
OPTIONS = {"panel/templates/**.html": {"trim_blocks": "true", "newstyle_gettext": "true"}}
KEYWORDS = {**DEFAULT_KEYWORDS, "Refused": None, "Conflict": None, "N_": None}
HEADER = "# Texts of Trichter. bin/texts brings in what is new in the sources."
# The time of the last run would make every run a change.
BEGUN = datetime(2026, 11, 23, tzinfo=UTC)
SKIPPED = (".venv", ".private", "tests", "bench", "bin", "node_modules")


def extract() -> Catalog:
    """All texts of the sources, in the order of their files."""
    found = Catalog(project="Trichter", header_comment=HEADER, creation_date=BEGUN)
    for name, _line, message, comments, context in extract_from_dir(
        ROOT,
        METHODS,
        OPTIONS,
        KEYWORDS,
        ("Translators:",),
        directory_filter=lambda path: Path(path).name not in SKIPPED,
    ):
        found.add(message, None, [(name, 1)], auto_comments=comments, context=context)
    return found


def read(language: str) -> Catalog:
    """The catalogue of a language; an empty one if there is none yet."""
    file = FOLDER / f"{language}.po"
    if not file.is_file():
        return Catalog(locale=language, charset="utf-8", header_comment=HEADER, revision_date=BEGUN)
    with file.open("rb") as texts:
        return read_po(texts, locale=language)


def update(language: str, texts: Catalog) -> int:
    """Write the catalogue anew. Returns how many texts have no translation."""
    catalogue = read(language)
    catalogue.update(texts, no_fuzzy_matching=True)
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{language}.po").open("wb") as file:
        write_po(
            file, catalogue, width=100, omit_header=False, no_location=True, ignore_obsolete=True
        )
    return sum(not all(_strings(message.string)) for message in catalogue if message.id)


def _strings(string: object) -> tuple[object, ...]:
    return string if isinstance(string, tuple) else (string,)


def main() -> int:
    texts = extract()
    for language in LANGUAGES:
        print(f"{language}: {len(texts)} texts, {update(language, texts)} without translation")
    return 0


if __name__ == "__main__":
    sys.exit(main())
