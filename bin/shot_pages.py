"""The pages that pictures are taken of, and what is done on each before. Whatever address the panel
answers is either the start of one of these, or named among those that are no pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import shot_acts as acts
import shot_news as news
from flask import Flask


@dataclass(frozen=True)
class Shot:
    """One picture. ``who``: a login, '' for nobody; ``covers``: the endpoints that it shows;
    ``act``: what is done on the page first; ``whole``: all of the page, not only what the window
    holds; ``empty``: in the world where nothing has happened yet."""

    name: str
    address: str
    who: str
    covers: tuple[str, ...] = ()
    act: acts.Act | None = None
    whole: bool = True
    empty: bool = False


RINGS = "#popups .pop"
POPUPS = (
    Shot("popup-ringing", "/", "carla", ("popups.index", "popups.show"), whole=False),
    Shot("popup-talking", "/", "dirk", whole=False),
    Shot("popup-unknown", "/tasks", "eva", whole=False),
    Shot("popup-several", "/contacts", "fritz", whole=False),
)
SELLING = (
    Shot("board", "/", "anna", ("board.board",), whole=False),
    Shot("board-head", "/", "hugo", whole=False),
    Shot("board-filtered", "/?stuck=1&q=Telefonanlage", "hugo", whole=False),
    Shot("board-nothing", "/?q=xyzzy", "hugo", whole=False),
    Shot("board-chosen", "/", "hugo", act=acts.choose_cards, whole=False),
    Shot("board-quick", "/", "anna", act=acts.quick_add, whole=False),
    Shot("board-new", "/", "anna", act=acts.press(".top .btn--go", "#new-deal"), whole=False),
    Shot("account-menu", "/", "anna", act=acts.press(".me", "#me-menu"), whole=False),
    Shot("column", "/board/stages/{stage}/cards", "anna", ("board.more_cards",)),
    Shot("deal-new", "/deals/new", "anna", ("deals.new",)),
    Shot("deal", "/deals/{deal}", "anna", ("deals.deal",)),
    Shot("deal-long", "/deals/{long}", "anna"),
    Shot("deal-bare", "/deals/{bare}", "anna"),
    Shot("deal-talks", "/deals/{talk}", "hugo"),
    Shot("deal-print", "/deals/{deal}", "anna", act=acts.on_paper),
    Shot("deal-player", "/deals/{deal}", "anna", act=acts.play, whole=False),
    Shot("move-lost", "/deals/{deal}", "anna", act=acts.to_stage(acts.LOST), whole=False),
    Shot("move-won", "/deals/{bare}", "anna", act=acts.to_stage(acts.WON), whole=False),
    Shot("move-asks", "/deals/{bare}", "anna", act=acts.to_stage(acts.ASKS), whole=False),
    Shot("tasks", "/tasks", "anna", ("tasks.index",)),
    Shot("tasks-late", "/tasks", "anna", act=acts.snooze),
    Shot("tasks-none", "/tasks", "ada"),
    Shot("task", "/tasks/{task}", "anna", ("tasks.task",)),
    Shot("task-next", "/tasks/{task}/next", "anna", ("tasks.next_step",)),
    Shot("search", "/", "hugo", act=acts.search("holm"), whole=False),
    Shot("search-page", "/search?q=fitwek", "hugo", ("search.index",)),
    Shot("search-none", "/search?q=xyzzy", "hugo"),
)
CUSTOMERS = (
    Shot("contacts", "/contacts", "hugo", ("contacts.index",)),
    Shot("contacts-none", "/contacts?q=xyzzy", "hugo"),
    Shot("contact", "/contacts/{contact}", "hugo", ("contact.show",)),
    Shot("contact-long", "/contacts/{long_contact}", "anna"),
    Shot("contact-new", "/contacts/new", "anna", ("contacts.new",)),
    Shot("company", "/companies/{company}", "hugo", ("companies.show",)),
    Shot("merge", "/contacts/{contact}/merge/{twin}", "hugo", ("contact.merge",)),
    Shot("erasure", "/contacts/{contact}/erasure", "hugo", ("contact.ask_erasure",)),
    Shot("receipts", "/receipts", "hugo", ("receipts.index",)),
    Shot("receipt", "/receipts/{receipt}", "hugo", ("receipts.show",)),
    Shot("import", "/contacts/import", "hugo", ("contact_import.index",)),
    Shot("import-wrong", "/contacts/import", "hugo", act=acts.upload(text="x")),
    Shot("import-preview", "/contacts/import", "hugo", ("contact_import.preview",), acts.upload()),
    Shot(
        "import-result",
        "/contacts/import",
        "hugo",
        ("contact_import.result",),
        acts.upload(acts.run_import),
    ),
)
CALLS = (
    Shot("calls", "/calls", "hugo", ("calls.index",)),
    Shot("calls-seller", "/calls?direction=incoming&outcome=missed", "anna"),
    Shot("missed", "/calls/missed", "hugo", ("calls.missed",)),
    Shot("statistics", "/calls/statistics", "hugo", ("call_statistics.index",)),
    Shot("exchange", "/exchange", "hugo", ("exchange.index",)),
)
SETUP = (
    Shot("setup", "/admin/", "ada", ("admin.index",)),
    Shot("users", "/admin/users/", "ada", ("admin_users.index",)),
    Shot("user", "/admin/users/{user}", "ada", ("admin_users.show",)),
    Shot("user-new", "/admin/users/new", "ada", ("admin_users.new",)),
    Shot("departments", "/admin/departments/", "ada", ("admin_departments.index",)),
    Shot("funnels", "/admin/funnels/", "ada", ("admin_funnels.index",)),
    Shot("funnel", "/admin/funnels/{funnel}", "ada", ("admin_funnels.show",)),
    Shot("stage", "/admin/stages/{stage}", "ada", ("admin_stages.show",)),
    Shot("rules", "/admin/rules", "ada", ("rules.index",)),
    Shot("rule", "/admin/rules/rule?situation=missed&caller=unknown", "ada", ("rules.rule",)),
    Shot("texts", "/admin/texts/", "ada", ("admin_texts.index",)),
    Shot("doctor", "/admin/doctor/", "ada", ("admin_doctor.index",)),
    Shot("doctor-found", "/admin/doctor/", "ada", act=acts.check_up),
    Shot("account", "/account/", "anna", ("account.index",)),
    Shot("shortcuts", "/shortcuts", "anna", ("shortcuts.index",)),
    Shot("shortcuts-asked", "/", "anna", act=acts.ask_for_keys, whole=False),
)
OUTSIDE = (
    Shot("login", "/login", "", ("auth.login",)),
    Shot("login-wrong", "/login", "", act=acts.wrong_login),
    Shot("error-403", "/broken/403", "anna"),
    Shot("error-404", "/deals/0", "anna"),
    Shot("error-409", "/deals/{deal}", "anna", act=news.move_too_late),
    Shot("error-500", "/broken/500", "anna"),
)
FIRST = tuple(
    Shot(f"first-{name}", address, "ada", whole=name != "board", empty=True)
    for name, address in (
        ("board", "/"),
        ("tasks", "/tasks"),
        ("calls", "/calls"),
        ("missed", "/calls/missed"),
        ("statistics", "/calls/statistics"),
        ("contacts", "/contacts"),
        ("receipts", "/receipts"),
        ("exchange", "/exchange"),
        ("setup", "/admin/"),
        ("users", "/admin/users/"),
        ("departments", "/admin/departments/"),
        ("doctor", "/admin/doctor/"),
    )
)
# Last of all: what is asked for is told of on every page for a while.
DIALLED = Shot("deal-dial", "/deals/{deal}", "anna", ("requests.show",), act=news.dial, whole=False)
ASKED = (
    DIALLED,
    Shot("popup-ended", "/", "greta", act=news.hang_up, whole=False),
    Shot("exchange-listening", "/exchange", "hugo", act=news.listen, whole=False),
    Shot("toast-reminder", "/contacts", "anna", act=news.remind, whole=False),
)
SHOTS = (*FIRST, *OUTSIDE, *SELLING, *CUSTOMERS, *CALLS, *SETUP, *POPUPS, *ASKED)

NO_PAGES = frozenset(
    {
        "broken",
        "static",
        "board.card",
        "board.column_heads",
        "call_statistics.download",
        "calls.count",
        "contact_import.refused",
        "contacts.export",
        "deals.entries",
        "exchange.now",
        "health.figures",
        "health.healthz",
        "live.stream",
        "popups.after",
        "recordings.recording",
        "tasks.count",
        "tasks.reminder",
    }
)
"""Files, figures, and parts of pages that scripts ask for."""


def missing(app: Flask, shots: Iterable[Shot] = SHOTS) -> list[str]:
    """Addresses of the panel of which there is no picture."""
    shown = NO_PAGES.union(*(shot.covers for shot in shots))
    return sorted(
        f"{rule.endpoint} ({rule.rule})"
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint not in shown
    )
