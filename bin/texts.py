"""The texts that people see, from the sources into a catalogue for each language.

New texts come into the catalogues without a translation, and those that no source has any more are
dropped; a test fails until each has its translation. ``--check`` writes nothing, and fails if there
is something to do.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "panel" / "translations"
LANGUAGES = ("de", "ru")
METHODS = [
    ("panel/**.py", "python"),
    ("verbs/**.py", "python"),
    ("formats/**.py", "python"),
    ("telephony/**.py", "python"),
    ("doctor/**.py", "python"),
    ("*.py", "python"),
    ("panel/templates/**.html", "jinja2"),
]
OPTIONS = {"panel/templates/**.html": {"trim_blocks": "true", "newstyle_gettext": "true"}}
OURS = ("Refused", "Conflict", "Words", "Sentence", "refuse")
KEYWORDS = {**DEFAULT_KEYWORDS, **dict.fromkeys(OURS)}
HEADER = "# Texts of Trichter. bin/texts brings in what is new in the sources."
# The time of the last run would make every run a change.
BEGUN = datetime(2026, 11, 23, tzinfo=UTC)
SKIPPED = ("tests", "bench", "bin", "node_modules", "migrations", "ari_app")
# The command line and what the telephone exchange reads stay English.
FOR_PROGRAMS = ("formats/setup_file.py", "formats/rules_file.py", "verbs/setup.py")
_PLACE = re.compile(r"\{\w*\}|%\(\w+\)[sd]")


def extract() -> Catalog:
    """All texts of the sources, in the order of their files."""
    found = Catalog(project="Trichter", header_comment=HEADER, creation_date=BEGUN)
    for name, _line, message, comments, context in _all():
        first = message if isinstance(message, str) else message[0]
        # What is nothing but places has nothing to translate.
        if re.search(r"[^\W\d_]", _PLACE.sub("", first)) and name not in FOR_PROGRAMS:
            found.add(message, None, [(name, 1)], auto_comments=comments, context=context)
    return found


def _all() -> Iterator[tuple[Any, ...]]:
    yield from extract_from_dir(
        ROOT,
        METHODS,
        OPTIONS,
        KEYWORDS,
        ("Translators:",),
        directory_filter=lambda path: _is_source(Path(path).name),
    )


def _is_source(folder: str) -> bool:
    return folder not in SKIPPED and not folder.startswith(".")


def read(language: str) -> Catalog:
    """The catalogue of a language; an empty one if there is none yet."""
    file = FOLDER / f"{language}.po"
    if not file.is_file():
        return Catalog(locale=language)
    with file.open("rb") as texts:
        return read_po(texts, locale=language)


def updated(language: str, texts: Catalog) -> Catalog:
    """The catalogue with the texts of the sources, and no others."""
    catalogue = Catalog(
        locale=language,
        project="Trichter",
        header_comment=HEADER,
        creation_date=BEGUN,
        revision_date=BEGUN,
        last_translator="The Trichter authors",
        language_team=language,
        fuzzy=False,
    )
    catalogue.version, catalogue.msgid_bugs_address = "", ""
    known = read(language)
    for message in texts:
        if message.id:
            was = known.get(message.id, message.context)
            string = was.string if was and not was.fuzzy else None
            catalogue.add(
                message.id,
                string,
                auto_comments=message.auto_comments,
                context=message.context,
            )
    return catalogue


def written(catalogue: Catalog) -> bytes:
    file = BytesIO()
    write_po(file, catalogue, width=100, no_location=True, ignore_obsolete=True)
    return file.getvalue()


def missing(catalogue: Catalog) -> list[str]:
    """The texts that have no translation, in English."""
    return [
        message.id if isinstance(message.id, str) else message.id[0]
        for message in catalogue
        if message.id and not (message.string and all(_strings(message.string)))
    ]


def _strings(string: object) -> tuple[object, ...]:
    return tuple(string) if isinstance(string, tuple | list) else (string,)


def main() -> int:
    texts, stale = extract(), False
    FOLDER.mkdir(exist_ok=True)
    for language in LANGUAGES:
        file = FOLDER / f"{language}.po"
        catalogue = updated(language, texts)
        content, left = written(catalogue), len(missing(catalogue))
        stale |= bool(left) or not file.is_file() or file.read_bytes() != content
        if "--check" not in sys.argv[1:]:
            file.write_bytes(content)
        print(f"{language}: {len(texts)} texts, {left} without translation")
    return int(stale and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
