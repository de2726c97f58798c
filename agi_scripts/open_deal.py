"""Tell the dialplan which deal the caller has open.

    same => n,AGI(agi://127.0.0.1:4573/open_deal)

sets TRICHTER_DEAL (its number), TRICHTER_STAGE, TRICHTER_OWNER (login) and TRICHTER_CONTACT (name);
all are empty when there is none. Stage and contact are text that people wrote: put them in quotes
in expressions. Without the server: AGI(VENV/bin/python,-m,agi_scripts.open_deal)
"""

from __future__ import annotations

import sys

from agi_scripts.protocol import Request
from ari_app.router import caller, plain
from settings import Settings

NAMES = ("TRICHTER_DEAL", "TRICHTER_STAGE", "TRICHTER_OWNER", "TRICHTER_CONTACT")


def open_deal(request: Request, settings: Settings) -> dict[str, str]:
    """The variables to set."""
    customer = caller(request.number)
    if customer is None or customer.deal is None:
        return dict.fromkeys(NAMES, "")
    found = (str(customer.deal), plain(customer.stage), customer.owner, plain(customer.contact))
    return dict(zip(NAMES, found, strict=True))


if __name__ == "__main__":
    from agi_scripts.spawned import run

    sys.exit(run(open_deal))
