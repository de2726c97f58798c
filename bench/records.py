"""`trichter import-cdr` with a Master.csv as Asterisk writes it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.history import DIDS, customer, stranger
from models import Call
from tests.world import populate, release, use

ROOT = Path(__file__).resolve().parent.parent
FIRST = datetime(2026, 1, 5, 8, tzinfo=UTC)
EVERY = timedelta(seconds=20)
ANSWERED = 4
"""All calls but one in so many are answered."""


def write(path: Path, count: int) -> None:
    """One row a call: customers who ring again and again, and one stranger in four."""
    with path.open("w") as file:
        for n in range(count):
            number = stranger(n) if n % 4 == 0 else customer(n % 5000)
            file.write(_line(n, number, FIRST + n * EVERY))


def _line(n: int, number: str, start: datetime) -> str:
    answer, end = start + timedelta(seconds=6), start + timedelta(seconds=66)
    spoke = n % ANSWERED != 1
    linkedid = f"{start.timestamp():.0f}.{2 * n}"
    cells = (
        "", number, DIDS[n % 3], "inbound", f'""Customer {n % 5000}"" <{number}>',
        f"PJSIP/trunk-{2 * n:08x}", f"PJSIP/{101 + n % 3}-{2 * n + 1:08x}", "Dial",
        f"PJSIP/{101 + n % 3},25,tk", f"{start:%F %T}", f"{answer:%F %T}" if spoke else "",
        f"{end:%F %T}", 66, 60 if spoke else 0, "ANSWERED" if spoke else "NO ANSWER",
        "DOCUMENTATION", linkedid, "", "", linkedid, n,
    )  # fmt: skip
    return ",".join(c if isinstance(c, str) and not c else f'"{c}"' for c in cells) + "\n"


def imported_per_second(folder: Path, count: int) -> float:
    """Rows of a file a second, start of the program included. Raises RuntimeError unless every
    row has become a call."""
    url = f"sqlite:///{folder}/import.db"
    write(folder / "Master.csv", count)
    use(url)
    populate()
    release()
    begun = time.perf_counter()
    command = [sys.executable, "-m", "trichter", "import-cdr", "--timezone", "UTC"]
    ran = subprocess.run(
        [*command, str(folder / "Master.csv")],
        cwd=ROOT,
        env={**os.environ, "TRICHTER_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - begun
    use(url)
    entered = Call.select().count()
    release()
    if ran.returncode or entered != count:
        raise RuntimeError(f"import-cdr entered {entered} of {count} rows: {ran.stderr[-500:]}")
    return count / took
