"""Panels to take pictures of, each on a database of its own: a sales floor at work, and one where
nothing has happened yet."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import NoReturn, cast

import shot_life
from flask import Flask, abort
from werkzeug.serving import WSGIRequestHandler, make_server

import models
import settings as configuration
from commands import demo_data
from database import migrate
from fields import utcnow
from models import User
from panel import create_app
from panel.auth import SignedIn, public
from panel.tail import hub
from tests.world import release
from verbs import defaults, exchange, users


class Quiet(WSGIRequestHandler):
    """Keeps connections open, as browsers like it, and logs nothing."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return None


@dataclass(frozen=True)
class Studio:
    """A panel that runs at ``address``. ``known``: ids and tokens that addresses of pages hold."""

    app: Flask
    address: str
    known: dict[str, str | int] = field(default_factory=dict)

    def go_on(self) -> None:
        """As every few seconds: the exchange is there."""
        if self.known:
            exchange.record_watching("asterisk", True, utcnow())

    def cookie(self, login: str) -> str:
        """A log-in of this user."""
        client = self.app.test_client()
        with client.session_transaction() as session:
            session["_user_id"] = SignedIn(User.get(User.login == login)).get_id()
        kept = client.get_cookie(self.app.config["SESSION_COOKIE_NAME"])
        return kept.value if kept else ""


@contextmanager
def studio(folder: Path, with_life: bool) -> Iterator[Studio]:
    """The panel on a new database in ``folder``; without life there is an administrator only."""
    loaded, known = _furnish(folder, with_life)
    app = create_app(loaded)
    app.add_url_rule("/broken/<int:status>", "broken", public(_broken))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    # Waited for at the end: no stream may read the next database.
    cast(ThreadingMixIn, server).daemon_threads = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Studio(app, f"http://127.0.0.1:{server.server_port}", known)
    server.shutdown()
    hub.end_all("the pictures are taken")
    server.server_close()
    hub.stop()
    release()


def _furnish(folder: Path, with_life: bool) -> tuple[configuration.Settings, dict[str, str | int]]:
    recordings = folder / "recordings"
    recordings.mkdir(parents=True, exist_ok=True)
    loaded = configuration.load(
        {
            "TRICHTER_DATABASE_URL": f"sqlite:///{folder}/trichter.db",
            "TRICHTER_PANEL_SECRET_KEY": "k" * 64,
            "TRICHTER_RECORDINGS_FOLDERS": str(recordings),
        }
    )
    models.connect(loaded)
    migrate()
    defaults.install()
    if with_life:
        return loaded, shot_life.load(recordings)
    users.add("ada", "Ada Admin", "admin", demo_data.PASSWORD)
    return loaded, {}


def _broken(status: int) -> NoReturn:
    abort(status)
