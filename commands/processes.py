"""``trichter ari``, ``agi``, ``panel`` and ``serve``: what runs until it is told to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import click

from settings import Settings


@click.command()
@click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the events of all calls in this file, to send with a report of a wrong one.",
)
@click.option("--without-names", is_flag=True, help="Leave names and whole numbers out of it.")
@click.pass_obj
def ari(settings: Settings, record: Path | None, without_names: bool) -> None:
    """Record and route the calls of one Asterisk."""
    from ari_app.app import Telephony  # ari-py is slow to import, and only needed here
    from ari_app.tape import Tape

    try:
        tape = Tape(record, without_names) if record else None
    except OSError as error:
        raise click.ClickException(f"--record {record}: {error.strerror}") from error
    telephony = Telephony(settings, tape)
    on_stop(telephony.stop)
    telephony.run()


@click.command()
@click.pass_obj
def agi(settings: Settings) -> None:
    """Answer the dialplan's FastAGI look-ups."""
    from agi_scripts.server import serve

    serve(settings)


@click.command()
@click.pass_obj
def panel(settings: Settings) -> None:
    """Serve the web panel."""
    from panel.server import serve

    serve(settings)


@click.command()
@click.pass_obj
def serve(settings: Settings) -> None:
    """All processes under one parent, which restarts what dies."""
    from commands.supervisor import Supervisor

    supervisor = Supervisor(["ari", "agi", "panel"])
    on_stop(supervisor.stop)
    supervisor.run()


def on_stop(stop: Callable[[], None]) -> None:
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
