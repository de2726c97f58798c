"""What every response carries, and whom to believe about where a request comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from settings import Settings

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def install(app: Flask, settings: Settings) -> None:
    app.before_request(_drop_odd_referrer)
    app.after_request(_protect)
    if urlsplit(settings.panel.public_url).scheme == "https":
        app.wsgi_app = BehindProxy(app.wsgi_app)  # type: ignore[method-assign]


def _drop_odd_referrer() -> None:
    """One that is no address at all makes urlsplit raise, here and in Flask-WTF."""
    try:
        urlsplit(request.referrer or "")
    except ValueError:
        del request.environ["HTTP_REFERER"]


def _protect(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    # Customers' data: neither a proxy nor the disk of a shared computer keeps it.
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response


class BehindProxy:
    """Takes the client's address and scheme from X-Forwarded-*, if a proxy on this machine says so.

    The panel itself speaks plain HTTP, so an https ``public_url`` means that there is one. From
    any other peer the headers are ignored: else everyone could dodge the limit on log-ins.
    """

    def __init__(self, wsgi_app: Wsgi) -> None:
        self.direct = wsgi_app
        self.proxied = ProxyFix(wsgi_app, x_for=1, x_proto=1, x_host=1)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        by_proxy = is_loopback(environ.get("REMOTE_ADDR", ""))
        return (self.proxied if by_proxy else self.direct)(environ, start_response)


def is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
