"""``trichter user``: the people who log in."""

from __future__ import annotations

import json
import sys
from typing import Any

import click
import peewee

import models
from commands.answers import the_user
from errors import TrichterError
from models import Department, User
from verbs import users


@click.group()
def user() -> None:
    """The people who log in."""


@user.command("add")
@click.argument("login")
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice(models.ROLES))
@click.option("--endpoint", help="The phone, as Asterisk names it, e.g. PJSIP/101.")
@click.option("--mobile", help="The mobile's number: who talks there talks for the company.")
@click.option("--department", help="Calls ring at a department; made if there is none.")
@click.option("--language", "locale", type=click.Choice(users.LOCALES), default="en")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def user_add(login: str, password_stdin: bool, **about: Any) -> None:
    """Add a user."""
    users.add(login, password=_password(password_stdin), **about)
    click.echo(f"added {login}")


@user.command("change")
@click.argument("login")
@click.option("--name")
@click.option("--role", type=click.Choice(models.ROLES))
@click.option("--endpoint", help="The phone, as Asterisk names it; '' for none.")
@click.option("--mobile", help="The mobile's number; '' for none.")
@click.option("--department", help="Made if there is none; '' for none.")
@click.option("--language", "locale", type=click.Choice(users.LOCALES))
@click.option("--enable", is_flag=True, help="Take back 'disable'. The phone has to be given anew.")
def user_change(login: str, enable: bool, **about: Any) -> None:
    """Change what is given, and leave the rest."""
    changes = {key: value for key, value in about.items() if value is not None}
    if enable:
        changes["active"] = True
    users.change(the_user(login), None, None, **changes)
    click.echo(f"changed {login}")


@user.command("list")
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def user_list(form: str) -> None:
    """List the users."""
    query = User.select(User, Department).join(Department, peewee.JOIN.LEFT_OUTER)
    rows = [
        {
            "login": u.login,
            "name": u.name,
            "role": u.role,
            "endpoint": u.endpoint,
            "mobile": u.mobile,
            "department": u.department and u.department.name,
            "active": u.active,
        }
        for u in query.order_by(User.login)
    ]
    if form == "json":
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        state = "" if row["active"] else "disabled"
        place = f"{row['endpoint'] or '-':<16} {row['department'] or '-':<16}"
        click.echo(f"{row['login']:<16} {row['role']:<7} {place} {row['name']} {state}".rstrip())


@user.command("password")
@click.argument("login")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def user_password(login: str, password_stdin: bool) -> None:
    """Set a user's password; ends the user's sessions."""
    users.set_password(the_user(login), _password(password_stdin))
    click.echo(f"password of {login} set")


@user.command("disable")
@click.argument("login")
@click.option("--heir", metavar="LOGIN", help="Who gets the open deals, open tasks and contacts.")
def user_disable(login: str, heir: str | None) -> None:
    """No log-in and no ringing any more; calls and closed deals stay."""
    leaver, taker = the_user(login), the_user(heir) if heir else None
    users.disable(leaver)
    click.echo(f"disabled {login}")
    if taker:
        click.echo(f"{users.hand_over(leaver, taker, by=None)} deals to {heir}")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        try:
            return sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise TrichterError("not in the encoding of this terminal", field="password") from error
    return click.prompt("Password", hide_input=True, confirmation_prompt=True)
