"""The database is held by somebody, has no room, or is restarted while people call."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from private_asterisk import PrivateAsterisk

from database import PROBING, database
from models import Contact
from tests.agi.speaking import converse, environment
from tests.hold import small_disk, trials
from tests.hold.faults import held_database, no_more_room, stopped
from tests.hold.place import Held, opened
from tests.mariadb import MariaDB
from tests.office import until
from tests.postgresql import PostgreSQL
from tests.server import Server
from tests.world import CUSTOMER, release, use

LONGER_THAN_IT_WAITS = 6.0
"""Seconds: SQLite waits for five."""


@pytest.fixture(params=[PostgreSQL, MariaDB])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that a test may stop."""
    kind: Callable[[], Server] = request.param
    own = kind()
    try:
        own.start()
        yield own
    finally:
        own.stop()


def name_on_the_phone(office: Held) -> str | None:
    """What FastAGI tells of the customer; None while nobody listens."""
    try:
        line = socket.create_connection(("127.0.0.1", office.pbx.ports.agi), timeout=30)
    except ConnectionRefusedError:
        return None
    line.sendall(environment(network_script="lookup_caller", callerid=CUSTOMER))
    return converse(line).variables.get("CALLERID(name)")


def test_held_by_another_process(held: Held, tmp_path: Path) -> None:
    file = f"{tmp_path}/trichter.db"
    outcome = trials.broken(held, lambda _: held_database(file), LONGER_THAN_IT_WAITS)
    assert outcome.verdict.faults == []


def test_no_room(held: Held) -> None:
    """On a disk of its own where that is allowed, else by a limit of the process."""
    try:
        outcome = small_disk.trial(3)
    except small_disk.NotAllowed:
        outcome = trials.broken(held, no_more_room, 3)
        assert held.said("ari", "disk I/O error")
    assert outcome.verdict.faults == []


def test_the_server_is_restarted(fragile: PrivateAsterisk, tmp_path: Path, server: Server) -> None:
    """Also the panel and FastAGI, which were connected before, work again."""
    with opened(fragile, tmp_path, server.url(server.create())) as office:
        Contact.of_number(CUSTOMER, "Miriam Sander", office.world.anna)
        office.run("agi")
        host, _, port = office.open_panel().removeprefix("http://").partition(":")
        until(lambda: name_on_the_phone(office) == "Miriam Sander", "FastAGI")
        outcome = trials.broken(office, lambda _: stopped(server), 2)
        assert name_on_the_phone(office) == "Miriam Sander"
        panel = http.client.HTTPConnection(host, int(port), timeout=30)
        with closing(panel):
            panel.request("GET", "/healthz")
            assert panel.getresponse().status == 200
    assert outcome.verdict.faults == []


def test_a_server_that_vanishes_is_given_up(server: Server) -> None:
    """Without a word: the kernel asks whether it is still there, and not only after two hours."""
    use(server.url(server.create()))
    try:
        database.connect()
        connection = database.connection()
        number = connection.fileno() if hasattr(connection, "fileno") else connection._sock.fileno()
        with socket.socket(fileno=os.dup(number)) as line:
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            set_to = {name: line.getsockopt(socket.IPPROTO_TCP, name) for name in PROBING}
        assert set_to == PROBING
        database.close()
    finally:
        release()
