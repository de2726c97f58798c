"""Asterisk as Trichter sees it: the way in, and what ari.conf and http.conf must say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ari_app import callout
from ari_app.channels import LINKEDID, RECORDING
from ari_app.client import AriError, Client, Gone, Unauthorized
from doctor.check import FAULT, GOOD, NOTE, RELOAD, START, Check
from errors import Sentence, Words
from models import User
from settings import Settings

OLDEST = 16
NO_ARI = 404
AWAY = Words("cannot connect to {url}: is Asterisk running, with enabled=yes in http.conf?")


def checks(settings: Settings, database_ready: bool) -> Iterator[Check]:
    client = Client(settings.ari.url, settings.ari.username, settings.ari.password)
    try:
        version = client.version()
        mark = GOOD if int(version.split(".")[0]) >= OLDEST else FAULT
        fix = Words("use Asterisk 16 or newer")
        yield Check(mark, "asterisk", version, "" if mark == GOOD else fix)
        phones = _phones if database_ready else None
        for check in (_channel_variables, rights, _application, _way_out, phones):
            if check:
                yield from check(settings, client.request)
    except ValueError:
        finding = Words("a version of its own; 16 and newer are known to work")
        yield Check(NOTE, "asterisk", finding)
    except AriError as error:
        yield Check(FAULT, "asterisk", _told(error), way_in(error))
    finally:
        client.close()


def _told(error: AriError) -> str:
    """What whoever begins is told first has translations; the rest is Asterisk's own words."""
    found = re.fullmatch(re.escape(AWAY).replace(r"\{url\}", "(.+)"), str(error))
    return Sentence(AWAY, url=found[1]) if found else str(error)


def way_in(error: AriError) -> str:
    if isinstance(error, Unauthorized):
        return Words("trichter.toml [ari]: the name and password of Trichter's section in ari.conf")
    if error.status == NO_ARI:
        return Sentence("ari.conf [general]: enabled=yes; then: {command}", command=RELOAD)
    return Words(
        "http.conf [general]: enabled=yes; then: asterisk -rx 'module reload http'. "
        "[ari] url is the address that this shows: asterisk -rx 'http show status'"
    )


Ask = Callable[..., Any]


def _channel_variables(settings: Settings, ask: Ask) -> Iterator[Check]:
    """Only a live channel shows what ari.conf puts on it."""
    told = [channel.get("channelvars") or {} for channel in ask("GET", "/channels")]
    wanted = {"names": f"{LINKEDID},{RECORDING}", "command": RELOAD}
    fix = Sentence("ari.conf [general]: channelvars={names}; then: {command}", **wanted)
    if not told:
        finding = Words("can't be seen without a call; check again during one")
        yield Check(NOTE, "linkedid", finding, fix)
        return
    if all(LINKEDID in names for names in told):
        yield Check(GOOD, "linkedid", Words("on every channel"))
    else:
        finding = Words("missing: legs of a call can't be told to be one call")
        yield Check(FAULT, "linkedid", finding, fix)
    if not all(RECORDING in names for names in told):
        subject = Words("recordings by MixMonitor")
        finding = Words(
            "what the dialplan records is not known before it is read in the CDR, if there"
        )
        yield Check(NOTE, subject, finding, fix)


def rights(settings: Settings, ask: Ask) -> Iterator[Check]:
    """Rights come before the look for the channel, which is none."""
    try:
        ask("DELETE", "/channels/{channelId}", channelId="trichter-doctor")
    except Unauthorized:
        fix = Sentence(
            "to route, ari.conf [{section}]: read_only=no; then: {command}",
            section=settings.ari.username,
            command=RELOAD,
        )
        finding = Words("may only read: calls are recorded, but not routed")
        yield Check(NOTE, Words("ari user"), finding, fix)
    except Gone:
        return


def _application(settings: Settings, ask: Ask) -> Iterator[Check]:
    names = {app.get("name") for app in ask("GET", "/applications")}
    if settings.ari.app in names:
        finding = Sentence("connected as {app}", app=settings.ari.app)
        yield Check(GOOD, "trichter ari", finding)
    else:
        yield Check(NOTE, "trichter ari", Words("not connected"), START)


def _way_out(settings: Settings, ask: Ask) -> Iterator[Check]:
    """Click-to-call; only with `trichter ari` there it can be asked."""
    context, subject = settings.calls.outbound_context, Words("click-to-call")
    try:
        found = callout.has_context(ask, settings.ari.app, context)
    except Unauthorized:
        return
    if found:
        yield Check(GOOD, subject, Sentence("dials out in {context}", context=context))
    elif found is False:
        fix = Words(
            "[calls] outbound_context: the context of your phones, as 'dialplan show' lists it"
        )
        finding = Sentence("the dialplan has no context {context}", context=context)
        yield Check(NOTE, subject, finding, fix)


def _phones(settings: Settings, ask: Ask) -> Iterator[Check]:
    known = {f"{e['technology']}/{e['resource']}" for e in ask("GET", "/endpoints")}
    for user in User.select().where(User.active, User.endpoint.is_null(False)).order_by(User.login):
        if user.endpoint not in known:
            yield Check(
                FAULT,
                Sentence("phone of {login}", login=user.login),
                Sentence("Asterisk has no endpoint {endpoint}", endpoint=user.endpoint),
                Words("see 'pjsip show endpoints'; names are case-sensitive"),
            )
