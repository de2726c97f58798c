"""The virtual environment with the Python packages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from step import ROOT, SetupError, run, say

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def works() -> bool:
    """Whether .venv is complete, was made at this place, and its interpreter is still there."""
    try:
        command = [
            str(PYTHON),
            "-c",
            "import pip, sys; print(sys.prefix, sys.version_info >= (3, 11))",
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        activate = (VENV / "bin" / "activate").read_text()
    except OSError:
        return False
    return done.stdout.strip() == f"{VENV} True" and str(VENV) in activate


def install(everything: bool) -> None:
    if not works():
        make_venv()
    say("installing Python packages")
    extras = "postgresql,mysql,test" if everything else "postgresql,mysql"
    pip = (*pip_command(), "install")
    pinned = ("--constraint", ROOT / "constraints.txt")
    why = "install Python packages (is the package index reachable?)"
    run(*pip, *pinned, "setuptools", why=why, cwd=ROOT)
    # ari and swaggerpy come as sources. Built with the setuptools just installed, and not with the
    # newest one, set-up does the same tomorrow.
    built_here = ("--no-build-isolation", "--use-pep517")
    run(*pip, *pinned, *built_here, "--editable", f".[{extras}]", why=why, cwd=ROOT)


def pip_command() -> list[str | Path]:
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    # pip complains at length about a HOME it may not write to, as service users have it.
    cache = [] if os.access(Path("~").expanduser(), os.W_OK) else ["--no-cache-dir"]
    return [PYTHON, "-m", "pip", *quiet, *cache]


def make_venv() -> None:
    say(f"making .venv with Python {sys.version.split()[0]}")
    shutil.rmtree(VENV, ignore_errors=True)
    # A virtual environment may be running this script; the interpreter below it outlives it.
    python = getattr(sys, "_base_executable", None) or sys.executable
    has_pip = subprocess.run(
        [python, "-c", "import ensurepip, venv; ensurepip.version()"], capture_output=True
    )
    if has_pip.returncode == 0:
        run(python, "-m", "venv", VENV, why="make .venv")
        return
    # Debian keeps pip in a package of its own (python3-venv): take it from there, uninstalled.
    run(python, "-m", "venv", "--without-pip", VENV, why="make .venv")
    wheel = debian_pip_wheel()
    pip = (PYTHON, wheel / "pip", "--quiet", "--disable-pip-version-check", "--no-cache-dir")
    run(*pip, "install", "--no-index", wheel, why="install pip into .venv")


def debian_pip_wheel() -> Path:
    command = [sys.executable, str(ROOT / "bin" / "deb-root"), "python3-pip-whl"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    wheels = sorted(Path(done.stdout.strip()).glob("usr/share/python-wheels/pip-*.whl"))
    if done.returncode or not wheels:
        raise SetupError(
            "this Python has no ensurepip, so .venv cannot be made. "
            "Install it, for example: apt-get install python3-venv"
        )
    return wheels[-1]
