"""A real Asterisk for the tests, with phones and callers over SIP: pytest plugin.

def test_it(asterisk, phones, ring):
    phones("101", ring_seconds=0.1)
    assert ring(number="+491701234567", way="observe", hold=0.2).wait() == "hung up"
"""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Protocol

import pytest
from asterisk_runtime import SELLERS
from private_asterisk import PrivateAsterisk
from sip_parties import Caller, Phone

from tests.switched_off import SwitchedOff

LIMIT = "TRICHTER_DECIDES_WITHIN"
UNHURRIED = 20
"""Seconds that Trichter gets to decide here. With the one of the sample, calls would reach the
fallback whenever the machine has other things to do."""


class Phones(Protocol):
    """Switches a seller's phone on: phones("101", "busy"), phones("102", ring_seconds=1)."""

    def __call__(
        self,
        number: str,
        behaviour: str = "answer",
        ring_seconds: float = 0.1,
        talk_seconds: float | None = None,
    ) -> Phone: ...


class Ring(Protocol):
    """Places a call, with the arguments of Caller, and returns at once."""

    def __call__(self, did: str = "493055500", **how: Any) -> Caller: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which release the fixture `asterisk` is."""
    parser.addoption("--asterisk", type=int, choices=(22, 16), default=22)


@pytest.fixture(scope="session")
def asterisk(pytestconfig: pytest.Config) -> Iterator[PrivateAsterisk]:
    """One Asterisk for all tests, of the release that --asterisk says (22).

    Whoever changes or kills it makes one for itself instead.
    """
    with PrivateAsterisk(pytestconfig.getoption("asterisk")) as pbx:
        pbx.cli(f"dialplan set global {LIMIT} {UNHURRIED}")
        yield pbx


@pytest.fixture
def one_second(asterisk: PrivateAsterisk) -> Iterator[float]:
    """Trichter gets as long to decide as the sample says; the seconds."""
    sample = (asterisk.conf / "extensions.conf").read_text()
    seconds = sample.partition(f"\n{LIMIT}=")[2].partition("\n")[0]
    asterisk.cli(f"dialplan set global {LIMIT} {seconds}")
    yield float(seconds)
    asterisk.cli(f"dialplan set global {LIMIT} {UNHURRIED}")


@pytest.fixture
def parties(asterisk: PrivateAsterisk) -> Iterator[ExitStack]:
    """Everybody who is on the phone in a test; nobody is left for the next one."""
    with ExitStack() as stack:
        yield stack
        # While the phones are still there to confirm it.
        asterisk.cli("channel request hangup all")
        asterisk.wait_idle()


@pytest.fixture
def phones(asterisk: PrivateAsterisk, parties: ExitStack) -> Phones:
    """Phones 101 to 103 and "customer", where calls to outside numbers go; off until asked for."""
    ports = {number: asterisk.ports.phone(number) for number in SELLERS}
    ports["customer"] = asterisk.ports.customer
    off = {number: parties.enter_context(SwitchedOff(port)) for number, port in ports.items()}

    def switch_on(
        number: str,
        behaviour: str = "answer",
        ring_seconds: float = 0.1,
        talk_seconds: float | None = None,
    ) -> Phone:
        off[number].stop()
        return parties.enter_context(Phone(ports[number], behaviour, ring_seconds, talk_seconds))

    return switch_on


@pytest.fixture
def ring(asterisk: PrivateAsterisk, parties: ExitStack) -> Ring:
    """Callers over the trunks, or from a seller's phone (way="101")."""

    def place(did: str = "493055500", **how: Any) -> Caller:
        return parties.enter_context(Caller(asterisk, did, **how))

    return place
