"""CDR and CEL as Asterisk writes them, made by hand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ari_app import cdr, cel
from ari_app.record_files import CDR_CSV, CEL_CUSTOM, NEW_COLUMNS
from ari_app.records import opened
from ari_app.row import BadRow, Clock
from telephony.call_report import CallReport
from tests.calls.wires import PHONES

CUSTOMER = "+493044701182"
TRUNK = "PJSIP/trunk-0000000a"
DAY = "2026-03-02"
UTC_CLOCK = Clock("UTC")
COLUMNS = [*CDR_CSV, "uniqueid", "userfield", *NEW_COLUMNS]


def row(
    dstchannel: str = "PJSIP/101-0000000b",
    disposition: str = "ANSWERED",
    channel: str = TRUNK,
    app: str = "Dial",
    begin: str = "09:00:00",
    duration: float = 65,
    billsec: float | None = None,
    **more: Any,
) -> dict[str, str]:
    """A row of an incoming call, with what differs."""
    spoke = duration - 5 if disposition == "ANSWERED" else 0
    values = {
        "src": CUSTOMER,
        "dst": "493055500",
        "dcontext": "inbound",
        "clid": f'"Miriam Sander" <{CUSTOMER}>',
        "channel": channel,
        "dstchannel": dstchannel,
        "lastapp": app,
        "lastdata": "PJSIP/101&PJSIP/102,25",
        "start": f"{DAY} {begin}",
        "end": "",
        "duration": duration,
        "billsec": spoke if billsec is None else billsec,
        "disposition": disposition,
        "amaflags": "DOCUMENTATION",
        "uniqueid": "1772442000.10",
        "linkedid": "1772442000.10",
        "sequence": 1,
        **more,
    }
    return {name: str(values.get(name, "")) for name in COLUMNS} | {
        name: str(value) for name, value in more.items()
    }


def lines(rows: Iterable[dict[str, str]], columns: list[str] = COLUMNS) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([r.get(c, "") for c in columns] for r in rows)
    return out.getvalue()


def with_head(rows: Iterable[dict[str, str]], columns: list[str]) -> str:
    return ",".join(columns) + "\n" + lines(rows, columns)


def event(kind: str, at: float, uniqueid: str, channame: str, **more: Any) -> dict[str, str]:
    """A row of CEL; ``extra`` is an object."""
    extra = more.pop("extra", None)
    values = {
        "eventtype": kind,
        "eventtime": f"{1772442000 + at:.6f}",
        "uniqueid": uniqueid,
        "linkedid": "1.1",
        "channame": channame,
        "extra": json.dumps(extra) if extra else "",
        **more,
    }
    return {name: str(values.get(name, "")) for name in CEL_CUSTOM}


def answered_cel(talk: float = 60) -> list[dict[str, str]]:
    """Anna's and Ben's phones ring for 5 s; Anna talks for a minute."""
    trunk, anna, ben = ("1.1", TRUNK), ("1.2", "PJSIP/101-0b"), ("1.3", "PJSIP/102-0c")
    bridge, end = {"bridge_id": "b1"}, 5 + talk
    by = {"cid_num": CUSTOMER, "cid_name": "Miriam Sander", "exten": "493055500"}
    return [
        event("CHAN_START", 0, *trunk, **by),
        event("APP_START", 0, *trunk, appname="Dial", appdata="PJSIP/101&PJSIP/102,25"),
        event("CHAN_START", 0.1, *anna, cid_num="101"),
        event("CHAN_START", 0.1, *ben, cid_num="102"),
        event("ANSWER", 5, *anna),
        event("ANSWER", 5, *trunk),
        event("HANGUP", 5, *ben, extra={"hangupcause": 26}),
        event("CHAN_END", 5, *ben),
        event("BRIDGE_ENTER", 5, *anna, extra=bridge),
        event("BRIDGE_ENTER", 5, *trunk, extra=bridge),
        event("BRIDGE_EXIT", end, *trunk, extra=bridge),
        event("BRIDGE_EXIT", end, *anna, extra=bridge),
        event("HANGUP", end, *trunk, extra={"hangupcause": 16}),
        event("CHAN_END", end, *trunk),
        event("HANGUP", end, *anna, extra={"hangupcause": 16}),
        event("CHAN_END", end, *anna),
        event("LINKEDID_END", end, *anna),
    ]


def found(
    source: Any,
    clock: Clock = UTC_CLOCK,
    since: datetime | None = None,
    inside: frozenset[str] = PHONES,
) -> list[CallReport | BadRow]:
    """All that a source has."""
    everything: list[CallReport | BadRow] = []
    with opened(str(source), clock, since) as tables:
        for table in tables:
            read = cel.calls if table.kind == "cel" else cdr.calls
            everything += [f for _, f in read(table.read(), clock, "asterisk", inside.__contains__)]
    return everything
