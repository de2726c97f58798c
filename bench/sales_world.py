"""The world of the panel's benchmark: built once for each schema, and copied for each run."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import astuple
from pathlib import Path

from bench import sales_index
from bench.sales_rows import Sales, Size
from tests.world import populate, release, use

FOLDER = Path(__file__).resolve().parent.parent / ".private" / "bench"
Say = Callable[[str], None]


def copy_of(size: Size, folder: Path, say: Say) -> Path:
    """A copy of the world in a folder; it is built once for each schema."""
    built = _built(size, say)
    copy = folder / "trichter.db"
    shutil.copyfile(built, copy)
    with closing(sqlite3.connect(copy)) as rows, rows:
        # The panel has told of them as they fell due; not of thousands when it starts.
        rows.execute("UPDATE tasks SET reminded_at = due_at")
    return copy


def _built(size: Size, say: Say) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"sales-{size.calls}-{_version(size)}.db"
    if path.exists():
        return path
    for old in FOLDER.glob(f"sales-{size.calls}-*"):
        old.unlink()
    say("building the world, once")
    raw = path.with_suffix(".part")
    use(f"sqlite:///{raw}")
    populate()
    release()
    world = Sales(str(raw), size)
    for step in (
        *(world.add_people, world.add_companies, world.add_customers, world.add_cards),
        *(world.add_errands, world.add_past, world.add_traces),
    ):
        step()
        say(f"  {step.__name__.removeprefix('add_')} are there")
    world.close()
    sales_index.add(raw)
    say("  the search knows them")
    raw.rename(path)
    return path


def _version(size: Size) -> str:
    """Of all that decides what is in the file."""
    here = Path(__file__).resolve()
    texts = [here.parent / "history.py", *sorted(here.parent.glob("sales_*.py"))]
    texts += sorted(here.parent.parent.glob("migrations/*.py"))
    texts += [here.parent.parent / "spelling.py"]
    told = repr(astuple(size)).encode() + b"".join(path.read_bytes() for path in texts)
    return hashlib.sha256(told).hexdigest()[:12]
