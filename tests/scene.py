"""pytest plugin: an office with scriptable phones, and what should be known of a call afterwards.

def test_it(scene):
    outside = scene.customer().call("4930555102")
    call = scene.anna.answer()
    converse(call, outside)
    outside.hang_up()
    scene.only_call(did="4930555102", rang="anna", answered="anna", agent="anna")

A phone is switched off, and says so, until it is named for the first time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from asterisk_runtime import TRUNKS
from ports import LOOPBACK
from private_asterisk import PrivateAsterisk

from models import Call, Contact, Deal, Event, Leg, Phone, StageChange
from tests.office import Office, until
from tests.softphone import Call as Talk
from tests.softphone import IncomingCall, Softphone
from tests.softphone.clock import lived
from tests.softphone.talk import TIMEOUT
from tests.switched_off import SwitchedOff

STRANGER = "+493044701182"
DID = "4930555999"
"""Rings all phones of the department."""
MOBILE = "+491710000101"
"""A phone in the world outside."""
OWN_MOBILE = "+491710000777"
"""Anna's: not a customer's."""
NUMBERS = {"anna": "101", "ben": "102", "olga": "103"}
PACKETS_A_SECOND = 50
# In an office people have more time.
SHORT = {"OFFICE_RINGS": 1, "OFFICE_WAITS": 3, "OFFICE_CHOOSES": 1}


def converse(one: Talk, other: Talk, seconds: float = 0.1) -> None:
    """Both speak, and hear each other for so long."""
    one.wait_connected(other)
    other.wait_connected(one)
    for talk in (one, other):
        talk.speak()
    other.wait_heard(round(seconds * PACKETS_A_SECOND), timeout=seconds + TIMEOUT)
    for talk in (one, other):
        talk.speak(False)


def picked_up(phone: Softphone, outside: Talk, seconds: float = 0.1) -> IncomingCall:
    """The phone's next call rings, is answered, and both talk."""
    call = phone.expect_call()
    if call.state == "new":
        call.ring()
    call.answer()
    converse(call, outside, seconds)
    return call


class Scene:
    """``office`` with its people's phones: ``anna``, ``ben``, ``olga``, and ``outside``."""

    def __init__(self, office: Office, parties: ExitStack) -> None:
        self.office = office
        self.exchange = (LOOPBACK, office.pbx.ports.sip)
        self._parties = parties
        places = {name: office.pbx.ports.phone(number) for name, number in NUMBERS.items()}
        places["outside"] = office.pbx.ports.customer
        self._off = {name: parties.enter_context(SwitchedOff(p)) for name, p in places.items()}
        self._on: dict[str, Softphone] = {}
        self._customers: list[Softphone] = []

    def phone(self, name: str) -> Softphone:
        """Switched on now, if it was not: before whoever calls it does."""
        if name not in self._on:
            self._off[name].stop()
            user = NUMBERS.get(name, "outside")
            password = self.office.pbx.passwords.phones
            phone = Softphone(self._off[name].port, user, password, pbx=self.exchange)
            self._on[name] = self._parties.enter_context(phone)
        return self._on[name]

    @property
    def anna(self) -> Softphone:
        return self.phone("anna")

    @property
    def ben(self) -> Softphone:
        return self.phone("ben")

    @property
    def olga(self) -> Softphone:
        return self.phone("olga")

    @property
    def outside(self) -> Softphone:
        """Takes all calls to outside numbers."""
        return self.phone("outside")

    def customer(self, number: str = STRANGER, way: str = "observe") -> Softphone:
        """Somebody who calls over the trunk that is only watched, or "route"."""
        phone = Softphone(0, number, pbx=self.exchange, address=TRUNKS[way])
        self._customers.append(phone)
        return self._parties.enter_context(phone)

    @property
    def talks(self) -> list[Talk]:
        """All that any phone has had."""
        return [talk for phone in (*self._on.values(), *self._customers) for talk in phone.calls]

    def rung(self, logins: str) -> None:
        """Return when it is known that these phones have rung, once for each time that it is named.

        Phones answer on their own: without this, one may be picked up before another has rung.
        """

        def all_rung() -> bool:
            legs = Leg.select().where(Leg.rang_at.is_null(False))
            return sorted(leg.user.login for leg in legs) == sorted(logins.split())

        until(all_rung, f"{logins} to have rung")

    def calls(self, count: int) -> list[Call]:
        """The calls, when all are over: exactly so many."""
        self.office.pbx.wait_idle()
        return self.office.ended(count=count)

    def only_call(self, **expected: Any) -> Call:
        """The one call that there was; see ``check``."""
        (call,) = self.calls(1)
        check(call, self.talks, **expected)
        return call


