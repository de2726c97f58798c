"""What can be done in a call while people talk."""

from __future__ import annotations

import random

from tests.softphone.message import Headers, Message, address, escaped
from tests.softphone.talk import TIMEOUT, Talk


class Call(Talk):
    """One call at one phone: hang up, hold, press keys, transfer. Its state is that of `Talk`."""

    def _ask_and_wait(
        self, method: str, headers: Headers = (), body: str = "", timeout: float = TIMEOUT
    ) -> Message:
        final: list[Message] = []

        def answered(response: Message) -> None:
            if response.status >= 200:
                final.append(response)

        with self.wire.lock:
            self.ask(method, answered, headers, body)
        self.wire.wait(lambda: final, f"an answer to {method}", timeout)
        return final[0]

    # ------------------------------------------------------------ acts

    def hang_up(self, timeout: float = TIMEOUT) -> None:
        """End it, and return when the other side knows. A call that is over stays as it is."""
        with self.wire.lock:
            if self.state == "ended":
                return
            self._end()
        self.wait_ended(timeout)

    def _end(self) -> None:
        """End it, in whatever state it is."""
        self.ask("BYE", lambda _response: self.ended("hung up"))

    def abandon(self) -> None:
        """The phone is switched off: end it without waiting."""
        if self.state != "ended":
            self._end()

    def hold(self, timeout: float = TIMEOUT) -> None:
        """Put the other side on hold: a re-INVITE with sendonly."""
        self._renegotiate("sendonly", timeout)

    def resume(self, timeout: float = TIMEOUT) -> None:
        """Take the other side back."""
        self._renegotiate("sendrecv", timeout)

    def _renegotiate(self, direction: str, timeout: float) -> None:
        done: list[int] = []

        def send() -> None:
            self.changing = True
            body = self.media.offer(direction)
            self.ask("INVITE", answered, (), body)

        def answered(response: Message) -> None:
            if response.status < 200:
                return
            self.changing = False
            if response.status == 491:  # both at once: the one who called waits longer
                wait = random.uniform(2.1, 4) if self.outgoing else random.uniform(0, 2)
                self.wire.after(wait, send)
                return
            if response.status < 300:
                self._accepted(response)
            done.append(response.status)

        with self.wire.lock:
            self._must_talk(f"negotiate {direction}")
            send()
        self.wire.wait(lambda: done, f"{direction}", timeout)
        if done[0] >= 300:
            raise self.wire.error(f"{direction} was refused: {done[0]}")

    def send_dtmf(self, keys: str) -> None:
        """Press keys, about four a second, and return when the last is let go."""
        with self.wire.lock:
            self._must_talk("press keys")
            self.media.press(keys)
        self.wire.wait(lambda: not self.media.pressing, "keys", TIMEOUT + len(keys))

    def speak(self, speaking: bool = True) -> None:
        """Send speech from now on, or stop it."""
        with self.wire.lock:
            self._must_talk("speak")
            self.media.speak(speaking)

    def wait_connected(self, other: Call, timeout: float = TIMEOUT) -> None:
        """Return when both have been answered and this phone hears the voice of the other.

        Both may be answered while Asterisk has not put them into one bridge yet; a transfer at that
        moment is refused with 400.
        """
        self.wait_answered(timeout)
        other.wait_answered(timeout)
        spoke, before = other.media.speaking, self.media.heard_of(other.media)
        other.speak()
        what = f"to hear {other.phone.user} here"
        self.wire.wait(lambda: self.media.heard_of(other.media) > before, what, timeout)
        other.speak(spoke)

    # ------------------------------------------------------------ transfers

    def transfer_blind(self, number: str, *, hang_up: bool = True, timeout: float = TIMEOUT) -> int:
        """REFER the other side to a number: the first status that the exchange reports.

        180 = it rings there, 200 = answered, from 300 = it went wrong. This phone then hangs up
        unless it went wrong, as desk phones do; Asterisk waits for that until the new call is
        answered.
        """
        host, port = self.phone.pbx
        return self._refer(f"<sip:{escaped(number)}@{host}:{port}>", hang_up, timeout)

    def transfer_attended(
        self, other: Call, *, hang_up: bool = True, timeout: float = TIMEOUT
    ) -> int:
        """Connect the other side of this call with that of `other`, which may still ring; the
        status. Both calls end here: `other` by the exchange, this one as in a blind transfer.
        """
        tags = f"{other.call_id};to-tag={other.remote_tag};from-tag={other.local_tag}"
        replaces = tags.replace(";", "%3B").replace("=", "%3D").replace("@", "%40")
        place = f"<{address(other.remote)}?Replaces={replaces}>"
        return self._refer(place, hang_up, timeout)

    def wait_transferred(self, timeout: float = TIMEOUT) -> int:
        """The last status of a transfer: what became of the new call. For hang_up=False."""
        reports = self.transfer_status
        what = f"the end of a transfer after {reports}"
        self.wire.wait(lambda: reports and reports[-1] >= 200, what, timeout)
        return reports[-1]

    def _refer(self, place: str, hang_up: bool, timeout: float) -> int:
        with self.wire.lock:
            self._must_talk("transfer")
            self.transfer_status = reports = list[int]()
        headers = [("Refer-To", place), ("Referred-By", f"<{address(self.local)}>")]
        status = self._ask_and_wait("REFER", headers, timeout=timeout).status
        if status >= 300:
            return status
        told = self.wire.wait(
            lambda: [report for report in reports if report >= 180],
            f"the result of a transfer after {reports}",
            timeout,
        )
        if hang_up and told[0] < 300:
            self.hang_up()
        return told[0]
