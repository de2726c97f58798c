"""Many live panels at once: streams held open by a process of their own (bench/ears.py), which then
asks for what has changed as browsers do, and one more in a real browser. How long it takes until
each of them was told of a move, until the browser shows it, and what others wait for meanwhile."""

from __future__ import annotations

import json
import random
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from playwright.sync_api import Page, ViewportSize

from bench import panel_pages
from bench.load import percentile
from bench.panel_pages import Measured, cards_of
from bench.panel_ring import browser_at_the_board
from bench.visitor import ROOT, Panel, Visitor
from panel.live import RENDERING
from tests.world import HASH

PER_HEAD = 6
"""Windows of one head of sales: as many as are served."""
WAITS = 5.0
"""Seconds after which a move that somebody was not told of has failed."""
EVERY = 1.0
"""Seconds from one move to the next."""
WIDE = ViewportSize(width=3000, height=1000)
"""A screen with room for all columns."""
_HEADS = re.compile(r'data-heads-url="([^"]+)"')
# When a card is first seen in another column, by the machine's clock in milliseconds.
WATCH = """() => {
  window.seen = [];
  const look = (card) => requestAnimationFrame(() => {
    if (card.isConnected && card.checkVisibility())
      seen.push([card.dataset.deal, card.parentNode.dataset.stage, performance.timeOrigin + performance.now()]);
  });
  const watch = new MutationObserver((changes) => {
    for (const { addedNodes } of changes)
      for (const node of addedNodes) if (node.matches?.(".col__cards > .card")) look(node);
  });
  watch.observe(document.getElementById("board"), {childList: true, subtree: true});
}"""  # noqa: E501
SEEN = """([deal, stage]) =>
  seen.find(([card, where]) => card === deal && where === stage)?.[2]"""


