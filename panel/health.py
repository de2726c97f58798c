"""For monitoring: is the panel well (/healthz), and what has it done (/metrics)."""

from __future__ import annotations

import time
from typing import Any

from flask import Blueprint, Response, current_app, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)

from database import DatabaseTrouble, database, explained
from models import Funnel
from panel.auth import public

bp = Blueprint("health", __name__)


class Metrics:
    """The figures of one app. Others add theirs: ``Gauge(…, registry=metrics().registry)``."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ["method", "endpoint", "status"]
        self.requests = Counter(
            "trichter_panel_requests", "Requests answered", labels, registry=self.registry
        )
        self.seconds = Histogram(
            "trichter_panel_request_seconds",
            "Time to answer, without the streams' waiting",
            ["endpoint"],
            registry=self.registry,
        )


def metrics() -> Metrics:
    return current_app.extensions["trichter_metrics"]


@bp.record_once
def _install(state: Any) -> None:
    state.app.extensions["trichter_metrics"] = Metrics()
    # First of all, so that refused requests are timed too.
    state.app.before_request_funcs.setdefault(None, []).insert(0, _started)
    state.app.after_request(_count)


@bp.get("/healthz")
@public
def healthz() -> tuple[dict[str, str], int]:
    try:
        with explained(), database.connection_context():
            Funnel.select(Funnel.id).limit(1).execute()
    except DatabaseTrouble as error:
        current_app.logger.error("healthz: %s", error)
        return {"status": "unavailable", "advice": error.advice}, 503
    return {"status": "ok"}, 200


@bp.get("/metrics")
@public
def figures() -> Response:
    return Response(generate_latest(metrics().registry), content_type=CONTENT_TYPE_LATEST)


def _started() -> None:
    g.started = time.perf_counter()


def _count(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    # Methods are the client's words: what is not usual must not make a new series each.
    usual = request.method in ("GET", "HEAD", "POST", "OPTIONS")
    method = request.method if usual else "other"
    metrics().requests.labels(method, endpoint, str(response.status_code)).inc()
    if "started" in g:
        metrics().seconds.labels(endpoint).observe(time.perf_counter() - g.started)
    return response
