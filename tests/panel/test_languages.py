"""E1: every page is written in the language of who reads it, and so is what comes by itself."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
import texts
from flask import Flask, render_template_string
from flask_babel import gettext, ngettext

from errors import Conflict, Incomplete, Refused, Words
from fields import BadNumber, readable, utcnow
from models import Contact, Deal, Funnel, Stage, Task, User
from panel.languages import sentence
from tests.panel.catalogues import Seen, english, forms, of
from tests.panel.conftest import Browser, Visit
from tests.world import CUSTOMER, Story, World
from verbs import notes, tasks
from verbs.deals import assign


@pytest.fixture
def busy(world: World) -> World:
    """An office in which there is something of everything."""
    world.deal = (
        Story.begins(did="+4930555000").rings("PJSIP/101").answered("PJSIP/101").ended().call.deal
    )
    Story.begins("+493044701183", "1700000000.2").rings("PJSIP/101", "PJSIP/102").ended()
    Story.begins("+493044701184", "1700000000.3", direction="outgoing").ended(outcome="busy")
    world.deal.move_to(world.stage("Opportunity"), by=world.anna)
    assign(world.deal, world.ben, by=world.hugo)
    notes.add("Wants it.", world.ben, deal=world.deal)
    soon = utcnow() + timedelta(hours=2)
    world.task = tasks.add("Fitwerk", soon, world.anna, world.anna, "call", deal=world.deal)
    tasks.add("Late", utcnow() - timedelta(days=2), world.ada, world.ada, deal=world.deal)
    return world


def pages(world: World) -> list[str]:
    deal, contact = world.deal, Contact.get()
    stage, funnel = world.stage("Opportunity"), world.funnel
    return [
        *("/", "/?stuck=1", "/tasks", "/calls", "/calls/missed", "/calls/statistics", "/exchange"),
        *("/contacts", "/contacts/new", "/contacts/import", "/receipts", "/deals/new", "/search"),
        *("/search?q=fitwerk", "/shortcuts", "/account/", "/admin/", "/admin/departments/"),
        *("/admin/doctor/", "/admin/funnels/", "/admin/rules", "/admin/texts/", "/admin/users/"),
        *(f"/admin/funnels/{funnel.id}", f"/admin/stages/{stage.id}", "/admin/users/new"),
        *("/admin/rules/rule?situation=missed&caller=unknown", f"/admin/users/{world.ben.id}"),
        *(f"/deals/{deal.id}", f"/deals/{deal.id}/card", f"/tasks/{world.task.id}"),
        *(f"/contacts/{contact.id}", f"/contacts/{contact.id}/erasure", "/nowhere"),
    ]


def entered() -> set[str]:
    """What people wrote, and what was set up: it stays as it is."""
    stages = {t for stage in Stage.select() for t in (stage.name, *stage.advice.splitlines())}
    names = {row.name for table in (User, Funnel, Contact) for row in table.select()}
    titles = {row.title for table in (Deal, Task) for row in table.select()}
    return {" ".join(text.split()) for text in stages | names | titles} | {"English", "Wants it."}


def is_long(text: str) -> bool:
    """More than three words, of which some were not entered."""
    rest = [part for part in text.split(" → ") if part not in entered()]
    return len(re.findall(r"[^\W\d_]{2,}", " ".join(rest))) > 3


def read_on(browser: Browser, path: str) -> set[str]:
    answer = browser.get(path)
    assert answer.status_code == (404 if path == "/nowhere" else 200), path
    seen = Seen()
    seen.feed(answer.text)
    return set(seen.texts)


def speaks(user: User, language: str) -> None:
    user.locale = language
    user.save()


def translated(language: str) -> set[str]:
    """The texts that read otherwise in this language."""
    of_language = [(english(m)[0], forms(m)) for m in of(language) if m.id]
    return {text for text, said in of_language if any(said) and text not in said}


def test_no_english_is_left_on_a_page(busy: World, visit: Visit) -> None:
    others = {language: translated(language) for language in texts.LANGUAGES}
    ada, left = visit("ada"), {}
    for path in pages(busy):
        speaks(busy.ada, "en")
        before = read_on(ada, path)
        for language, differ in others.items():
            speaks(busy.ada, language)
            same = (read_on(ada, path) & before) - entered()
            if found := [text for text in same if text in differ or is_long(text)]:
                left[language, path] = found
    assert left == {}


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("ru-RU", "ru"),
        ("fr,ru;q=0.7,en;q=0.3", "ru"),
        ("fr-FR", "en"),
        ("", "en"),
    ],
)
def test_the_log_in_speaks_as_the_browser_asks(visit: Visit, asked: str, language: str) -> None:
    page = visit("").get("/login", headers={"Accept-Language": asked}).text
    assert f'<html lang="{language}">' in page
    assert {"en": "Log in", "de": "Anmelden", "ru": "Пароль"}[language] in page


def test_an_administrator_sets_the_language_of_somebody(world: World, visit: Visit) -> None:
    ada = visit("ada")
    page = ada.get(f"/admin/users/{world.ben.id}").text
    seen = html.unescape(re.findall(r'name="seen" value="([^"]*)"', page)[0])
    form = {"name": "Ben Okafor", "role": "seller", "endpoint": "PJSIP/102", "department": "Sales"}
    answer = ada.post(f"/admin/users/{world.ben.id}", {**form, "locale": "de", "seen": seen})
    assert answer.status_code in (200, 303)
    assert '<html lang="de">' in visit("ben").get("/").text
    assert '<html lang="en">' in ada.get("/").text


def test_a_new_user_speaks_as_the_one_who_adds_them(world: World, visit: Visit) -> None:
    speaks(world.ada, "de")
    page = visit("ada").get("/admin/users/new").text
    assert re.findall(r'<option value="(en|de|ru)" selected', page) == ["de"]


def test_what_is_live_speaks_as_the_one_who_listens(busy: World, visit: Visit) -> None:
    """Others act, in their languages; a missed call and a reminder are told in the listener's."""
    speaks(busy.anna, "de")
    speaks(busy.hugo, "ru")
    anna, hugo, ada = visit("anna"), visit("hugo"), visit("ada")
    Story.begins(CUSTOMER, "1700000000.9").rings("PJSIP/101")
    assert "Klingelt" in anna.get("/popups").text
    assign(busy.deal, busy.anna, by=busy.hugo)
    assert hugo.get("/").status_code == 200
    assert "hat den Deal an Anna Krüger gegeben" in anna.get(f"/deals/{busy.deal.id}").text
    assert "gave the deal to Anna Krüger" in ada.get(f"/deals/{busy.deal.id}").text
    assert "Jetzt fällig:" in anna.get(f"/tasks/{busy.task.id}/reminder").text
    back = Task.select().where(Task.title.startswith("Call back")).get()
    assert back.owner
    speaks(back.owner, "de")
    german = visit(back.owner.login).get(f"/tasks/{back.id}/reminder").text
    assert "zurückrufen" in german
    assert "Call back" not in german


