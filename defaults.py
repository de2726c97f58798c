"""What an empty system begins with: the seller funnel F1 and the call rules of T2."""

from __future__ import annotations

from database import database
from models import CallRule, Funnel

DAY = 86400
FUNNEL = "Sales"
# name, kind, buyer's phase, probability in percent, days until stuck, advice
STAGES: tuple[tuple[str, str, str, int, int | None, str], ...] = (
    ("Unsorted", "unsorted", "", 0, 1, "Find out what the caller needs, then sort the card."),
    ("Opportunity", "open", "motivation", 10, 7, "Ask for need, budget and who decides."),
    ("Commercial offer", "open", "interest", 30, 5, "Send the offer, then call about it."),
    ("Documents", "open", "decision", 60, 7, "Agree on the contract, clause by clause."),
    ("Signature and payment", "open", "action", 80, 7, "Get the signature, watch the payment."),
    ("Implementation", "open", "action", 95, 30, "Deliver, and stay in touch."),
    ("Completed", "won", "", 100, None, ""),
    ("Lost", "lost", "", 0, None, ""),
)
# situation, known number, effects
RULES = (
    ("incoming", False, "contact deal"),
    ("incoming", True, "deal"),
    ("missed", False, "contact deal task"),
    ("missed", True, "deal task"),
    ("outgoing", False, ""),
    ("outgoing", True, ""),
)


def install() -> None:
    """Put them in where there are none. Idempotent."""
    with database.atomic():
        if not Funnel.select().exists():
            Funnel.add(FUNNEL, _stages())
        if not CallRule.select().exists():
            for situation, known, effects in RULES:
                CallRule.add(situation, known, effects)


def _stages() -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "kind": kind,
            "buyer_phase": phase,
            "probability": chance,
            "stuck_after": days and days * DAY,
            "advice": advice,
        }
        for name, kind, phase, chance, days, advice in STAGES
    ]
