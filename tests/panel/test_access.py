"""Who may do what (R1-R3): every address of the panel, by everybody. The table is held against the
panel's own addresses, so that a new one can't be forgotten."""

from __future__ import annotations

import re
import wave
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from flask import Flask, url_for
from werkzeug.test import TestResponse

import settings
from database import database
from errors import Refused
from fields import utcnow
from models import (
    Call,
    CallRequest,
    Company,
    Contact,
    Deal,
    Department,
    Device,
    Funnel,
    IgnoredNumber,
    Merge,
    Note,
    Phone,
    QueueState,
    Reason,
    Stage,
    StageChange,
    Task,
    User,
    Wording,
)
from panel import contact_import, create_app
from panel.checkup import Checkup
from tests.panel.conftest import FRAGMENT, Browser, Visit
from tests.world import Story, World
from verbs import contacts, merges, notes, receipts, tasks
from verbs import requests as asked
from verbs.contact_import import Outcome
from verbs.import_rows import Line
from verbs.wordings import LENGTHS

ALL = frozenset({"anna", "olga", "hugo", "ada"})
OWN = ALL - {"olga"}
HEADS, ADMIN = frozenset({"hugo", "ada"}), frozenset({"ada"})
ANNA, HUGO = frozenset({"anna"}), frozenset({"hugo"})
"""Who asked for it, or at whose phone it rings: not even a head."""
EVERYBODY = {"auth.login", "auth.logout", "health.healthz", "health.figures", "static"}
"""Also who is not logged in."""
HOSTILE = "\"'><img src=x onerror=alert(1)>' onerror='alert(1)"
WRITTEN: dict[Any, str] = {
    Call: "number_text name did queue",
    Company: "name website notes",
    Contact: "name position email tags",
    Deal: "title lost_reason",
    Department: "name",
    Device: "endpoint",
    Funnel: "name",
    IgnoredNumber: "note",
    Note: "text",
    QueueState: "name",
    Reason: "name",
    Stage: "name buyer_phase advice colour",
    StageChange: "reason",
    Task: "title result",
    User: "name endpoint",
}
"""Columns that hold what somebody wrote, or might have."""
RULE = {"situation": "incoming", "caller": "known"}

TABLE = """
ALL: board.board account.index account.language account.log_out_everywhere account.password
  board.column_heads board.more_cards bulk.enter calls.index calls.missed calls.count
  contacts.index contacts.create contacts.new deals.create deals.new live.stream popups.index
  search.index shortcuts.index tasks.index tasks.create tasks.count
OWN: board.card companies.show companies.change contact.show contact.change contact.check
  contact.merge contact.merged contact.part contact.add_note contact.remove_note
  contact.add_number contact.remove_number deals.deal deals.entries deal_fields.change
  deal_fields.contact deal_fields.check deal_fields.add_number deal_fields.remove_number
  moves.create moves.undo notes.create notes.change notes.remove recordings.recording
  requests.create tasks.task tasks.change tasks.finish tasks.put_off tasks.next_step tasks.reopen
HEADS: bulk.move bulk.give bulk.give_back bulk.undo moves.owner moves.give_back
  contact.ask_erasure contact.erase contacts.export
  contact_import.index contact_import.upload receipts.index receipts.show receipts.again
  requests.listen exchange.index exchange.now call_statistics.index call_statistics.download
ADMIN: admin.index admin_departments.index admin_departments.create admin_departments.change
  admin_departments.remove admin_doctor.index admin_doctor.run admin_funnels.index
  admin_funnels.create admin_funnels.show admin_funnels.change admin_funnels.archive
  admin_funnels.order_stages admin_funnels.order admin_funnels.add_reason
  admin_funnels.remove_reason admin_funnels.order_reasons admin_stages.create admin_stages.show
  admin_stages.change admin_stages.remove admin_texts.index admin_texts.change admin_users.index
  admin_users.create admin_users.show admin_users.change admin_users.disable admin_users.enable
  admin_users.password admin_users.new rules.index rules.ignore rules.stop_ignoring
  rules.add_number rules.remove_number rules.rule rules.change rules.remove
ANNA: popups.show popups.after popups.note popups.contact popups.plan requests.show requests.end
  tasks.reminder
HUGO: requests.change contact_import.preview contact_import.run contact_import.refused
  contact_import.result
"""
GROUPS = {"ALL": ALL, "OWN": OWN, "HEADS": HEADS, "ADMIN": ADMIN, "ANNA": ANNA, "HUGO": HUGO}
WHO: dict[str, frozenset[str]] = {
    endpoint: GROUPS[who]
    for who, endpoints in re.findall(r"^([A-Z]+):((?:.|\n )+)", TABLE, re.MULTILINE)
    for endpoint in endpoints.split()
}


