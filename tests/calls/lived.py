"""What a call was by Asterisk's own clock, out of CEL. The test's clock would measure how slow the
test was."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime

from private_asterisk import PrivateAsterisk

from ari_app.record_files import CEL_CUSTOM
from models import Call
from tests.office import Office, until

Row = dict[str, str]
NEAR = 0.7
"""Seconds: half of one for rounding, and what lies between two words of the same thing."""


@dataclass(frozen=True)
class Lived:
    """An incoming call: when it began, and ended; when Asterisk first dialled for it, and when two
    were together, if that ever happened; and how long they were, all in all (seconds)."""

    begun: datetime
    ended: datetime
    dialled: datetime | None
    answered: datetime | None
    talked: float

    @property
    def waited(self) -> float:
        """Seconds."""
        return ((self.answered or self.ended) - self.begun).total_seconds()


def lived(office: Office, call: Call) -> Lived:
    """Of a call that is over, as soon as Asterisk has written it down."""
    rows = until(lambda: _whole(office.pbx, call.linkedid), f"{call.linkedid} in CEL")
    own = [row for row in rows if row["uniqueid"] == call.linkedid]
    times = {row["eventtype"]: at(row) for row in reversed(own)}
    dials = [at(row) for row in own if row["appname"] == "Dial"]
    inside = [row for row in rows if row["eventtype"] in ("BRIDGE_ENTER", "BRIDGE_EXIT")]
    enters, exits = [
        [at(row) for row in inside if row["eventtype"] == kind]
        for kind in ("BRIDGE_ENTER", "BRIDGE_EXIT")
    ]
    talked = (exits[0] - enters[1]).total_seconds() if enters else 0.0
    return Lived(
        begun=times["CHAN_START"],
        ended=times["CHAN_END"],
        dialled=dials[0] if dials else None,
        answered=enters[1] if enters else None,
        talked=talked,
    )


def written(pbx: PrivateAsterisk) -> list[Row]:
    """All rows of CEL so far; the last may be only half there, and is left out then."""
    file = pbx.runtime / "log" / "cel-custom" / "Master.csv"
    with file.open(newline="") as lines:
        read = [cells for cells in csv.reader(lines) if len(cells) == len(CEL_CUSTOM)]
    return [dict(zip(CEL_CUSTOM, cells, strict=True)) for cells in read]


def _whole(pbx: PrivateAsterisk, linkedid: str) -> list[Row] | None:
    rows = [row for row in written(pbx) if row["linkedid"] == linkedid]
    return rows if any(row["eventtype"] == "LINKEDID_END" for row in rows) else None


def near(recorded: int | None, lasted: float, by: float = NEAR) -> bool:
    """Whether the whole seconds of a row are what it lasted."""
    return recorded is not None and abs(recorded - lasted) <= by


def at(row: Row) -> datetime:
    """When it happened."""
    return datetime.fromtimestamp(float(row["eventtime"]), UTC)
