"""Recording leaves the processors to calls where there is too little for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from ari_app import giving_way
from ari_app.giving_way import FEW, LONGEST, GivingWay, times

MANY = FEW + 1


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds worked and waited, as the system tells them."""
    told = [5.0, 7.0]
    monkeypatch.setattr(giving_way, "times", lambda: (told[0], told[1]))
    return told


def passes(clock: list[float], worked: float, waited: float) -> None:
    clock[0] += worked
    clock[1] += waited


@pytest.mark.parametrize(
    ("calls", "waited", "rests"),
    [(MANY, 0.1, True), (MANY, 0.01, False), (FEW, 0.1, False), (0, 0.0, False)],
)
def test_rest_where_others_wait_for_processors_too(
    clock: list[float], calls: int, waited: float, rests: bool
) -> None:
    giving = GivingWay()
    giving.rest(0)
    passes(clock, worked=0.1, waited=waited)
    assert (giving.rest(calls) > 0.3) == giving.is_needed == rests


def test_it_ends_with_the_crowd_and_has_a_limit(clock: list[float]) -> None:
    giving = GivingWay()
    giving.rest(0)
    passes(clock, worked=60.0, waited=60.0)
    assert giving.rest(MANY) == LONGEST
    passes(clock, worked=60.0, waited=0.0)
    assert (giving.rest(MANY), giving.is_needed) == (0.0, False)


def test_a_thread_knows_how_long_it_worked() -> None:
    before, _ = times()
    while times()[0] < before + 0.001:
        pass
    assert times()[1] >= 0


@pytest.mark.parametrize("told", [None, "", "1 2", "a b c"])
def test_where_the_system_does_not_tell(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str | None
) -> None:
    place = tmp_path / "schedstat"
    if told is not None:
        place.write_text(told)
    monkeypatch.setattr(giving_way, "TIMES", place)
    giving = GivingWay()
    assert (giving.rest(MANY), giving.is_needed) == (0.0, False)
