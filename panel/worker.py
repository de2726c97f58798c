"""The worker of the server: it cuts off who takes too long to say what they want.

gunicorn waits without end for the rest of a request once its first byte is there, each time with a
thread; as many half requests as there are threads would stop the panel for everybody.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from panel.security import Wsgi

REQUEST_SECONDS = 10.0
"""For a whole request, form included."""
LOOK_SECONDS = 1.0

_unread: dict[socket.socket, float] = {}
"""Until when the request that comes over a connection has to be there."""


class Worker(ThreadWorker):  # type: ignore[misc]
    def init_process(self) -> None:
        threading.Thread(target=_watch, name="slow requests", daemon=True).start()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """A request from its first byte to the end of the answer."""
        _unread[conn.sock] = time.monotonic() + REQUEST_SECONDS
        try:
            return super().handle(conn)
        finally:
            _unread.pop(conn.sock, None)


class ReadFirst:
    """Reads the form before the app runs, at most one byte more than it accepts; from there on the
    answer may take its time."""

    def __init__(self, wsgi_app: Wsgi, most_bytes: int) -> None:
        self.wsgi_app = wsgi_app
        self.most_bytes = most_bytes

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(self.most_bytes + 1))
        _unread.pop(environ["gunicorn.socket"], None)
        return self.wsgi_app(environ, start_response)


def _watch() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        now = time.monotonic()
        for connection, until in list(_unread.items()):
            if now > until:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
