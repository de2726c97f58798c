"""A FastAGI server for tests, in a thread of this process."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from agi_scripts.server import Server
from settings import Agi, Settings


@contextmanager
def serving(settings: Settings, port: int = 0) -> Iterator[Server]:
    """Answers on 127.0.0.1 at the port, or at any free one, until the end of the block."""
    server = Server(dataclasses.replace(settings, agi=Agi(bind=f"127.0.0.1:{port}")))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(10)
        assert not thread.is_alive()
