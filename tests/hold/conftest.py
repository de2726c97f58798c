"""An exchange that may be killed, and an office at it, for each test of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from private_asterisk import PrivateAsterisk

from tests.hold.place import Held, exchange


@pytest.fixture(scope="session")
def fragile(pytestconfig: pytest.Config) -> Iterator[PrivateAsterisk]:
    """An Asterisk that tests may kill and start again."""
    with exchange(pytestconfig.getoption("asterisk")) as pbx:
        yield pbx


@pytest.fixture
def held(fragile: PrivateAsterisk, tmp_path: Path) -> Iterator[Held]:
    office = Held(fragile, tmp_path)
    yield office
    office.close()
