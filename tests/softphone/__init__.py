"""A scriptable SIP phone for tests: for transfers, hold, keys and forwarding, hard for sipp.

    exchange = ("127.0.0.1", pbx.ports.sip)
    with Softphone(pbx.ports.phone("101"), "101", pbx.passwords.phones, pbx=exchange) as anna:
        call = anna.expect_call()
        call.ring()
        call.answer()
        assert call.transfer_blind("102") == 200

Every wait has a time-out and fails with the SIP messages so far. It is correct enough for an
Asterisk at the same machine, and no general SIP stack: UDP only, one dialog an INVITE, G.711.
"""

from tests.softphone.calls import IncomingCall, OutgoingCall
from tests.softphone.conversation import Call
from tests.softphone.phone import Softphone
from tests.softphone.wire import SoftphoneError

__all__ = ["Call", "IncomingCall", "OutgoingCall", "Softphone", "SoftphoneError"]
