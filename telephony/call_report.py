"""What is known of one call: said whole by whoever watches calls, taken in by ``record_call``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fields import number_or_none

MOBILE = "mobile/"
OWN_CALL, OWN_EAR = "trichter-call-", "trichter-ear-"
"""How the ids of channels begin that are made here: a call asked for by a click, and what it takes
to listen to one, which is no call at all."""
OWN_PROBE = "trichter-doctor-"
"""That of a channel with which the doctor asks the dialplan something."""
NO_CALL = (OWN_EAR, OWN_PROBE)
MISSED_OUTCOMES = ("missed", "busy", "failed")


def mobile_endpoint(number: str) -> str:
    """How reports name the phone with this number, in any notation, if it is a user's own:
    ``mobile/+491710000101``. '' for what is not a number."""
    e164 = number_or_none(number)
    return MOBILE + e164 if e164 else ""


def is_missed(direction: str, outcome: str | None) -> bool:
    """T9: an incoming call without a conversation, whatever kept it from being one."""
    return direction == "incoming" and outcome in MISSED_OUTCOMES


@dataclass(frozen=True)
class LegReport:
    """One phone of a user in a call. ``endpoint``: as Asterisk names it, or ``mobile/`` and the
    number of a user's mobile, which is reached over a trunk. ``outcome``: answered, missed, busy,
    failed, or None: live."""

    channel: str
    endpoint: str
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True)
class CallReport:
    """All that is known of one call: what the ledger (or CDR) says, whole, every time.

    ``number``: the outside party as the PBX wrote it. ``speaker``: endpoint of the user who spoke
    last. ``talk`` in seconds. ``outcome`` stays None while the call lives. ``absorbed``: linkedids
    of calls that have turned out to be this one: a transfer's consultation, a pick-up.
    ``end_is_guess``: nobody saw it end, and what the exchange wrote down may say better.
    ``queue``: the last queue it waited in. ``recording``: the file, as the exchange names it.
    """

    pbx: str
    linkedid: str
    direction: str
    started_at: datetime
    number: str = ""
    name: str = ""
    did: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    talk: int | None = None
    speaker: str | None = None
    outcome: str | None = None
    legs: tuple[LegReport, ...] = ()
    absorbed: tuple[str, ...] = ()
    end_is_guess: bool = False
    queue: str = ""
    recording: str = ""
