"""A gate between `trichter ari` and Asterisk, to stop the one while it asks what lives."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType

from ports import free_tcp_port

CHUNK = 65536
LIST, STREAM, MARKER = b"GET /ari/channels ", b"GET /ari/events?", b"POST /ari/events/user/"
PATIENCE = 30.0


class Gate:
    """Passes bytes on both ways, but the first list of channels not before ``let_in``. From then on
    until the marker is sent, the event stream waits: what the list tells is read first.

    ``asked`` is set when the list has been asked for.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{free_tcp_port()}"
        self.asked = threading.Event()
        self._let_in, self._marked = threading.Event(), threading.Event()
        self._to = ("127.0.0.1", port)
        self._server = socket.create_server(("127.0.0.1", int(self.url.rpartition(":")[2])))
        self._sockets: list[socket.socket] = [self._server]
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Gate:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.let_in()
        self._marked.set()
        for held in self._sockets:
            with suppress(OSError):  # ended by the other side
                held.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        for held in self._sockets:
            held.close()

    def let_in(self) -> None:
        self._let_in.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.create_connection(self._to)
            self._sockets += [client, server]
            self._begin(self._up, client, server)

    def _begin(self, way: object, *ends: socket.socket) -> None:
        thread = threading.Thread(target=way, args=ends)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        first = client.recv(CHUNK)
        down = self._events_down if first.startswith(STREAM) else self._down
        self._begin(down, server, client)
        data = first
        while data:
            if data.startswith(LIST):
                self.asked.set()
                self._let_in.wait(PATIENCE)
            if data.startswith(MARKER):
                self._marked.set()
            try:
                server.sendall(data)
                data = client.recv(CHUNK)
            except OSError:
                break
        _end(server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(CHUNK):
                client.sendall(data)
        except OSError:
            pass  # either side has gone: so does the other
        _end(client)

    def _events_down(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(CHUNK):
                if self.asked.is_set():
                    self._marked.wait(PATIENCE)
                client.sendall(data)
        except OSError:
            pass  # either side has gone: so does the other
        _end(client)


def _end(end: socket.socket) -> None:
    with suppress(OSError):  # gone already
        end.shutdown(socket.SHUT_WR)
