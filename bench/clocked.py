"""`trichter panel` with a clock: python -m bench.clocked. Each answer says in its Server-Timing how
long the application took for it, the processor time of that, and how many queries it made.

The clock is wrapped around the whole application; what gunicorn does before and after is not in it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

import peewee

import trichter
from panel.security import Wsgi
from panel.server import Server

UNENDING = ("/live",)

_made = threading.local()


class Clocked:
    """Streams pass through as they are: they have no end."""

    def __init__(self, wsgi_app: Wsgi) -> None:
        self.wsgi_app = wsgi_app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] in UNENDING:
            return self.wsgi_app(environ, start_response)
        begun, worked, _made.queries = time.perf_counter(), time.thread_time(), 0
        said: list[Any] = []
        parts = self.wsgi_app(environ, lambda *answer: said.append(answer))
        body = b"".join(parts)
        getattr(parts, "close", lambda: None)()
        took, cpu = time.perf_counter() - begun, time.thread_time() - worked
        status, headers, *error = said[-1]
        timing = f"app;dur={took * 1000:.2f}, cpu;dur={cpu * 1000:.2f}, db;dur={_made.queries}"
        start_response(status, [*headers, ("Server-Timing", timing)], *error)
        return [body]


def main() -> None:
    """Serve until it is told to stop."""
    load, execute = Server.load, peewee.Database.execute_sql

    def counted(self: Any, *args: Any, **options: Any) -> Any:
        _made.queries = getattr(_made, "queries", 0) + 1
        return execute(self, *args, **options)

    peewee.Database.execute_sql = counted  # type: ignore[method-assign]
    Server.load = lambda self: Clocked(load(self))  # type: ignore[method-assign]
    trichter.main(["panel"])


if __name__ == "__main__":
    main()
