"""``trichter doctor`` and ``import-cdr``: what the exchange needs, and what it wrote down."""

from __future__ import annotations

from typing import Any

import click

from settings import Settings


@click.command()
@click.pass_obj
def doctor(settings: Settings) -> None:
    """Check everything Trichter needs; each fault comes with its fix."""
    import doctor as checks

    faults = 0
    for check in checks.run(settings):
        click.echo(f"{check.mark:<5} {check.subject}: {check.finding}")
        if check.fix:
            click.echo(f"      → {check.fix}")
        faults += check.mark == "FAULT"
    if faults:
        raise click.ClickException(f"{faults} fault{'s' if faults > 1 else ''} found")


@click.command("import-cdr")
@click.argument("source", required=False)
@click.option("--since", help="Leave out calls that ended before, e.g. 2026-01-31.")
@click.option("--timezone", help="Zone of the times in it, e.g. Europe/Berlin. Default: [calls].")
@click.option("--pbx", help="Name of the exchange that they are of. Default: [pbx] name.")
@click.option("--deals", is_flag=True, help="Make deals by the rules for old calls too.")
@click.pass_obj
def import_cdr(settings: Settings, /, source: str | None, **options: Any) -> None:
    """Enter the calls that Asterisk wrote down: a CDR or CEL file, or a database's address."""
    from ari_app.import_cdr import run

    run(settings, source or settings.calls.cdr, **options)
