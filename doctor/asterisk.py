"""Asterisk as Trichter sees it: the way in, and what ari.conf and http.conf must say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ari_app import callout
from ari_app.client import AriError, Client, Gone, Unauthorized
from ari_app.events import LINKEDID, RECORDING
from doctor.check import FAULT, GOOD, NOTE, RELOAD, Check
from models import User
from settings import Settings

OLDEST = 16
NO_ARI = 404


def checks(settings: Settings, database_ready: bool) -> Iterator[Check]:
    client = Client(settings.ari.url, settings.ari.username, settings.ari.password)
    try:
        version = client.version()
        mark = GOOD if int(version.split(".")[0]) >= OLDEST else FAULT
        yield Check(mark, "asterisk", version, "" if mark == GOOD else "use Asterisk 16 or newer")
        phones = _phones if database_ready else None
        for check in (_channel_variables, rights, _application, _way_out, phones):
            if check:
                yield from check(settings, client.request)
    except ValueError:
        yield Check(NOTE, "asterisk", "a version of its own; 16 and newer are known to work")
    except AriError as error:
        yield Check(FAULT, "asterisk", str(error), way_in(error))
    finally:
        client.close()


def way_in(error: AriError) -> str:
    if isinstance(error, Unauthorized):
        return "trichter.toml [ari]: the name and password of Trichter's section in ari.conf"
    if error.status == NO_ARI:
        return f"ari.conf [general]: enabled=yes; then: {RELOAD}"
    return (
        "http.conf [general]: enabled=yes; then: asterisk -rx 'module reload http'. "
        "[ari] url is the address that this shows: asterisk -rx 'http show status'"
    )


Ask = Callable[..., Any]


def _channel_variables(settings: Settings, ask: Ask) -> Iterator[Check]:
    """Only a live channel shows what ari.conf puts on it."""
    told = [channel.get("channelvars") or {} for channel in ask("GET", "/channels")]
    fix = f"ari.conf [general]: channelvars={LINKEDID},{RECORDING}; then: {RELOAD}"
    if not told:
        yield Check(NOTE, "linkedid", "can't be seen without a call; check again during one", fix)
        return
    if all(LINKEDID in names for names in told):
        yield Check(GOOD, "linkedid", "on every channel")
    else:
        yield Check(FAULT, "linkedid", "missing: legs of a call can't be told to be one call", fix)
    if not all(RECORDING in names for names in told):
        finding = "what the dialplan records is not known before it is read in the CDR, if there"
        yield Check(NOTE, "recordings by MixMonitor", finding, fix)


def rights(settings: Settings, ask: Ask) -> Iterator[Check]:
    """Rights come before the look for the channel, which is none."""
    try:
        ask("DELETE", "/channels/{channelId}", channelId="trichter-doctor")
    except Unauthorized:
        fix = f"to route, ari.conf [{settings.ari.username}]: read_only=no; then: {RELOAD}"
        yield Check(NOTE, "ari user", "may only read: calls are recorded, but not routed", fix)
    except Gone:
        return


def _application(settings: Settings, ask: Ask) -> Iterator[Check]:
    names = {app.get("name") for app in ask("GET", "/applications")}
    if settings.ari.app in names:
        yield Check(GOOD, "trichter ari", f"connected as {settings.ari.app}")
    else:
        yield Check(NOTE, "trichter ari", "not connected", "start 'trichter serve'")


def _way_out(settings: Settings, ask: Ask) -> Iterator[Check]:
    """Click-to-call; only with `trichter ari` there it can be asked."""
    context = settings.calls.outbound_context
    try:
        found = callout.has_context(ask, settings.ari.app, context)
    except Unauthorized:
        return
    if found:
        yield Check(GOOD, "click-to-call", f"dials out in {context}")
    elif found is False:
        fix = "[calls] outbound_context: the context of your phones, as 'dialplan show' lists it"
        yield Check(NOTE, "click-to-call", f"the dialplan has no context {context}", fix)


def _phones(settings: Settings, ask: Ask) -> Iterator[Check]:
    known = {f"{e['technology']}/{e['resource']}" for e in ask("GET", "/endpoints")}
    for user in User.select().where(User.active, User.endpoint.is_null(False)).order_by(User.login):
        if user.endpoint not in known:
            yield Check(
                FAULT,
                f"phone of {user.login}",
                f"Asterisk has no endpoint {user.endpoint}",
                "see 'pjsip show endpoints'; names are case-sensitive",
            )
