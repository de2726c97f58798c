"""Trichter's own servers: the panel and AGI."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from agi_scripts.protocol import FAILURE
from doctor.check import FAULT, GOOD, NOTE, START, Check
from errors import Sentence, Words
from settings import Settings

HTMX = Path(__file__).parents[1] / "panel" / "static" / "vendor" / "htmx.min.js"
MOST_BYTES = 64 * 1024


def checks(settings: Settings) -> Iterator[Check]:
    yield from panel(settings)
    yield from _agi(settings)


def panel(settings: Settings) -> Iterator[Check]:
    subject, keys = "trichter panel", "[panel] bind and public_url"
    if not HTMX.is_file():
        fix = Words("bin/setup --run-only, in Trichter's folder; before an installation with pip")
        finding = Sentence("{file} is missing, pages are not live", file=HTMX)
        yield Check(FAULT, subject, finding, fix)
    request = b"GET /healthz HTTP/1.0\r\n\r\n"
    yield _server(subject, settings.panel.bind, keys, request, _health, START)


def _health(answer: bytes) -> str:
    health = json.loads(answer.partition(b"\r\n\r\n")[2])
    return "" if health["status"] == "ok" else str(health["advice"])


def _agi(settings: Settings) -> Iterator[Check]:
    """Nobody is called "unknown", so the right answer is to set nothing."""
    request = b"agi_network: yes\nagi_network_script: lookup_caller\nagi_callerid: unknown\n\n"
    idle = Words("only needed for dialplans that use AGI")
    yield _server("trichter agi", settings.agi.bind, "[agi] bind", request, _look_up, idle)


def _look_up(answer: bytes) -> str:
    if answer not in (b"", FAILURE):
        raise ValueError("no AGI")
    return Words("see the log of 'trichter agi'") if answer else ""


def _server(
    subject: str, bind: str, keys: str, request: bytes, trouble: Callable[[bytes], str], idle: str
) -> Check:
    try:
        advice = trouble(_said(bind, request))
    except ConnectionRefusedError:
        return Check(NOTE, subject, Words("not running"), idle)
    except (OSError, ValueError, TypeError, LookupError):
        fix = Sentence("end it, or set {keys} to another address", keys=keys)
        finding = Sentence("on {bind} answers another program, or none", bind=bind)
        return Check(FAULT, subject, finding, fix)
    if advice:
        return Check(FAULT, subject, Words("can't use the database"), advice)
    return Check(GOOD, subject, Sentence("answers on {bind}", bind=bind))


def _said(bind: str, request: bytes) -> bytes:
    """All that a server answers within a second or two. Raises OSError."""
    host, _, port = bind.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=2) as connection:
        connection.sendall(request)
        answer = b""
        while (got := connection.recv(4096)) and len(answer) < MOST_BYTES:
            answer += got
        return answer
