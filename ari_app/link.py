"""One websocket connection to ARI: dial, read, ping, and cut it from any thread."""

from __future__ import annotations

import logging
import socket
import ssl
import time
from urllib.parse import urlsplit

import websocket

from ari_app.frames import Frames
from ari_app.rest import AriError, BadReply, Unreachable, no_connection, refusal

log = logging.getLogger(__name__)

SHOWN = 200  # characters of what a server sent that may go into a log or message

MANY, WINDOW, NAP = 1500, 0.1, 0.003
"""From so many messages a second on, counted in windows of so many seconds, they are fetched by
several: to be woken for each one takes both sides longer than the message itself."""

WEBSOCKET_ERRORS = (OSError, websocket.WebSocketException)


class Link:
    """A connection: its socket, when something was last heard on it, and why it was cut.

    base: address of ARI, for messages. Times are of time.monotonic(), in seconds.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self.made_at = self.heard_at = self.pinged_at = time.monotonic()
        self.is_open = False
        self.in_callback = False
        self.cut_reason = ""
        self.pause: float | None = None  # before the next one, where back-off is not to decide it
        self._silent_after = 0.0
        self._raw: socket.socket | None = None
        self._frames = Frames(self._read)
        self._received, self._since, self._are_many = 0, self.made_at, False
        self._socket = websocket.WebSocket(enable_multithread=True, skip_utf8_validation=True)

    def open(self, address: str, authorization: str, timeout: float, silent_after: float) -> None:
        """Connect and shake hands. Raises AriError's kinds."""
        self._silent_after = silent_after
        try:
            self._raw = dialled(address, timeout)
            self._raise_if_cut()  # before the handshake: whoever cuts from now on finds the socket
            self._socket.connect(
                address,
                header=[f"Authorization: {authorization}"],
                # Left to itself websocket-client takes the proxy of the environment.
                socket=self._raw,
                # Asterisk logs a notice about each Origin that is not among its allowed_origins.
                suppress_origin=True,
                redirect_limit=0,  # no password to strangers
            )
        except WEBSOCKET_ERRORS as error:
            raise self._explained(error) from error
        self._socket.settimeout(silent_after)
        self.heard_at = self.pinged_at = time.monotonic()
        self.is_open = True
        self._raise_if_cut()

    def receive(self) -> bytes:
        """Wait for the next message. Raises AriError's kinds when there will be no more."""
        while True:
            try:
                opcode, data = self._frames.next()
                self._answer(opcode, data)
            except TimeoutError:
                self.cut(self.silence())
            except WEBSOCKET_ERRORS as error:
                raise self._explained(error) from error
            self._raise_if_cut()
            self.heard_at = time.monotonic()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                code = int.from_bytes(data[:2], "big") or "no code"
                raise Unreachable(f"{self.base} closed the event stream ({code})")
            if opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
                self._received += 1
                return data

    def _read(self, most: int) -> bytes:
        passed = time.monotonic() - self._since
        if passed > WINDOW:
            self._are_many = self._received > MANY * passed
            self._received, self._since = 0, self._since + passed
        # Of an encrypted line each reading gives one message, however many have come.
        if self._are_many and not isinstance(self._raw, ssl.SSLSocket):
            time.sleep(NAP)
        return self._raw.recv(most) if self._raw else b""

    def _answer(self, opcode: int, data: bytes) -> None:
        """What the protocol wants said to a control frame."""
        if opcode == websocket.ABNF.OPCODE_PING:
            self._socket.pong(data)
        elif opcode == websocket.ABNF.OPCODE_CLOSE:
            self._socket.send_close()

    def silence(self) -> str:
        """The reason to cut a line that has died without a word."""
        return f"nothing heard from {self.base} for {self._silent_after:g} s"

    def ping(self) -> None:
        """Send a ping, or cut the connection if that is impossible."""
        self.pinged_at = time.monotonic()
        try:
            self._socket.ping()
        except WEBSOCKET_ERRORS as error:
            self.cut(f"cannot send to {self.base}: {error}")

    def cut(self, reason: str) -> None:
        """End it, from any thread: a read that waits elsewhere fails at once, with this reason."""
        self.cut_reason = self.cut_reason or reason
        raw = self._raw
        if raw is None:
            return  # still dialling; open() looks at the reason when it is through
        try:
            if self.is_open:  # without a close frame Asterisk logs a warning
                raw.settimeout(0.2)
                self._socket.send_close()
        except WEBSOCKET_ERRORS as error:
            log.debug("no close frame sent: %s", error)  # often the line itself is what broke
        try:
            raw.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            log.debug("the socket was closed already: %s", error)

    def close(self) -> None:
        """Free the socket; for the thread that reads."""
        self._socket.shutdown()
        if self._raw is not None:
            self._raw.close()

    def _raise_if_cut(self) -> None:
        if self.cut_reason:
            raise Unreachable(self.cut_reason)

    def _explained(self, error: Exception) -> AriError:
        if self.cut_reason:
            return Unreachable(self.cut_reason)
        if isinstance(error, websocket.WebSocketBadStatusException):
            return refusal(error.status_code, "GET", "/events", error.resp_body or b"")
        if isinstance(error, (TimeoutError, websocket.WebSocketTimeoutException)):
            return Unreachable(f"no answer from {self.base} in time")
        if isinstance(error, (ConnectionResetError, websocket.WebSocketConnectionClosedException)):
            return Unreachable(f"{self.base} closed the event stream")
        if isinstance(error, (OSError, websocket.WebSocketAddressException)):
            return no_connection(self.base)
        return BadReply(f"{self.base} does not speak websocket: {str(error)[:SHOWN]}")


def dialled(address: str, timeout: float) -> socket.socket:
    """A TCP or TLS connection to the host of a ws or wss address. Raises OSError."""
    parts = urlsplit(address)
    host, secure = parts.hostname or "", parts.scheme == "wss"
    raw = socket.create_connection((host, parts.port or (443 if secure else 80)), timeout)
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if secure:
            return ssl.create_default_context().wrap_socket(raw, server_hostname=host)
    except OSError:
        raw.close()
        raise
    return raw
