"""Click-to-call (T7): the seller's phone rings first, then the administrator's own dialplan dials.

Asterisk carries it out alone from the first ring on: once the phone is picked up, its channel goes
to an extension of the dialplan, and nothing of Trichter is needed any more.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from typing import Any

import phonenumbers

import fields
from ari_app import router
from ari_app.client import AriError, Client, Gone
from ari_app.routing import OWN
from models import CallRequest, Contact
from settings import Calls
from telephony.call_report import OWN_PROBE
from verbs import requests

log = logging.getLogger("trichter.ari")

LONGEST = 40


def dialled(e164: str, calls: Calls) -> str:
    """A number as the administrator's dialplan expects it: digits, at most with a + in front.

    national: as it is dialled from a telephone in the configured country; a foreign one with the
    country's international prefix. international: that prefix and the country's code always.
    """
    number = phonenumbers.parse(e164)
    if calls.outbound_format == "national":
        text = phonenumbers.format_out_of_country_calling_number(number, fields.region)
    elif calls.outbound_format == "international":
        text = _international_prefix() + e164.lstrip("+")
    else:
        text = e164
    plus = "+" if text.startswith("+") else ""
    digits = "".join(c for c in text if c in "0123456789")
    return (calls.outbound_prefix + plus + digits)[:LONGEST]


def _international_prefix() -> str:
    """00 in most countries, 011 in North America."""
    about = phonenumbers.PhoneMetadata.metadata_for_region(fields.region)
    prefix = about and (about.preferred_international_prefix or about.international_prefix)
    # A ~ is where the caller waits for a tone.
    digits = (prefix or "").replace("~", "")
    return digits if digits.isdigit() else "00"


def start(client: Client, request: CallRequest, calls: Calls) -> None:
    """Let the phone ring. Raises AriError's kinds; a plain one if the phone can't be reached."""
    extension = dialled(request.number, calls)
    ring(
        client,
        request,
        _name(request),
        request.number,
        calls,
        context=calls.outbound_context,
        extension=extension,
        priority=1,
    )
    if not _is_way_out(client, request.channel, f"{calls.outbound_context},{extension},1"):
        log.error("[calls] outbound_context: %s has no %s", calls.outbound_context, extension)
        requests.fail(request, "no way out")
        client.request("DELETE", "/channels/{channelId}", channelId=request.channel)


def has_context(ask: Callable[..., Any], app: str, context: str) -> bool | None:
    """Whether the dialplan has the context; None while ``trichter ari`` is not connected. Only on a
    channel Asterisk evaluates a function, so one is made that leads nowhere, and removed.

    Raises AriError's kinds.
    """
    channel = f"{OWN_PROBE}{int(time.time())}.{secrets.randbelow(10**9)}"
    ask(
        "POST",
        "/channels/create",
        endpoint=f"Local/s@{context}",
        app=app,
        appArgs=f"{OWN},doctor",
        channelId=channel,
    )
    try:
        answer = _exists(ask, channel, context)
        ask("DELETE", "/channels/{channelId}", channelId=channel)
    except Gone:
        return None  # the application is not there, so the channel has left at once
    return bool(answer.get("value") == "1")


def _exists(ask: Callable[..., Any], channel: str, place: str) -> Any:
    path, function = "/channels/{channelId}/variable", f"DIALPLAN_EXISTS({place})"
    return ask("GET", path, channelId=channel, variable=function)


def ring(
    client: Client, request: CallRequest, name: str, number: str, calls: Calls, **goes_to: Any
) -> None:
    """Ring the user's phone; it shows ``name`` and ``number`` of who is to be spoken with.

    As the connected line, not as the caller: the caller's number is what the dialplan takes for the
    phone's own, and may send out to the customer.
    """
    shown = {"CONNECTEDLINE(name,i)": name, "CONNECTEDLINE(num,i)": number}
    client.request(
        "POST",
        "/channels/{channelId}",
        channelId=request.channel,
        endpoint=request.user.endpoint,
        timeout=calls.outbound_seconds,
        json={"variables": shown},
        **goes_to,
    )


def _name(request: CallRequest) -> str:
    contact = Contact.by_number(request.number) or request.contact
    return router.caller_name(contact, request.deal) or request.number


def _is_way_out(client: Client, channel: str, place: str) -> bool:
    """Asked on the channel that rings, for only there Asterisk evaluates a function."""
    try:
        answer = _exists(client.request, channel, place)
    except AriError:
        return True  # gone, or picked up and gone: what becomes of it will be told
    return not isinstance(answer, dict) or answer.get("value") != "0"