def test_the_next_step_speaks_as_who_reads_it(busy: World, visit: Visit) -> None:
    """Planned in the pop-up by one, read by another; and left as it is by who only looks."""
    speaks(busy.anna, "de")
    speaks(busy.hugo, "ru")
    talk = Story.begins(CUSTOMER, "1700000000.9").rings("PJSIP/101").answered("PJSIP/101")
    talk.ended()
    anna, hugo = visit("anna"), visit("hugo")
    for kind in ("meeting", "offer"):
        form = {"kind": kind, "due": "tomorrow"}
        assert anna.post(f"/popups/{talk.call.id}/tasks", form).status_code == 303
    name = readable(CUSTOMER)
    meeting = Task.get(Task.kind == "meeting")
    assert meeting.title == f"Meeting with {name}"
    assert f"Termin mit {name}" in html.unescape(anna.get("/tasks").text)
    russian = hugo.get(f"/tasks/{meeting.id}").text
    title = re.search(r'name="title" value="([^"]+)"', russian)
    assert title
    assert html.unescape(title[1]) == f"Встреча: {name}"
    form = {"title": html.unescape(title[1]), "kind": "call", "when": "tomorrow"}
    assert hugo.post(f"/tasks/{meeting.id}", form).status_code == 303
    assert Task.get_by_id(meeting.id).title == meeting.title
    assert f"Termin mit {name}" in html.unescape(anna.get(f"/tasks/{meeting.id}").text)


