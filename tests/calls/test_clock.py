"""The list of what lives is dated by Asterisk's clock, which may not be ours."""

from datetime import timedelta
from typing import Any

import pytest
from private_asterisk import PrivateAsterisk

from ari_app.app import clock_of
from ari_app.client import connect
from fields import utcnow

NEAR = timedelta(seconds=1.1)
"""Asterisk tells whole seconds."""


class Clock:
    """Answers what Asterisk would, its clock being so many seconds ahead."""

    def __init__(self, ahead: float = 0, value: str | None = None) -> None:
        self.value = value
        self.ahead = ahead

    def request(self, *_path: str, **_parameters: Any) -> Any:
        told = int(utcnow().timestamp() + self.ahead)
        return {"value": self.value if self.value is not None else str(told)}


@pytest.mark.parametrize("ahead", [300, -300])
def test_another_clock_is_followed(ahead: int, caplog: pytest.LogCaptureFixture) -> None:
    begun = utcnow()
    told = clock_of(Clock(ahead)) - timedelta(seconds=ahead)  # type: ignore[arg-type]
    assert begun - NEAR < told < utcnow() + NEAR
    assert "clock" in caplog.text


@pytest.mark.parametrize("clock", [Clock(), Clock(1), Clock(value=""), Clock(value="odd")])
def test_ours_is_good_enough(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    begun = utcnow()
    assert begun <= clock_of(clock) <= utcnow()  # type: ignore[arg-type]
    assert not caplog.text


def test_a_real_asterisk_tells_its_time(
    asterisk: PrivateAsterisk, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(asterisk.ari_url, asterisk.ari_username, asterisk.ari_password, 30)
    begun = utcnow()
    assert begun - 2 * NEAR < clock_of(client) < utcnow() + 2 * NEAR
    assert "clock" not in caplog.text
    client.close()
