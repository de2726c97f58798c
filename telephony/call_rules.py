"""What a rule for calls (T2) can say: its words, and which of them make sense together."""

from __future__ import annotations

from collections.abc import Iterable

from errors import Words

SITUATIONS = ("incoming", "missed", "outgoing")
EFFECTS = ("contact", "deal", "task", "record")
MISSED_OWNERS = ("last", "first", "nobody", "head", "turns")
"""Rule 5: the user whose phone rang last or first, nobody, a head, or the users in turn."""
LONGEST_REPEAT = 3650
"""Days."""


def faults(
    situation: str, known: bool, effects: Iterable[str], missed_owner: str, repeat_after: int
) -> dict[str, str]:
    """By column of CallRule: what about a rule makes no sense, and what to write instead."""
    found = {}
    if situation not in SITUATIONS:
        found["situation"] = f"{situation!r} is none of {', '.join(SITUATIONS)}"
    if wrong := _wrong_effects(situation, known, list(effects)):
        found["effects"] = wrong
    if missed_owner not in MISSED_OWNERS:
        found["missed_owner"] = f"{missed_owner!r} is none of {', '.join(MISSED_OWNERS)}"
    elif situation != "missed" and missed_owner != "last":
        found["missed_owner"] = Words("an answered call is the speaker's: leave it out")
    if not 0 <= repeat_after <= LONGEST_REPEAT:
        found["repeat_after"] = f"a number of days, 0 to {LONGEST_REPEAT}"
    elif repeat_after and not known:
        found["repeat_after"] = Words("an unknown number has no earlier deal: leave it out")
    return found


def _wrong_effects(situation: str, known: bool, effects: list[str]) -> str:
    strange = [word for word in effects if word not in EFFECTS]
    if strange:
        return f"{strange[0]!r} is none of {', '.join(EFFECTS)}"
    if situation == "missed" and "record" in effects:
        return Words("nobody talks in a missed call: leave record out")
    if known and "contact" in effects:
        return Words("a known number has its contact: leave contact out")
    return ""
