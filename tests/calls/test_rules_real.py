"""The rules and the number settings on the real Asterisk: they hold for the next call."""

from __future__ import annotations

import subprocess
import sys
import time

from models import Call, Contact, Deal, Task
from tests.office import ROOT, Office, until
from verbs import ignored

IN_TURN = """\
[[rule]]
situation = "missed"
number = "unknown"
makes = ["deal"]
missed_owner = "turns"

[[ignore]]
number = "030 999 888"
note = "the door"
"""


def load(office: Office, rules: str) -> str:
    """`trichter rules load` as an administrator calls it; what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "trichter", "rules", "load", "-"],
        input=rules,
        cwd=ROOT,
        env=office.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def ring(office: Office, number: str, count: int) -> Call:
    """A call that nobody takes, until it is recorded: the last of ``count``."""
    office.caller(number, way="observe", rings_for=0.5).run()
    return office.ended(count=count)[-1]


def test_rules_that_are_loaded_while_calls_are_heard(listening: Office) -> None:
    with listening.phones():
        assert ring(listening, "+493044701182", 1).deal.owner, "by the default: whose phone rang"
        assert load(listening, IN_TURN).endswith("7 changed\n")
        loaded = time.monotonic()
        given = [ring(listening, f"+4930777100{n}", n + 2).deal.owner for n in range(3)]
        assert given == [listening.world.anna, listening.world.ben, listening.world.anna]
        # The other process reads the list again when its last reading is so old.
        until(lambda: time.monotonic() > loaded + ignored.SECONDS, "the list's reading")
        call = ring(listening, "+4930999888", 5)
    assert (call.outcome, call.number, call.deal) == ("missed", "+4930999888", None)
    assert Contact.select().count() == 4


def test_a_missed_call_is_a_task_until_they_have_talked(listening: Office) -> None:
    """T2, T9: contact, deal and one task to call back, however often they ring; whoever then talks
    with them has done it."""
    with listening.phones():
        missed = ring(listening, "+493044701182", 1)
        task = Task.get()
        assert (task.kind, task.call, task.deal, task.contact, task.done_at) == (
            "call", missed, missed.deal, missed.contact, None,
        )  # fmt: skip
        assert task.owner == missed.deal.owner
        assert missed.deal.next_due == task.due_at
        ring(listening, "+493044701182", 2)
        assert Task.select().count() == 1
    with listening.phones(p101="answer"):
        listening.caller("+493044701182", way="observe", hold=0.4).run()
        talked = listening.ended(count=3)[-1]
    assert talked.outcome == "answered"
    task = Task.get()
    assert (task.done_at is not None, task.result) == (True, "talked")
    assert Deal.get_by_id(missed.deal_id).next_due is None
    assert not any(call.needs_call_back for call in Call.select())


def test_numbers_as_an_odd_exchange_writes_them(office: Office) -> None:
    office.listen(
        TRICHTER_NUMBERS_PREFIXES="in:000=00,in:00=0", TRICHTER_NUMBERS_OWN="+493055500,+4930777*"
    )
    with office.phones():
        assert ring(office, "003044701182", 1).number == "+493044701182"
        assert ring(office, "000442079460123", 2).number == "+442079460123"
        own = ring(office, "0307771234", 3)
    assert (own.number, own.number_text, own.deal) == (None, "0307771234", None)
    assert Contact.select().count() == 2
