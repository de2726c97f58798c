"""The command line. Exit codes: 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import click
import peewee

import commands
import database
import defaults
import exports
import models
import rules_file
import settings as configuration
import setup_file
import verbs.rule_set
import verbs.rules
import verbs.setup
from errors import TrichterError
from models import Department, User
from verbs import search, users

KNOWN_FAULTS = (configuration.SettingsError, database.DatabaseTrouble, TrichterError)


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


@main.command()
def init() -> None:
    """Create the tables, or bring them up to date; put in the default funnel and rules."""
    applied = database.migrate()
    defaults.install()
    search.rebuild(_found)
    click.echo(f"database ready, {len(applied)} migrations applied")
    for line in _next_steps():
        click.echo(line)


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


@main.group()
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
    users.change(_user(login), None, None, **changes)
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
    users.set_password(_user(login), _password(password_stdin))
    click.echo(f"password of {login} set")


@user.command("disable")
@click.argument("login")
@click.option("--heir", metavar="LOGIN", help="Who gets the open deals, open tasks and contacts.")
def user_disable(login: str, heir: str | None) -> None:
    """No log-in and no ringing any more; calls and closed deals stay."""
    leaver, taker = _user(login), _user(heir) if heir else None
    users.disable(leaver)
    click.echo(f"disabled {login}")
    if taker:
        click.echo(f"{users.hand_over(leaver, taker, by=None)} deals to {heir}")


@main.group()
def setup() -> None:
    """Departments, funnels, reasons of loss and texts, as a file."""


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


@main.group()
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
    _refuse(contents.problems)
    _say_changes(verbs.setup.apply(contents, only_say=dry_run), dry_run)


def _refuse(problems: list[str]) -> None:
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.ClickException("nothing was changed")


def _say_changes(changes: list[str], dry_run: bool) -> None:
    for change in changes:
        click.echo(change)
    done = "to be changed" if dry_run else "changed"
    click.echo(f"{len(changes)} {done}" if changes else "nothing to change")


@main.group()
def rules() -> None:
    """Which calls make a contact, a deal, a task; which numbers are ignored."""


@rules.command("show")
@click.option("--format", "form", type=click.Choice(["toml", "json"]), default="toml")
def rules_show(form: str) -> None:
    """Write the call rules and the ignore list, as a file that can be loaded again."""
    ignored = {row.e164: row.note for row in verbs.rules.ignore_list()}
    written = rules_file.as_toml if form == "toml" else rules_file.as_json
    click.echo(written(verbs.rules.matrix(), ignored), nl=False)


@rules.command("load")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
def rules_load(file: IO[bytes], dry_run: bool) -> None:
    """Replace the call rules and the ignore list by those of a file ('-': standard input)."""
    contents = rules_file.read(file.read())
    _refuse(contents.problems)
    _say_changes(
        verbs.rule_set.replace_all(contents.rules, contents.ignored, only_say=dry_run), dry_run
    )


@main.command()
@click.argument("kind", type=click.Choice(list(exports.KINDS)))
@click.option("--format", "form", type=click.Choice(["csv", "json", "vcard"]), default="csv")
def export(kind: str, form: str) -> None:
    """Write all deals, calls or contacts to standard output."""
    if form == "vcard" and kind != "contacts":
        raise click.UsageError("only contacts are written as vcard")
    exports.write(kind, form, sys.stdout)


@main.command()
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the events of all calls in this file, to send with a report of a wrong one.",
)
@click.option("--without-names", is_flag=True, help="Leave names and whole numbers out of it.")
@click.pass_obj
def ari(settings: configuration.Settings, record: Path | None, without_names: bool) -> None:
    """Record and route the calls of one Asterisk."""
    from ari_app.app import Telephony  # ari-py is slow to import, and only needed here
    from ari_app.tape import Tape

    try:
        tape = Tape(record, without_names) if record else None
    except OSError as error:
        raise click.ClickException(f"--record {record}: {error.strerror}") from error
    telephony = Telephony(settings, tape)
    _on_stop(telephony.stop)
    telephony.run()


@main.command()
@click.pass_obj
def agi(settings: configuration.Settings) -> None:
    """Answer the dialplan's FastAGI look-ups."""
    from agi_scripts.server import serve

    serve(settings)


@main.command()
@click.pass_obj
def panel(settings: configuration.Settings) -> None:
    """Serve the web panel."""
    from panel.server import serve

    serve(settings)


@main.command()
@click.pass_obj
def serve(settings: configuration.Settings) -> None:
    """All processes under one parent, which restarts what dies."""
    from supervisor import Supervisor

    supervisor = Supervisor(["ari", "agi", "panel"])
    _on_stop(supervisor.stop)
    supervisor.run()


@main.command()
@click.pass_obj
def doctor(settings: configuration.Settings) -> None:
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


@main.command("import-cdr")
@click.argument("source", required=False)
@click.option("--since", help="Leave out calls that ended before, e.g. 2026-01-31.")
@click.option("--timezone", help="Zone of the times in it, e.g. Europe/Berlin. Default: [calls].")
@click.option("--pbx", help="Name of the exchange that they are of. Default: [pbx] name.")
@click.option("--deals", is_flag=True, help="Make deals by the rules for old calls too.")
@click.pass_obj
def import_cdr(settings: configuration.Settings, /, source: str | None, **options: Any) -> None:
    """Enter the calls that Asterisk wrote down: a CDR or CEL file, or a database's address."""
    from ari_app.import_cdr import run

    run(settings, source or settings.calls.cdr, **options)


@main.command("import-contacts")
@click.argument("file", type=click.File("rb"))
@click.option("--owner", help="Login of the user whose they are, if the file names none.")
@click.option("--overwrite", is_flag=True, help="What the file says replaces what is here.")
@click.option("--dry-run", is_flag=True, help="Only say what would become of the rows.")
def import_contacts(file: IO[bytes], owner: str | None, overwrite: bool, dry_run: bool) -> None:
    """Enter the contacts of a CSV or vCard file ('-': standard input)."""
    commands.import_contacts(file, _user(owner) if owner else None, overwrite, dry_run)


@main.command()
@click.argument("number")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def erase(settings: configuration.Settings, number: str, yes: bool) -> None:
    """Erase what is kept of the person with a number. It can't be taken back."""
    commands.erase(settings, number, yes)


@main.command("demo-data")
def demo_data() -> None:
    """Sellers, customers and deals to look at. Only into an empty system."""
    import demo_data as story

    for line in story.load():
        click.echo(line)


def _user(login: str) -> User:
    found = User.get_or_none(User.login == login)
    if found is None:
        raise TrichterError(
            "there is no user '{login}'; 'trichter user list' shows all", login=login
        )
    return found


def _password(from_stdin: bool) -> str:
    if from_stdin:
        try:
            return sys.stdin.readline().rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise TrichterError("not in the encoding of this terminal", field="password") from error
    return click.prompt("Password", hide_input=True, confirmation_prompt=True)


def _on_stop(stop: Callable[[], None]) -> None:
    """Calls ``stop`` once, in a thread of its own, when we are told to end.

    systemd, Ctrl-C and ``trichter serve`` may tell us at the same moment. A handler that ran
    ``stop`` could be interrupted by the next signal, and wait for a lock that it holds itself.
    """
    told: SimpleQueue[int] = SimpleQueue()

    def wait() -> None:
        told.get()
        stop()

    threading.Thread(target=wait, name="stop", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _: told.put(signum))


if __name__ == "__main__":
    main(prog_name=Path(sys.argv[0]).stem)
