"""Debian packages without root: a set of one suite with all it needs, extracted into a folder.

The packages are never installed. The folder holds everything they need down to libc: programs in it
are started through its own loader (`run_prefix`) and leave the libraries of the machine alone.

A folder is whole or absent: everything happens in a temporary folder beside it, which is renamed at
the end. Only a folder with a stamp file that names the same suite and packages is ever used again.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deb_apt import DebRootError, check_machine, download, host_suite, in_english

__all__ = ["CHECKOUT", "DebRootError", "fetch", "host_suite", "libraries", "run_prefix", "stores"]

STAMP = ".deb-root.json"
CHECKOUT = Path(__file__).resolve().parent.parent


def stores() -> list[Path]:
    """Folders for what is fetched, best first: in the checkout, else in the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return [CHECKOUT / ".private", (Path(cache) if cache else Path.home() / ".cache") / "trichter"]


def fetch(packages: Sequence[str], suite: str | None = None, into: Path | None = None) -> Path:
    """Return a folder that holds `packages` of `suite`, fetched now if no finished one is there.

    A finished folder that another user made is used when it can be read. Raises DebRootError when
    there is no apt, no Debian mirror, no connection, or no such suite or package.
    """
    suite = suite or host_suite()
    candidates = [into] if into else [store / folder_name(suite, packages) for store in stores()]
    for folder in candidates:
        if is_finished(folder, suite, packages):
            return folder
    target = next((folder for folder in candidates if _can_be_made(folder)), None)
    if target is None:
        raise DebRootError(f"no permission to write {candidates[-1]}; name a folder with --into")
    with _lock(target):
        # Another run may have finished while this one waited for the lock.
        if not is_finished(target, suite, packages):
            _build(target, suite, packages)
    return target


def folder_name(suite: str, packages: Sequence[str]) -> str:
    """A short name for a set of packages; long sets are told apart by a digest."""
    names = sorted(set(packages))
    if len(names) == 1:
        return f"{suite}-{names[0]}"
    return f"{suite}-{packages[0]}-{hashlib.sha256(' '.join(names).encode()).hexdigest()[:8]}"


def is_finished(folder: Path, suite: str, packages: Sequence[str]) -> bool:
    """Whether `folder` was completed for this very suite and these packages."""
    try:
        stamp = json.loads((folder / STAMP).read_text())
        return bool(stamp["suite"] == suite and stamp["packages"] == sorted(set(packages)))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _can_be_made(folder: Path) -> bool:
    parent = folder.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(parent, os.W_OK | os.X_OK)


@contextlib.contextmanager
def _lock(target: Path) -> Iterator[None]:
    """One builder per folder at a time. The kernel drops the lock when its holder dies."""
    path = target.with_name(f"{target.name}.lock")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        handle = os.open(path, os.O_RDONLY)  # another user's lock file; flock needs no more
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _build(target: Path, suite: str, packages: Sequence[str]) -> None:
    """Fetch and extract beside `target`, then rename. The caller holds the lock."""
    check_machine(packages)
    for stale in target.parent.glob(f"{target.name}.tmp-*"):
        shutil.rmtree(stale, ignore_errors=True)  # of a run that was killed
    if target.exists() and not (target / STAMP).exists() and any(target.iterdir()):
        raise DebRootError(f"{target} holds something else; name another folder or remove it")
    work = Path(tempfile.mkdtemp(prefix=f"{target.name}.tmp-", dir=target.parent))
    try:
        with _terminated_as_exit():
            debs = download(work, suite, packages)
            root = work / "root"
            versions = _extract(debs, root)
            stamp = {"suite": suite, "packages": sorted(set(packages)), "versions": versions}
            (root / STAMP).write_text(json.dumps(stamp, indent=1, sort_keys=True) + "\n")
            if target.exists():
                target.rename(work / "old")
            root.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextlib.contextmanager
def _terminated_as_exit() -> Iterator[None]:
    """Let SIGTERM unwind like Ctrl-C, so that the temporary folder goes too."""

    def leave(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    try:
        before = signal.signal(signal.SIGTERM, leave)
    except ValueError:  # not the main thread: signals are someone else's
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _extract(debs: list[Path], root: Path) -> dict[str, str]:
    """Unpack side by side; returns the versions by package name."""
    root.mkdir(mode=0o755)
    with ThreadPoolExecutor(max_workers=2) as pool:
        versions = dict(pool.map(lambda deb: _extract_one(deb, root), debs))
    root.chmod(0o755)
    _open_to_all(root)
    return versions


def _extract_one(deb: Path, root: Path) -> tuple[str, str]:
    fields = _dpkg_deb("-f", str(deb), "Package", "Version")
    _dpkg_deb("-x", str(deb), str(root))
    deb.unlink()  # halves the space that is needed
    values = dict(line.split(": ", 1) for line in fields.splitlines())
    return values["Package"], values["Version"]


def _dpkg_deb(*arguments: str) -> str:
    done = subprocess.run(
        ["dpkg-deb", *arguments], capture_output=True, text=True, check=False, env=in_english()
    )
    if done.returncode:
        raise DebRootError(f"cannot unpack {Path(arguments[1]).name}: {done.stderr.strip()}")
    return done.stdout


def _open_to_all(root: Path) -> None:
    """Readable for every user, and no set-uid programs: nobody updates them here."""
    for place, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(place, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                continue
            wanted = stat.S_IMODE(mode) & 0o777 | 0o644 | (0o111 if stat.S_ISDIR(mode) else 0)
            if wanted != stat.S_IMODE(mode):
                path.chmod(wanted)


def libraries(root: Path) -> list[Path]:
    """The folders of `root` that hold shared libraries, for any processor."""
    libc = [*root.glob("lib/*/libc.so.6"), *root.glob("usr/lib/*/libc.so.6")]
    triples = dict.fromkeys(path.parent.name for path in libc)
    named = [root / base / triple for triple in triples for base in ("usr/lib", "lib")]
    return [folder for folder in [*named, root / "usr/lib"] if folder.is_dir()]


def run_prefix(root: Path, *extra: Path) -> list[str]:
    """The start of a command line that runs a program of `root` with the libraries of `root`."""
    folders = libraries(root)
    for pattern in ("ld-linux*.so.*", "ld-2*.so"):
        for folder in folders:
            for loader in sorted(folder.glob(pattern)):
                path = ":".join(str(place) for place in (*folders, *extra))
                return [str(loader), "--library-path", path]
    raise DebRootError(f"{root} holds no loader (ld-linux); remove the folder and fetch it again")
