"""When has everything come that is older than a list of what lives?

The list comes over HTTP and can overtake events that wait in the websocket: a call that was
answered and has ended is in neither, until they are read. So we have Asterisk send an event of our
own. It comes behind all others, in order (tried on Asterisk 22 and 16).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ari_app.client import AriError, Client
from ari_app.events import SETTLED, Event, Settled
from fields import utcnow

log = logging.getLogger("trichter.ari")

PUBLISHED = 0.2
"""Seconds after which Asterisk has put into the websocket what a list was made of: Asterisk 16
lists a channel, or leaves it out, a moment before it says so."""
STEPS, STEP = 5, 1.0
"""Where our event does not come (a user who may only read), so many steps of so many seconds must
be enough. Steps, as one long wait could be over at once after this process was frozen."""


class Settling:
    """``put`` gets ``Settled`` when our event can't be had; else the reader gets the event."""

    def __init__(self, app: str, put: Callable[[Event], None]) -> None:
        self._app = app
        self._put = put
        self._ended = threading.Event()

    def begin(self, client: Client, mark: str) -> None:
        """After the list with this mark was put."""
        threading.Thread(
            target=self._run, args=(client, mark), name="settling", daemon=True
        ).start()

    def end(self) -> None:
        self._ended.set()

    def _run(self, client: Client, mark: str) -> None:
        if self._ended.wait(PUBLISHED):
            return
        path, name = "/events/user/{eventName}", SETTLED + mark
        try:
            client.request("POST", path, eventName=name, application=self._app)
        except AriError as error:
            log.info("calls are recorded again in %g s: %s", STEPS * STEP, error)
        except Exception:
            log.exception("calls are recorded again in %g s", STEPS * STEP)
        for _ in range(STEPS):
            if self._ended.wait(STEP):
                return
        self._put(Settled(utcnow(), mark))