def add_heads(database: Path, streams: int) -> list[str]:
    """As many heads of sales as so many windows need: they see every move. Their logins."""
    logins = [f"watcher{n}" for n in range(-(-streams // PER_HEAD))]
    with closing(sqlite3.connect(database)) as rows, rows:
        rows.executemany(
            "INSERT INTO users (login, name, role, password_hash, locale, active, session_mark)"
            " VALUES (?, ?, 'head', ?, 'en', 1, '')",
            [(login, login, HASH) for login in logins],
        )
    return logins


class Streams:
    """So many open streams, each with the cookie of one of the visitors. ``asked``: seconds that
    each of their questions took."""

    def __init__(self, panel: Panel, people: Sequence[Visitor], count: int) -> None:
        board = _HEADS.search(people[0].ask("/").text)
        if not board:
            raise RuntimeError("the board does not say where its heads are")
        self._asked = {
            "address": panel.address, "cookies": [one.cookie for one in people], "count": count,
            "path": board[1].replace("&amp;", "&"),
        }  # fmt: skip
        self.count = count
        self.asked: list[float] = []
        self._refused: list[str] = []
        self._told: SimpleQueue[tuple[int, float]] = SimpleQueue()

    @contextmanager
    def open(self) -> Iterator[None]:
        """Returns when all of them are there."""
        command = [sys.executable, "-m", "bench.ears"]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin
            assert process.stdout
            reader = Thread(target=self._read, args=(process.stdout,), daemon=True)
            try:
                process.stdin.write(json.dumps(self._asked) + "\n")
                process.stdin.flush()
                if process.stdout.readline() != "open\n":
                    raise RuntimeError("not all streams could be opened")
                reader.start()
                yield
            finally:
                process.terminate()
                if reader.is_alive():
                    reader.join()

    def _read(self, lines: Iterator[str]) -> None:
        for line in lines:
            what, at, *status = line.split()
            if what != "asked":
                self._told.put((int(what), float(at)))
            elif status == ["200"]:
                self.asked.append(float(at))
            else:
                self._refused += status

    def told_of(self, deal: int) -> list[float]:
        """When each of them was told of the deal, on the monotonic clock. Raises RuntimeError."""
        found: list[float] = []
        deadline = time.monotonic() + WAITS
        while len(found) < self.count:
            try:
                told, at = self._told.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                raise RuntimeError(f"{len(found)} of {self.count} were told of a move") from None
            found += [at] if told == deal else []
        if self._refused:
            raise RuntimeError(f"a window was refused what it asked for: {self._refused[:9]}")
        return found


@dataclass
class Seen:
    """Milliseconds from sending a move to when a stream tells of it (``told``, for each move and
    stream) and to when it is to be seen in the browser (``shown``), and what people
    waited for meanwhile."""

    told: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    moves: Measured = field(default_factory=Measured)
    boards: Measured = field(default_factory=Measured)


def watched(
    streams: Streams, page: Page, people: Sequence[Visitor], times: int, every: float
) -> Seen:
    """So many moves by the first of these people, and boards of all in between at any moment."""
    dice, found = random.Random(5), Seen()
    mover = people[0]
    cards = cards_of(mover)
    for _ in range(times):
        due = time.monotonic() + every
        at = dice.randrange(len(cards))
        deal, stage, stages = cards[at]
        target = dice.choice([one for one in stages if one != stage])
        cards[at] = (deal, target, stages)
        _move(found, streams, page, mover, (deal, stage, target))
        found.boards.add(dice.choice(people).ask("/"))
        while time.monotonic() < due - every / 4:
            time.sleep(dice.random() * every / 4)
            found.boards.add(dice.choice(people).ask("/"))
        time.sleep(max(0.0, due - time.monotonic()))
    return found


def _move(
    found: Seen, streams: Streams, page: Page, mover: Visitor, how: tuple[str, str, str]
) -> None:
    deal, stage, target = how
    page.evaluate("() => seen.splice(0)")
    sent, by_clock = time.monotonic(), time.time() * 1000
    form = {"stage": target, "from": stage}
    found.moves.add(mover.ask(f"/deals/{deal}/moves", form, fragment=True))
    found.told += [(at - sent) * 1000 for at in streams.told_of(int(deal))]
    seen = page.wait_for_function(SEEN, arg=[deal, target], timeout=WAITS * 1000)
    found.shown.append(float(seen.json_value()) - by_clock)


def figures(
    database: Path, panel: Panel, movers: Sequence[Visitor], streams: int, times: int
) -> dict[str, float]:
    """What is told to and seen by so many panels, and what the server needs for it. The movers: a
    head, whose cards all see, and another person."""
    logins = add_heads(database, streams)
    people = [Visitor(panel.address, login) for login in logins]
    lines = Streams(panel, people, streams - 1)
    # A page goes on from the last thing that happened, as long as that is a while ago: in the world
    # that was made for this, it is a call of last year otherwise.
    panel_pages.moves(movers[:1], 1)
    time.sleep(RENDERING.total_seconds() + 0.1)
    with lines.open(), browser_at_the_board(panel.address, logins[-1], WIDE) as page:
        page.evaluate(WATCH)
        begun, worked = time.monotonic(), panel.cpu_seconds()
        found = watched(lines, page, movers, times, EVERY)
        load = (panel.cpu_seconds() - worked) / (time.monotonic() - begun)
        rss, pss = panel.memory()
    return _summed(found) | {
        "live300_rss_mb": rss,
        "live300_pss_mb": pss,
        "live300_load": load,
        "live300_asked": len(lines.asked),
        "live300_asked_p95_ms": percentile(lines.asked, 95) * 1000 if lines.asked else 0.0,
    }


def _summed(found: Seen) -> dict[str, float]:
    """Seen by all: the later of what the windows are told and what the browser shows."""
    return {
        "live300_p95_ms": max(percentile(found.told, 95), percentile(found.shown, 95)),
        "live300_told_p95_ms": percentile(found.told, 95),
        "live300_told_p50_ms": percentile(found.told, 50),
        "live300_told_max_ms": max(found.told),
        "live300_shown_p95_ms": percentile(found.shown, 95),
        "live300_shown_p50_ms": percentile(found.shown, 50),
        "live300_move_p95_ms": found.moves.wall_ms(95),
        "live300_board_p95_ms": found.boards.wall_ms(95),
        "live300_board_p50_ms": found.boards.wall_ms(50),
    }
