"""What calls cost that wait for a database which is away: memory, and time to take them in."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from ari_app.events import parse
from ari_app.ledger import Ledger
from ari_app.recorder import Recorder

CALL = Path(__file__).resolve().parent.parent / "tests" / "recordings" / "hold-22.jsonl"
"""A customer, three phones that ring, one that is picked up."""
MANY = 20_000
LAST = 1_000


def _resident() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def figures() -> dict[str, float]:
    """``waiting_bytes_per_call``, and how long an event takes while thousands of calls wait."""
    text = CALL.read_text()
    epoch = re.findall(r'"id": ?"(\d{10})\.', text)[0]
    bridges = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))
    recorder = Recorder(Ledger("asterisk", lambda endpoint: endpoint.startswith("PJSIP/10")))
    before, spent, events = _resident(), 0.0, 0
    for number in range(MANY):
        told = text.replace(epoch, str(int(epoch) + 1 + number))
        for bridge in bridges:
            told = told.replace(bridge, f"{bridge[:-6]}{number:06x}")
        heard = [event for line in told.splitlines() if (event := parse(json.loads(line)))]
        begin = time.perf_counter()
        recorder.take(heard)
        if number >= MANY - LAST:
            spent += time.perf_counter() - begin
            events += len(heard)
    assert len(recorder.due) == MANY
    return {
        "waiting_bytes_per_call": round((_resident() - before) / MANY),
        "waiting_event_us": round(1e6 * spent / events, 1),
    }
