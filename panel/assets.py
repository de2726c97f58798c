"""Static files: their addresses carry a hash of the content, so that browsers may keep them.

Modules import each other by relative addresses, which can carry nothing: theirs have the hash of
all modules as a folder.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache, partial
from pathlib import Path

from flask import Flask, Response, current_app, g, request, url_for

VENDOR = ("vendor/htmx.min.js", "vendor/sortable.min.js")
FIRST_STYLES = ("css/tokens.css", "css/base.css")
STYLES = "styles.css"
"""All of static/css as one file: one request instead of one for each component."""
MODULES = "js/"
KEPT = "public, max-age=31536000, immutable"


def install(app: Flask) -> None:
    folder = Path(app.static_folder or "")
    missing = [name for name in VENDOR if not (folder / name).is_file()]
    if missing:
        app.logger.warning("panel: %s missing, run bin/setup; pages work plainer", *missing[:1])

    def stylesheets() -> list[str]:
        return [STYLES]

    def scripts() -> list[str]:
        return [name for name in VENDOR if (folder / name).is_file()]

    def modules() -> list[str]:
        """One small file per behaviour, right in static/js; what they share is below it."""
        return sorted(f"js/{path.name}" for path in folder.glob("js/*.js"))

    app.jinja_env.globals.update(
        asset=partial(_address, folder), stylesheets=stylesheets, scripts=scripts, modules=modules
    )
    app.view_functions["static"] = _send
    app.add_url_rule("/static/modules/<modules>/<path:filename>", "static")
    app.after_request(_cache)


def _address(folder: Path, name: str) -> str:
    """Of a static file with its version; one that is missing has none, as a page without it is
    better than no page."""
    if name == STYLES:
        return url_for("static", filename=STYLES, v=styles_of(folder)[0])
    known = (folder / name).is_file()
    if known and name.startswith(MODULES):
        if "modules" not in g:  # the page asks for each of them
            g.modules = version_of_all(folder / MODULES)
        return url_for("static", filename=name.removeprefix(MODULES), modules=g.modules)
    return url_for("static", filename=name, v=version(folder / name) if known else None)


def _send(filename: str, modules: str = "") -> Response:
    if filename == STYLES and not modules:
        known, text = styles_of(Path(current_app.static_folder or ""))
        styles = Response(text, mimetype="text/css")
        styles.set_etag(known)
        styles.make_conditional(request)
        return styles
    return current_app.send_static_file(f"{MODULES}{filename}" if modules else filename)


def version(path: Path) -> str:
    """A hash of the file's content; cheap while the file stays as it is."""
    state = path.stat()
    return _hash(path, state.st_mtime_ns, state.st_size)


def version_of_all(folder: Path) -> str:
    """One for all modules below a folder."""
    found = "".join(version(path) for path in sorted(folder.rglob("*.js")))
    return hashlib.sha256(found.encode()).hexdigest()[:12]


def styles_of(folder: Path) -> tuple[str, str]:
    """All styles with a hash: tokens and base first, each component in its own file."""
    found = sorted(f"css/{path.name}" for path in folder.glob("css/*.css"))
    names = [*FIRST_STYLES, *(name for name in found if name not in FIRST_STYLES)]
    states = ((folder / name, (folder / name).stat()) for name in names)
    return _joined(tuple((path, state.st_mtime_ns, state.st_size) for path, state in states))


@lru_cache(maxsize=4)
def _joined(files: tuple[tuple[Path, int, int], ...]) -> tuple[str, str]:
    text = "".join(path.read_text() for path, _modified, _size in files)
    return hashlib.sha256(text.encode()).hexdigest()[:12], text


@lru_cache(maxsize=256)
def _hash(path: Path, modified: int, size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _cache(response: Response) -> Response:
    if request.endpoint == "static" and response.status_code in (200, 304):
        is_named = "v" in request.args or "modules" in (request.view_args or {})
        response.headers["Cache-Control"] = KEPT if is_named else "no-cache"
    return response
