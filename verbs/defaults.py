"""What an empty system begins with: the seller funnel F1 and the call rules of T2."""

from __future__ import annotations

from collections.abc import Callable

from database import database
from errors import Words
from models import CallRule, Funnel
from verbs.funnels import build_funnel
from verbs.rule_choice import add_rule

DAY = 86400
FUNNEL = Words("Sales")
# name, kind, buyer's phase, probability in percent, days until stuck, advice
STAGES: tuple[tuple[Words, str, str, int, int | None, Words], ...] = (
    (Words("Unsorted"), "unsorted", "", 0, 1,
     Words("Find out what the caller needs, then sort the card.")),
    (Words("Opportunity"), "open", "motivation", 10, 7,
     Words("Ask for need, budget and who decides.")),
    (Words("Commercial offer"), "open", "interest", 30, 5,
     Words("Send the offer, then call about it.")),
    (Words("Documents"), "open", "decision", 60, 7,
     Words("Agree on the contract, clause by clause.")),
    (Words("Signature and payment"), "open", "action", 80, 7,
     Words("Get the signature, watch the payment.")),
    (Words("Implementation"), "open", "action", 95, 30,
     Words("Deliver, and stay in touch.")),
    (Words("Completed"), "won", "", 100, None, Words()),
    (Words("Lost"), "lost", "", 0, None, Words()),
)  # fmt: skip
# situation, known number, effects
RULES = (
    ("incoming", False, "contact deal"),
    ("incoming", True, "deal"),
    ("missed", False, "contact deal task"),
    ("missed", True, "deal task"),
    ("outgoing", False, ""),
    ("outgoing", True, ""),
)


def install(said: Callable[[str], str] = str) -> None:
    """Put them in where there are none, in the language that ``said`` speaks. Idempotent."""
    with database.atomic():
        if not Funnel.select().exists():
            build_funnel(said(FUNNEL), _stages(said))
        if not CallRule.select().exists():
            for situation, known, effects in RULES:
                add_rule(situation, known, effects)


def _stages(said: Callable[[str], str]) -> list[dict[str, object]]:
    return [
        {
            "name": said(name),
            "kind": kind,
            "buyer_phase": phase,
            "probability": chance,
            "stuck_after": days and days * DAY,
            "advice": said(advice) if advice else "",
        }
        for name, kind, phase, chance, days, advice in STAGES
    ]
