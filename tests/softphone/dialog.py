"""One dialog: who talks with whom, and requests inside it (RFC 3261, 12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tests.softphone.digest import authorization
from tests.softphone.message import Headers, Message, address, branch, parameter, token
from tests.softphone.transactions import Client, Server, Transactions
from tests.softphone.wire import Peer, Wire


class Line(Protocol):
    """What a dialog needs of its phone."""

    user: str
    password: str
    pbx: Peer
    address: str
    wire: Wire
    transactions: Transactions

    @property
    def contact(self) -> str: ...


class Dialog:
    """`local` and `remote` are the From and To of what we send, tags included."""

    def __init__(
        self, phone: Line, local: str, remote: str, target: str, call_id: str = ""
    ) -> None:
        self.phone = phone
        self.wire = phone.wire
        self.call_id = call_id or f"{token()}@{phone.address}"
        self.local_tag = token()
        self.local = f"{local};tag={self.local_tag}"
        self.remote = remote
        self.target = target
        self.routes: list[str] = []
        self.sequence = 0

    @property
    def remote_tag(self) -> str:
        return parameter(self.remote, "tag")

    def ask(
        self,
        method: str,
        on_response: Callable[[Message], None],
        headers: Headers = (),
        body: str = "",
    ) -> Client:
        """Send a request. If a password is asked for, it is sent once more with it."""
        request = self._request(method, headers, body)
        tried = False

        def answered(response: Message) -> None:
            nonlocal tried
            login = None
            if response.status in (401, 407) and self.phone.password and not tried:
                phone = self.phone
                tried = True
                login = authorization(response, method, request.uri, phone.user, phone.password)
            if login:
                again = self._request(method, [*headers, login], body)
                self.asked(self.phone.transactions.ask(again, self._hop(), answered))
            else:
                on_response(response)

        client = self.phone.transactions.ask(request, self._hop(), answered)
        self.asked(client)
        return client

    def asked(self, client: Client) -> None:
        """A request has gone out, perhaps for the second time."""

    def _hop(self) -> Peer:
        """All of it goes through the exchange, whatever names stand in routes and contacts."""
        return self.phone.pbx

    def _request(self, method: str, headers: Headers, body: str = "", number: int = 0) -> Message:
        if not number:
            self.sequence += 1
        phone = self.phone
        here = f"{phone.address}:{phone.wire.sip_port}"
        lines = [
            ("Via", f"SIP/2.0/UDP {here};branch={branch()};rport"),
            *(("Route", route) for route in self.routes),
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number or self.sequence} {method}"),
            ("Contact", phone.contact),
            ("User-Agent", "Softphone"),
            *headers,
            *([("Content-Type", "application/sdp")] if body else []),
        ]
        return Message(f"{method} {self.target} SIP/2.0", lines, body)

    def acknowledge(self, success: Message) -> None:
        """The ACK of a 2xx to an INVITE of ours."""
        ack = self._request("ACK", (), number=success.number).encode()
        self.wire.send_sip(ack, self._hop())

    def established(self, response: Message) -> None:
        """A response that makes the dialog, or moves its target."""
        if parameter(response.first("To"), "tag"):
            self.remote = response.first("To")
            if not self.routes:
                self.routes = response.every("Record-Route")[::-1]
        if response.first("Contact"):
            self.target = address(response.first("Contact"))

    def invited(self, server: Server) -> None:
        """A request that makes the dialog, or moves its target."""
        if server.request.first("Contact"):
            self.target = address(server.request.first("Contact"))
        if not self.routes:
            self.routes = server.request.every("Record-Route")
