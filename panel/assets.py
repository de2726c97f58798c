"""Static files: their addresses carry a hash of the content, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request, url_for

VENDOR = ("vendor/htmx.min.js", "vendor/sortable.min.js")
FIRST_STYLES = ("css/tokens.css", "css/base.css")
KEPT = "public, max-age=31536000, immutable"


def install(app: Flask) -> None:
    folder = Path(app.static_folder or "")
    missing = [name for name in VENDOR if not (folder / name).is_file()]
    if missing:
        app.logger.warning("panel: %s missing, run bin/setup; pages work plainer", *missing[:1])

    def asset(name: str) -> str:
        """The address of a static file with its version; one that is missing has none, as a page
        without it is better than no page."""
        known = (folder / name).is_file()
        return url_for("static", filename=name, v=version(folder / name) if known else None)

    def stylesheets() -> list[str]:
        """All of static/css: tokens and base first, each component in its own file."""
        found = sorted(f"css/{path.name}" for path in folder.glob("css/*.css"))
        return [*FIRST_STYLES, *(name for name in found if name not in FIRST_STYLES)]

    def scripts() -> list[str]:
        return [name for name in VENDOR if (folder / name).is_file()]

    def modules() -> list[str]:
        """One small file per behaviour, right in static/js; what they share is below it."""
        return sorted(f"js/{path.name}" for path in folder.glob("js/*.js"))

    app.jinja_env.globals.update(
        asset=asset, stylesheets=stylesheets, scripts=scripts, modules=modules
    )
    app.after_request(_cache)


def version(path: Path) -> str:
    """A hash of the file's content; cheap while the file stays as it is."""
    state = path.stat()
    return _hash(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _hash(path: Path, modified: int, size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _cache(response: Response) -> Response:
    if request.endpoint == "static" and response.status_code in (200, 304):
        response.headers["Cache-Control"] = KEPT if "v" in request.args else "no-cache"
    return response
