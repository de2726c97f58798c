"""``trichter setup``, ``funnel`` and ``rules``: what is set up, as files."""

from __future__ import annotations

from typing import IO

import click

from commands.answers import refuse, say_changes
from errors import Refused
from formats import rules_file, setup_file
from verbs import rule_set
from verbs import rules as call_rules
from verbs.setup import apply as apply_setup


@click.group()
def setup() -> None:
    """Departments, users, funnels, reasons of loss and texts, as a file."""


@setup.command("show")
def setup_show() -> None:
    """Write what is set up, as a file that can be loaded again."""
    click.echo(setup_file.as_toml(), nl=False)


@setup.command("load")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def setup_load(file: IO[bytes], dry_run: bool) -> None:
    """Set up what a file says ('-': standard input); what it does not name stays."""
    _set_up(setup_file.read(file.read()), dry_run)


@click.group()
def funnel() -> None:
    """Funnels with their stages, as a file."""


@funnel.command("show")
def funnel_show() -> None:
    """Write the funnels, as a file that can be loaded again."""
    click.echo(setup_file.as_toml(only=("funnel",)), nl=False)


@funnel.command("load")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def funnel_load(file: IO[bytes], dry_run: bool) -> None:
    """Make or change the funnels that a file names ('-': standard input)."""
    _set_up(setup_file.read(file.read(), only=("funnel",)), dry_run)


def _set_up(contents: setup_file.Contents, dry_run: bool) -> None:
    refuse(contents.problems)
    try:
        changes = apply_setup(contents, only_say=dry_run)
    except Refused as refusal:
        changes = []
        refuse([str(refusal)])
    say_changes(changes, dry_run)


@click.group()
def rules() -> None:
    """Which calls make a contact, a deal, a task; which numbers are ignored."""


@rules.command("show")
@click.option("--format", "form", type=click.Choice(["toml", "json"]), default="toml")
def rules_show(form: str) -> None:
    """Write the call rules and the ignore list, as a file that can be loaded again."""
    ignored = {row.e164: row.note for row in call_rules.ignore_list()}
    written = rules_file.as_toml if form == "toml" else rules_file.as_json
    click.echo(written(call_rules.matrix(), ignored), nl=False)


@rules.command("load")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def rules_load(file: IO[bytes], dry_run: bool) -> None:
    """Replace the call rules and the ignore list by those of a file ('-': standard input)."""
    contents = rules_file.read(file.read())
    refuse(contents.problems)
    say_changes(rule_set.replace_all(contents.rules, contents.ignored, only_say=dry_run), dry_run)
