"""The softphone: takes and places calls at one address."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.softphone.calls import IncomingCall, OutgoingCall
from tests.softphone.conversation import Call
from tests.softphone.dialog import Dialog
from tests.softphone.message import Message, escaped, name_address, parameter, token
from tests.softphone.talk import TIMEOUT
from tests.softphone.transactions import Server, Transactions
from tests.softphone.wire import Peer, SoftphoneError, Wire

GOODBYE = 10.0


@dataclass(frozen=True)
class Habit:
    """What a phone does with calls by itself: see Softphone.auto."""

    ring: bool = False
    answer_after: float | None = None
    talk: float | None = None
    reject: int = 0
    redirect: str = ""
    lines: int = 0


class Softphone:
    """A phone, trunk or customer at address:port (0 = a free one); a context manager.

    user, password  as at the exchange; the password is sent only if it is asked for
    pbx             address and port of the exchange
    address         127.0.0.1, or that of a trunk: Asterisk tells trunks by it

    Calls that come in are taken by `expect_call`, or by themselves after `auto`.
    """

    def __init__(
        self,
        port: int = 0,
        user: str = "phone",
        password: str = "",
        *,
        pbx: Peer,
        address: str = "127.0.0.1",
    ) -> None:
        self.user = user
        self.password = password
        self.pbx = pbx
        self.address = address
        self.wire = Wire(user, address, port)
        self.transactions = Transactions(self.wire, self._requested, self._acknowledged)
        self.calls: list[Call] = []
        self._expected: list[IncomingCall] = []
        self._habit = Habit()
        self._registration: Dialog | None = None
        self._registered = False
        self._closed = False
        self.wire.on_sip = self.transactions.received
        self.wire.on_rtp = self._heard

    @property
    def port(self) -> int:
        return self.wire.sip_port

    @property
    def contact(self) -> str:
        return f"<sip:{escaped(self.user)}@{self.address}:{self.port}>"

    def trace(self) -> str:
        """The last SIP messages of this phone."""
        return self.wire.trace()

    # ------------------------------------------------------------ calls that come in

    def expect_call(self, number: str | None = None, timeout: float = TIMEOUT) -> IncomingCall:
        """The next call, or that of a caller number, if it has not been handed out yet.

        Two calls of about the same time can arrive in either order: ask for their numbers.
        """

        def found() -> IncomingCall | None:
            calls = (call for call in self._expected if number in (None, call.caller_number))
            call = next(calls, None)
            if call:
                self._expected.remove(call)
            return call

        return self.wire.wait(found, f"a call of {number or 'anybody'}", timeout)

    def auto(
        self,
        *,
        answer_after: float | None = None,
        talk: float | None = None,
        reject: int = 0,
        redirect: str = "",
        lines: int = 0,
    ) -> Self:
        """From now on ring by itself, for ever unless something else is said; seconds.

        `talk` ends the conversation; `lines` = busy (486) while this many calls are there.
        """
        with self.wire.lock:
            self._habit = Habit(True, answer_after, talk, reject, redirect, lines)
        return self

    def manual(self) -> Self:
        """Leave everything to the test again."""
        with self.wire.lock:
            self._habit = Habit()
        return self

    def _behave(self, call: IncomingCall) -> None:
        habit = self._habit
        if not habit.ring:
            return
        busy = habit.lines and len([c for c in self.calls if c.state != "ended"]) > habit.lines
        if habit.reject or busy:
            call.refuse(habit.reject or 486)
        elif habit.redirect:
            call.redirect(habit.redirect)
        else:
            call.ring()
            if habit.answer_after is not None:
                self.wire.after(habit.answer_after, lambda: self._pick_up(call, habit.talk))

    def _pick_up(self, call: IncomingCall, talk: float | None) -> None:
        call.pick_up()
        if talk is not None and call.state == "answered":
            self.wire.after(talk, call.abandon)

    # ------------------------------------------------------------ calls placed

    def call(
        self,
        number: str,
        *,
        display: str | None = None,
        from_user: str | None = None,
        from_host: str = "",
        headers: dict[str, str] | None = None,
    ) -> OutgoingCall:
        """Ring a number, and return at once. From is this phone's user unless told otherwise."""
        who = escaped(self.user if from_user is None else from_user)
        sender = name_address(f"sip:{who}@{from_host or self.address}", display)
        target = f"sip:{escaped(number)}@{self.pbx[0]}:{self.pbx[1]}"
        with self.wire.lock:
            call = OutgoingCall(self, sender, target, (headers or {}).items())
            self.calls.append(call)
            call.place()
        return call

    # ------------------------------------------------------------ registration

    def register(self, expires: int = 3600, timeout: float = TIMEOUT) -> None:
        """Tell the exchange where this phone is; undone when it is switched off."""
        if self._registration is None:
            place = f"sip:{self.pbx[0]}:{self.pbx[1]}"
            me = f"<sip:{escaped(self.user)}@{self.pbx[0]}>"
            self._registration = Dialog(self, me, me, place)
        with self.wire.lock:
            final = self._register(self._registration, expires)
        self.wire.wait(lambda: final, "an answer to REGISTER", timeout)
        if final[0].status != 200:
            raise self.wire.error(f"not registered: {final[0].reason}")

    def _register(self, registration: Dialog, expires: int) -> list[Message]:
        final: list[Message] = []

        def answered(response: Message) -> None:
            if response.status >= 200:
                final.append(response)
                self._registered = response.status == 200 and expires > 0

        registration.ask("REGISTER", answered, [("Expires", str(expires))])
        return final

    # ------------------------------------------------------------ requests

    def _requested(self, server: Server) -> None:
        request = server.request
        if request.method == "CANCEL":
            self._cancelled(server)
            return
        call = self._call(request)
        if call:
            call.requested(server)
        elif parameter(request.first("To"), "tag"):
            server.respond(481, token())
        elif request.method == "INVITE":
            self._rung(server)
        else:
            server.respond(200 if request.method in ("OPTIONS", "NOTIFY") else 501, token())

    def _rung(self, server: Server) -> None:
        server.respond(100, "")
        call = IncomingCall(self, server)
        self.calls.append(call)
        self._expected.append(call)
        self._behave(call)

    def _cancelled(self, server: Server) -> None:
        invite = self.transactions.cancelled(server.request)
        server.respond(200 if invite else 481, token())
        for call in self.calls:
            if invite and call.call_id == invite.request.first("Call-ID"):
                assert isinstance(call, IncomingCall)
                call.cancelled(server.request)

    def _call(self, request: Message) -> Call | None:
        """The one whose dialog a request of the other side belongs to."""
        wanted = (request.first("Call-ID"), parameter(request.first("To"), "tag"))
        return next((c for c in self.calls if (c.call_id, c.local_tag) == wanted), None)

    def _acknowledged(self, ack: Message) -> None:
        call = self._call(ack)
        if call:
            call.acknowledged(ack)

    def _heard(self, packet: bytes, sender: Peer) -> None:
        for call in self.calls:
            if call.media.remote and call.media.remote.peer == sender and call.state == "answered":
                call.media.received(packet)

    # ------------------------------------------------------------ end

    def close(self) -> None:
        """End all calls, as far as the exchange answers within 10 s, and free the ports.

        A second time does nothing.
        """
        if self._closed:
            return
        self._closed = True
        with self.wire.lock:
            for call in self.calls:
                call.abandon()
            if self._registration:
                self._register(self._registration, 0)
            self.wire.lock.wait_for(lambda: self.wire.broken or self._over(), GOODBYE)
        self.wire.close()

    def _over(self) -> bool:
        """Nothing is left to say goodbye to."""
        return not self._registered and all(call.state == "ended" for call in self.calls)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except SoftphoneError:
            if kind is None:  # the first failure is the one to see
                raise
