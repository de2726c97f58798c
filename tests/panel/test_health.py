"""GET /healthz and /metrics, and starting the server."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from database import database
from panel.server import CannotListen, listen
from tests.panel.conftest import Browser, Visit
from tests.world import World


def test_well(visit: Visit) -> None:
    answer = visit("").get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_not_well(world: World, visit: Visit, tmp_path: Path) -> None:
    database.close()
    for file in tmp_path.glob("trichter.db*"):
        file.unlink()
    answer = visit("").get("/healthz")
    assert answer.status_code == 503
    assert answer.json
    assert answer.json["status"] == "unavailable"
    assert "trichter init" in answer.json["advice"]
    assert str(tmp_path) not in answer.text


def test_requests_are_counted(anna: Browser, visit: Visit) -> None:
    anna.get("/deals/99")
    visit("").get("/some/scanner/path")
    anna.client.open("/", method="BREW")
    figures = visit("").get("/metrics").text
    labels = 'endpoint="deals.deal",method="GET",status="404"'
    assert f"trichter_panel_requests_total{{{labels}}} 1.0" in figures
    assert 'endpoint="none",method="GET",status="404"' in figures
    assert "BREW" not in figures
    assert "scanner" not in figures
    assert "trichter_panel_request_seconds_bucket" in figures


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CannotListen, match=r"panel\.bind: .*in use; end what uses it"):
            listen(bind)


@pytest.mark.parametrize("bind", ["no.such.host.invalid:8080", "203.0.113.1:8080"])
def test_an_address_that_is_not_here(bind: str) -> None:
    with pytest.raises(CannotListen, match=r"panel\.bind: "):
        listen(bind)


def test_a_free_port() -> None:
    with listen("127.0.0.1:0") as listener:
        assert listener.getsockname()[1] > 0
