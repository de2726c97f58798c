"""What a shop floor has behind it: calls of some days, for pictures of lists that are not empty."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from fields import utcnow
from models import Contact, Deal, User
from tests.world import Story
from verbs import recordings
from verbs.exchange import QueueReport, record_queues

ANNA, BEN, HUGO = "PJSIP/101", "PJSIP/102", "PJSIP/103"
SALES, SERVICE = "+493055500", "+493055510"
LONG = "Wohnungsbaugenossenschaft Friedrichshain-Kreuzberg und Umland eG, Hausverwaltung"
RECORDED = "+493044701190"  # Fitwerk GmbH, Anna's

# number, name, direction, called number, who answers (None: nobody), seconds of talk
CALLS: tuple[tuple[str, str, str, str, str | None, int], ...] = (
    (RECORDED, "Fitwerk GmbH", "incoming", SALES, ANNA, 312),
    (RECORDED, "Fitwerk GmbH", "outgoing", "", ANNA, 1284),
    (RECORDED, "Fitwerk GmbH", "incoming", SALES, None, 0),
    ("+494212223390", "Nordlicht Solar", "outgoing", "", ANNA, 95),
    ("+49408812904", "Bäckerei Holm", "incoming", SALES, BEN, 431),
    ("+493091234567", LONG, "incoming", SERVICE, ANNA, 64),
    ("", "", "incoming", SERVICE, BEN, 22),
    ("+493091234567", LONG, "incoming", SERVICE, None, 0),
    ("+4935140088812", "Auto Pohl", "incoming", SALES, BEN, 187),
    ("+49711902114", "Praxis am Markt", "outgoing", "", None, 0),
    ("+441632960961", "", "incoming", SERVICE, None, 0),
    ("+499113004412", "Gärtnerei Blum", "incoming", SALES, BEN, 3725),
)
ROUNDS = 6


def load(folder: Path) -> None:
    """Put them in; the recordings, some seconds of a tone, go into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    _deal_with_a_long_name()
    # The first morning that all the calls fit into; in the order in which they came.
    begin = utcnow().replace(hour=7, minute=4, second=0) - timedelta(days=ROUNDS)
    for number, (at, call) in enumerate(_all(begin)):
        _tell(f"past-{number}", at, folder, *call)
    queues = (QueueReport("sales", 0, 0), QueueReport("service", 2, 0, utcnow()))
    record_queues("asterisk", queues, utcnow())


def _all(begin: datetime) -> Iterator[tuple[datetime, tuple[str, str, str, str, str | None, int]]]:
    for day in range(ROUNDS):
        for turn, call in enumerate(CALLS):
            yield begin + timedelta(days=day, minutes=turn * 41 + day * 7), call


def _tell(
    linkedid: str,
    at: datetime,
    folder: Path,
    number: str,
    name: str,
    direction: str,
    did: str,
    answers: str | None,
    talk: int,
) -> None:
    rings = (answers or ANNA,) if direction == "outgoing" else (BEN, ANNA)
    story = Story.begins(number, linkedid, name, did, direction, at).rings(*rings)
    if answers:
        story = story.answered(answers, after=9)
        if number == RECORDED:
            _tone(folder / f"{linkedid}.wav")
            recordings.begin(story.call.id, f"{linkedid}.wav")
    story.ended(9 + talk if answers else 34)


def _deal_with_a_long_name() -> None:
    anna = User.get(User.login == "anna")
    contact = Contact.of_number("+493091234567", LONG, anna)
    Deal.open(f"{LONG}: new switchboard for 48 phones", anna, by=anna, contact=contact)


def _tone(path: Path, seconds: int = 12) -> None:
    rate = 8000
    wave_form = (int(4000 * math.sin(n * 2 * math.pi * 440 / rate)) for n in range(rate * seconds))
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(array("h", wave_form).tobytes())
