"""What a check of ``trichter doctor`` finds."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, NOTE, FAULT = "ok", "note", "FAULT"
RELOAD = "asterisk -rx 'module reload res_ari.so'"


@dataclass(frozen=True)
class Check:
    """One finding. ``mark``: ok, note (works, but read it) or FAULT; ``fix``: what to do."""

    mark: str
    subject: str
    finding: str
    fix: str = ""
