"""Whether the rows are what the callers lived through and what Asterisk wrote down."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ari_app.record_files import CDR_CSV, NEW_COLUMNS
from models import Call, Contact, Deal, Event, Phone
from telephony.call_report import is_missed
from tests.hold.traffic import Story

COLUMNS = [*CDR_CSV, "uniqueid", "userfield", *NEW_COLUMNS]


@dataclass
class Verdict:
    """``faults``: a sentence for each thing that is not as it should be. ``counts`` of calls."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def linkedids(master: Path, numbers: Iterable[str]) -> dict[str, set[str]]:
    """The linkedids of each number's calls, as CDR has them."""
    found: dict[str, set[str]] = {number: set() for number in numbers}
    with master.open(newline="") as file:
        for cells in csv.reader(file):
            row = dict(zip(COLUMNS, cells, strict=True))
            if row["src"] in found:
                found[row["src"]].add(row["linkedid"])
    return found


class Judge:
    """Compares all stories with the rows. ``may_be_hurt``: Asterisk itself was killed, so callers
    may have been cut off; their calls may have left a row or none, but not two."""

    def __init__(self, stories: list[Story], master: Path, may_be_hurt: bool = False) -> None:
        self.stories: dict[str, list[Story]] = defaultdict(list)
        for story in stories:
            self.stories[story.number].append(story)
        self.may_be_hurt = may_be_hurt
        self.cdr = linkedids(master, self.stories)
        self.calls: dict[str, list[Call]] = defaultdict(list)
        for call in Call.select().order_by(Call.started_at):
            self.calls[str(call.number)].append(call)
        self.deals: dict[str, list[Deal]] = defaultdict(list)
        for phone in Phone.select():
            self.deals[phone.e164] = list(Deal.select().where(Deal.contact == phone.contact_id))
        self.told = Counter(e.call_id for e in Event.of_kind("call.ended"))

    def verdict(self) -> Verdict:
        result = Verdict()
        strangers = self.calls.keys() - self.stories.keys()
        result.faults += [f"nobody with this number has called: {n}" for n in strangers]
        for number, stories in self.stories.items():
            result.counts["calls"] += len(stories)
            hurt = [s for s in stories if s.is_hurt]
            result.counts["cut off"] += len(hurt)
            if hurt and self.may_be_hurt:
                faults = list(self._hurt(number, stories))
            else:
                result.counts["as they should be"] += len(stories)
                faults = [*self._rows(number, stories), *self._cards(number, stories)]
                faults += [f"the caller of {s.kind.did} saw {s.events}" for s in hurt]
            result.faults += [f"{number} {stories[0].way}: {fault}" for fault in faults]
        if Contact.select().count() != Phone.select().count():
            result.faults.append("contacts without a number")
        return result

    def _hurt(self, number: str, stories: list[Story]) -> Iterator[str]:
        calls = self.calls[number]
        if len(calls) > len(stories):
            yield f"{len(calls)} rows of {len(stories)} calls"
        for call in calls:
            if call.ended_at is None or call.outcome is None:
                yield f"{call.linkedid} has no end"
        if len(self.deals[number]) > 1:
            yield f"{len(self.deals[number])} deals"

    def _rows(self, number: str, stories: list[Story]) -> Iterator[str]:
        calls = self.calls[number]
        expected = Counter(s.kind.outcome for s in stories)
        found = Counter(c.outcome for c in calls)
        if found != expected:
            lost = self.cdr[number] - {c.linkedid for c in calls}
            yield f"recorded {dict(found)} instead of {dict(expected)}; CDR besides {lost}"
        if {c.linkedid for c in calls} != self.cdr[number]:
            yield f"rows {[c.linkedid for c in calls]}, CDR {self.cdr[number]}"
        for call in calls:
            yield from self._row(call)

    def _row(self, call: Call) -> Iterator[str]:
        if call.direction != "incoming" or call.ended_at is None:
            yield f"{call.linkedid}: {call.direction}, ended {call.ended_at}"
        if call.outcome == "answered" and (call.agent is None or call.agent.login != "anna"):
            yield f"{call.linkedid}: answered by {call.agent}"
        if self.told[call.id] != 1:
            yield f"{call.linkedid}: its end was told {self.told[call.id]} times"

    def _cards(self, number: str, stories: list[Story]) -> Iterator[str]:
        deals = self.deals[number]
        if len(deals) != 1:
            yield f"{len(deals)} deals"
        owners = stories[0].kind.owner if len(stories) == 1 else stories[-1].kind.owner
        for deal in deals:
            if deal.owner is None or deal.owner.login not in owners.split():
                yield f"the deal is {deal.owner and deal.owner.login}'s, not {owners}'s"
        waits = sum(call.needs_call_back for call in self.calls[number])
        is_waiting = all(is_missed("incoming", s.kind.outcome) for s in stories)
        if waits != is_waiting:
            yield f"waits for {waits} calls back instead of {int(is_waiting)}"
