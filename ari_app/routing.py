"""Calls that wait in Stasis: decide whom they ring, and give them back to the dialplan."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from ari_app import router
from ari_app.client import AriError, Client, Gone, NotYet, WrongState
from ari_app.events import Channel, Entered
from database import DATABASE_ERRORS, kept_connection
from errors import TrichterError
from settings import Settings

log = logging.getLogger("trichter.ari")

ROUTERS = 8
OWN = "own"
"""First argument of Stasis for channels that Trichter made itself: they are not routed."""
FAULTS: tuple[type[Exception], ...] = (AriError, TrichterError, *DATABASE_ERRORS)


class Routing:
    """Several calls at once, each in a thread of a small pool. ``client``: the way to Asterisk."""

    def __init__(self, settings: Settings, client: Callable[[], Client]) -> None:
        self.settings = settings
        self._client = client
        self._pool = ThreadPoolExecutor(ROUTERS, "router")
        self._under_way: set[str] = set()
        self._lock = threading.Lock()

    def begin(self, entered: Entered) -> None:
        """Have a call that has entered Stasis decided, unless it is one of ours, or has been asked
        for already. Returns at once."""
        if entered.args[:1] == (OWN,):
            return
        with self._lock:
            if entered.channel.id in self._under_way:
                return
            self._under_way.add(entered.channel.id)
        self._pool.submit(self._decide, entered)

    def rescue(self, channels: Iterable[Channel], at: datetime) -> None:
        """Those among the live channels that wait in our Stasis since before the gap."""
        app = self.settings.ari.app
        for waiting in channels:
            if waiting.app.startswith((f"Stasis({app},", f"Stasis({app})")):
                args = waiting.app.removeprefix("Stasis(").removesuffix(")").split(",")[1:]
                self.begin(Entered(at, waiting, tuple(args)))

    def end(self) -> None:
        """Returns when those under way are decided."""
        self._pool.shutdown()

    def _decide(self, entered: Entered) -> None:
        """Decide, and give the call back to the dialplan, whatever happens in between."""
        try:
            self._set_variables(entered)
        except (Gone, WrongState, NotYet):
            log.info("call %s went before it was routed", entered.channel.id)
        except FAULTS as error:
            log.error("call %s goes to the fallback: %s", entered.channel.id, error)
        except Exception:
            log.exception("call %s goes to the fallback", entered.channel.id)
        finally:
            # In this order: once it is given back, it may come again before we hear of it.
            with self._lock:
                self._under_way.discard(entered.channel.id)
            self._continue(entered.channel)

    def _set_variables(self, entered: Entered) -> None:
        did = entered.args[1] if len(entered.args) > 1 else entered.channel.exten
        with kept_connection():
            route = router.decide(entered.channel.number, did, self.settings)
        for name, value in router.in_one_go(router.variables(route)).items():
            self._client().request(
                "POST",
                "/channels/{channelId}/variable",
                channelId=entered.channel.id,
                variable=name,
                value=value,
            )

    def _continue(self, waiting: Channel) -> None:
        try:
            self._client().request("POST", "/channels/{channelId}/continue", channelId=waiting.id)
        except (Gone, WrongState, NotYet):
            pass  # hung up, or the dialplan's time limit took it back: normal
        except AriError as error:
            log.error("call %s not given back, its time limit will: %s", waiting.id, error)
