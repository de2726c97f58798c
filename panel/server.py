"""The panel under gunicorn: one process, many threads, so that open streams starve no page."""

from __future__ import annotations

import dataclasses
import gc
import logging
import secrets
import socket
from typing import Any

from gunicorn.app.base import BaseApplication

import models
from errors import TrichterError
from panel import FORM_BYTES, create_app, live
from panel.reminders import Reminders
from panel.worker import ReadFirst, Worker
from settings import Settings

THREADS = 400
"""Six streams each of some sixty people, and pages besides. An idle thread costs little."""

log = logging.getLogger("trichter.panel")


class CannotListen(TrichterError):
    """The address of the panel can't be used; the message says why."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then raise SystemExit. Raises CannotListen before it starts.

    More than one process would split what is kept in memory: limits on log-ins, live streams.
    """
    listener = listen(settings.panel.bind)
    models.connect(settings)
    receipt_key = settings.panel.secret_key
    if not settings.panel.secret_key:
        log.warning(
            "panel.secret_key is empty: log-ins end when the panel restarts. "
            "Put 64 random characters there to keep them."
        )
        # Here and not in the worker: a worker that is replaced must not end all sessions.
        panel = dataclasses.replace(settings.panel, secret_key=secrets.token_hex(32))
        settings = dataclasses.replace(settings, panel=panel)
    Server(settings, listener, receipt_key).run()


def listen(bind: str) -> socket.socket:
    """A socket at HOST:PORT, not yet accepting. Raises CannotListen."""
    host, _, port = bind.rpartition(":")
    try:
        places = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        family, _kind, _protocol, _name, address = places[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise CannotListen(f"panel.bind: {bind}: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Without it a second panel could bind too, as long as neither listens.
        listener.listen(socket.SOMAXCONN)
    except OSError as error:
        listener.close()
        raise CannotListen(
            f"panel.bind: {bind}: {error.strerror}; end what uses it, or set another address"
        ) from error
    return listener


def _watch(worker: Any) -> None:
    """Streams end when the worker is told to stop; else each would hold it up. It tells of tasks
    that are due as long as it works."""
    live.watch(lambda: worker.alive)
    Reminders(lambda: worker.alive).start()
    # What is loaded by now stays: looking through all of it again and again, for what nobody uses
    # any more, would hold up one page in ten for longer than the page takes.
    gc.collect()
    gc.freeze()


class Server(BaseApplication):
    """gunicorn, set up from here alone: no files, no command line, no control socket."""

    def __init__(self, settings: Settings, listener: socket.socket, receipt_key: str) -> None:
        self.settings = settings
        self.receipt_key = receipt_key
        self.listener = listener
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": f"fd://{self.listener.fileno()}",
            "worker_class": Worker,
            "workers": 1,
            "threads": THREADS,
            "worker_connections": 2 * THREADS,
            "keepalive": 5,
            "graceful_timeout": 5,
            "proc_name": "trichter-panel",
            "loglevel": "warning",
            "control_socket_disable": True,
            # No client gets to name the path twice: proxies may have looked at the other one.
            "forwarder_headers": "",
            "post_worker_init": _watch,
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        return ReadFirst(create_app(self.settings, self.receipt_key), FORM_BYTES)
