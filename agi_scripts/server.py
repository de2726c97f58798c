"""FastAGI: a process that answers agi://127.0.0.1:4573/lookup_caller, /route_call and /open_deal.

A look-up that fails sets nothing and says so: AGISTATUS is FAILURE and the call goes on. There is
no password in AGI; whoever may connect can ask, so bind it to 127.0.0.1 or a network of its own.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import time
from queue import SimpleQueue
from typing import Any

import models
from agi_scripts.lookup_caller import lookup_caller
from agi_scripts.open_deal import open_deal
from agi_scripts.protocol import Agi, AgiError, HungUp, Request
from agi_scripts.reading import LookUp, ask, hurry
from agi_scripts.route_call import route_call
from database import DATABASE_ERRORS, database, explain
from errors import TrichterError
from fields import clean
from settings import Settings

log = logging.getLogger("trichter.agi")

LOOK_UPS: dict[str, LookUp] = {f.__name__: f for f in (lookup_caller, route_call, open_deal)}
MOST_CONNECTIONS = 256
END_SECONDS = 2.0
PAUSE_SECONDS = 0.1
# Every query lets go of Python's lock. With the usual 5 ms, look-ups at the same time take turns in
# mid-query and a third of them a second is lost.
TURN_SECONDS = 0.02


class CannotListen(TrichterError):
    """The address of the server can't be used."""


class Server:
    """Listens from its creation on; ``run()`` answers until ``stop()``. Raises CannotListen.

    The database must be connected (``models.connect``).
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        hurry()
        self._listener = _listen(settings.agi.bind)
        self._waiting: SimpleQueue[socket.socket | None] = SimpleQueue()
        # Never fewer than open connections, so that no call waits for another one's time-out.
        self._workers: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        # No Event: its lock could be held when the signal handler interrupts.
        self._stopping = False

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        """Answer calls until ``stop()``; those under way are ended in order."""
        try:
            while not self._stopping:
                self._accept()
        finally:
            self._listener.close()
            self._end()

    def stop(self) -> None:
        """End ``run()``; from any thread or a signal handler."""
        self._stopping = True
        try:
            # Closing alone would not wake up accept().
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            log.debug("stopped already")

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as error:
            if not self._stopping:
                # Out of file descriptors, mostly: the calls under way will give some back.
                log.error("a call is not looked up: %s", error.strerror)
                time.sleep(PAUSE_SECONDS)
            return
        with self._changed:
            busy = len(self._open) >= MOST_CONNECTIONS
            if not busy:
                self._open.add(connection)
                if len(self._open) > len(self._workers):
                    self._workers.append(threading.Thread(target=self._work, name="agi"))
                    self._workers[-1].start()
        if busy:
            log.error("a call is not looked up: there are %d already", MOST_CONNECTIONS)
            with connection:
                Agi.over_socket(connection).fail()
        else:
            self._waiting.put(connection)

    def _work(self) -> None:
        """A thread's life; it keeps its connection to the database for the next call."""
        try:
            while (connection := self._waiting.get()) is not None:
                with connection:
                    self._answer(Agi.over_socket(connection))
                with self._changed:
                    self._open.discard(connection)
                    self._changed.notify_all()
        finally:
            database.close()

    def _answer(self, agi: Agi) -> None:
        """One call. Whatever goes wrong, it goes on in the dialplan."""
        path = "?"
        try:
            request = Request.of(agi.environment())
            path = clean(request.script, 40)
            if request.script not in LOOK_UPS:
                raise AgiError(f"there is no such path; there are {', '.join(LOOK_UPS)}")
            for name, value in ask(LOOK_UPS[request.script], request, self.settings).items():
                agi.set_variable(name, value)
        except HungUp as gone:
            log.info("/%s: %s", path, gone)
        except AgiError as error:
            log.warning("/%s: %s; the call goes on without it", path, error)
            agi.fail()
        except DATABASE_ERRORS as error:
            log.error("/%s: %s; the call goes on without it", path, explain(error))
            agi.fail()
        except Exception:
            log.exception("/%s: the call goes on without it", path)
            agi.fail()

    def _end(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._open, END_SECONDS)
            for connection in self._open:
                _hang_up(connection)
        for _ in self._workers:
            self._waiting.put(None)
        for worker in self._workers:
            worker.join()


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        log.debug("the other side was first")


def _listen(bind: str) -> socket.socket:
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=MOST_CONNECTIONS)
    except OSError as error:
        raise CannotListen(
            f"[agi] bind: can't listen on {bind} ({error.strerror}); end the program that uses "
            f"port {port}, or write another address"
        ) from error


def serve(settings: Settings) -> None:
    """The process ``trichter agi``, until SIGTERM. Raises CannotListen, DatabaseTrouble."""
    sys.setswitchinterval(TURN_SECONDS)
    models.connect(settings)
    server = Server(settings)

    def stop(*_: Any) -> None:
        server.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    log.info("FastAGI listens on %s", settings.agi.bind)
    server.run()
    log.info("FastAGI ended")
