"""Recordings of the event stream: ``trichter ari --record FILE``, to be sent with a report of a
call that was titled wrongly, and replayed by the tests.

One JSON object a line. Only what the ledger reads is kept: no other channel variables, no
arguments of applications but Stasis' own and the queue's name, nothing that a dialplan may hold of
secrets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ari_app.channels import LINKEDID
from ari_app.events import Event, parse

KEPT = ("type", "timestamp", "dialstatus", "dialstring", "cause", "args", "application")
CHANNELS = ("channel", "peer", "caller")
_DIGITS = re.compile(r"\d")


class Tape:
    """A file that events are appended to. ``without_names``: caller names are left out, and the
    last digits of long numbers replaced, alike in every event."""

    def __init__(self, path: Path, without_names: bool = False) -> None:
        # Half of a pair of surrogates, which is no text in UTF-8, is written as JSON escapes it.
        self._file = path.open("a", encoding="utf-8", errors="backslashreplace")
        self.without_names = without_names

    def write(self, raw: dict[str, Any]) -> None:
        """Append one event as it came; at once on the disk, as the process may be killed."""
        kept = {key: raw[key] for key in KEPT if key in raw}
        for key in CHANNELS:
            if isinstance(raw.get(key), dict):
                kept[key] = self._channel(raw[key])
        if isinstance(raw.get("bridge"), dict):
            bridge = raw["bridge"]
            kept["bridge"] = {k: bridge.get(k) for k in ("id", "bridge_type", "channels")}
        text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
        self._file.write((masked(text) if self.without_names else text) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _channel(self, raw: dict[str, Any]) -> dict[str, Any]:
        kept = {key: raw.get(key) for key in ("id", "name", "state", "creationtime")}
        caller, dialplan = raw.get("caller") or {}, raw.get("dialplan") or {}
        name = "" if self.without_names else caller.get("name")
        kept["caller"] = {"number": caller.get("number"), "name": name}
        place = {key: dialplan.get(key) for key in ("exten", "app_name")}
        if place["app_name"] == "Queue":
            place["app_data"] = str(dialplan.get("app_data")).partition(",")[0]
        kept["dialplan"] = place
        linkedid = (raw.get("channelvars") or {}).get(LINKEDID)
        kept["channelvars"] = {LINKEDID: linkedid}
        return kept


def masked(text: str) -> str:
    """Numbers of nine digits and more keep their first five: the country and the notation."""
    long_number = re.compile(r'(?<=[":/+@])\+?\d{9,15}(?=["@/;])')
    return long_number.sub(lambda n: n[0][:5] + _DIGITS.sub("5", n[0][5:]), text)


def replay(path: Path) -> Iterator[Event]:
    """The events of a recording, as the ledger takes them. Raises BadEvent and ValueError."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            event = parse(json.loads(line))
            if event:
                yield event
