"""A company with years behind it: contacts, deals and calls by the million, straight into SQLite.

The verbs would take hours. What is written here is what they would have written.
"""

from __future__ import annotations

import sqlite3
import time

DIDS = ("493055501", "493055502", "493055503")
"""Called numbers; each is answered by a department of one seller: telephones 101, 102, 103."""
MINUTE = 60_000


def customer(number: int) -> str:
    """The telephone number of the n-th customer, in E.164."""
    return f"+49172{number:07}"


def stranger(number: int) -> str:
    """The n-th number that nobody knows, in E.164."""
    return f"+49151{number:08}"


class History:
    """Writes into a database that has Trichter's tables and its three sellers; close it."""

    def __init__(self, path: str) -> None:
        self._rows = sqlite3.connect(path, isolation_level=None)
        self._rows.execute("PRAGMA synchronous = OFF")
        self._now = int(time.time() * 1000)
        found = "SELECT id FROM users WHERE endpoint IS NOT NULL ORDER BY id"
        self._sellers = [row[0] for row in self._rows.execute(found)]

    def close(self) -> None:
        self._rows.close()

    def add_departments(self) -> None:
        """A called number and a department for each seller."""
        for did, seller in zip(DIDS, self._sellers, strict=True):
            department = self._rows.execute(
                "INSERT INTO departments (name, did) VALUES (?, ?)", (f"Number {did}", f"+{did}")
            ).lastrowid
            change = "UPDATE users SET department_id = ? WHERE id = ?"
            self._rows.execute(change, (department, seller))

    def add_contacts(self, count: int, deals: int) -> None:
        """So many contacts with a number each; the first ``deals`` of them have a deal open."""
        (stage,) = self._rows.execute(
            "SELECT id FROM stages WHERE kind = 'open' LIMIT 1"
        ).fetchone()
        owner, name, now = f"{self._sellers[0]} + n % 3", "'Customer ' || n", str(self._now)
        self._fill(
            "contacts", count, id="n", name=name, position="''", email="''", tags="''",
            owner_id=owner, created_at=now,
        )  # fmt: skip
        self._fill("phones", count, contact_id="n", e164="'+49172' || printf('%07d', n)")
        self._fill(
            "deals", deals, contact_id="n", stage_id=str(stage), owner_id=owner, title=name,
            currency="'EUR'", priority="0", source="'call'", created_at=now, stage_since=now,
        )  # fmt: skip

    def add_calls(self, count: int, contacts: int) -> None:
        """So many calls, one a minute until now, each with a leg and the events of its life."""
        began, whose = f"{self._now} - ({count + 1} - n) * {MINUTE}", f"1 + n * 7919 % {contacts}"
        user, answered, ended = f"{self._sellers[0]} + n % 3", f"{began} + 5000", f"{began} + 50000"
        times = {"answered_at": answered, "ended_at": ended, "outcome": "'answered'"}
        self._fill(
            "calls", count, id="n", pbx="'asterisk'", linkedid="'old.' || n", number_text="''",
            direction="'incoming'", number=f"'+49172' || printf('%07d', {whose})", name="''",
            did=f"'+{DIDS[0]}'", contact_id=whose, agent_id=user, started_at=began, wait="5",
            talk="45", guessed_end="0", **times,
        )  # fmt: skip
        phone = "'PJSIP/' || (101 + n % 3)"
        self._fill(
            "legs", count, call_id="n", channel="'old.' || n || '.1'", user_id=user,
            endpoint=phone, rang_at=began, **times,
        )  # fmt: skip
        payload = """'{"deal_for":[],"call_for":[1]}'"""
        for kind, at in (("'call.answered'", answered), ("'call.ended'", ended)):
            self._fill("events", count, at=at, kind=kind, call_id="n", payload=payload)

    def _fill(self, table: str, count: int, **columns: str) -> None:
        """Rows 1 to ``count``; columns are SQL over ``n``. Indexes are built once, at the end."""
        found = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ?"
        indexes = [row for row in self._rows.execute(found, (table,)) if row[1]]
        self._rows.execute("BEGIN IMMEDIATE")
        for name, _ in indexes:
            self._rows.execute(f'DROP INDEX "{name}"')
        numbers = "SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?"
        into, values = f"{table} ({', '.join(columns)})", ", ".join(columns.values())
        self._rows.execute(
            f"WITH RECURSIVE numbers (n) AS ({numbers}) "  # noqa: S608 - all of it is written above
            f"INSERT INTO {into} SELECT {values} FROM numbers",
            (count,),
        )
        for _, sql in indexes:
            self._rows.execute(sql)
        self._rows.execute("COMMIT")
