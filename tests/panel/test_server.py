"""The panel under its real server, and its pages in a real browser."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from playwright.sync_api import expect
from ports import free_tcp_port

from tests.browser import NewPage
from tests.desk import follow, sign_in
from tests.office import until
from tests.world import PASSWORD, World

ROOT = Path(__file__).resolve().parents[2]
SERVE = "import settings; from panel.server import serve; serve(settings.load())"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FAULTS = """async rules => (await axe.run(document, {runOnly: rules})).violations.map(
  fault => fault.id + ": " + fault.nodes.map(node => node.target.join(" ")).join(", "))"""


def start(world: World, port: int, program: str = SERVE) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "TRICHTER_DATABASE_URL": world.settings.database.url,
        "TRICHTER_PANEL_BIND": f"127.0.0.1:{port}",
    }
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


def is_up(port: int) -> bool:
    try:
        answer = urllib3.request("GET", f"http://127.0.0.1:{port}/healthz", retries=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200


@pytest.fixture
def port(world: World) -> Iterator[int]:
    """The port of a running panel."""
    number = free_tcp_port()
    process = start(world, number)
    try:
        until(lambda: is_up(number), "the panel")
        yield number
    finally:
        process.terminate()
        _out, errors = process.communicate(timeout=20)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert errors.count("secret_key is empty") == 1


def test_it_starts_and_ends(port: int) -> None:
    answer = urllib3.request("GET", f"http://127.0.0.1:{port}/", redirect=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/login?next=/")


def test_it_ends_at_once_by_ctrl_c(world: World) -> None:
    number = free_tcp_port()
    process = start(world, number)
    until(lambda: is_up(number), "the panel")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0


HALF_FORM = (
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\nlogin=anna"
)


@pytest.mark.parametrize("half", [b"GET / HT", HALF_FORM])
def test_half_a_request_does_not_keep_a_thread(world: World, half: bytes) -> None:
    number = free_tcp_port()
    hurried = "from panel import worker; worker.REQUEST_SECONDS = worker.LOOK_SECONDS = 0.1; "
    process = start(world, number, hurried + SERVE)
    try:
        until(lambda: is_up(number), "the panel")
        with socket.create_connection(("127.0.0.1", number), timeout=20) as slow:
            slow.sendall(half)
            while slow.recv(4096):
                pass
        until(lambda: is_up(number), "the panel afterwards")
    finally:
        process.terminate()
        _out, errors = process.communicate(timeout=20)
    assert "Traceback" not in errors


def test_who_does_not_read_does_not_keep_a_thread(world: World) -> None:
    number = free_tcp_port()
    hurried = "from panel import worker; worker.ANSWER_SECONDS = worker.LOOK_SECONDS = 0.1; "
    process = start(world, number, hurried + SERVE)
    try:
        until(lambda: is_up(number), "the panel")
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            deaf.connect(("127.0.0.1", number))
            deaf.settimeout(20)
            # More than all buffers hold; sending ends when the other side has cut it off.
            with pytest.raises(ConnectionError):
                deaf.sendall(b"GET /login HTTP/1.1\r\nHost: x\r\n\r\n" * 500_000)
        until(lambda: is_up(number), "the panel afterwards")
    finally:
        process.terminate()
        _out, errors = process.communicate(timeout=20)
    assert "Traceback" not in errors


def test_a_stream_outlives_the_time_of_answers(world: World) -> None:
    number = free_tcp_port()
    hurried = (
        # Long enough for a log-in on a busy machine, and shorter than five heartbeats.
        "from panel import live, worker; worker.ANSWER_SECONDS = 1.5; worker.LOOK_SECONDS = 0.1; "
        "live.HEARTBEAT_SECONDS = 0.5; "
    )
    process = start(world, number, hurried + SERVE)
    try:
        until(lambda: is_up(number), "the panel")
        url = f"http://127.0.0.1:{number}"
        cookie = log_in(url)
        stream = urllib3.request(
            "GET", f"{url}/live", headers={"Cookie": cookie}, preload_content=False
        )
        beats = 0
        while beats < 5:
            beats += stream.readline().startswith(b"id:")
        stream.close()
    finally:
        process.terminate()
        process.communicate(timeout=20)


def log_in(url: str) -> str:
    """The cookie of Anna's session."""
    page = urllib3.request("GET", f"{url}/login")
    token = re.search(r'name="csrf-token" content="([^"]+)"', page.data.decode())
    assert token
    answer = urllib3.request(
        "POST",
        f"{url}/login",
        headers={"Cookie": page.headers["Set-Cookie"].partition(";")[0]},
        fields={"csrf_token": token[1], "login": "anna", "password": PASSWORD},
        redirect=False,
    )
    assert answer.status == 303
    return answer.headers["Set-Cookie"].partition(";")[0]


def test_a_form_that_is_too_large_is_refused_unread(port: int) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(head)
        assert client.recv(4096).startswith(b"HTTP/1.1 413")


def test_a_header_does_not_replace_the_path(port: int) -> None:
    """A proxy may have let the request in by its path."""
    answer = urllib3.request(
        "GET", f"http://127.0.0.1:{port}/login", headers={"PATH_INFO": "/metrics"}
    )
    assert b"trichter_panel_requests" not in answer.data


def test_a_port_that_is_taken_is_one_line(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {
            **os.environ,
            "TRICHTER_DATABASE_URL": world.settings.database.url,
            "TRICHTER_PANEL_BIND": f"127.0.0.1:{taken.getsockname()[1]}",
        }
        done = subprocess.run(
            [sys.executable, "-m", "trichter", "panel"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 1
    assert "in use; end what uses it, or set another address" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_without_scripts(world: World, port: int, new_page: NewPage) -> None:
    page = new_page(base_url=f"http://127.0.0.1:{port}", java_script_enabled=False)
    sign_in(page, "anna")
    page.click("[popovertarget=new-deal]")
    page.fill("#new-title", "Fitwerk GmbH")
    follow(page, page.locator("#new-deal .btn--go"))
    page.select_option("#stage", label="Documents")
    page.click("[data-submit-button]")
    expect(page.locator("[aria-current=step]")).to_have_text("Documents")
    follow(page, page.get_by_role("link", name="Board").first)
    follow(page, page.get_by_role("link", name="Fitwerk GmbH"))
    page.click("[popovertarget=me-menu]")
    page.click("text=Log out")
    expect(page).to_have_url(re.compile("/login$"))
