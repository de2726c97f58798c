"""What calls cost: .venv/bin/python bench/calls.py [--json FILE] [--quick] [--asterisk 16]

Prints a table, and writes one flat object of numbers; docs/benchmarks.md says what each means. It
takes less than ten minutes on two cores; --quick takes one, and says no more than that it works.
"""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "bin"))

from bench import growth, lookups, records  # noqa: E402
from bench.company import Company, raise_file_limit  # noqa: E402
from bench.event_rows import Watch  # noqa: E402
from bench.history import History  # noqa: E402
from bench.load import percentile, place  # noqa: E402
from bench.measuring import Figures, machine, run, say  # noqa: E402
from bench.rates import FASTAGI, OBSERVED, PERCENTS, PLAIN, ROUTED, VARIANTS, Trial  # noqa: E402
from tests.world import populate, release, use  # noqa: E402

KEYS = (
    "plain_cps", "observed_ratio", "routed_ratio", "fastagi_routed_ratio", "routed_added_p95_ms",
    "event_to_row_p95_ms", "fastagi_per_s", "fastagi_p95_ms", "growth_ratio", "import_rows_per_s",
)  # fmt: skip
SEVERAL = 4
"""Callers at once who ask FastAGI."""
EVENTS_AT = 20.0
"""Calls a second at which the way from event to row is measured."""


@dataclass(frozen=True)
class Size:
    """How much of all is done. Rates are in calls a second, times in seconds; ``first_rates`` is
    a share of those that are tried first on two cores."""

    contacts: int = 1_000_000
    calls: int = 1_000_000
    few: int = 1_000
    first_rates: float = 1.0
    rounds: int = 6
    seconds: float = 8
    delay_rounds: int = 3
    delay_rate: float = 40
    delay_seconds: float = 6
    event_seconds: float = 15
    look_up_seconds: float = 4
    grown: int = 100
    rows: int = 100_000


QUICK = Size(
    contacts=5_000, calls=5_000, first_rates=0.3, rounds=1, seconds=2, delay_rounds=1,
    delay_rate=20, delay_seconds=2, event_seconds=3, look_up_seconds=0.5, grown=20, rows=2_000,
)  # fmt: skip


def measure(size: Size, release_number: int, folder: Path) -> Figures:
    """All figures, those of KEYS first."""
    raise_file_limit()
    figures: Figures = {}
    with Company(release_number, folder, size.contacts, size.calls) as company:
        release = company.pbx.cli("core show version").partition(" built")[0]
        print(machine(release), end="\n\n", flush=True)
        figures |= _of_calls(company, size)
        with company.trichter():
            figures |= _of_events(company, size.event_seconds)
            figures |= _of_look_ups(company, size)
    figures |= _of_growth(folder, size)
    figures["import_rows_per_s"] = records.imported_per_second(folder, size.rows)
    return {key: figures.pop(key) for key in KEYS} | figures


def _of_calls(company: Company, size: Size) -> Figures:
    trial = Trial(company, say)
    rates = trial.largest_rates(size.rounds, size.seconds, size.first_rates)
    delays = trial.delays(size.delay_rounds, size.delay_rate, size.delay_seconds)
    figures = {
        "plain_cps": rates[PLAIN.name],
        "observed_ratio": rates[OBSERVED.name] / (rates[PLAIN.name] or 1),
        "routed_ratio": rates[ROUTED.name] / (rates[PLAIN.name] or 1),
        "fastagi_routed_ratio": rates[FASTAGI.name] / (rates[PLAIN.name] or 1),
        "routed_added_p95_ms": delays[ROUTED.name][1] - delays[PLAIN.name][1],
    }
    for variant in VARIANTS:
        key = variant.key
        figures[f"{key}_cps"] = rates[variant.name]
        figures |= {
            f"{key}_p{p}_ms": d for p, d in zip(PERCENTS, delays[variant.name], strict=True)
        }
        figures[f"{key}_behind_s"] = trial.behind.get(variant.name, 0.0)
    return figures


