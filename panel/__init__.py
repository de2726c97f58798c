"""The web panel: the app factory, and what holds for every page."""

from __future__ import annotations

import secrets
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, g, request
from flask_wtf import CSRFProtect

from database import database, discard
from panel import (
    assets,
    auth,
    checkup,
    contact_import,
    errors,
    languages,
    once,
    packing,
    said,
    security,
    shown,
    urls,
    windows,
)
from settings import Settings

NOUNS = (
    "board", "bulk", "call_statistics", "calls", "companies", "contact", "contact_import",
    "contacts", "deal_fields", "deals", "exchange", "health", "live", "moves", "notes", "popups",
    "receipts", "recordings", "requests", "rules", "search", "shortcuts", "tasks",
)  # fmt: skip
ADMIN_NOUNS = (
    "account", "admin", "admin_departments", "admin_doctor", "admin_funnels", "admin_stages",
    "admin_texts", "admin_users",
)  # fmt: skip
FORM_BYTES = 64 * 1024
SESSION_SECONDS = 7 * 86400
WITHOUT_DATABASE = frozenset({"static", "health.healthz", "health.figures"})


class Panel(Flask):
    """Writes paths to the log without the line ends and terminal codes that they can hold."""

    def log_exception(self, exc_info: Any) -> None:
        self.logger.error(
            "Exception on %r [%s]", request.path[:200], request.method, exc_info=exc_info
        )


def create_app(settings: Settings, receipt_key: str | None = None) -> Flask:
    """The panel as a WSGI app. The models must be connected (``models.connect``) by the caller,
    without an open connection where worker processes are forked afterwards. ``receipt_key``: that
    of receipts, where it is not the secret key; '' for none."""
    app = Panel("panel", root_path=str(Path(__file__).parent))
    _configure(app, settings)
    # Not one that is made up where there is none: a mark must be told again next year.
    app.config["RECEIPT_KEY"] = settings.panel.secret_key if receipt_key is None else receipt_key
    app.url_map.converters["int"] = urls.Id
    languages.install(app)
    contact_import.install(app)
    # The order matters: a refused form needs no connection, a log-in check does.
    security.install(app, settings)
    CSRFProtect(app)
    app.before_request(_connect)
    app.teardown_request(_disconnect)
    auth.install(app)
    windows.install(app)
    errors.install(app)
    assets.install(app)
    packing.install(app)
    shown.install(app)
    said.install(app)
    once.install(app)
    app.extensions["checkup"] = checkup.Checkup(settings)
    for noun in (*NOUNS, *ADMIN_NOUNS):
        app.register_blueprint(import_module(f"panel.{noun}").bp)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    over_https = urlsplit(settings.panel.public_url).scheme == "https"
    app.config.update(
        SECRET_KEY=settings.panel.secret_key or _made_up_key(app),
        RECORDING_FOLDERS=settings.recordings.folders,
        MAX_CONTENT_LENGTH=FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=FORM_BYTES,
        MAX_FORM_PARTS=50,
        # __Host-: no other host of the domain, and no plain HTTP, can plant a session.
        SESSION_COOKIE_NAME="__Host-trichter" if over_https else "trichter",
        SESSION_COOKIE_SECURE=over_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SESSION_SECONDS,
        # A board stays open all day: its forms hold as long as the log-in does.
        WTF_CSRF_TIME_LIMIT=None,
        PROPAGATE_EXCEPTIONS=False,
        BABEL_DEFAULT_LOCALE="en",
        PBX=settings.pbx.name,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _made_up_key(app: Flask) -> str:
    app.logger.warning(
        "panel.secret_key is empty: log-ins end when the panel restarts. "
        "Put 64 random characters there to keep them."
    )
    return secrets.token_hex(32)


def _connect() -> None:
    """One connection a request. Streams let go of it before they wait (see live)."""
    if request.endpoint not in WITHOUT_DATABASE:
        g.connected = database.connect(reuse_if_open=True)


def _disconnect(error: Any) -> None:
    if not g.pop("connected", False) or database.is_closed():
        return
    if errors.is_database_trouble(error):
        discard()
    else:
        database.close()
