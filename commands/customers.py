"""``trichter import-contacts`` and ``erase``: customers come, and go for ever."""

from __future__ import annotations

from typing import IO

import click

from commands.answers import the_user
from formats import contact_file
from models import User
from settings import Settings
from verbs import contact_import, erasure, receipts
from verbs.contact_import import Outcome
from verbs.import_rows import Plan


@click.command("import-contacts")
@click.argument("file", type=click.File("rb"))
@click.option("--owner", help="Login of the user whose they are, if the file names none.")
@click.option("--overwrite", is_flag=True, help="What the file says replaces what is here.")
@click.option("--dry-run", is_flag=True, help="Only say what would become of the rows.")
def import_contacts(file: IO[bytes], owner: str | None, overwrite: bool, dry_run: bool) -> None:
    """Enter the contacts of a CSV or vCard file ('-': standard input)."""
    _enter(file, the_user(owner) if owner else None, overwrite, dry_run)


@click.command()
@click.argument("number")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def erase(settings: Settings, number: str, yes: bool) -> None:
    """Erase what is kept of the person with a number. It can't be taken back."""
    _erase(settings, number, yes)


def _enter(file: IO[bytes], owner: User | None, overwrite: bool, dry_run: bool) -> None:
    """Columns are known by their headings. Refused rows are named on standard error. Raises
    Refused for what is no table of contacts."""
    sheet = contact_file.read(file.read(contact_file.MOST_BYTES + 1))
    if not any(sheet.guess):
        raise click.ClickException(
            "none of the headings is known: name a column 'Name', another 'Phone'"
        )
    plan = Plan(sheet.guess, owner, overwrite)
    rows = zip(sheet.lines, sheet.rows, strict=True)
    if dry_run:
        outcome = contact_import.foretell(plan, rows, 0)[1]
    else:
        outcome = contact_import.run(plan, rows, None)
    _tell(outcome, dry_run)


def _tell(outcome: Outcome, dry_run: bool) -> None:
    for line in outcome.refused:
        click.echo(f"line {line.line}: {line.refusal}", err=True)
    counts = outcome.counts
    would = "would be " if dry_run else ""
    click.echo(
        f"{counts['new']} {would}new, {counts['updated']} {would}updated, "
        f"{counts['same']} known already, {counts['refused']} refused"
    )


def _erase(settings: Settings, number: str, yes: bool) -> None:
    """Raises Refused for no number, one of which nothing is known, and while they talk."""
    key, folders = settings.panel.secret_key, settings.recordings.folders
    person = erasure.of_number(number)
    found = erasure.traces(person).counts
    left = [one for one in receipts.found(key, number) if receipts.content(one)["left"]]
    if person.contact is None and not any(found.values()) and left:
        receipt = receipts.again(left[0], folders)
    else:
        about = ", ".join(f"{count} {kind}" for kind, count in found.items() if count)
        if not yes:
            name = person.name or person.numbers[0]
            click.confirm(f"Erase {name} ({about or 'nothing else'}) for ever?", abort=True)
        receipt = erasure.erase(person, None, key, folders)
    content = receipts.content(receipt)
    counts = ", ".join(f"{count} {kind}" for kind, count in content["counts"].items() if count)
    click.echo(f"receipt {receipt.id}: erased {counts}")
    if content["left"]:
        raise click.ClickException(
            f"{len(content['left'])} recordings could not be deleted: look at their folders, "
            "then erase the number again"
        )
