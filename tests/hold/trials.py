"""What is broken while people call, and the figures: shared by the tests and by bench/hold.py.

Each trial takes an office, lets ten calls a second come in, breaks something, and returns the
verdict on all calls with what was measured (seconds).
"""

from __future__ import annotations

import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from tests.hold.faults import Line
from tests.hold.judge import Verdict
from tests.hold.place import Held
from tests.hold.traffic import WAITS, Traffic
from tests.office import until
from tests.world import release

Process = subprocess.Popen[bytes]
CUT_OFF = 10.0
"""Seconds after which a caller whose exchange has died gives up."""
BEFORE, AFTER = 2.0, 3.0
"""Seconds of calls before something is broken, and after it works again."""


@dataclass
class Outcome:
    """``figures`` in seconds, unless their name says otherwise."""

    verdict: Verdict = field(default_factory=Verdict)
    figures: dict[str, float] = field(default_factory=dict)


@contextmanager
def calls(
    office: Held, seconds: float, may_be_hurt: bool = False, waits: float = WAITS
) -> Iterator[Outcome]:
    """Ten calls a second for so long; the verdict stands when all have ended and are judged."""
    outcome = Outcome()
    with office.introduce(Traffic(office.pbx, seconds, waits)) as traffic:
        yield outcome
        traffic.wait()
    office.pbx.wait_idle(30)
    ended = time.monotonic()
    outcome.verdict = office.settled(traffic, may_be_hurt=may_be_hurt)
    outcome.figures["right_after_s"] = time.monotonic() - ended
    outcome.figures["calls"] = outcome.verdict.counts["calls"]
    outcome.figures["calls_cut_off"] = outcome.verdict.counts["cut off"]
    outcome.figures["faults"] = len(outcome.verdict.faults)


def killed(office: Held, kills: int, seconds: float, chance: random.Random) -> Outcome:
    """``kill -9`` of ``trichter ari`` at random moments, also while it is only just starting."""
    process = office.listen()
    with calls(office, seconds) as outcome:
        pause = seconds / kills
        for _ in range(kills):
            time.sleep(chance.uniform(0.05, 1.6 * pause))
            process.kill()
            process.wait()
            time.sleep(chance.uniform(0, 0.4 * pause))
            process = office.run("ari")
        outcome.figures["kills"] = kills
        outcome.figures["recorded_after_s"] = office.seconds_until_recorded()
    return outcome


def line_cut(office: Held, line: Line, seconds: float) -> Outcome:
    """The line to Asterisk is dead for so long, without a FIN, and then another one works."""
    process = office.listen(TRICHTER_ARI_URL=line.url)
    connections = office._connections()
    with calls(office, BEFORE + seconds + AFTER) as outcome:
        time.sleep(BEFORE)
        begin = time.monotonic()
        line.cut()
        mending = threading.Timer(seconds, line.mend)
        mending.start()
        until(lambda: office.said("ari", "nothing heard"), "the dead line noticed", 60)
        outcome.figures["noticed_after_s"] = time.monotonic() - begin
        until(lambda: office._connections() > connections, "a new line", 60)
        outcome.figures["connected_after_s"] = time.monotonic() - begin
        mending.join()
        outcome.figures["recorded_after_s"] = office.seconds_until_recorded()
        assert process.poll() is None
    return outcome


def broken(
    office: Held, how: Callable[[Process], AbstractContextManager[object]], seconds: float
) -> Outcome:
    """``how`` breaks something for so long, while ``trichter ari`` lives on."""
    process = office.listen()
    with calls(office, BEFORE + seconds + AFTER) as outcome:
        time.sleep(BEFORE)
        with how(process):
            time.sleep(seconds)
        # This process's own connections are as broken as the others.
        release()
        outcome.figures["recorded_after_s"] = office.seconds_until_recorded()
        assert process.poll() is None, "trichter ari has died"
    return outcome


def exchange_killed(office: Held, seconds: float) -> Outcome:
    """``kill -9`` of Asterisk, started again at once."""
    office.listen()
    connections = office._connections()
    with calls(office, BEFORE + seconds, may_be_hurt=True, waits=CUT_OFF) as outcome:
        time.sleep(BEFORE)
        assert office.pbx.process is not None
        office.pbx.process.kill()
        office.pbx.process.wait()
        begin = time.monotonic()
        office.pbx.start()
        outcome.figures["asterisk_back_s"] = time.monotonic() - begin
        until(lambda: office._connections() > connections, "a new line", 60)
        outcome.figures["connected_after_s"] = time.monotonic() - begin
    return outcome