def test_error_pages_speak_too(busy: World, visit: Visit, app: Flask) -> None:
    speaks(busy.anna, "de")
    anna = visit("anna")
    assert "Hier ist nichts" in anna.get("/nowhere").text
    answer = anna.post(f"/deals/{busy.deal.id}/fields", {"amount": "zwölf"})
    assert answer.status_code in (404, 422)
    said = anna.get("/nowhere", headers={"Accept": "text/html-partial"}).text
    assert said == "Diese Seite gibt es nicht, oder sie gehört jemand anderem."


def test_a_page_that_breaks_speaks_as_before(
    world: World, visit: Visit, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise RuntimeError

    speaks(world.anna, "de")
    anna = visit("anna")
    monkeypatch.setitem(app.view_functions, "tasks.index", broken)
    page = anna.get("/tasks").text
    assert '<html lang="de">' in page
    assert "Etwas ist schiefgegangen" in page
    assert "Noch einmal versuchen" in page


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refused("{login} is disabled", login="ben"), "ben ist deaktiviert"),
        (Conflict("Somebody else moved this deal just now."),
         "Diesen Deal hat gerade jemand anderes verschoben."),
        (Incomplete(["contact", "reason"]), "Zuerst ausfüllen: der Kontakt, der Grund."),
        (Refused("{error}", error=BadNumber("Lost")), "„Lost“ ist keine Telefonnummer"),
        (Refused("{fault}", fault=Words("nobody talks in a missed call: leave record out")),
         "bei einem verpassten Anruf spricht niemand: Aufnahme weglassen"),
        # A name that happens to be a word of the panel is still a name.
        (Refused("There is no user '{name}'.", name="Lost"), "Es gibt keinen Benutzer „Lost“."),
    ],
)  # fmt: skip
def test_refusals(app: Flask, error: Refused, said: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert sentence(error) == said


@pytest.mark.parametrize(
    ("language", "deals", "age"),
    [
        ("en", "12,345 deals", "1,234 d"),
        ("de", "12.345 Deals", "1.234 T."),
        ("ru", "12\u00a0345 сделок", "1\u00a0234 дн"),
    ],
)
def test_numbers_in_sentences(app: Flask, language: str, deals: str, age: str) -> None:
    in_template = (
        "{{ ngettext('%(num)d deal', '%(num)d deals', 12345) }}, {{ _('%(n)d d', n=1234) }}"
    )
    with app.test_request_context(headers={"Accept-Language": language}):
        assert render_template_string(in_template) == f"{deals}, {age}"
        assert ngettext("%(num)d deal", "%(num)d deals", 12345) == deals
        # Where no whole number is meant it stays as it is; small ones from a division are whole.
        assert gettext("%(n)d d", n=86400 * 3 // 86400.0).startswith("3 ")
        assert gettext("Owner: %(name)s", name=12345).endswith(" 12345")


def test_names_that_look_like_places_are_left_alone(app: Flask) -> None:
    """A customer called 100 %(sure)s breaks no page."""
    name = "100 %(sure)s {n}"
    with app.test_request_context(headers={"Accept-Language": "de"}):
        shown = render_template_string("{{ _('Owner: %(name)s', name=name) }}", name=name)
    assert html.unescape(shown) == f"Zuständig: {name}"
