"""Listening in (T11): a head hears a running call, whispers to the seller, or joins it.

The head's phone and a snoop on the seller's channel meet in a bridge of their own. The call itself
is never touched: whatever becomes of these, customer and seller go on talking.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ari_app import callout
from ari_app.client import AriError, Client, Gone
from ari_app.routing import OWN
from database import DATABASE_ERRORS
from models import CallRequest, User
from settings import Calls
from telephony.call_report import OWN_EAR
from verbs import requests

log = logging.getLogger("trichter.ari")

WHISPERS = {"listen": "none", "whisper": "out", "join": "both"}
"""Whom the head can be heard by. Out is what goes out to the seller's phone; in is what comes from
it, hence what the customer hears."""


@dataclass
class Session:
    """A head who listens. ``ear``: the phone's channel; ``snoop``: what hears ``whom``'s, and is
    replaced when the ``mode`` changes; ``begun``: both are together."""

    request: CallRequest
    ear: str
    mode: str
    whom: User | None = None
    target: str = ""
    snoop: str = ""
    snoops: int = 0
    begun: bool = False


class Listening:
    """All sessions of one exchange. For one thread."""

    def __init__(self, app: str, calls: Calls) -> None:
        self.app, self.calls = app, calls
        self.sessions: dict[str, Session] = {}

    def start(self, client: Client, request: CallRequest) -> None:
        """Ring the head's phone. Raises AriError's kinds."""
        leg = requests.talking(request.call)
        if leg is None or leg.user is None:
            requests.fail(request, "over")
            return
        self.sessions[request.channel] = Session(request, request.channel, request.kind)
        number = leg.endpoint.partition("/")[2]
        goes_to = {"app": self.app, "appArgs": f"{OWN},listen,{request.id}"}
        callout.ring(client, request, leg.user.name, number, self.calls, **goes_to)

    def entered(self, client: Client, channel: str) -> None:
        """A phone was picked up, or a snoop is ready: put it into the bridge."""
        session = self.sessions.get(channel) or self._of_snoop(channel)
        try:
            if session is None:
                # Of a process before this one; what it was for is not known any more.
                _remove(client, "channels", channel)
            elif channel == session.ear:
                self._open(client, session)
            else:
                _add(client, session, channel)
                self._together(session)
        except AriError as error:
            self._give_up(client, session, error)
        except DATABASE_ERRORS:
            # Nobody shall sit in a silent bridge until somebody has mended the database.
            _remove(client, "channels", session.ear if session else channel)
            raise

    def _open(self, client: Client, session: Session) -> None:
        client.request(
            "POST", "/bridges/{bridgeId}", bridgeId=session.ear, type="mixing", name=session.ear
        )
        _add(client, session, session.ear)
        self._snoop(client, session)

    def _snoop(self, client: Client, session: Session) -> None:
        """Who talks now: the call may have been passed on while the phone rang."""
        leg = requests.talking(session.request.call)
        if leg is None:
            raise Gone("nobody talks any more", 404)
        session.target, session.whom = leg.channel, leg.user
        session.snoops += 1
        session.snoop = f"{session.ear}-{session.snoops}"
        client.request(
            "POST",
            "/channels/{channelId}/snoop/{snoopId}",
            channelId=session.target,
            snoopId=session.snoop,
            spy="both",
            whisper=WHISPERS[session.mode],
            app=self.app,
            appArgs=f"{OWN},snoop,{session.request.id}",
        )

    def _together(self, session: Session) -> None:
        first, session.begun = not session.begun, True
        if first:
            requests.picked_up(session.request)
        requests.noted(session.request, "started" if first else "changed", session.whom)

    def as_wanted(self, client: Client, request: CallRequest) -> None:
        """Change to the mode that the head has chosen meanwhile."""
        session = self.sessions.get(request.channel)
        if session is None or not session.begun or session.mode == request.kind:
            return
        session.request, session.mode = request, request.kind
        before, session.snoop = session.snoop, ""
        try:
            _remove(client, "channels", before)
            self._snoop(client, session)
        except AriError as error:
            self._give_up(client, session, error)

    def gone(self, client: Client, channel: str) -> Session | None:
        """A channel has ended. The session that it was the phone of, taken apart."""
        session = self.sessions.pop(channel, None)
        if session:
            self._take_apart(client, session)
            return session
        hearing = self._of_snoop(channel)
        if hearing:
            # The call ended, or the seller has left it.
            _remove(client, "channels", hearing.ear)
        return None

    def _of_snoop(self, channel: str) -> Session | None:
        return next((s for s in self.sessions.values() if s.snoop == channel), None)

    def _give_up(self, client: Client, session: Session | None, error: AriError) -> None:
        log.warning("listening in: %s", error)
        if session:
            if not session.begun:
                requests.fail(session.request, "over" if isinstance(error, Gone) else "exchange")
            _remove(client, "channels", session.ear)

    def _take_apart(self, client: Client, session: Session) -> None:
        if session.snoop:
            _remove(client, "channels", session.snoop)
        _remove(client, "bridges", session.ear)

    def clean(self, client: Client, channels: list[Any], ours: set[str]) -> None:
        """After a gap: end what is left of listening, in Stasis or still ringing (``ours``: the
        phones' channels). Calls go on."""
        self.sessions.clear()
        doomed = {
            channel["id"]
            for channel in channels
            if channel["id"].startswith(OWN_EAR)
            and (channel["id"] in ours or self._is_here(channel))
        }
        for channel in sorted(doomed):
            _remove(client, "channels", channel)
        for bridge in client.request("GET", "/bridges") or ():
            if bridge["id"].startswith(OWN_EAR) and set(bridge["channels"]) <= doomed:
                _remove(client, "bridges", bridge["id"])

    def _is_here(self, channel: dict[str, Any]) -> bool:
        data = str((channel.get("dialplan") or {}).get("app_data", ""))
        return data.startswith(f"{self.app},{OWN},")

    def end(self, client: Client) -> None:
        """No more: hang up the phones of all who listen."""
        for session in list(self.sessions.values()):
            _remove(client, "channels", session.ear)
            self._take_apart(client, session)


def _add(client: Client, session: Session, channel: str) -> None:
    client.request("POST", "/bridges/{bridgeId}/addChannel", bridgeId=session.ear, channel=channel)


def _remove(client: Client, what: str, name: str) -> None:
    with suppress(Gone):
        client.request("DELETE", f"/{what}/{{id}}", id=name)
