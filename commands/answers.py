"""What several commands say, and how they refuse."""

from __future__ import annotations

import click

from errors import TrichterError
from models import User


def the_user(login: str) -> User:
    """Raises TrichterError where there is none."""
    found = User.get_or_none(User.login == login)
    if found is None:
        raise TrichterError(
            "there is no user '{login}'; 'trichter user list' shows all", login=login
        )
    return found


def refuse(problems: list[str]) -> None:
    """Says what is wrong with a file, a line each. Raises ClickException if anything is."""
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.ClickException("nothing was changed")


def say_changes(changes: list[str], dry_run: bool) -> None:
    for change in changes:
        click.echo(change)
    done = "to be changed" if dry_run else "changed"
    click.echo(f"{len(changes)} {done}" if changes else "nothing to change")
