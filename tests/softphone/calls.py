"""Calls from their beginning: those that come in, and those that the phone places."""

from __future__ import annotations

from tests.softphone.conversation import Call
from tests.softphone.dialog import Line
from tests.softphone.message import Headers, Message, user
from tests.softphone.talk import TIMEOUT
from tests.softphone.transactions import Server


class IncomingCall(Call):
    """Somebody rings us. `called` is the number that the exchange sent it to."""

    def __init__(self, phone: Line, server: Server) -> None:
        request = server.request
        remote = request.first("From")
        super().__init__(phone, request.first("To"), remote, "", request.first("Call-ID"))
        self.headers = dict(request.headers)
        self.called = user(request.uri)
        self._invite = server
        self._confirmed: set[int] = set()
        self.invited(server)

    @property
    def caller_number(self) -> str:
        return self.number

    @property
    def caller_name(self) -> str:
        return self.name

    def ring(self) -> None:
        """180 Ringing."""
        with self.wire.lock:
            self._must_be_open("ring")
            self.state = "ringing"
            self._respond(180)

    def answer(self, timeout: float = TIMEOUT) -> None:
        """Pick it up, and return when the other side knows."""
        with self.wire.lock:
            self._must_be_open("answer")
            self.pick_up()
        number = self._invite.request.number
        self.wire.wait(lambda: number in self._confirmed, "the ACK of our answer", timeout)

    def pick_up(self) -> None:
        """Answer without waiting; nothing happens if it rings no longer."""
        if self.state == "ended" or self._invite.final:
            return
        request = self._invite.request
        body = self.media.answer(request.body) if request.body else self.media.offer()
        if body is None:
            self.refuse(488)
            return
        self.state = "answered"
        self._respond(200, [("Content-Type", "application/sdp")], body)

    def reject(self, status: int = 486) -> None:
        """486 busy, 603 declined, 480 not there, 404 …"""
        with self.wire.lock:
            self._must_be_open("reject")
            self.refuse(status)

    def redirect(self, uri: str) -> None:
        """302: forward it to a `sip:` address, or to a number of the exchange."""
        host, port = self.phone.pbx
        place = uri if uri.startswith("sip:") else f"sip:{uri}@{host}:{port}"
        with self.wire.lock:
            self._must_be_open("redirect")
            self.refuse(302, place)

    def refuse(self, status: int, place: str = "") -> None:
        """A refusal; nothing happens if it rings no longer."""
        if self.state == "ended" or self._invite.final:
            return
        self.ended("redirected" if place else f"rejected {status}")
        self._respond(status, [("Contact", f"<{place}>")] if place else [])

    def _respond(self, status: int, headers: Headers = (), body: str = "") -> None:
        contact = [("Contact", self.phone.contact)] if status < 300 else []
        self._invite.respond(status, self.local_tag, [*contact, *headers], body)

    def _must_be_open(self, wish: str) -> None:
        if self.state not in ("new", "ringing"):
            raise self.wire.error(f"cannot {wish}: {self.state} {self.ended_reason}".rstrip())

    def _end(self) -> None:
        if self.state == "answered":
            super()._end()
        else:
            self.refuse(603)

    def cancelled(self, cancel: Message) -> None:
        """The caller gave up, or another phone was quicker."""
        if self.state == "ended" or self._invite.final:
            return
        elsewhere = "cause=200" in cancel.first("Reason")
        self.ended("answered elsewhere" if elsewhere else "cancelled by the caller", cancel)
        self._respond(487)

    def requested(self, server: Server) -> None:
        if server.request.method == "INVITE":
            self._invite = server
        super().requested(server)

    def acknowledged(self, ack: Message) -> None:
        if ack.number == self._invite.request.number:
            self._invite.acknowledge()
        self._confirmed.add(ack.number)
        super().acknowledged(ack)


class OutgoingCall(Call):
    """A call that this phone places."""

    outgoing = True

    def __init__(self, phone: Line, local: str, target: str, headers: Headers = ()) -> None:
        super().__init__(phone, local, f"<{target}>", target)
        self._extra = list(headers)
        self._given_up = False
        self._cancel_sent = False
        self._reinvited: Server | None = None

    def place(self) -> None:
        """Send the INVITE."""
        self.ask("INVITE", self._progress, self._extra, self.media.offer())

    def _progress(self, response: Message) -> None:
        self.headers = dict(response.headers)
        status = response.status
        if status < 200:
            if status > 100 and self.state == "new":
                self.established(response)
                self.state = "ringing"
            if self._given_up:
                self._cancel()
        elif status < 300:
            self._answered(response)
        else:
            cancelled = self._given_up and status == 487
            self.ended("cancelled" if cancelled else response.reason, response)

    def _answered(self, response: Message) -> None:
        self._accepted(response)
        if self.state != "ended":
            self.state = "answered"
        if self._given_up:  # our CANCEL crossed the answer
            self.ask("BYE", lambda _response: self.ended("hung up"))

    def _end(self) -> None:
        if self.state == "answered":
            super()._end()
            return
        self._given_up = True
        if self._client and self._client.proceeding:
            self._cancel()

    def _cancel(self) -> None:
        """Not before the exchange has reacted to the INVITE (RFC 3261, 9.1)."""
        if self._client and not self._cancel_sent and not self._client.final:
            self._cancel_sent = True
            request, peer = self._client.cancel(), self.phone.pbx
            self.phone.transactions.ask(request, peer, lambda _response: None)

    def requested(self, server: Server) -> None:
        if server.request.method == "INVITE":
            self._reinvited = server
        super().requested(server)

    def acknowledged(self, ack: Message) -> None:
        if self._reinvited and ack.number == self._reinvited.request.number:
            self._reinvited.acknowledge()
        super().acknowledged(ack)
