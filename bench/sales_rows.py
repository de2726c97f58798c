"""A sales department years on: its people, customers, deals, tasks and calls, straight into SQLite.
The verbs would take hours; what is written here is what they would write."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bench.history import DIDS, History
from bench.sales_words import BRANCHES, FIRST_NAMES, MATTERS, surname
from tests.world import HASH

SELLER = "s1"
"""The seller whose board is measured; there are SELLERS like this one."""
SELLERS = 20
BUSY = "olga"
"""A seller with ``Size.tasks`` open tasks."""
DAY = 86_400_000
KNOWN = 1
"""The contact and the deal that one call in so many is about: see ``Size.often``."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How much there is. ``closed``: deals won and lost besides; ``often``: one call in so many is
    that of one customer."""

    deals: int = 10_000
    closed: int = 40_000
    companies: int = 20_000
    contacts: int = 100_000
    calls: int = 1_000_000
    tasks: int = 5_000
    often: int = 2_000


class Sales(History):
    """Writes the world into a database that has the people of the tests."""

    def __init__(self, path: str, size: Size) -> None:
        super().__init__(path)
        self._size, self._dice = size, random.Random(4)
        self._rows.execute("PRAGMA cache_size = -200000")
        found = self._rows.execute("SELECT id FROM stages ORDER BY position").fetchall()
        self._open, self._closed = [row[0] for row in found[:6]], [row[0] for row in found[6:]]

    def add_people(self) -> None:
        """More sellers, in the departments that are there."""
        rows = [
            (f"s{n}", f"{FIRST_NAMES[n]} {surname(self._dice)}", "seller", HASH, 1 + n % 2, n + 200)
            for n in range(1, SELLERS + 1)
        ]
        self._rows.executemany(
            "INSERT INTO users (login, name, role, password_hash, department_id, endpoint, locale,"
            " active, session_mark) VALUES (?, ?, ?, ?, ?, 'PJSIP/' || ?, 'en', 1, '')",
            rows,
        )
        found = self._rows.execute("SELECT id FROM users WHERE login GLOB 's[0-9]*' ORDER BY id")
        self._sellers = [row[0] for row in found]

    def _owner(self, n: str) -> str:
        """SQL: whose the n-th is."""
        return f"{self._sellers[0]} + ({n}) % {len(self._sellers)}"

    def add_companies(self) -> None:
        dice, size = self._dice, self._size
        self._names = [surname(dice) for _ in range(max(20, size.contacts // 5))]
        self._put(
            "companies",
            (
                {
                    "id": n,
                    "name": f"{dice.choice(BRANCHES)} {dice.choice(self._names)} GmbH",
                    "website": "",
                    "notes": "",
                    "created_at": self._now,
                }
                for n in range(1, size.companies + 1)
            ),
        )

    def add_customers(self) -> None:
        """With a number each; of one in five nothing else is known."""
        people = [self._customer(n) for n in range(1, self._size.contacts + 1)]
        phones = ({"contact_id": one["id"], "e164": one.pop("number")} for one in people)
        self._put("phones", list(phones))
        self._put("contacts", people)

    def _customer(self, n: int) -> Row:
        dice = self._dice
        first, name = dice.choice(FIRST_NAMES), dice.choice(self._names)
        number = f"+49{dice.choice((30, 40, 89, 151, 171, 160, 221))}{n:06}{n * 7 % 10}"
        is_unknown = n % 5 == 4
        mail = f"{first[0]}.{name}@example{n % 3000}.de".lower()
        return {
            "id": n,
            "name": number if is_unknown else f"{first} {name}",
            "company_id": None if is_unknown else dice.randint(1, self._size.companies),
            "position": "",
            "email": "" if is_unknown or n % 2 else mail,
            "tags": "",
            "owner_id": self._sellers[n % len(self._sellers)],
            "created_at": self._now - n * 60_000,
            "number": number,
        }

    def add_cards(self) -> None:
        """Deals in every stage, what is to be done about two in three, and how they got there."""
        deals = [self._deal(n) for n in range(1, self._size.deals + self._size.closed + 1)]
        self._put("deals", deals)
        self._put("tasks", (self._task(deal) for deal in deals if deal["next_due"]))
        self._put(
            "stage_changes",
            (
                {
                    "deal_id": deal["id"],
                    "from_stage_id": self._open[0],
                    "to_stage_id": deal["stage_id"],
                    "actor_id": deal["owner_id"],
                    "owner_then_id": deal["owner_id"],
                    "at": deal["stage_since"],
                }
                for deal in deals
            ),
        )

    def _deal(self, n: int) -> Row:
        dice, now, is_open = self._dice, self._now, n <= self._size.deals
        since = now - dice.randrange((20 if is_open else 900) * DAY)
        due = now + dice.randrange(-3 * DAY, 7 * DAY)
        return {
            "id": n,
            "contact_id": KNOWN if n == KNOWN else 1 + n * 7 % self._size.contacts,
            "stage_id": dice.choice(self._open if is_open else self._closed),
            "owner_id": self._sellers[n % len(self._sellers)],
            "title": f"{dice.choice(MATTERS)} {dice.choice(MATTERS)}",
            "amount": str(dice.randrange(100, 50_000)) if n % 5 else None,
            "currency": "EUR",
            "priority": dice.choice((-1, 0, 0, 1)),
            "source": "manual",
            "created_at": since,
            "stage_since": since,
            "closed_at": None if is_open else since,
            "next_due": due if is_open and n % 3 else None,
        }

    @staticmethod
    def _task(deal: Row) -> Row:
        return {
            "kind": "call",
            "title": f"Call about {deal['title']}",
            "due_at": deal["next_due"],
            "deal_id": deal["id"],
            "contact_id": deal["contact_id"],
            "owner_id": deal["owner_id"],
            "created_at": deal["created_at"],
            "result": "",
        }

    def add_errands(self) -> None:
        """Tasks without a card, all of one seller."""
        (busy,) = self._rows.execute("SELECT id FROM users WHERE login = ?", (BUSY,)).fetchone()
        self._put(
            "tasks",
            (
                {
                    "kind": "todo",
                    "title": f"Look after {n}",
                    "due_at": self._now + self._dice.randrange(-30 * DAY, 30 * DAY),
                    "contact_id": n,
                    "owner_id": busy,
                    "created_at": self._now - 40 * DAY,
                    "result": "",
                }
                for n in range(1, self._size.tasks + 1)
            ),
        )

    def add_past(self) -> None:
        """Calls, one a minute until now: half of them of customers with a card, one in fifty of
        strangers; one in eight was missed, and few of those still wait to be returned."""
        count, size = self._size.calls, self._size
        deal = f"1 + n * 7919 % {size.deals + size.closed}"
        deal = f"CASE WHEN n % {size.often} = 0 THEN {KNOWN} WHEN n % 2 THEN {deal} END"
        whose = f"CASE WHEN n % 50 != 48 THEN 1 + n * 1299709 % {size.contacts} END"
        whose = f"COALESCE((SELECT contact_id FROM deals WHERE id = ({deal})), {whose})"  # noqa: S608
        missed, times = self._times()
        self._fill(
            "calls", count, id="n", pbx="'asterisk'", linkedid="'old.' || n", name="''",
            number_text="''", direction="CASE n % 5 WHEN 4 THEN 'outgoing' ELSE 'incoming' END",
            did=f"'+{DIDS[0]}'", deal_id=deal, contact_id=whose, agent_id=self._owner("n"),
            wait="5", talk=f"CASE WHEN NOT {missed} THEN 45 END", guessed_end="0",
            started_at=times["rang_at"], answered_at=times["answered_at"],
            ended_at=times["ended_at"], outcome=times["outcome"], called_back_at=(
                f"CASE WHEN {missed} AND n % 1000 > 20 THEN {times['ended_at']} + 600000 END"
            ),
        )  # fmt: skip
        self._rows.execute(
            "UPDATE calls SET number = COALESCE((SELECT e164 FROM phones"
            " WHERE contact_id = calls.contact_id), '+4955' || printf('%07d', id))"
        )

    def add_traces(self) -> None:
        """Of each call the phone that it reached, and an event."""
        _, times = self._times()
        self._fill(
            "legs", self._size.calls, call_id="n", channel="'old.' || n || '.1'",
            user_id=self._owner("n"), endpoint="'PJSIP/201'", **times,
        )  # fmt: skip
        self._fill(
            "events", self._size.calls, at=times["ended_at"], kind="'call.ended'", call_id="n",
            payload="""'{"deal_for":[],"call_for":[1]}'""",
        )  # fmt: skip

    def _times(self) -> tuple[str, dict[str, str]]:
        """SQL of the n-th call: whether it was missed, and its times and outcome."""
        began = f"{self._now} - ({self._size.calls + 1} - n) * 60000"
        missed = f"(n % 8 = 3 AND n % {self._size.often})"
        return missed, {
            "rang_at": began,
            "answered_at": f"CASE WHEN NOT {missed} THEN {began} + 5000 END",
            "ended_at": f"{began} + 50000",
            "outcome": f"CASE WHEN {missed} THEN 'missed' ELSE 'answered' END",
        }

    def _put(self, table: str, rows: Iterable[Row]) -> None:
        """Rows that all have the same columns."""
        values = list(rows)
        columns = ", ".join(values[0])
        marks = ", ".join(f":{name}" for name in values[0])
        self._rows.execute("BEGIN")
        insert = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608
        self._rows.executemany(insert, values)
        self._rows.execute("COMMIT")
