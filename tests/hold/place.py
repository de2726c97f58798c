"""The office in which things are broken: an Asterisk of its own, its people, and its records."""

from __future__ import annotations

import csv
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import deb_root
from private_asterisk import PrivateAsterisk

from models import Call, Contact, Deal, Department
from tests.hold.judge import COLUMNS, Judge, Verdict
from tests.hold.traffic import BUSY, RINGING, Traffic, dialplan
from tests.office import Office, until
from tests.world import populate, use

SETTLES_WITHIN = 60.0
LOOK_EVERY = 0.5
LINKEDID = COLUMNS.index("linkedid")


class Held(Office):
    """An office whose numbers lead to one phone each, and whose customers are known."""

    def __init__(self, pbx: PrivateAsterisk, folder: Path, url: str = "") -> None:
        self.pbx, self.folder = pbx, folder
        self.url = url or f"sqlite:///{folder}/trichter.db"
        self.master.unlink(missing_ok=True)
        self.settings = use(self.url)
        self.world = populate()
        self.processes = []
        for name, did, user in (
            ("Silent", RINGING, self.world.ben),
            ("Engaged", BUSY, self.world.olga),
        ):
            user.department = Department.create(name=name, did=f"+{did}")
            user.save()

    @property
    def master(self) -> Path:
        return self.pbx.runtime / "log" / "cdr-csv" / "Master.csv"

    def environment(self, **changed: str) -> dict[str, str]:
        self.master.touch()
        usual = {
            "TRICHTER_CALLS_CDR": str(self.master),
            "TRICHTER_CALLS_CDR_TIMEZONE": "UTC",
            # Who calls again reaches the card's owner first, and must not give up meanwhile.
            "TRICHTER_CALLS_OWNER_SECONDS": "3",
        }
        return super().environment(**{**usual, **changed})

    def introduce(self, traffic: Traffic) -> Traffic:
        """The customers of the traffic that must be known before they call."""
        for kind, number in traffic.known():
            owner = getattr(self.world, kind.owner)
            contact = Contact.of_number(number, number, owner)
            Deal.open(number, owner, by=owner, contact=contact)
        return traffic

    def settled(self, traffic: Traffic, timeout: float = SETTLES_WITHIN, **how: bool) -> Verdict:
        """The verdict as soon as nothing is wrong; after ``timeout`` seconds with its faults."""
        deadline = time.monotonic() + timeout
        while True:
            verdict = Judge(traffic.stories, self.master, **how).verdict()
            if not verdict.faults or time.monotonic() > deadline:
                return verdict
            time.sleep(LOOK_EVERY)

    def written_down(self) -> set[str]:
        """Linkedids of the calls that Asterisk has in its CDR by now."""
        with self.master.open(newline="") as file:
            return {cells[LINKEDID] for cells in csv.reader(file)}

    def seconds_until_recorded(self, timeout: float = SETTLES_WITHIN) -> float:
        """How long it takes until all calls that have ended by now are recorded to their end."""
        begin, due = time.monotonic(), self.written_down()

        def are_recorded() -> bool:
            calls: Any = Call.select(Call.linkedid)
            ended = calls.where(Call.ended_at.is_null(False), ~Call.guessed_end)
            return due <= {linkedid for (linkedid,) in ended.tuples()}

        until(are_recorded, f"{len(due)} ended calls recorded", timeout)
        return time.monotonic() - begin


@contextmanager
def opened(pbx: PrivateAsterisk, folder: Path, url: str = "") -> Iterator[Held]:
    """An office, whose processes end with it."""
    office = Held(pbx, folder, url)
    try:
        yield office
    finally:
        office.close()


@contextmanager
def exchange(release: int = 22) -> Iterator[PrivateAsterisk]:
    """An Asterisk that may be killed and started again in the same place."""
    # Not pytest's folder: the path of Asterisk's control socket must be short.
    with tempfile.TemporaryDirectory(prefix="trichter-hold-", dir="/tmp") as name:
        conf = dialplan(deb_root.CHECKOUT / "asterisk_conf", Path(name) / "conf")
        with PrivateAsterisk(release, runtime=Path(name) / "pbx", conf=conf) as pbx:
            yield pbx
