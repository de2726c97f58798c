"""The benchmark runs, and its figures are figures; how large they are is not for a test to say."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from bench import calls, load, panel, panel_live, panel_others, rates, sales_rows, sales_world
from bench.growth import told
from bench.rates import Search
from tests import programs
from tests.world import World, release
from verbs.calls import record_call

ROOT = Path(__file__).resolve().parent.parent
TINY = calls.Size(
    contacts=1_000, calls=300, few=100, first_rates=0.05, rounds=1, seconds=0.5, delay_rounds=1,
    delay_rate=10, delay_seconds=0.5, event_seconds=0.5, look_up_seconds=0.1, grown=3, rows=200,
)  # fmt: skip

TINY_PANEL = panel.Size(
    world=sales_rows.Size(60, 60, 20, 200, 500, 20, 50), boards=2, moves=2, searches=14, others=2,
    streams=7, told=2, calls=2,
)  # fmt: skip


def test_every_figure_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setattr(load, "HOLD", 0.1)
    # However busy the machine is: every run counts.
    for module, limit in ((load, "LATE"), (load, "PATIENCE"), (rates, "ROWS_WITHIN")):
        monkeypatch.setattr(module, limit, 60.0)
    try:
        figures = calls.measure(TINY, pytestconfig.getoption("asterisk"), tmp_path)
    finally:
        release()
    assert tuple(figures)[: len(calls.KEYS)] == calls.KEYS
    assert [key for key, value in figures.items() if not math.isfinite(value)] == []
    above_nothing = {*calls.KEYS} - {"routed_added_p95_ms"}
    assert [key for key in above_nothing if figures[key] <= 0] == []
    assert all(f"| {variant.name} | " in calls.table(figures) for variant in rates.VARIANTS)
    json.dumps(figures)


def test_every_figure_of_the_panel_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    monkeypatch.setattr(sales_world, "FOLDER", tmp_path / "worlds")
    monkeypatch.setattr(panel_live, "EVERY", 0.1)
    for name, value in programs.driver_environment().items():
        monkeypatch.setenv(name, value)
    # Other tests of this process have a browser open, and a thread drives only one at a time.
    with ThreadPoolExecutor(1) as alone:
        asterisk = pytestconfig.getoption("asterisk")
        figures = alone.submit(panel.measure, TINY_PANEL, asterisk, tmp_path).result()
    assert tuple(figures)[: len(panel.KEYS)] == panel.KEYS
    assert [key for key, value in figures.items() if not math.isfinite(value)] == []
    assert [key for key in panel.KEYS if figures[key] <= 0] == []
    # What does not depend on the machine.
    assert figures["board_queries"] <= 12
    assert figures["page_kb"] <= 200
    assert figures["page_asked_again"] == 0
    assert all(f"| {what} | " in panel.table(figures) for what in panel_others.NAMES.values())
    json.dumps(figures)
    # The world is there for the next run, unless the schema is another one by then.
    assert len(list((tmp_path / "worlds").iterdir())) == 1


def test_the_search_closes_in_on_the_largest_rate() -> None:
    search = Search(100)
    for _ in range(12):
        search.take(search.rate <= 170)
    assert 160 < search.best <= 170


def test_a_call_recorded_twice_or_not_at_all_is_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "ROWS_WITHIN", 0.0)
    wrongly = rates.Trial._wrongly_recorded
    dialled = [("493055501", "+491720000001"), ("493055501", "+491720000002")]
    assert wrongly(dialled, 0)[0] == 2
    for linkedid, number in (("1.1", "+491720000001"), ("2.1", "+491720000002")):
        for report in told(number, linkedid):
            record_call(report)
    assert wrongly(dialled, 0)[0] == 0
    for report in told("+491720000002", "3.1"):
        record_call(report)
    assert wrongly(dialled, 0)[0] == 1


def test_ctrl_c_ends_all_that_was_started(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "bench" / "calls.py"), "--quick"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert "Asterisk" in process.stdout.readline()
        started = psutil.Process(process.pid).children(recursive=True)
        assert started
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert psutil.wait_procs(started, 60)[1] == []
    assert list(tmp_path.iterdir()) == []
