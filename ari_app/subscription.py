"""What of Asterisk's events an application gets, beyond being subscribed to all."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from ari_app.rest import Gone, NotYet, Unauthorized, Unsupported

if TYPE_CHECKING:
    from ari_app.client import Client

log = logging.getLogger("ari_app.stream")

# The name under which Asterisk files a subscription to the states of all devices.
ALL_DEVICES = "deviceState:__AST_DEVICE_STATE_ALL_TOPIC"


def narrow(client: Client, apps: Iterable[str], disallowed: tuple[str, ...]) -> None:
    """Leave out kinds of events. At every connection: Asterisk forgets the filter with the
    application, or not. Raises AriError's kinds."""
    for app in apps:
        _set_filter(client, app, disallowed)
        if "DeviceStateChanged" in disallowed:
            _leave_devices(client, app)


def _set_filter(client: Client, app: str, disallowed: tuple[str, ...]) -> None:
    """An empty one is set too, since Asterisk 16 keeps that of an earlier connection."""
    body = {"disallowed": [{"type": kind} for kind in disallowed]}
    path = "/applications/{applicationName}/eventFilter"
    try:
        client.request("PUT", path, applicationName=app, json=body)
    except Unsupported:
        log.info("this Asterisk has no event filter; unwanted events are dropped here")
    except Unauthorized as error:
        if error.status != 403:
            raise
        # Enough to observe, and that should not end because of what is only for speed.
        log.warning("calls are observed, but nothing can be done to them: %s", error)


def _leave_devices(client: Client, app: str) -> None:
    """No states of devices, which subscribing to all brings with it: where we die while one is on
    its way, Asterisk can lock up its whole ARI until it is restarted (asterisk #2170)."""
    path = "/applications/{applicationName}/subscription"
    with suppress(Gone, NotYet, Unauthorized, Unsupported):
        client.request("DELETE", path, applicationName=app, eventSource=ALL_DEVICES)
