"""The servers and the browser that the tests need: those of the system, else Debian's, unpacked.

Run as a module it fetches what is missing, which is what `bin/setup` does. Standard library only:
set-up runs it before any package is installed.
"""

import atexit
import ctypes
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

# Playwright drives either; the headless shell is half the size. Fonts: Inter is close to what a
# desktop shows for system-ui, DejaVu has the symbols, Liberation stands in for Arial and the like.
BROWSER = ("chromium-headless-shell", "fonts-dejavu-core", "fonts-inter", "fonts-liberation")
DRIVER = ("libatomic1",)
MARIADB = ("mariadb-server-core",)
POSTGRESQL = ("postgresql",)

# The C library is never mixed: unpacked programs start with the system's loader, which fits only
# the system's own libc. Both are of one Debian release, so all else may come from the folder.
LIBC = re.compile(
    r"(ld-linux|libc[.-]|libm[.-]|libmvec|libdl[.-]|libpthread|librt[.-]|libresolv|libutil[.-]|libanl"
    r"|libnsl|libnss_|libthread_db|libBrokenLocale|libmemusage|libpcprofile|libc_malloc)"
)
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
 <dir>{fonts}</dir>
 <cachedir>{cache}</cachedir>
 <alias><family>system-ui</family><prefer><family>Inter</family></prefer></alias>
 <alias><family>sans-serif</family><prefer><family>Inter</family></prefer></alias>
 <alias><family>serif</family><prefer><family>Liberation Serif</family></prefer></alias>
 <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""


class ProgramMissing(Exception):
    """A program that the tests need cannot be had; the message says how to install it."""


@dataclass(frozen=True)
class Program:
    """A program and the environment variables it wants on top of the caller's."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)
    # The folder it was unpacked into; None for a program of the system.
    root: Path | None = None

    def environ(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


@functools.cache
def chromium() -> Program:
    """Chromium, or its headless shell."""
    for name in ("chromium", "chromium-headless-shell"):
        if found := shutil.which(name):
            return Program(Path(found))
    root = unpacked(BROWSER)
    scratch = scratch_folder()
    fonts = scratch / "fonts.conf"
    fonts.write_text(FONTS.format(fonts=root / "usr/share/fonts", cache=scratch / "fonts"))
    environment = {"LD_LIBRARY_PATH": library_path(root), "FONTCONFIG_FILE": str(fonts)}
    return Program(root / "usr/lib/chromium/chromium-headless-shell", environment, root)


@functools.cache
def driver_environment() -> dict[str, str]:
    """What Playwright's driver wants besides: it needs a library that small systems lack."""
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        return {"LD_LIBRARY_PATH": library_path(unpacked(DRIVER))}
    return {}


@functools.cache
def mariadbd() -> Program:
    """The MariaDB server. (A MySQL server by the name of mysqld would not do.)"""
    places = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    if found := shutil.which("mariadbd", path=places):
        return Program(Path(found).resolve())
    root = unpacked(MARIADB)
    return Program(root / "usr/sbin/mariadbd", {"LD_LIBRARY_PATH": library_path(root)}, root)


@functools.cache
def postgres() -> Program:
    """The PostgreSQL server; initdb is beside it."""
    if found := shutil.which("postgres"):
        return Program(Path(found).resolve())
    if installed := newest_postgres(Path("/")):
        return Program(installed)
    root = unpacked(POSTGRESQL)
    path = newest_postgres(root)
    if path is None:
        raise ProgramMissing(f"{root} holds no PostgreSQL server; remove the folder and try again")
    return Program(path, {"LD_LIBRARY_PATH": library_path(root)}, root)


def newest_postgres(root: Path) -> Path | None:
    """Debian keeps the server off PATH, in a folder for each major version."""
    found = root.glob("usr/lib/postgresql/*/bin/postgres")
    by_version = {int(path.parts[-3]): path for path in found if path.parts[-3].isdigit()}
    return by_version[max(by_version)] if by_version else None


def unpacked(packages: tuple[str, ...]) -> Path:
    """The folder with these Debian packages and all they need, fetched if it is not there yet."""
    command = [sys.executable, str(CHECKOUT / "bin" / "deb-root"), *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProgramMissing(done.stderr.strip() or f"bin/deb-root {packages[0]} failed")
    return Path(done.stdout.strip())


def library_path(root: Path) -> str:
    """LD_LIBRARY_PATH for a program of `root`: links to all its libraries but the C library."""
    links = scratch_folder() / "lib"
    links.mkdir()
    triple = os.uname().machine + "-linux-gnu"
    for base in (root / "usr/lib" / triple, root / "lib" / triple):
        for folder in (base, base / "nss", base / "pulseaudio"):
            for library in folder.glob("*.so*"):
                link = links / library.name
                if not LIBC.match(library.name) and not link.is_symlink():
                    link.symlink_to(library)
    return str(links)


def scratch_folder() -> Path:
    """A folder that is removed when this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="trichter-programs-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def fetch_all() -> None:
    """Fetch what the system does not have. Raises ProgramMissing."""
    driver_environment()
    wanted: tuple[Callable[[], Program], ...] = (chromium, mariadbd, postgres)
    with ThreadPoolExecutor(max_workers=2) as pool:
        for program in pool.map(lambda find: find(), wanted):
            if not program.path.exists():
                raise ProgramMissing(f"{program.path} is missing; remove {program.root}, try again")


if __name__ == "__main__":
    try:
        fetch_all()
    except ProgramMissing as error:
        sys.exit(str(error))
