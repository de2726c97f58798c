"""/admin/rules: for administrators, the matrix and what they do with it, in how many queries."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from playhouse.test_utils import count_queries

import fields
from fields import normalise, utcnow
from models import CallRule, Contact, Deal, Department, Event, IgnoredNumber
from panel import create_app
from telephony.numbering import OwnNumbers, Prefixes
from tests.panel.conftest import Browser, Visit
from tests.world import CUSTOMER, Story, World
from verbs import rules, users
from verbs.rule_choice import effects_for
from verbs.rules import Rule

SERVICE = "+4930555000"
KEY = {"did": "", "situation": "missed", "caller": "unknown"}
PAGES = ("/admin/rules", "/admin/rules/rule?did=&situation=missed&caller=known")
ACTS: dict[str, dict[str, Any]] = {
    "/admin/rules/rule": {**KEY, "effects": "deal", "seen": "contact deal task|last|0"},
    "/admin/rules/rule/removal": {**KEY, "seen": "contact deal task|last|0"},
    "/admin/rules/numbers": {"did": SERVICE},
    "/admin/rules/numbers/removal": {"did": SERVICE},
    "/admin/rules/ignored": {"ignored": CUSTOMER},
    "/admin/rules/ignored/1/removal": {},
}


@pytest.fixture
def ada(visit: Visit) -> Browser:
    return visit("ada")


def words(text: str) -> str:
    """What of a page can be read, in one line."""
    body = re.sub(r"(?s)<(script|svg|head)\b.*?</\1>", " ", text)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def row(text: str, rule: Rule) -> str:
    """What the page says of a rule."""
    known = "known" if rule.known else "unknown"
    place = f"{rule.situation}-{known}-{rule.did.encode().hex()}"
    found = re.search(rf'(?s)<tr role="row" id="{place}".*?</tr>', text)
    return words(found[0]) if found else ""


def form_of(browser: Browser, **key: str) -> dict[str, str]:
    """The hidden fields of a rule's form, as a browser would send them."""
    page = browser.get("/admin/rules/rule", query_string={**KEY, **key}).text
    form = re.search(r'(?s)action="/admin/rules/rule".*?</form>', page)
    assert form
    return {
        name: unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0])
    }


def changed(browser: Browser, form: dict[str, Any]) -> int:
    return browser.post("/admin/rules/rule", form).status_code


@pytest.mark.parametrize("login", ["anna", "olga", "hugo"])
def test_for_the_others_it_does_not_exist(world: World, visit: Visit, login: str) -> None:
    rules.add_number(SERVICE, by=world.ada)
    IgnoredNumber.create(e164="+4930111222")
    before = rules.matrix()
    browser = visit(login)
    for path in PAGES:
        assert browser.get(path).status_code == 404
    for path, form in ACTS.items():
        assert browser.post(path, form).status_code == 404
    assert "/admin" not in browser.get("/").text
    assert rules.matrix() == before
    assert [number.e164 for number in IgnoredNumber.select()] == ["+4930111222"]


def test_nobody_is_sent_to_the_login(world: World, visit: Visit) -> None:
    answer = visit("").get("/admin/rules")
    assert (answer.status_code, answer.location[:7]) == (303, "/login?")


def test_no_act_without_its_token(app: Flask, ada: Browser) -> None:
    for path, form in ACTS.items():
        answer = ada.client.post(path, data=form)
        assert answer.status_code == 400, path
    assert not Event.of_kind("rules.changed").exists()


def test_the_matrix_at_a_glance(world: World, ada: Browser) -> None:
    Department.update(did=SERVICE).where(Department.name == "Service").execute()
    rules.change(Rule(SERVICE, "missed", True, ("deal", "task"), "turns", 30), "", by=world.ada)
    CallRule.delete().where(CallRule.did == "", CallRule.situation == "outgoing").execute()
    text = ada.get("/admin/rules").text
    assert row(text, Rule("", "incoming", False)) == (
        "Incoming, answered unknown number contact deal who talks "
        "Change Incoming, answered, unknown number, All called numbers"
    )
    own = row(text, Rule(SERVICE, "missed", True))
    assert "deal task none within 30 days after the last deal in turn" in own
    assert "+49 30 555000 Service" in words(text)
    assert words(text).count("as for all numbers") == 5
    assert 'href="/admin/rules" aria-current="page"' in text


