"""The largest rate of calls without a failed one, and how long callers wait for the answer."""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.company import Company
from bench.load import Placed, percentile, place
from models import Call

FIRST_FACTOR, SMALLEST_FACTOR = 1.3, 1.02
ROWS_WITHIN = 10.0
"""Seconds after the last call within which each must be recorded to its end."""
PERCENTS = (50, 95, 99)


@dataclass(frozen=True)
class Variant:
    """A way for calls: the trunk they come over, and whether Trichter is there to record them."""

    name: str
    key: str
    way: str
    recorded: bool
    first_rate: float


PLAIN = Variant("plain Dial()", "plain", "observe", False, 260)
OBSERVED = Variant("observed", "observed", "observe", True, 150)
ROUTED = Variant("routed through Stasis", "routed", "route", True, 110)
FASTAGI = Variant("routed through FastAGI", "fastagi_routed", "agi", True, 110)
VARIANTS = (PLAIN, OBSERVED, ROUTED, FASTAGI)


@dataclass
class Search:
    """Steps up after a run in which all went well and down after another, ever smaller ones."""

    rate: float
    best: float = 0.0
    factor: float = FIRST_FACTOR
    went_up: bool | None = None

    def take(self, good: bool) -> None:
        """The outcome of a run at ``rate``; sets the next one."""
        if good:
            self.best = max(self.best, self.rate)
        if self.went_up not in (None, good):
            self.factor = max(SMALLEST_FACTOR, self.factor**0.5)
        self.went_up = good
        self.rate = self.rate * self.factor if good else self.rate / self.factor


@dataclass
class Ran:
    """One run of a variant: the calls, and what of them was recorded wrongly. ``behind``: seconds
    from the end of the last call until all were recorded."""

    placed: Placed
    wrong: int = 0
    behind: float = 0.0

    @property
    def good(self) -> bool:
        return not self.placed.failed and not self.wrong and self.placed.in_time


@dataclass
class Trial:
    """All runs of all variants. ``say`` gets a line about each."""

    company: Company
    say: Callable[[str], None]
    behind: dict[str, float] = field(default_factory=dict)

    def largest_rates(self, rounds: int, seconds: float, first: float = 1.0) -> dict[str, float]:
        """Calls a second by variant: rounds in which each has its turn. ``first``: share of the
        variants' first rates to begin with."""
        searches = {variant.name: Search(first * variant.first_rate) for variant in VARIANTS}
        for _ in range(rounds):
            for variant in self._in_turn():
                search = searches[variant.name]
                ran = self._run(variant, search.rate, seconds)
                if ran.good and search.rate > search.best:
                    self.behind[variant.name] = ran.behind
                search.take(ran.good)
        return {name: search.best for name, search in searches.items()}

    def delays(self, rounds: int, rate: float, seconds: float) -> dict[str, list[float]]:
        """Milliseconds until the answer by variant, p50, p95 and p99: medians of the rounds."""
        found: dict[str, list[list[float]]] = {variant.name: [] for variant in VARIANTS}
        for _ in range(rounds):
            for variant in self._in_turn():
                delays = self._run(variant, rate, seconds).placed.delays
                found[variant.name].append([percentile(delays, percent) for percent in PERCENTS])
        return {
            name: [statistics.median(column) for column in zip(*rows, strict=True)]
            for name, rows in found.items()
        }

    def _in_turn(self) -> Iterator[Variant]:
        """First those without Trichter, then with it, so that it starts once a round."""
        yield PLAIN
        with self.company.trichter():
            yield from (OBSERVED, ROUTED, FASTAGI)

    def _run(self, variant: Variant, rate: float, seconds: float) -> Ran:
        callers = self.company.callers(max(2, round(rate * seconds)))
        last = self.company.last_call()
        ran = Ran(place(variant.way, self.company.pbx.ports.sip, rate, callers))
        rows = ""
        if variant.recorded and ran.good:
            ran.wrong, ran.behind = self._wrongly_recorded(callers, last)
            rows = f" {ran.wrong} recorded wrongly, {ran.behind:.1f} s behind,"
        self.say(
            f"{variant.name:23}{rate:6.1f}/s: {'good' if ran.good else 'bad '}"
            f" {ran.placed.failed} of {ran.placed.calls} failed,{rows}"
            f" p95 {percentile(ran.placed.delays, 95):.1f} ms"
        )
        if not self.company.settle():
            self.say(f"{variant.name}: calls or rows go on, which may disturb the next run")
        return ran

    @staticmethod
    def _wrongly_recorded(callers: Sequence[tuple[str, str]], last: int) -> tuple[int, float]:
        """How many calls are not there exactly once and answered; and the seconds it took."""
        begun = time.monotonic()
        wanted = Counter(number for _, number in callers)
        answered = (Call.id > last) & (Call.outcome == "answered")
        rows: Any = Call.select(Call.number).where(answered).tuples()
        while True:
            found = Counter(number for (number,) in list(rows.clone()))
            wrong = (wanted - found).total() + (found - wanted).total()
            behind = time.monotonic() - begun
            if not wrong or behind > ROWS_WITHIN:
                return wrong, behind
            time.sleep(0.1)
