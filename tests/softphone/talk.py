"""A call as far as others see it: its state, what can be awaited, requests of the other side."""

from __future__ import annotations

import re
import time

from tests.softphone.dialog import Dialog, Line
from tests.softphone.media import Media
from tests.softphone.message import Message, address, display, user
from tests.softphone.transactions import Client, Server

TIMEOUT = 20.0
"""Seconds. It only costs where something fails."""


class Talk(Dialog):
    """One call at one phone. See `Call` for what can be done with it.

    state         new, ringing, answered, ended
    since         when it came to each state, as time.monotonic() says it
    ended_reason  "" until it has ended; then who ended it and how: "hung up", "hung up by the
                  other side", "cancelled", "cancelled by the caller", "answered elsewhere",
                  "rejected 486", "redirected", or the status that came back: "486 Busy Here"
    headers       of the INVITE, or of the last response to ours
    cause         Q.850 cause that the exchange told at the end (16 = normal); 0 if it told none
    heard         RTP packets of speech that have come in;  digits: keys the other side has pressed
    """

    outgoing = False

    def __init__(
        self, phone: Line, local: str, remote: str, target: str, call_id: str = ""
    ) -> None:
        super().__init__(phone, local, remote, target, call_id)
        self.media = Media(self.wire, phone.address)
        self.since: dict[str, float] = {}
        self.state = "new"
        self.ended_reason = ""
        self.headers: dict[str, str] = {}
        self.cause = 0
        self.transfer_status: list[int] = []
        self.changing = False
        self._client: Client | None = None

    @property
    def state(self) -> str:
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        self._state = state
        self.since.setdefault(state, time.monotonic())

    @property
    def number(self) -> str:
        """Of the other side."""
        return user(address(self.remote))

    @property
    def name(self) -> str:
        """Of the other side, as it was sent; empty without one."""
        return display(self.remote)

    @property
    def heard(self) -> int:
        return self.media.heard

    @property
    def digits(self) -> str:
        return self.media.digits

    # ------------------------------------------------------------ waiting

    def _wait_state(self, wanted: tuple[str, ...], timeout: float) -> None:
        reached = (*wanted, "ended")
        what = f"call with {self.number}, {self.state}, to be {wanted[0]}"
        self.wire.wait(lambda: self.state in reached, what, timeout)
        if self.state not in wanted:
            raise self.wire.error(f"{what}: it ended: {self.ended_reason}")

    def wait_ringing(self, timeout: float = TIMEOUT) -> None:
        """Return when it rings (or has been answered at once)."""
        self._wait_state(("ringing", "answered"), timeout)

    def wait_answered(self, timeout: float = TIMEOUT) -> None:
        """Return when both sides can talk."""
        self._wait_state(("answered",), timeout)

    def wait_ended(self, timeout: float = TIMEOUT) -> str:
        """Return when it is over; the reason."""
        what = f"call with {self.number}, {self.state}, to end"
        self.wire.wait(lambda: self.state == "ended", what, timeout)
        return self.ended_reason

    def wait_digits(self, digits: str, timeout: float = TIMEOUT) -> None:
        """Return when the other side has pressed these keys."""
        self.wire.wait(lambda: digits in self.digits, f"keys {digits}", timeout)

    def wait_heard(self, packets: int = 10, timeout: float = TIMEOUT) -> None:
        """Return when this many packets of speech have come in from now on."""
        wanted = self.heard + packets
        self.wire.wait(lambda: self.heard >= wanted, f"{packets} packets of speech", timeout)

    def ended(self, reason: str, last: Message | None = None) -> None:
        """It is over, by the `last` message; what comes later changes nothing."""
        if self.state != "ended":
            self.state = "ended"
            self.ended_reason = reason
            self.media.stop()
            told = re.search(
                r"Q\.850\s*;.*?cause=(\d+)", ",".join(last.every("Reason") if last else [])
            )
            self.cause = int(told[1]) if told else 0

    def _must_talk(self, wish: str) -> None:
        if self.state != "answered":
            raise self.wire.error(f"cannot {wish}: {self.state} {self.ended_reason}".rstrip())

    # ------------------------------------------------------------ answers of the other side

    def asked(self, client: Client) -> None:
        if client.request.method == "INVITE":
            self._client = client

    def _accepted(self, response: Message) -> None:
        """A 2xx to an INVITE of ours; its ACK is repeated with it."""
        self.established(response)
        self.media.accept(response.body)
        self.acknowledge(response)
        if self._client:
            self._client.on_repeated_success = lambda: self.acknowledge(response)

    # ------------------------------------------------------------ requests of the other side

    def requested(self, server: Server) -> None:
        """A request inside the call."""
        method = server.request.method
        if method == "BYE":
            server.respond(200, self.local_tag)
            self.ended("hung up by the other side", server.request)
        elif method in ("INVITE", "UPDATE"):
            self._described(server)
        elif method in ("NOTIFY", "INFO", "OPTIONS", "MESSAGE"):
            self._noted(server.request)
            server.respond(200, self.local_tag)
        else:
            server.respond(501, self.local_tag)

    def _described(self, server: Server) -> None:
        """A re-INVITE or UPDATE."""
        contact = [("Contact", self.phone.contact)]
        if self.changing:
            server.respond(491, self.local_tag)
            return
        self.invited(server)
        offered = server.request.body
        if offered:
            body = self.media.answer(offered)
        else:
            body = self.media.offer() if server.request.method == "INVITE" else ""
        if body is None:
            server.respond(488, self.local_tag)
            return
        typed = [("Content-Type", "application/sdp")] if body else []
        server.respond(200, self.local_tag, [*contact, *typed], body)

    def _noted(self, request: Message) -> None:
        """NOTIFY of a transfer: its body is a status line (RFC 3515, 2.4.5)."""
        words = request.body.split()
        if request.first("Event").startswith("refer") and len(words) > 1:
            self.transfer_status.append(int(words[1]))

    def acknowledged(self, ack: Message) -> None:
        """The ACK of a 2xx of ours."""
        if ack.body:
            self.media.accept(ack.body)