def test_hostile_names_are_text(world: World, ada: Browser) -> None:
    did = rules.add_number('"><script>alert(1)</script>', by=world.ada)
    rules.ignore(CUSTOMER, "<b>taxi</b>", by=world.ada)
    text = ada.get("/admin/rules?situation=missed&number=<i>&did=<u>").text
    for written in ("<script>alert", "<b>taxi", "<i>", "<u>"):
        assert written not in text
    form = form_of(ada, did=did)
    assert form["did"] == did
    assert changed(ada, {**form, "effects": "deal"}) == 303
    assert effects_for("missed", False, did) == {"deal"}


def test_change(world: World, ada: Browser) -> None:
    form = form_of(ada)
    assert form["seen"] == "contact deal task|last|0"
    answer = ada.post(
        "/admin/rules/rule",
        {**form, "effects": ["task", "contact"], "missed_owner": "turns", "repeat_after": ""},
    )
    assert answer.location == "/admin/rules#missed-unknown-"
    assert Rule("", "missed", False, ("contact", "task"), "turns") in rules.matrix()
    assert Event.of_kind("rules.changed").get().user == world.ada
    assert changed(ada, form_of(ada)) == 303, "all boxes empty: it makes nothing"
    assert effects_for("missed", False, None) == set()


def test_a_rule_of_a_number_that_had_none(world: World, ada: Browser) -> None:
    page = ada.get("/admin/rules/rule", query_string={**KEY, "did": SERVICE}).text
    assert "so far as for all numbers" in page
    assert 'value="contact" checked' in page, "it begins as what holds so far"
    assert changed(ada, {**form_of(ada, did=SERVICE), "effects": "deal"}) == 303
    assert effects_for("missed", False, SERVICE) == {"deal"}
    removal = {**KEY, "did": SERVICE, "seen": form_of(ada, did=SERVICE)["seen"]}
    assert ada.post("/admin/rules/rule/removal", removal).status_code == 303
    assert effects_for("missed", False, SERVICE) == {"contact", "deal", "task"}


def test_the_second_of_two_admins_is_told(world: World, visit: Visit) -> None:
    users.add("eve", "Eve", "admin", "correct horse")
    ada, eve = visit("ada"), visit("eve")
    hers, his = form_of(eve), form_of(ada)
    assert changed(ada, {**his, "effects": "deal", "missed_owner": "head"}) == 303
    answer = eve.post("/admin/rules/rule", {**hers, "effects": "task", "missed_owner": "first"})
    assert answer.status_code == 409
    text = words(answer.text)
    assert "Somebody else changed this rule just now" in text
    assert "deal · the head" in text, "what it says now"
    assert 'value="task" checked' in answer.text, "what she entered"
    assert effects_for("missed", False, None) == {"deal"}
    seen = re.search(r'name="seen" value="([^"]*)"', answer.text)
    assert seen
    again = {**hers, "seen": unescape(seen[1]), "effects": "task", "missed_owner": "first"}
    assert changed(eve, again) == 303, "saved again, it is meant"
    assert effects_for("missed", False, None) == {"task"}
    gone = {**KEY, "seen": his["seen"]}
    assert ada.post("/admin/rules/rule/removal", gone).status_code == 409


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"effects": "fax"}, "none of contact"),
        ({"effects": "record"}, "leave record out"),
        ({"missed_owner": "boss"}, "none of last"),
        ({"repeat_after": "5"}, "no earlier deal"),
        ({"repeat_after": "-1"}, "a number of days"),
        ({"repeat_after": "٣"}, "a number of days"),
        ({"repeat_after": "9" * 4000}, "a number of days"),
        ({"caller": "known", "effects": "contact"}, "leave contact out"),
        ({"caller": "known", "repeat_after": "4000"}, "a number of days"),
        ({"situation": "incoming", "missed_owner": "turns"}, "speaker"),
    ],
)
def test_what_is_refused(world: World, ada: Browser, more: dict[str, str], said: str) -> None:
    before = rules.matrix()
    key = {name: value for name, value in more.items() if name in KEY}
    answer = ada.post("/admin/rules/rule", {**form_of(ada, **key), **more})
    assert answer.status_code == 422
    assert rules.matrix() == before
    if "repeat_after" in more and key.get("caller") != "known":
        return  # that form has no such field
    if "missed_owner" in more and key:
        return  # nor has this one
    assert said in words(answer.text)


