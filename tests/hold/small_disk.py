"""``trichter ari`` on a disk that is full for a while: a program that runs itself again in a
namespace of its own, where everybody may mount a small disk (Linux with user namespaces).

    python -m tests.hold.small_disk SECONDS
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bin"))

from tests.hold import trials  # noqa: E402
from tests.hold.faults import full  # noqa: E402
from tests.hold.judge import Verdict  # noqa: E402
from tests.hold.place import Held, exchange, opened  # noqa: E402
from tests.office import until  # noqa: E402

MEGABYTES = 16
MOUNT = f"""
mount -t tmpfs -o size={MEGABYTES}m none "$0" || exit {(NOT_ALLOWED := 77)}
exec "$@"
"""


class NotAllowed(Exception):
    """This machine lets nobody mount a disk of his own."""


def trial(seconds: float) -> trials.Outcome:
    """Ten calls a second while the disk is full for so long. Raises NotAllowed."""
    with tempfile.TemporaryDirectory(prefix="trichter-disk-", dir="/tmp") as folder:
        again = [sys.executable, "-m", "tests.hold.small_disk", str(seconds), folder]
        namespace = ["unshare", "--user", "--map-root-user", "--mount"]
        done = subprocess.run(
            [*namespace, "sh", "-c", MOUNT, folder, *again],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode == NOT_ALLOWED or done.stderr.startswith("unshare:"):
        raise NotAllowed(done.stderr)
    if done.returncode:
        raise RuntimeError(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout)
    return trials.Outcome(Verdict(Counter(told["counts"]), told["faults"]), told["figures"])


def inside(seconds: float, disk: Path) -> trials.Outcome:
    with tempfile.TemporaryDirectory(prefix="trichter-hold-", dir="/tmp") as folder:
        url = f"sqlite:///{disk}/trichter.db"
        with exchange() as pbx, opened(pbx, Path(folder), url) as office:
            return trials.broken(office, lambda _: felt(office, disk), seconds)


@contextmanager
def felt(office: Held, disk: Path) -> Iterator[None]:
    """The disk is full, and ``trichter ari`` has noticed."""
    with full(disk):
        until(lambda: office.said("ari", "disk is full"), "the full disk noticed")
        yield


def main(seconds: str, disk: str) -> None:
    outcome = inside(float(seconds), Path(disk))
    verdict = {"counts": outcome.verdict.counts, "faults": outcome.verdict.faults}
    print(json.dumps({**verdict, "figures": outcome.figures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