def _of_events(company: Company, seconds: float) -> Figures:
    callers = company.callers(round(EVENTS_AT * seconds))
    watch = Watch(company.database, company.last_call())
    watch.during(lambda: place("observe", company.pbx.ports.sip, EVENTS_AT, callers))
    company.settle()
    return {f"event_to_row_p{p}_ms": percentile(watch.delays, p) for p in PERCENTS}


def _of_look_ups(company: Company, size: Size) -> Figures:
    """With one caller and with several, the name for the display and the whole decision."""
    figures = {}
    for key, script in (("fastagi", "lookup_caller"), ("fastagi_route", "route_call")):
        ask = (company.pbx.ports.agi, script, company.with_a_deal)
        alone = lookups.ask_for(size.look_up_seconds, 1, *ask)
        several = lookups.ask_for(size.look_up_seconds, SEVERAL, *ask)
        if alone.unanswered or several.unanswered:
            raise RuntimeError(f"{script}: a customer was not found")
        figures[f"{key}_per_s"] = max(alone.per_second, several.per_second)
        figures |= {f"{key}_p{p}_ms": percentile(alone.times, p) for p in PERCENTS}
    return figures


def _of_growth(folder: Path, size: Size) -> Figures:
    """The same calls in a young database and in that of the company."""
    young = folder / "young.db"
    use(f"sqlite:///{young}")
    populate()
    release()
    with closing(History(str(young))) as history:
        history.add_departments()
        history.add_contacts(size.few, size.few)
        history.add_calls(size.few, size.few)
    urls = (f"sqlite:///{young}", f"sqlite:///{folder}/trichter.db")
    few, many = growth.compare(urls, size.grown)
    return {
        "growth_ratio": many.cpu / few.cpu,
        "growth_wall_ratio": many.wall / few.wall,
        "record_ms_among_few": few.wall,
        "record_ms_among_many": many.wall,
    }


AIMS = (
    ("routed_added_p95_ms", "added by routing, p95", "ms", "≤ 20"),
    ("event_to_row_p95_ms", "event to row at 20 calls/s, p95", "ms", "≤ 50"),
    ("fastagi_per_s", "FastAGI look-ups a second, a million contacts", "", "≥ 1,000"),
    ("fastagi_p95_ms", "FastAGI look-up, one caller, p95", "ms", "≤ 3"),
    ("fastagi_route_per_s", "FastAGI decisions a second", "", ""),
    ("growth_ratio", "cost of a call among a million : among a thousand", "", "0.8 to 1.2"),
    ("record_ms_among_many", "recording a call among a million, four reports", "ms", ""),
    ("import_rows_per_s", "rows imported a second", "", "≥ 1,667"),
)
RATIOS = {OBSERVED: "≥ 0.9", ROUTED: "≥ 0.6", FASTAGI: "≥ 0.6"}


def table(figures: Figures) -> str:
    """For people, as it stands in docs/benchmarks.md."""
    lines = [
        "| calls | largest rate | of plain | aim | answered after, p50 / p95 / p99 | rows behind |",
        "|---|---|---|---|---|---|",
    ]
    for variant in VARIANTS:
        rate, behind = figures[f"{variant.key}_cps"], figures[f"{variant.key}_behind_s"]
        delays = " / ".join(f"{figures[f'{variant.key}_p{p}_ms']:.1f}" for p in PERCENTS)
        share = f"{rate / figures['plain_cps']:.2f}" if figures["plain_cps"] else ""
        late = f"{behind:.1f} s" if variant.recorded else ""
        aim = RATIOS.get(variant, "")
        lines.append(f"| {variant.name} | {rate:.0f}/s | {share} | {aim} | {delays} ms | {late} |")
    lines += ["", "| | measured | aim |", "|---|---|---|"]
    for key, what, unit, aim in AIMS:
        digits = 0 if figures[key] >= 100 else 2
        lines.append(f"| {what} | {figures[key]:,.{digits}f} {unit} | {aim} |")
    return "\n".join(lines)


def main() -> None:
    def measured(quick: bool, release_number: int, folder: Path) -> Figures:
        return measure(QUICK if quick else Size(), release_number, folder)

    run("Measure what calls cost.", measured, table)


if __name__ == "__main__":
    main()
