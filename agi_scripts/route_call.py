"""Decide whom to ring (T4), as the Stasis app does.

    same => n,AGI(agi://127.0.0.1:4573/route_call,${EXTEN})

The argument is the called number; without it the extension counts. Sets TRICHTER_DIAL_1, _2 (such
as PJSIP/101&PJSIP/102), TRICHTER_SECONDS_1, _2, and CALLERID(name) for known callers. Empty
TRICHTER_DIAL_1: nobody to ring, do what you did before. [trichter-inbound-agi] in asterisk_conf/ is
a context that uses it. Without the server: AGI(VENV/bin/python,-m,agi_scripts.route_call,${EXTEN})
"""

from __future__ import annotations

import sys

from agi_scripts.protocol import Request
from ari_app import router
from settings import Settings


def route_call(request: Request, settings: Settings) -> dict[str, str]:
    """The variables to set."""
    return router.variables(router.decide(request.number, request.did, settings))


if __name__ == "__main__":
    from agi_scripts.spawned import run

    sys.exit(run(route_call))
