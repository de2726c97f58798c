"""Several who act at the same moment, each with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from peewee import MySQLDatabase

from database import database

SECONDS = 30
T = TypeVar("T")


def at_once(*works: Callable[[], T]) -> list[T]:
    """Do all of them in threads that are let go together; what they return, in their order.

    Raises what the first of them that failed has raised, when all have ended.
    """
    _purge()
    database.close()
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], T]) -> T:
        with database.connection_context():
            barrier.wait(SECONDS)
            return work()

    with ThreadPoolExecutor(len(works)) as pool:
        doing = [pool.submit(run, work) for work in works]
    return [one.result() for one in doing]


def _purge() -> None:
    """Two who enter a key again that an earlier test has deleted lock each other out in MariaDB, as
    long as the row deleted is there. The keys of real calls don't come again."""
    if isinstance(database.obj, MySQLDatabase):
        database.execute_sql("SET GLOBAL innodb_max_purge_lag_wait = 0")
