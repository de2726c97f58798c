"""``trichter doctor``: every dependency and setting Trichter needs, each with a fix."""

from __future__ import annotations

from collections.abc import Iterator

from doctor import asterisk, configuration, recordings, records, servers, tables
from doctor.check import FAULT, GOOD, NOTE, Check
from settings import Settings

__all__ = ["FAULT", "GOOD", "NOTE", "Check", "run"]


def run(settings: Settings) -> Iterator[Check]:
    """All checks, in the order in which faults are best mended."""
    yield from configuration.checks(settings)
    ready = True
    for check in tables.checks(settings):
        ready = ready and check.mark != FAULT
        yield check
    yield from asterisk.checks(settings, ready)
    yield from records.checks(settings)
    yield from recordings.checks(settings, ready)
    yield from servers.checks(settings)
