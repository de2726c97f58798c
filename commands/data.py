"""``trichter init``, ``export`` and ``demo-data``: the database as a whole."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

import database
from formats import exports
from models import User
from verbs import defaults, search, users


@click.command()
@click.option("--language", type=click.Choice(users.LOCALES), default="en")
def init(language: str) -> None:
    """Create the tables, or bring them up to date; put in the default funnel and rules."""
    applied = database.migrate()
    defaults.install(_in(language))
    search.rebuild(_found)
    click.echo(f"database ready, {len(applied)} migrations applied")
    for line in _next_steps():
        click.echo(line)


def _in(language: str) -> Callable[[str], str]:
    """What translates the names of the first funnel."""
    if language == "en":
        return str
    from panel.languages import catalogue  # slow to import

    return catalogue(language).gettext


def _next_steps() -> list[str]:
    """What an empty system needs before a call makes a card."""
    if User.select().where(User.role == "admin", User.active).exists():
        return []
    return [
        "Nobody can log in yet. Next:",
        "  trichter user add LOGIN --name NAME --role admin                        for yourself",
        "  trichter user add LOGIN --name NAME --role seller --endpoint PJSIP/101  for each phone",
        "  trichter doctor                                                         checks the rest",
        "  trichter serve                                                          starts it all",
        "The panel's page “Setup” goes on from there.",
    ]


def _found(kind: str, done: int) -> None:
    """Of a large old database it takes a while: say that it goes on."""
    if done % 10_000 == 0:
        click.echo(f"search: {done} of kind {kind} put in", err=True)


@click.command()
@click.argument("kind", type=click.Choice(list(exports.KINDS)))
@click.option("--format", "form", type=click.Choice(["csv", "json", "vcard"]), default="csv")
def export(kind: str, form: str) -> None:
    """Write all deals, calls or contacts to standard output."""
    if form == "vcard" and kind != "contacts":
        raise click.UsageError("only contacts are written as vcard")
    exports.write(kind, form, sys.stdout)


@click.command("demo-data")
def demo_data() -> None:
    """Sellers, customers and deals to look at. Only into an empty system."""
    from commands import demo_data as story

    for line in story.load():
        click.echo(line)
