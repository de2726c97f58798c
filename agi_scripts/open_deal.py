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


def open_deal(request: Request, settings: Settings) -> dict[str, str]:
    """The variables to set."""
    contact, deal = caller(request.number)
    return {
        "TRICHTER_DEAL": str(deal.get_id()) if deal else "",
        "TRICHTER_STAGE": plain(deal.stage.name) if deal else "",
        "TRICHTER_OWNER": deal.owner.login if deal and deal.owner else "",
        "TRICHTER_CONTACT": plain(contact.name) if deal and contact else "",
    }


if __name__ == "__main__":
    from agi_scripts.spawned import run

    sys.exit(run(open_deal))
