"""What a check of ``trichter doctor`` finds."""

from __future__ import annotations

from dataclasses import dataclass

from errors import Words

GOOD, NOTE, FAULT = "ok", "note", "FAULT"
RELOAD = "asterisk -rx 'module reload res_ari.so'"
START = Words("start 'trichter serve'")


@dataclass(frozen=True)
class Check:
    """One finding. ``mark``: ok, note (works, but read it) or FAULT; ``fix``: what to do. Texts
    that are Words or a Sentence have translations; names, commands and what other programs
    say have none."""

    mark: str
    subject: str
    finding: str
    fix: str = ""
