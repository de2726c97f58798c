"""What Trichter survives: .venv/bin/python bench/hold.py [--kills N] [--only NAME …] [--json FILE]

Breaks one thing after the other while ten people a second call over real SIP, and compares every
call with what its caller saw and with Asterisk's CDR. Prints a table, and writes one flat object of
numbers; docs/limits.md says what each means. All of it takes about a quarter of an hour on two
cores. Exit code 1 if a single call or card is not as it should be.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "bin"))

from private_asterisk import PrivateAsterisk  # noqa: E402

from bench import waiting  # noqa: E402
from tests.hold import small_disk, trials  # noqa: E402
from tests.hold.faults import Line, held_database, no_more_room, severed, stopped  # noqa: E402
from tests.hold.place import exchange, opened  # noqa: E402
from tests.hold.trials import Outcome  # noqa: E402
from tests.mariadb import MariaDB  # noqa: E402
from tests.postgresql import PostgreSQL  # noqa: E402
from tests.server import Server  # noqa: E402

SECONDS_A_KILL = 2.6
"""Half of them are spent on starting: who is killed sooner has not connected yet."""
SHOWN = 20

Trial = Callable[[PrivateAsterisk, Path], Outcome]


def killed(kills: int) -> Trial:
    def trial(pbx: PrivateAsterisk, folder: Path) -> Outcome:
        with opened(pbx, folder) as held:
            chance = random.Random(kills)
            return trials.killed(held, kills, kills * SECONDS_A_KILL, chance)

    return trial


def exchange_killed(pbx: PrivateAsterisk, folder: Path) -> Outcome:
    with opened(pbx, folder) as held:
        return trials.exchange_killed(held, 20)


def cut(seconds: float) -> Trial:
    def trial(pbx: PrivateAsterisk, folder: Path) -> Outcome:
        with opened(pbx, folder) as held, Line(pbx.ari_url) as line:
            return trials.line_cut(held, line, seconds)

    return trial


def locked(pbx: PrivateAsterisk, folder: Path) -> Outcome:
    with opened(pbx, folder) as held:
        return trials.broken(held, lambda _: held_database(f"{folder}/trichter.db"), 30)


def full(pbx: PrivateAsterisk, folder: Path) -> Outcome:
    try:
        return small_disk.trial(30)
    except small_disk.NotAllowed:
        print("no disk of our own on this machine: a limit for files instead")
        with opened(pbx, folder) as held:
            return trials.broken(held, no_more_room, 30)


def server(kind: Callable[[], Server], how: str) -> Trial:
    def trial(pbx: PrivateAsterisk, folder: Path) -> Outcome:
        own = kind()
        try:
            own.start()
            name = own.create()
            with opened(pbx, folder, own.url(name)) as held:
                if how == "stopped":
                    return trials.broken(held, lambda _: stopped(own), 10)
                return trials.broken(held, lambda _: severed(own, name), 10)
        finally:
            own.stop()

    return trial


def plan(kills: int) -> dict[str, Trial]:
    return {
        "killed": killed(kills),
        "exchange_killed": exchange_killed,
        "line_cut_5": cut(5),
        "line_cut_15": cut(15),
        "line_cut_30": cut(30),
        "database_locked": locked,
        "disk_full": full,
        "postgresql_stopped": server(PostgreSQL, "stopped"),
        "postgresql_severed": server(PostgreSQL, "severed"),
        "mariadb_stopped": server(MariaDB, "stopped"),
        "mariadb_severed": server(MariaDB, "severed"),
    }


def tried(trial: Trial, release: int) -> Outcome:
    """Each with an exchange and a database of its own."""
    with exchange(release) as pbx, tempfile.TemporaryDirectory(prefix="trichter-hold-") as folder:
        return trial(pbx, Path(folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--only", nargs="+", metavar="NAME", help=", ".join([*plan(1), "waiting"]))
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--asterisk", type=int, choices=(22, 16), default=22)
    asked = parser.parse_args()
    figures: dict[str, float] = {}
    for name, trial in plan(asked.kills).items():
        if asked.only and name not in asked.only:
            continue
        outcome = tried(trial, asked.asterisk)
        figures |= {f"{name}_{key}": round(value, 2) for key, value in outcome.figures.items()}
        shown = "  ".join(f"{key} {value:.4g}" for key, value in outcome.figures.items())
        print(f"{name:<20} {shown}", flush=True)
        for fault in outcome.verdict.faults[:SHOWN]:
            print(f"    {fault}", flush=True)
    if not asked.only or "waiting" in asked.only:
        measured = waiting.figures()
        figures |= measured
        print(f"{'waiting':<20} " + "  ".join(f"{k} {v:.4g}" for k, v in measured.items()))
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if any(v for key, v in figures.items() if key.endswith("_faults")) else 0


if __name__ == "__main__":
    sys.exit(main())