@dataclass
class Things:
    """Ids of Anna's rows by the name that addresses give them; and what queries and forms must say
    at least, by endpoint."""

    paths: dict[str, dict[str, Any]]
    said: dict[str, dict[str, Any]]
    shared: dict[str, Any]

    def path(self, app: Flask, endpoint: str) -> str:
        with app.test_request_context():
            rule = next(r for r in app.url_map.iter_rules() if r.endpoint == endpoint)
            values = {**self.shared, **self.paths.get(endpoint.partition(".")[0], {})}
            values |= self.paths.get(endpoint, {})
            known = {name: values[name] for name in rule.arguments}
            return url_for(endpoint, **known, **self.said.get(endpoint, {}))


@pytest.fixture
def app(world: World, tmp_path: Path) -> Flask:
    with wave.open(str(tmp_path / "call.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(1600))
    kept = settings.Recordings((str(tmp_path),))
    made = create_app(replace(world.settings, recordings=kept))
    # It has tests of its own, and takes its time.
    made.extensions["checkup"] = Mock(Checkup, **{"state.return_value": None})
    return made


@pytest.fixture
def things(world: World) -> Things:
    """Anna has talked with Jörg, who is in a company; another caller rings at her phone now."""
    talked = Story.begins(name="Jörg").rings("PJSIP/101").answered("PJSIP/101").ended().call
    Call.update(recording="call.wav").where(Call.id == talked.id).execute()
    rings = Story.begins("+493023125190", "1.2").rings("PJSIP/101").call
    contact, deal = talked.contact, talked.deal
    assert contact
    contacts.change(contact, world.anna, company="Fitwerk")
    other, third = Contact.add("Jörg K.", world.anna), Contact.add("Jörg Kr.", world.anna)
    merged = merges.merge(contact, third, world.anna)
    note = notes.add("Wants a roof", world.anna, contact=contact)
    task = tasks.add("Offer", utcnow(), world.anna, world.anna, deal=deal)
    request = asked.call_out(world.anna, contact.phones.get().e164, "asterisk", deal)
    wish = {"pbx": "asterisk", "kind": "listen", "call": rings}
    listens = CallRequest.create(user=world.hugo, channel="trichter-1", **wish)
    ignored = IgnoredNumber.create(e164="+4930999999")
    receipt = receipts.write(None, "", [], {"recordings": 0}, [])
    stage = world.stage("Opportunity").id
    ids = {
        "board": deal, "calls": talked, "companies": contact.company, "contact": contact,
        "deals": deal, "deal_fields": deal, "moves": deal, "notes": note, "popups": talked,
        "recordings": talked, "receipts": receipt, "rules": ignored, "tasks": task,
        "notes.create": deal, "popups.show": rings, "requests.show": request,
        "requests.end": request, "requests.change": listens, "requests.listen": rings,
    }  # fmt: skip
    return Things(
        {name: {"number": row.id} for name, row in ids.items()},
        {
            "requests.create": {"deal": deal.id, "number": contact.phones.get().e164},
            "contact.merged": {"other": other.id},
            "tasks.put_off": {"when": "hour"},
            "contact_import.run": {"m": ""},
            **dict.fromkeys(("rules.rule", "rules.change", "rules.remove"), RULE),
        },
        {
            "department": world.anna.department_id,
            "form": "csv",
            "funnel": world.funnel.id,
            "merge_id": Merge.get(Merge.id == merged.id).id,
            "note": note.id,
            "other": other.id,
            "phone": Phone.get(Phone.contact == contact).id,
            "reason": Reason.create(name="Too dear").id,
            "stage": stage,
            "token": "t",
            "user": world.anna.id,
        },
    )


@pytest.fixture
def upload(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hugo's file, of which a row was refused."""
    line = Line(2, ["x"], fate="refused", refusal=Refused("no"))
    outcome = Outcome(refused=[line])
    data = b"name\nJens\n"
    file = contact_import.Upload(world.hugo.id, "a.csv", data, columns=["name"], outcome=outcome)
    monkeypatch.setitem(contact_import._uploads, "t", file)


class Browsers:
    """Everybody's session, which each request begins with anew, and which nothing changes."""

    def __init__(self, app: Flask, visit: Visit) -> None:
        self.app = app
        self.sessions = {}
        for login in ("", *sorted(ALL)):
            browser = visit(login)
            browser.get("/" if login else "/login")
            cookie = browser.client.get_cookie("trichter")
            assert cookie
            self.sessions[login] = (cookie.value, browser.token)

    def ask(
        self, login: str, method: str, path: str, form: dict[str, Any], **options: Any
    ) -> TestResponse:
        """The answer; whatever was changed is undone."""
        cookie, token = self.sessions[login]
        browser = Browser(self.app)
        browser.client.set_cookie("trichter", cookie)
        data = {"csrf_token": token, **form} if method == "POST" else None
        with database.atomic() as transaction:
            answer = browser.client.open(path, method=method, data=data, **options)
            answer.close()
            transaction.rollback()
        return answer


@pytest.fixture
def browsers(app: Flask, visit: Visit, things: Things) -> Browsers:
    return Browsers(app, visit)


def addresses(app: Flask) -> list[tuple[str, str]]:
    """Every endpoint with each of its methods."""
    rules = list(app.url_map.iter_rules())
    return [(r.endpoint, m) for r in rules for m in sorted((r.methods or set()) & {"GET", "POST"})]


def test_the_table_is_whole(app: Flask) -> None:
    there = {endpoint for endpoint, _ in addresses(app)}
    assert there - EVERYBODY == WHO.keys()
    methods = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert methods == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.usefixtures("upload")
def test_everybody_gets_in_where_they_may_and_nowhere_else(
    app: Flask, browsers: Browsers, things: Things
) -> None:
    wrong = []
    for endpoint, method in addresses(app):
        if endpoint in EVERYBODY:
            continue
        path, form = things.path(app, endpoint), things.said.get(endpoint, {})
        for login in sorted(ALL):
            status = browsers.ask(login, method, path, form).status_code
            let_in = status in (200, 204, 302, 303, 409, 422)
            turned_away = status in (403, 404)
            if not (let_in if login in WHO[endpoint] else turned_away):
                wrong.append(f"{login} {method} {path} ({endpoint}): {status}")
    assert not wrong


def test_nobody_gets_in_without_a_log_in(app: Flask, browsers: Browsers, things: Things) -> None:
    for endpoint, method in addresses(app):
        if endpoint in EVERYBODY:
            continue
        path = things.path(app, endpoint)
        answer = browsers.ask("", method, path, {})
        if method == "GET":
            assert answer.status_code == 303, path
            assert answer.headers["Location"].startswith("/login?next="), path
        else:
            assert answer.status_code == 401, path
        assert browsers.ask("", method, path, {}, headers=FRAGMENT).status_code == 401, path


def test_no_form_goes_without_its_token(app: Flask, browsers: Browsers, things: Things) -> None:
    posts = [endpoint for endpoint, method in addresses(app) if method == "POST"]
    for endpoint in posts:
        path = things.path(app, endpoint)
        for token in ("", browsers.sessions["olga"][1]):
            answer = browsers.ask("ada", "POST", path, {"csrf_token": token})
            assert answer.status_code == 400, path


def test_what_is_gone_or_was_never_there_is_told_in_the_same_words(
    app: Flask, browsers: Browsers, things: Things
) -> None:
    """R1: of a foreign row an outsider learns no more than of none."""
    for endpoint, method in addresses(app):
        if WHO.get(endpoint) != OWN:
            continue
        path = things.path(app, endpoint)
        form = things.said.get(endpoint, {})
        nowhere = re.sub(r"/\d+", "/987654321", path)
        foreign, none = (browsers.ask("olga", method, p, form) for p in (path, nowhere))
        assert foreign.status_code == none.status_code == 404, path
        assert without_tokens(foreign) == without_tokens(none).replace(nowhere, path), path


def test_forms_name_no_foreign_rows(browsers: Browsers, things: Things, world: World) -> None:
    """Also where the address is that of an own row."""
    deal, contact = things.paths["deals"]["number"], things.paths["contact"]["number"]
    call, task = things.paths["calls"]["number"], things.paths["tasks"]["number"]
    number = things.said["requests.create"]["number"]
    mine = Contact.add("Olga's", world.olga)
    card = Deal.open("Olga's", world.olga, world.olga)
    for path, form in (
        ("/tasks", {"deal": deal, "title": "x", "when": "hour"}),
        ("/tasks", {"after": task, "title": "x", "when": "hour"}),
        ("/deals", {"call": call, "title": "x"}),
        ("/call-requests", {"deal": deal, "number": number}),
        ("/call-requests", {"contact": contact, "number": number}),
        ("/call-requests", {"call": call}),
        (f"/deals/{card.id}/contact", {"contact": contact}),
        (f"/contacts/{mine.id}/merges", {"other": contact}),
        (f"/contacts/{mine.id}/merges/{things.shared['merge_id']}/undo", {}),
        (f"/contacts/{mine.id}/numbers/{things.shared['phone']}/removal", {}),
        (f"/deals/{card.id}/numbers/{things.shared['phone']}/remove", {}),
    ):
        assert browsers.ask("olga", "POST", path, form).status_code == 404, (path, form)
    assert browsers.ask("olga", "GET", f"/deals/new?call={call}", {}).status_code == 404
    # A number can't be had from a list of all: it is refused, and nobody named.
    answer = browsers.ask("olga", "POST", "/deals", {"title": "x", "number": number})
    assert answer.status_code == 422
    assert "Jörg" not in answer.text


def without_tokens(answer: TestResponse) -> str:
    """Nor where its stream begins, which time tells."""
    mine = r'(csrf-token" content|csrf_token" value|data-live-url)="[^"]+"'
    return re.sub(mine, "", answer.text)


def test_what_people_and_telephones_write_stays_text(
    app: Flask, browsers: Browsers, things: Things, world: World
) -> None:
    """Whatever column it stands in, and whichever page shows it."""
    for table, columns in WRITTEN.items():
        for column in columns.split():
            for row in table.select():
                # Some are unique; a number of one's own stands behind the text.
                table.update(**{column: f"{HOSTILE}{row.id}"}).where(table.id == row.id).execute()
    Wording.insert_many([{"name": name, "text": HOSTILE} for name in LENGTHS]).execute()
    pages = 0
    for endpoint, method in addresses(app):
        if endpoint in EVERYBODY - {"auth.login"} or method == "POST":
            continue
        path = things.path(app, endpoint)
        for headers in ({}, FRAGMENT):
            login = min(WHO.get(endpoint, {""}))
            answer = browsers.ask(login, "GET", path, {}, headers=headers)
            if "text/html" in answer.content_type:
                pages += 1
                assert "<img src=x" not in answer.text, path
                assert "' onerror" not in answer.text, path
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'self'; object-src 'none'"), path
            assert "unsafe" not in policy, path
    assert pages > 70