@pytest.mark.parametrize(
    "query",
    ["", "did=&situation=ringing&caller=known", "did=&situation=missed&caller=maybe",
     "did=030555000&situation=missed&caller=known", "situation=missed",
     f"did={'9' * 41}&situation=missed&caller=known", "did=%00&situation=missed&caller=known"],
)  # fmt: skip
def test_rules_that_can_not_be(ada: Browser, query: str) -> None:
    assert ada.get(f"/admin/rules/rule?{query}").status_code == 404


def test_called_numbers(world: World, ada: Browser) -> None:
    answer = ada.post("/admin/rules/numbers", {"did": " 030/555 000"})
    assert answer.location.startswith("/admin/rules#incoming-unknown-")
    assert [rule.did for rule in rules.matrix()].count(SERVICE) == 6
    again = ada.post("/admin/rules/numbers", {"did": SERVICE})
    assert again.status_code == 422
    assert "has rules of its own already" in again.text
    assert ada.post("/admin/rules/numbers", {"did": " "}).status_code == 422
    assert ada.post("/admin/rules/numbers/removal", {"did": SERVICE}).status_code == 303
    assert ada.post("/admin/rules/numbers/removal", {"did": SERVICE}).status_code == 303
    assert ada.post("/admin/rules/numbers/removal", {"did": ""}).status_code == 422
    assert len(rules.matrix()) == 6


def test_ignored_numbers(world: World, ada: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "ignored", frozenset({"+4930999000"}))
    form = {"ignored": "030 4470 1182", "note": "Taxi"}
    assert ada.post("/admin/rules/ignored", form).status_code == 303
    text = words(ada.get("/admin/rules").text)
    assert "Ignored numbers 1 +49 30 44701182 Taxi Remove" in text
    assert "+49 30 999000 by the configuration" in text
    wrong = ada.post("/admin/rules/ignored", {"ignored": "taxi", "note": "my note"})
    assert wrong.status_code == 422
    assert "This is not a telephone number" in wrong.text
    assert 'value="my note"' in wrong.text
    path = f"/admin/rules/ignored/{IgnoredNumber.get().id}/removal"
    assert ada.post(path).status_code == 303
    assert ada.post(path).status_code == 303, "gone already is gone"
    assert not IgnoredNumber.select().exists()


def trial(browser: Browser, number: str = "", did: str = "", situation: str = "missed") -> str:
    query = {"number": number, "did": did, "situation": situation}
    text = browser.get("/admin/rules", query_string=query).text
    found = re.search(r'(?s)<div class="trial".*?</div>', text)
    assert found
    return words(found[0])