def _people(call: Call, column: str) -> str:
    names = {leg.user.login for leg in call.legs if getattr(leg, column) is not None}
    return " ".join(sorted(names))


def check(
    call: Call,
    talks: Iterable[Talk],
    *,
    direction: str = "incoming",
    number: str | None = STRANGER,
    did: str | None = DID,
    rang: str = "",
    answered: str = "",
    agent: str | None = None,
    outcome: str = "answered",
    wait: float = 0,
    talk: float | None = 0,
    owner: str | None = None,
) -> None:
    """``rang``, ``answered``: logins in their order, of phones; ``agent``: who spoke last.

    ``wait``, ``talk`` in seconds, true to one second: as short as the scene makes them, or as long
    as ``talks``, the phones' part in this call, have taken. ``owner`` of the deal, the agent unless
    said otherwise; "nobody" of a deal without one, "no deal".
    """
    deal: Deal | None = call.deal
    holder = "no deal" if deal is None else deal.owner.login if deal.owner else "nobody"
    assert {
        "direction": call.direction,
        "number": call.number,
        "did": call.did,
        "rang": _people(call, "rang_at"),
        "answered": _people(call, "answered_at"),
        "agent": call.agent and call.agent.login,
        "outcome": call.outcome,
        "owner": holder,
    } == {
        "direction": direction,
        "number": number,
        "did": did and f"+{did}",
        "rang": rang,
        "answered": answered,
        "agent": agent,
        "outcome": outcome,
        "owner": owner or agent,
    }
    waited, talked = lived(talks)
    assert call.wait is not None
    assert wait - 1 <= call.wait <= max(wait, waited) + 1
    assert (call.talk is None) == (talk is None)
    if talk is not None and call.talk is not None:
        assert talk - 1 <= call.talk <= max(talk, talked) + 1


def one_deal() -> Deal:
    """The only deal, of the only contact."""
    assert Contact.select().count() == 1
    (deal,) = Deal.select()
    return deal


@pytest.fixture(scope="session")
def short_waits(asterisk: PrivateAsterisk) -> PrivateAsterisk:
    """The exchange, with waits that a test can wait for."""
    for name, seconds in SHORT.items():
        asterisk.cli(f"dialplan set global {name} {seconds}")
    asterisk.cli(f"dialplan set global OFFICE_MOBILE {MOBILE}")
    with (asterisk.etc / "queues.conf").open("a") as queues:
        queues.write("[sales-all](+)\ntimeout=1\n[sales-turn](+)\ntimeout=1\n")
    asterisk.cli("queue reload all")
    return asterisk


@pytest.fixture
def patient_queues(short_waits: PrivateAsterisk) -> Iterator[None]:
    """Callers wait in queues for a minute instead."""
    short_waits.cli("dialplan set global OFFICE_WAITS 60")
    yield
    short_waits.cli(f"dialplan set global OFFICE_WAITS {SHORT['OFFICE_WAITS']}")


@pytest.fixture(scope="module")
def scenery(
    short_waits: PrivateAsterisk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """An office with `trichter ari` connected: one for all scenes of a file, to be quick."""
    office = Office(short_waits, tmp_path_factory.mktemp("scenery"))
    office.listen(TRICHTER_NUMBERS_IGNORE=OWN_MOBILE)
    yield office
    office.close()


@pytest.fixture
def scene(scenery: Office, parties: ExitStack) -> Iterator[Scene]:
    """The office with every phone switched off; nobody has called before."""
    yield Scene(scenery, parties)
    parties.close()
    scenery.pbx.cli("channel request hangup all")
    scenery.pbx.wait_idle()
    until(lambda: not Call.unfinished("asterisk").exists(), "the end of all calls")
    for table in (Event, Leg, Call, StageChange, Deal, Phone, Contact):
        table.delete().execute()


@pytest.fixture(params=["observe", "route"])
def way(request: pytest.FixtureRequest) -> str:
    """Calls that Trichter only watches, and those that it decides."""
    return str(request.param)
