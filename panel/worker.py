"""The worker of the server: it cuts off who takes too long to ask or to listen.

gunicorn waits without end for the rest of a request once its first byte is there, and for a client
that does not read its answer, each time with a thread; as many of them as there are threads would
stop the panel for everybody.
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
ANSWER_SECONDS = 30.0
"""For a whole answer. Streams have no end; see live for theirs."""
SLOWEST = 32 * 1024
"""Bytes a second: a long answer, such as a recording, gets as much more time as that takes."""
LOOK_SECONDS = 1.0
STREAM = "text/event-stream; charset=utf-8"

_until: dict[socket.socket, float] = {}
"""By when the request of a connection has to be there, then by when its answer has to be read."""


class Worker(ThreadWorker):
    def init_process(self) -> None:
        threading.Thread(target=_watch, name="slow requests", daemon=True).start()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """A request from its first byte to the end of the answer."""
        _until[conn.sock] = time.monotonic() + REQUEST_SECONDS
        try:
            return super().handle(conn)
        finally:
            _until.pop(conn.sock, None)


class ReadFirst:
    """Reads the form before the app runs, so that the time for the request ends there. A larger
    one than the app accepts is left to it to refuse."""

    def __init__(self, wsgi_app: Wsgi, most_bytes: int) -> None:
        self.wsgi_app = wsgi_app
        self.most_bytes = most_bytes

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if int(environ.get("CONTENT_LENGTH") or 0) <= self.most_bytes:
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(self.most_bytes + 1))
        connection = environ["gunicorn.socket"]
        _until[connection] = time.monotonic() + ANSWER_SECONDS

        def started(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            if ("Content-Type", STREAM) in headers:
                _until.pop(connection, None)
            elif connection in _until:
                _until[connection] += _length(headers) / SLOWEST
            return start_response(status, headers, *error)

        return self.wsgi_app(environ, started)


def _length(headers: list[tuple[str, str]]) -> int:
    """Bytes of an answer, 0 if it does not say."""
    said = next((value for name, value in headers if name.lower() == "content-length"), "")
    return int(said) if said.isdecimal() else 0


def _watch() -> None:
    while True:
        time.sleep(LOOK_SECONDS)
        now = time.monotonic()
        for connection, until in list(_until.items()):
            if now > until:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
