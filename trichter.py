"""The command line. Exit codes: 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import click

import database
import models
import settings as configuration
from commands import customers, data, exchange, files, people, processes
from errors import TrichterError

KNOWN_FAULTS = (configuration.SettingsError, database.DatabaseTrouble, TrichterError)
COMMANDS = (
    data.init, people.user, files.setup, files.funnel, files.rules, data.export, processes.ari,
    processes.agi, processes.panel, processes.serve, exchange.doctor, exchange.import_cdr,
    customers.import_contacts, customers.erase, data.demo_data,
)  # fmt: skip


class Group(click.Group):
    """Faults that a person can mend are one line and exit code 1, never a traceback."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta["help"] = "--help" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except database.DATABASE_ERRORS as error:
            raise click.ClickException(database.explain(error)) from error
        except KNOWN_FAULTS as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Group)
@click.option("--verbose", is_flag=True, help="Log details too.")
@click.pass_context
def main(ctx: click.Context, verbose: bool) -> None:
    """Trichter: every call of an Asterisk becomes a card in a sales funnel."""
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(name)s %(levelname)s %(message)s",
        stream=sys.stderr,
    )
    # Their details hold secrets: the values of queries, and addresses.
    for name in ("peewee", "urllib3"):
        logging.getLogger(name).setLevel(logging.INFO)
    # An SQLite file holds customers and password hashes: nothing for other users of the machine.
    os.umask(os.umask(0o077) | 0o007)
    if ctx.meta["help"]:
        return  # help needs no configuration, and who mends one needs help
    ctx.obj = configuration.load()
    models.connect(ctx.obj)


for command in COMMANDS:
    main.add_command(command)

if __name__ == "__main__":
    main(prog_name=Path(sys.argv[0]).stem)
