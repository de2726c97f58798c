"""The spawned form of the scripts: Asterisk starts one process a call and talks over its pipes."""

from __future__ import annotations

import sys

import models
import settings
from agi_scripts.protocol import Agi, AgiError, HungUp, Request
from agi_scripts.reading import LookUp, ask, hurry
from database import DATABASE_ERRORS, DatabaseTrouble, database, explain


def run(look_up: LookUp) -> int:
    """Do one look-up. Returns the exit code: anything but 0 makes AGISTATUS FAILURE."""
    agi = Agi.over_pipes()
    try:
        loaded = settings.load()
        models.connect(loaded)
        hurry()
        request = Request.of(agi.environment(), sys.argv[1:])
        for name, value in ask(look_up, request, loaded).items():
            agi.set_variable(name, value)
    except HungUp:
        return 0
    except DATABASE_ERRORS as error:
        return _failed(look_up, explain(error))
    except (AgiError, DatabaseTrouble, settings.SettingsError) as error:
        return _failed(look_up, str(error))
    finally:
        if database.obj is not None:
            database.close()
    return 0


def _failed(look_up: LookUp, reason: str) -> int:
    """Asterisk shows on its console what a script writes to stderr."""
    print(f"trichter {look_up.__name__}: {reason}; the call goes on without it", file=sys.stderr)
    return 1
