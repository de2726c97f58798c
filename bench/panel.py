"""What the panel costs: .venv/bin/python bench/panel.py [--json FILE] [--quick] [--asterisk 16]

Prints a table, and writes one flat object of numbers; docs/benchmarks.md says what each means. It
takes less than six minutes on two cores, and once one more to build its world, which it keeps in
.private/bench; --quick takes one, and says no more than that it works.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "bin"))

from bench import panel_live, panel_others, panel_pages, panel_ring, sales_rows, sales_world  # noqa: E402
from bench.company import raise_file_limit  # noqa: E402
from bench.measuring import Figures, machine, run, say  # noqa: E402
from bench.panel_pages import Measured  # noqa: E402
from bench.visitor import Panel, Visitor  # noqa: E402
from tests import programs  # noqa: E402

KEYS = (
    "board_p95_ms", "board_kb", "board_queries", "move_p95_ms", "search_p95_ms", "popup_p95_ms",
    "live300_p95_ms", "live300_rss_mb", "page_kb",
)  # fmt: skip
ROLES = {"hugo": "head", sales_rows.SELLER: "seller"}
"""Whose requests are measured."""


@dataclass(frozen=True)
class Size:
    """How much of all is done, in how large a world."""

    world: sales_rows.Size = field(default_factory=sales_rows.Size)
    boards: int = 60
    moves: int = 100
    searches: int = 280
    others: int = 10
    streams: int = 300
    told: int = 40
    calls: int = 40


QUICK = Size(
    world=sales_rows.Size(300, 600, 200, 1_000, 5_000, 100, 100), boards=3, moves=4, searches=14,
    others=2, streams=12, told=3, calls=2,
)  # fmt: skip


def measure(size: Size, release_number: int, folder: Path) -> Figures:
    """All figures, those of KEYS first."""
    raise_file_limit()
    database = sales_world.copy_of(size.world, folder, say)
    figures: Figures = {}
    with Panel(database, folder) as panel:
        people = [Visitor(panel.address, login) for login in ROLES]
        figures |= _of_requests(people, size, database)
        say("many live panels")
        figures |= panel_live.figures(database, panel, people, size.streams, size.told)
        say("contacts, calls, tasks")
        busy = Visitor(panel.address, sales_rows.BUSY)
        figures |= panel_others.figures([*people, busy], size.others, database)
    say("calls that ring")
    figures |= panel_ring.figures(release_number, database, folder, size.calls)
    return {key: figures.pop(key) for key in KEYS} | figures


def _of_requests(people: list[Visitor], size: Size, database: Path) -> Figures:
    say("boards")
    boards, empty = panel_pages.boards(people, size.boards)
    kb, asked_again = panel_pages.first_visit(people[0])
    say("moves")
    moves = panel_pages.moves(people, size.moves)
    say("searches")
    questions = panel_pages.Questions(database).mixed(size.searches)
    searches = panel_pages.searches(people, questions)
    board = boards.values()
    figures: Figures = {
        "board_kb": max(one.kb for one in board),
        "board_raw_kb": max(one.raw_kb for one in board),
        "board_queries": max(one.queries for one in board),
        "page_kb": kb,
        "page_asked_again": asked_again,
        "empty_p50_ms": empty.ms(50),
        "empty_p95_ms": empty.ms(95),
    }
    for name, found in (("board", boards), ("move", moves), ("search", searches)):
        figures |= _times(name, found, empty.ms(50))
    return figures


def _times(name: str, found: dict[str, Measured], empty: float) -> Figures:
    """The slower of the two roles is what counts."""
    slower = max(found.values(), key=lambda one: one.ms(95))
    figures = {
        f"{name}_p95_ms": slower.ms(95),
        f"{name}_p50_ms": slower.ms(50),
        f"{name}_cpu_p50_ms": slower.cpu_ms(50),
        f"{name}_wall_p95_ms": slower.wall_ms(95),
        f"{name}_of_empty": slower.ms(50) / empty,
    }
    for login, one in found.items():
        figures[f"{name}_{ROLES[login]}_p95_ms"] = one.ms(95)
    return figures


AIMS = (
    ("board_p95_ms", "first load of the board, p95", "ms", "≤ 80"),
    ("board_kb", "… as it is sent", "kB", "≤ 150"),
    ("board_queries", "… queries", "", "≤ 12"),
    ("move_p95_ms", "a move, p95", "ms", "≤ 30"),
    ("search_p95_ms", "a search, p95", "ms", "≤ 100"),
    ("popup_p95_ms", "from ringing to the pop-up in the browser, p95", "ms", "≤ 250"),
    ("live300_p95_ms", "a move seen in 300 live panels, p95", "ms", "≤ 300"),
    ("live300_rss_mb", "… memory of the server", "MB", "< 400"),
    ("page_kb", "the board with styles and scripts, first visit", "kB", "≤ 200"),
)


def table(figures: Figures) -> str:
    """For people, as it stands in docs/benchmarks.md."""
    lines = ["| | measured | aim |", "|---|---|---|"]
    for key, what, unit, aim in AIMS:
        lines.append(f"| {what} | {_number(figures[key])} {unit} | {aim} |")
    lines += ["", "| server time | p50 | p95 | processor, p50 | of an empty answer |"]
    lines.append("|---|---|---|---|---|")
    for key, what in (("board", "board"), ("move", "move"), ("search", "search")):
        kinds = ("p50", "p95", "cpu_p50")
        cells = " | ".join(f"{_number(figures[f'{key}_{kind}_ms'])} ms" for kind in kinds)
        lines.append(f"| {what} | {cells} | × {figures[f'{key}_of_empty']:.0f} |")
    empty = f"{_number(figures['empty_p50_ms'])} ms | {_number(figures['empty_p95_ms'])} ms"
    lines.append(f"| an empty answer | {empty} | | |")
    for key, what in panel_others.NAMES.items():
        times = f"{_number(figures[f'{key}_p50_ms'])} ms | {_number(figures[f'{key}_p95_ms'])} ms"
        lines.append(f"| {what} | {times} | | |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def main() -> None:
    def measured(quick: bool, release_number: int, folder: Path) -> Figures:
        os.environ.update(programs.driver_environment())
        print(machine("SQLite"), end="\n\n", flush=True)
        return measure(QUICK if quick else Size(), release_number, folder)

    run("Measure what the panel costs.", measured, table)


if __name__ == "__main__":
    main()
