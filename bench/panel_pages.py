"""What pages and acts of the panel cost, one request at a time; people of two roles by turns, and
an empty answer of the same server in between, which tells how much of it is the machine's."""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urljoin

from bench.load import percentile
from bench.visitor import Answer, Visitor

_CARD = re.compile(r'id="deal-(\d+)"[^>]*data-stage="(\d+)"')
_OPEN = re.compile(r'class="col col--(?:unsorted|open)\b[^"]*" id="stage-(\d+)"')
_ASSET = re.compile(r'(?:href|src)="(/static/[^"]+)"')
_IMPORT = re.compile(r'from "(\.[^"]+)"')


@dataclass
class Measured:
    """Answers of one kind."""

    answers: list[Answer] = field(default_factory=list)

    def add(self, answer: Answer) -> Answer:
        self.answers.append(answer)
        return answer

    def ms(self, percent: int) -> float:
        return percentile([answer.ms for answer in self.answers], percent)

    def cpu_ms(self, percent: int) -> float:
        return percentile([answer.cpu_ms for answer in self.answers], percent)

    def wall_ms(self, percent: int) -> float:
        return percentile([answer.wall_ms for answer in self.answers], percent)

    @property
    def queries(self) -> int:
        return max(answer.queries for answer in self.answers)

    @property
    def kb(self) -> float:
        return max(answer.bytes for answer in self.answers) / 1000

    @property
    def raw_kb(self) -> float:
        return max(len(answer.text.encode()) for answer in self.answers) / 1000


def boards(people: Sequence[Visitor], times: int) -> tuple[dict[str, Measured], Measured]:
    """First loads of the board by the login of the viewer, and of the empty answer."""
    found, empty = {one.login: Measured() for one in people}, Measured()
    for one in people:
        one.ask("/")
    for _ in range(times):
        for one in people:
            found[one.login].add(one.ask("/"))
        empty.add(people[0].ask("/healthz"))
    return found, empty


def cards_of(person: Visitor) -> list[tuple[str, str, list[str]]]:
    """Deals that the board shows in open stages: the id, its stage, and all of these stages."""
    board = person.ask("/").text
    cards = [card.groups() for card in _CARD.finditer(board)]
    stages = _OPEN.findall(board)
    return [(deal, stage, stages) for deal, stage in cards if stage in stages]


def moves(people: Sequence[Visitor], times: int) -> dict[str, Measured]:
    """Cards of the viewers' boards to another open stage, by turns."""
    dice, found = random.Random(7), {one.login: Measured() for one in people}
    boards = {one.login: cards_of(one) for one in people}
    # A card can be on several boards.
    now = {deal: stage for cards in boards.values() for deal, stage, _ in cards}
    for _ in range(times):
        for one in people:
            deal, _, stages = dice.choice(boards[one.login])
            target = dice.choice([other for other in stages if other != now[deal]])
            form = {"stage": target, "from": now[deal]}
            found[one.login].add(one.ask(f"/deals/{deal}/moves", form, fragment=True))
            now[deal] = target
    return found


def searches(people: Sequence[Visitor], questions: Sequence[str]) -> dict[str, Measured]:
    """Of the list that shows while somebody types."""
    found = {one.login: Measured() for one in people}
    for question in questions:
        for one in people:
            found[one.login].add(one.ask(f"/search?q={quote(question)}", fragment=True))
    return found


def first_visit(person: Visitor) -> tuple[float, int]:
    """Kilobytes, as they are sent, of the board with all its styles and scripts; and how many of
    the files a browser would ask for again, as they are not kept by their content."""
    page = person.ask("/")
    files: dict[str, Answer] = {}
    wanted = {path.replace("&amp;", "&") for path in _ASSET.findall(page.text)}
    while wanted:
        path = wanted.pop()
        files[path] = person.ask(path)
        if path.startswith("/static/modules/"):
            imported = _IMPORT.findall(files[path].text)
            wanted |= {urljoin(path, other) for other in imported} - files.keys()
    again = sum("immutable" not in file.headers["Cache-Control"] for file in files.values())
    return (page.bytes + sum(file.bytes for file in files.values())) / 1000, again


class Questions:
    """What people ask the search: names, also misspelt or begun, companies, deals, numbers in
    every notation, and what is not there."""

    def __init__(self, database: Path) -> None:
        self._dice = random.Random(11)
        with closing(sqlite3.connect(database)) as rows:
            self._names = self._some(rows, "SELECT name FROM contacts WHERE name NOT GLOB '+*'")
            self._firms = self._some(rows, "SELECT name FROM companies")
            self._deals = self._some(rows, "SELECT title FROM deals")
            self._numbers = self._some(rows, "SELECT e164 FROM phones")

    def _some(self, rows: sqlite3.Connection, query: str) -> list[str]:
        found = [row[0] for row in rows.execute(f"{query} ORDER BY id * 7919 % 10007 LIMIT 400")]
        self._dice.shuffle(found)
        return found

    def mixed(self, count: int) -> list[str]:
        """So many, of each kind as many."""
        kinds: list[Callable[[int], str]] = [
            lambda n: self._names[n],
            lambda n: self._names[n].split()[-1],
            lambda n: self._names[n].split()[-1][: 2 + n % 4],
            lambda n: self._misspelt(self._names[n].split()[-1]),
            lambda n: " ".join(map(self._misspelt, self._names[n].split())),
            lambda n: self._firms[n],
            lambda n: self._misspelt(self._firms[n]),
            lambda n: self._deals[n],
            lambda n: self._numbers[n],
            lambda n: "0" + self._numbers[n][3:],
            lambda n: f"{self._numbers[n][:5]} (0) {self._numbers[n][5:]}",
            lambda n: self._numbers[n][-4 - n % 3 :],
            lambda n: self._numbers[n][: 6 + n % 3],
            lambda n: ("qwxyzzt", "zzqqj vvwwq", "98989898989", "@@@")[n % 4],
        ]
        return [kinds[n % len(kinds)](n % 400) for n in range(count)]

    def _misspelt(self, word: str) -> str:
        """Two letters swapped, one missing, or one wrong."""
        if len(word) < 4:
            return word
        at, kind = self._dice.randrange(1, len(word) - 1), self._dice.randrange(3)
        rest = (word[at + 1] + word[at] + word[at + 2 :], word[at + 1 :], "e" + word[at + 1 :])
        return word[:at] + rest[kind]
