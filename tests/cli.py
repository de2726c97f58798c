"""The command line in the test's own process, with a database and a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import settings
from tests.world import release
from trichter import main

Run = Callable[..., Result]


def runner(url: str, folder: Path, patch: pytest.MonkeyPatch) -> Run:
    """``run("user", "list", text="what is typed", TRICHTER_…="…")``. What is no answer of the
    command line, but an error in it, is raised."""
    patch.chdir(folder)
    patch.setattr(settings, "PLACES", ())

    def run(*words: str, text: str | bytes = "", **environ: str) -> Result:
        environ = {"TRICHTER_DATABASE_URL": url, **environ}
        try:
            result = CliRunner().invoke(main, words, input=text, env=environ)
        finally:
            release()
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def installed(url: str, folder: Path, patch: pytest.MonkeyPatch) -> Run:
    """The same, with the tables made."""
    run = runner(url, folder, patch)
    assert run("init").exit_code == 0
    return run
