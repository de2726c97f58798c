"""Transactions over UDP: repeated until the other side reacts (RFC 3261, 17)."""

from __future__ import annotations

from collections.abc import Callable

from tests.softphone.message import REASONS, Headers, Message, parameter
from tests.softphone.wire import Peer, Timer, Wire

T1 = 0.5
T2 = 4.0
LIFETIME = 64 * T1


class Client:
    """A request of ours. Every response goes to `on_response`, repeated final ones do not; when the
    other side says nothing for 32 s that is a 408."""

    def __init__(
        self, wire: Wire, request: Message, peer: Peer, on_response: Callable[[Message], None]
    ) -> None:
        self.wire = wire
        self.request = request
        self.peer = peer
        self.on_response = on_response
        self.on_repeated_success: Callable[[], None] = lambda: None
        self.final: Message | None = None
        self.proceeding = False
        self._repeating: Timer | None = None
        self._limit = wire.after(LIFETIME, self._give_up)
        self._send(T1)

    def _send(self, interval: float) -> None:
        self.wire.send_sip(self.request.encode(), self.peer)
        cap = 2 * interval if self.request.method == "INVITE" else min(2 * interval, T2)
        self._repeating = self.wire.after(interval, lambda: self._send(cap))

    def _quiet(self) -> None:
        if self._repeating:
            self._repeating.cancel()

    def _give_up(self) -> None:
        if not self.final and not self.proceeding:
            self._quiet()
            self.final = Message("SIP/2.0 408 Request Timeout", list(self.request.headers))
            self.on_response(self.final)

    def response(self, message: Message) -> None:
        """A response to this request has come in."""
        if self.final:
            if message.status >= 300 and self.request.method == "INVITE":
                self._acknowledge(message)
            elif message.status >= 200:
                self.on_repeated_success()
            return
        self.proceeding = True
        if message.status >= 200 or self.request.method == "INVITE":
            self._quiet()
        if message.status >= 200:
            self.final = message
            self._limit.cancel()
            if self.request.method == "INVITE" and message.status >= 300:
                self._acknowledge(message)
        self.on_response(message)

    def _acknowledge(self, refusal: Message) -> None:
        """ACK of a refusal belongs to the transaction (17.1.1.3)."""
        copied = [("Via", self.request.first("Via"))]
        copied += [(name, value) for name, value in self.request.headers if name == "Route"]
        copied += [(name, self.request.first(name)) for name in ("Max-Forwards", "From", "Call-ID")]
        copied += [("To", refusal.first("To")), ("CSeq", f"{self.request.number} ACK")]
        ack = Message(f"ACK {self.request.uri} SIP/2.0", copied)
        self.wire.send_sip(ack.encode(), self.peer)

    def cancel(self) -> Message:
        """The CANCEL of an INVITE that is under way (9.1)."""
        copied = [("Via", self.request.first("Via"))]
        copied += [(name, value) for name, value in self.request.headers if name == "Route"]
        names = ("Max-Forwards", "From", "To", "Call-ID")
        copied += [(name, self.request.first(name)) for name in names]
        copied += [("CSeq", f"{self.request.number} CANCEL")]
        return Message(f"CANCEL {self.request.uri} SIP/2.0", copied)


class Server:
    """A request of the other side, and our answer to it."""

    def __init__(self, wire: Wire, request: Message, sender: Peer) -> None:
        self.wire = wire
        self.request = request
        self.sender = sender
        self.final = 0
        self.acknowledged = False
        self._last: bytes = b""
        self._repeating: Timer | None = None

    def respond(
        self, status: int, tag: str, headers: Headers = (), body: str = "", reason: str = ""
    ) -> None:
        """Send a response; final ones to an INVITE are repeated until its ACK is there."""
        request = self.request
        to = request.first("To")
        lines = [("Via", via) for via in request.every("Via")]
        if not parameter(to, "tag") and status > 100:
            to = f"{to};tag={tag}"
        lines += [("From", request.first("From")), ("To", to)]
        lines += [(name, request.first(name)) for name in ("Call-ID", "CSeq")]
        lines += [("Record-Route", route) for route in request.every("Record-Route")]
        phrase = reason or REASONS.get(status, "Because")
        self._last = Message(f"SIP/2.0 {status} {phrase}", [*lines, *headers], body).encode()
        self.wire.send_sip(self._last, self.sender)
        if status >= 200:
            self.final = status
            if request.method == "INVITE":
                self._repeat_after(T1, LIFETIME)

    def repeated(self) -> None:
        """The same request again: our response got lost."""
        if self._last:
            self.wire.send_sip(self._last, self.sender)

    def _repeat_after(self, interval: float, left: float) -> None:
        def again() -> None:
            if not self.acknowledged and left > 0:
                self.wire.send_sip(self._last, self.sender)
                self._repeat_after(min(2 * interval, T2), left - interval)

        self._repeating = self.wire.after(interval, again)

    def acknowledge(self) -> None:
        """The ACK is there."""
        self.acknowledged = True
        if self._repeating:
            self._repeating.cancel()


class Transactions:
    """All that are under way at one phone. Requests that are new go to `on_request`, ACKs of a
    success to `on_ack`."""

    def __init__(
        self,
        wire: Wire,
        on_request: Callable[[Server], None],
        on_ack: Callable[[Message], None],
    ) -> None:
        self.wire = wire
        self.on_request = on_request
        self.on_ack = on_ack
        self._clients: dict[tuple[str, str], Client] = {}
        self._servers: dict[tuple[str, str, str], Server] = {}

    def ask(self, request: Message, peer: Peer, on_response: Callable[[Message], None]) -> Client:
        """Send a request."""
        client = Client(self.wire, request, peer, on_response)
        self._clients[request.branch, request.method] = client
        return client

    def received(self, data: bytes, sender: Peer) -> None:
        """A datagram has come in."""
        message = Message.parse(data)
        if message is None:
            return
        if message.is_response:
            client = self._clients.get((message.branch, message.method))
            if client:
                client.response(message)
            return
        method = "INVITE" if message.method == "ACK" else message.method
        sent_by = message.first("Via").partition(";")[0]
        known = self._servers.get((message.branch, sent_by, method))
        if message.method == "ACK":
            if known:
                known.acknowledge()
            else:
                self.on_ack(message)
        elif known:
            known.repeated()
        else:
            server = Server(self.wire, message, sender)
            self._servers[message.branch, sent_by, method] = server
            self.on_request(server)

    def cancelled(self, cancel: Message) -> Server | None:
        """The INVITE that a CANCEL means."""
        sent_by = cancel.first("Via").partition(";")[0]
        return self._servers.get((cancel.branch, sent_by, "INVITE"))