@pytest.fixture
def exchange(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Has numbers of its own, and 0 gets a line."""
    own = OwnNumbers.read(["+4930555*"], normalise)
    monkeypatch.setattr(fields, "own", own)
    monkeypatch.setattr(fields, "prefixes", Prefixes(["0="]))


@pytest.mark.usefixtures("exchange")
def test_try_it(world: World, ada: Browser) -> None:
    rules.ignore("+4930111222", "the taxi", by=world.ada)
    Department.update(did="+4940555000").where(Department.name == "Service").execute()
    way = Rule("+4940555000", "missed", False, ("contact",), "turns")
    rules.change(way, "", by=world.ada)
    events = Event.select().count()

    new = trial(ada, "030 4470 1182", "040 555 000")
    assert "A contact, of Olga Outsider." in new
    assert "+49 30 44701182 belongs to no contact: unknown." in new
    assert "+49 40 555000 has a rule of its own for it." in new
    elsewhere = trial(ada, "030 4470 1182", "030 999")
    assert "A deal in Unsorted, of the one whose phone rang last." in elsewhere
    assert "has no rule of its own for it: the one for all holds" in elsewhere
    dialled = trial(ada, "0 030 4470 1182", situation="outgoing")
    assert "+49 30 44701182 belongs to no contact" in dialled
    assert "Nothing: the call is only listed." in dialled
    assert "one of the company's own" in trial(ada, "030 555 1")
    assert "The number is ignored: the taxi." in trial(ada, "030 111222")
    assert "A hidden number is nobody's." in trial(ada)
    assert "“anonymous” is not a telephone number" in trial(ada, "anonymous")
    assert (Event.select().count(), Contact.select().count()) == (events, 0)


def test_try_it_with_a_customer(world: World, ada: Browser) -> None:
    rule = Rule("", "incoming", True, ("deal", "record"), "last", 30)
    rules.change(rule, "deal|last|0", by=world.ada)
    customer = Contact.of_number(CUSTOMER, "Miriam Sander", world.anna)
    repeat = trial(ada, CUSTOMER, situation="incoming")
    assert "The conversation is recorded. A deal in Unsorted, of the one who talks." in repeat
    deal = Deal.open("Roof", world.anna, None, contact=customer)
    taken = trial(ada, CUSTOMER, situation="incoming")
    assert "The call is put on the deal “Roof”." in taken
    assert "An open deal takes the call" in taken
    deal.move_to(world.stage("Completed"), by=None, at=utcnow() - timedelta(days=9))
    assert "closed less than 30 days ago, so no other is made" in trial(
        ada, CUSTOMER, situation="incoming"
    )
    assert "A deal in Unsorted" in trial(ada, CUSTOMER, situation="missed")


def test_what_is_tried_is_what_happens(world: World, ada: Browser) -> None:
    """The words of the trial against the rows of a call, for every owner of a missed call."""
    for n, way in enumerate(("head", "turns", "turns", "nobody")):
        now = next(r for r in rules.matrix() if r.key == ("", "missed", False))
        rules.change(Rule("", "missed", False, ("deal",), way), now.mark, by=world.ada)
        said = trial(ada, f"+4930777{n:04}")
        owner = Story.begins(f"+4930777{n:04}", f"{n}.1").ended().call.deal.owner
        assert f"A deal in Unsorted, of {owner.name if owner else 'nobody'}." in said


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/admin/rules", 7),
        ("/admin/rules/rule?did=&situation=missed&caller=known", 5),
        ("/admin/rules?situation=missed&number=030+4470+1182", 10),
    ],
)
def test_the_number_of_queries_is_constant(
    world: World, ada: Browser, path: str, expected: int
) -> None:
    ada.get(path)
    for n in range(3):
        rules.add_number(f"+4930555{n:03}", by=world.ada)
        rules.ignore(f"+4930999{n:03}", "", by=world.ada)
        with count_queries() as counted:
            assert ada.get(path).status_code == 200
        assert counted.count == expected, [q.msg for q in counted.get_queries()]


def test_a_long_ignore_list_is_cut(world: World, ada: Browser) -> None:
    IgnoredNumber.insert_many(
        [{"e164": f"+4930{n:07}"} for n in range(10**6, 10**6 + 501)]
    ).execute()
    text = ada.get("/admin/rules").text
    assert text.count("/removal") == 500
    assert "has them all" in text


def test_on_every_database(anywhere: World) -> None:
    ada = Browser(create_app(anywhere.settings))
    ada.log_in("ada")
    assert ada.post("/admin/rules/numbers", {"did": SERVICE}).status_code == 303
    assert changed(ada, {**form_of(ada, did=SERVICE), "effects": "deal"}) == 303
    assert changed(ada, {**form_of(ada, did=SERVICE), "seen": "x"}) == 409
    assert ada.post("/admin/rules/ignored", {"ignored": CUSTOMER}).status_code == 303
    assert "is on the list of ignored ones" in trial(ada, CUSTOMER)
    assert "A deal in Unsorted" in trial(ada, "030 777 1234", SERVICE)


@pytest.mark.usefixtures("exchange")
def test_an_own_number_becomes_no_customer_by_hand(ada: Browser) -> None:
    answer = ada.post("/deals", {"title": "Roof", "number": "030 555 123"})
    assert answer.status_code == 422
    assert "one of the company&#39;s own numbers" in answer.text
    assert not Contact.select().exists()
    assert not Deal.select().exists()
