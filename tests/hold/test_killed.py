"""``kill -9`` of ``trichter ari``, and of Asterisk, while ten people a second call."""

from __future__ import annotations

import random

from tests.hold import trials
from tests.hold.place import Held


def test_killed_again_and_again(held: Held) -> None:
    """No caller notices; every call is one row, with the right outcome and one card."""
    outcome = trials.killed(held, kills=5, seconds=10, chance=random.Random(1))
    assert outcome.verdict.faults == []
    assert outcome.verdict.counts["calls"] == outcome.verdict.counts["as they should be"] == 100


def test_the_exchange_is_killed(held: Held) -> None:
    """Calls that died with it have an end; those after it are recorded as ever, none twice."""
    outcome = trials.exchange_killed(held, seconds=6)
    assert outcome.verdict.faults == []
    assert outcome.verdict.counts["as they should be"] >= 40
