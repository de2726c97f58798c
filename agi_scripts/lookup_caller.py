"""Show the customer's name and stage on the desk phones (T12).

    same => n,AGI(agi://127.0.0.1:4573/lookup_caller)

sets CALLERID(name) to 'customer · stage'; callers who are not known keep the name they came with.
Without the server, and slower: AGI(VENV/bin/python,-m,agi_scripts.lookup_caller)
"""

from __future__ import annotations

import sys

from agi_scripts.protocol import Request
from ari_app.router import caller
from settings import Settings


def lookup_caller(request: Request, settings: Settings) -> dict[str, str]:
    """The variables to set: CALLERID(name), or none."""
    customer = caller(request.number)
    return {"CALLERID(name)": customer.display} if customer and customer.display else {}


if __name__ == "__main__":
    from agi_scripts.spawned import run

    sys.exit(run(lookup_caller))
