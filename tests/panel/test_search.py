"""GET /search: who finds what, by name and number in any spelling, and the list in the top bar."""

from __future__ import annotations

import re

import pytest
from playhouse.test_utils import count_queries
from playwright.sync_api import expect

from models import Company, Contact, Deal
from tests.browser import NewPage
from tests.desk import Enter, Panel, sign_in
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import CUSTOMER, Story, World
from verbs import search

QUERIES_FOR_A_NUMBER = 10
QUERIES_FOR_A_NAME = 7
QUERIES_FOR_A_MISSPELT_NAME = 11


def hits(page: str, kind: str) -> list[str]:
    """The names that are shown of a kind."""
    return re.findall(
        rf'<a class="hit hit--{kind}".*?<b class="hit__name">(.*?)</b>', page, re.DOTALL
    )


@pytest.fixture
def customers(world: World) -> World:
    """Anna's customers, one of Ben's, and one of nobody's."""
    fitwerk = Company.create(name="Fitwerk GmbH", website="fitwerk.example", owner=world.ben)
    bens = Company.create(name="Bennos Bau", owner=world.ben)
    search.keep("company", [fitwerk.id, bens.id])
    for number, name, owner in (
        (CUSTOMER, "Jörg Krüger", world.anna),
        ("+493044702222", "Karla Krügermann", world.anna),
        ("+4940123456", "Fjodor Kruger", world.ben),
        ("+74951234567", "Фёдор Соловьёв", world.anna),
    ):
        contact = Contact.of_number(number, name, owner)
        if owner == world.anna:
            Contact.update(company=fitwerk).where(Contact.id == contact.id).execute()
        Deal.open(f"Dach {name}", owner, owner, contact=contact)
    search.renamed("company", [fitwerk.id])
    return world


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Krüger", ["Jörg Krüger", "Karla Krügermann"]),
        ("krueger", ["Jörg Krüger", "Karla Krügermann"]),
        ("KRUGER joerg", ["Jörg Krüger"]),
        ("kurger", ["Jörg Krüger", "Karla Krügermann"]),
        ("Jogr Krueer", ["Jörg Krüger"]),
        ("fitwerk jörg", ["Jörg Krüger"]),
        ("соловьев", ["Фёдор Соловьёв"]),
        ("Solovev", ["Фёдор Соловьёв"]),
        ("Федр", ["Фёдор Соловьёв"]),
        ("ermann", ["Karla Krügermann"]),
        ("Meier", []),
    ],
)
def test_names_in_any_spelling(
    customers: World, anna: Browser, question: str, names: list[str]
) -> None:
    assert hits(anna.get("/search", query_string={"q": question}).text, "contact") == names


@pytest.mark.parametrize(
    "question",
    [
        "+49 30 4470 1182", "030/4470-1182", "0049 (0)30 44701182", "4930 44701182", "44701182",
        "1182", "70 11", "03044701182;ext=9", "Tel.: +49 (0) 30 / 447-01182", "Mobil 030 44701182",
    ],
)  # fmt: skip
def test_numbers_in_any_notation(customers: World, anna: Browser, question: str) -> None:
    page = anna.get("/search", query_string={"q": question}).text
    assert hits(page, "contact") == ["Jörg Krüger"]
    assert hits(page, "deal") == ["Dach Jörg Krüger"]


@pytest.mark.parametrize("question", ["8 495 123-45-67", "74951234567", "1234567", "4567"])
def test_numbers_of_other_countries(customers: World, anna: Browser, question: str) -> None:
    names = hits(anna.get("/search", query_string={"q": question}).text, "contact")
    assert names == ([] if question.startswith("8") else ["Фёдор Соловьёв"])


def test_calls_are_found_by_their_number(customers: World, anna: Browser, olga: Browser) -> None:
    Story.begins().rings("PJSIP/101").answered("PJSIP/101").ended()
    Story.begins(linkedid="2.1").rings("PJSIP/102").ended()
    page = anna.get("/search?q=701182").text
    assert hits(page, "call") == ["+49 30 44701182", "+49 30 44701182"]
    assert hits(olga.get("/search?q=701182").text, "call") == []


def test_an_exact_word_comes_before_those_that_begin_with_it_and_those_before_misspelt_ones(
    world: World, anna: Browser
) -> None:
    for name in ("Krugel", "Krugerin", "Kruger", "Krueg", "Kruger-Holm"):
        Contact.add(name, world.anna)
    names = hits(anna.get("/search?q=kruger").text, "contact")
    assert set(names[:2]) == {"Kruger", "Kruger-Holm"}
    assert names[2:] == ["Krugerin", "Krugel", "Krueg"]


def test_who_is_named_so_comes_before_who_belongs_to_it(world: World, anna: Browser) -> None:
    company = Company.create(name="Krüger Bau", owner=world.anna)
    for name in ("Jörg Krüger", "Inga Holm"):
        Contact.add(name, world.anna)
    Contact.update(company=company).where(Contact.name == "Inga Holm").execute()
    search.renamed("company", [company.id])
    names = hits(anna.get("/search?q=krueger").text, "contact")
    assert names == ["Jörg Krüger", "Inga Holm"]


def test_what_belongs_to_others_does_not_exist(
    customers: World, anna: Browser, hugo: Browser, olga: Browser
) -> None:
    assert len(hits(hugo.get("/search?q=kruger").text, "contact")) == 3
    assert len(hits(hugo.get("/search?q=dach").text, "deal")) == 4
    for question in ("kruger", "fjodor", "dach", "bennos", "fitwerk", "123456", CUSTOMER[1:]):
        page = olga.get(f"/search?q={question}").text
        assert 'class="hit ' not in page
        assert "Nothing found" in page
    assert hits(anna.get("/search?q=fjodor").text, "contact") == ["Фёдор Соловьёв"]
    assert hits(anna.get("/search?q=123456").text, "contact") == ["Фёдор Соловьёв"]
    # A company that somebody else looks after, by a contact of hers; and one without.
    assert hits(anna.get("/search?q=fitwerk").text, "company") == ["Fitwerk GmbH"]
    assert hits(anna.get("/search?q=bennos").text, "company") == []


def test_what_others_have_takes_no_place_from_what_is_seen(world: World, anna: Browser) -> None:
    Contact.of_number("+493044700000", "Otto Meier", world.anna)
    for n in range(60):
        Contact.of_number(f"+4930447{n + 1:05}", "Otto Meier", world.ben)
    for question in ("meier", "otto meier", "mieer", "4930447", "4470"):
        page = anna.get("/search", query_string={"q": question}, headers=FRAGMENT).text
        assert hits(page, "contact") == ["Otto Meier"], question


ODD = (
    "", " ", "a", "%", "_", "%%%%", "____", "' OR 1=1 --", '"', "\\", "\x00", "\x1b[31m",
    "😀", "😀😀😀😀 Krüger", "x" * 10_000, "ab " * 3_000, "1" * 10_000, "\u202e\u200b", "ß",
    "+", "++++", "0000", "00000000", "(((((", "а" * 50, "é" * 500, "\ud800", "<b>q</b>",
    "e\u0301" * 40, "𝔎𝔯ü𝔤𝔢𝔯", "９８７６",
)  # fmt: skip


def test_whatever_is_asked_is_answered(anywhere: World) -> None:
    from panel import create_app

    Contact.of_number(CUSTOMER, "Jörg Krüger", anywhere.anna)
    browser = Browser(create_app(anywhere.settings))
    browser.log_in("anna")
    for question in ODD:
        asked = question.encode("utf-8", "surrogatepass")
        for headers in ({}, FRAGMENT):
            answer = browser.get("/search", query_string={"q": asked}, headers=headers)
            assert answer.status_code == 200, question
            assert "<b>q" not in answer.text
        expected = ["Jörg Krüger"] if question in ("𝔎𝔯ü𝔤𝔢𝔯", "😀😀😀😀 Krüger") else []
        assert hits(answer.text, "contact") == expected, question


def test_on_each_kind_of_database(anywhere: World) -> None:
    from panel import create_app

    for number, name in ((CUSTOMER, "Jörg Krüger"), ("+493044702222", "Фёдор Müller-Łódź")):
        contact = Contact.of_number(number, name, anywhere.anna)
        Deal.open(f"Dach {name}", anywhere.anna, anywhere.anna, contact=contact)
    Story.begins(number="+4940123456", direction="outgoing").rings("PJSIP/101").ended()
    browser = Browser(create_app(anywhere.settings))
    browser.log_in("anna")
    for question, kind, names in (
        ("kruger", "contact", ["Jörg Krüger"]),
        ("Krüg", "deal", ["Dach Jörg Krüger"]),
        ("kürger dcah", "deal", ["Dach Jörg Krüger"]),
        ("lodz fedor", "contact", ["Фёдор Müller-Łódź"]),
        ("uller", "contact", ["Фёдор Müller-Łódź"]),
        ("4702222", "contact", ["Фёдор Müller-Łódź"]),
        ("030 4470 1182", "deal", ["Dach Jörg Krüger"]),
        ("2345", "call", ["+49 40 123456"]),
    ):
        page = browser.get("/search", query_string={"q": question}).text
        assert hits(page, kind) == names, question


@pytest.mark.parametrize("number", [1, 30])
def test_the_number_of_queries_is_constant(world: World, anna: Browser, number: int) -> None:
    for n in range(number):
        contact = Contact.of_number(f"+4930447{n:05}", "Otto Meier", world.anna)
        for title in ("Dach", "Keller", "Küche", "Bad", "Tor"):
            Deal.open(f"{title} Meier", world.anna, world.anna, contact=contact)
    around = 1  # who is logged in
    for question, expected in (
        ("", 0),
        ("030 44700000", QUERIES_FOR_A_NUMBER),
        ("meier", QUERIES_FOR_A_NAME),
        ("mieer", QUERIES_FOR_A_MISSPELT_NAME),
    ):
        with count_queries() as counted:
            anna.get("/search", query_string={"q": question}, headers=FRAGMENT)
        assert counted.count <= expected + around, [q.msg for q in counted.get_queries()]


def test_the_page_asks_what_to_look_for(anna: Browser) -> None:
    page = anna.get("/search").text
    assert "Type a name" in page
    assert anna.get("/search", headers=FRAGMENT).text.strip() == ""


def test_nobody_searches_without_a_log_in(visit: object, app: object) -> None:
    answer = visit("").get("/search?q=x")  # type: ignore[operator]
    assert (answer.status_code, answer.location) == (302, "/login?next=/search?q%3Dx") or (
        answer.status_code == 303 and answer.location.startswith("/login")
    )


# In a browser


def test_from_a_shortcut_to_the_deal(customers: World, enter: Enter) -> None:
    page = enter("anna")
    field = page.get_by_role("combobox", name="Search contacts")
    page.keyboard.press("/")
    expect(field).to_be_focused()
    # At once, so that it is one question: another answer would take the choice away.
    page.keyboard.insert_text("kreuger")
    listbox = page.get_by_role("listbox")
    expect(listbox.get_by_role("option", name="Jörg Krüger").first).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#announcer")).to_have_text("4 found")
    page.keyboard.press("ArrowUp")
    expect(field).to_have_attribute("aria-activedescendant", "hit-all-0")
    page.keyboard.press("ArrowUp")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(chosen).to_have_class("hit hit--deal")
    expect(field).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    page.keyboard.press("Enter")
    page.wait_for_url("**/deals/*")


def test_keys_of_the_field(customers: World, enter: Enter) -> None:
    page = enter("anna")
    field = page.locator("#find-field")
    page.keyboard.press("Control+k")
    page.keyboard.type("krüger")
    listbox = page.locator("#find-list")
    expect(listbox).to_be_visible()
    page.keyboard.press("Escape")
    expect(listbox).to_be_hidden()
    expect(field).to_have_value("krüger")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(listbox).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(field).not_to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("/")
    expect(field).to_have_value("/")
    page.keyboard.press("Control+a")
    page.keyboard.type("fitwerk")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=fitwerk")
    expect(page.locator(".hit--company")).to_have_count(1)


def test_the_latest_answer_wins(customers: World, enter: Enter) -> None:
    page = enter("anna")
    held: list[object] = []

    def hold(route: object) -> None:
        if "q=kr" in route.request.url:  # type: ignore[attr-defined]
            held.append(route)
        else:
            route.continue_()  # type: ignore[attr-defined]

    page.route("**/search?*", hold)
    page.keyboard.press("/")
    with page.expect_request("**/search?q=kr"):
        page.keyboard.type("kr")
    page.keyboard.press("Control+a")
    page.keyboard.type("Соловьев")
    option = page.locator("#find-list .hit--contact")
    expect(option).to_contain_text("Соловьёв")
    with page.expect_response("**/search?q=kr"):
        held[0].continue_()  # type: ignore[attr-defined]
    expect(page.locator("#find-list .hit--contact")).to_have_count(1)
    expect(option).to_contain_text("Соловьёв")


def test_on_a_phone_an_icon_opens_it(customers: World, enter: Enter) -> None:
    page = enter("anna", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    expect(page.locator("#find-field")).to_be_hidden()
    page.get_by_role("link", name="Search").tap()
    expect(page.locator("#find-field")).to_be_focused()
    page.keyboard.type("1182")
    page.locator("#find-list .hit--deal").tap()
    page.wait_for_url("**/deals/*")


def test_without_scripts(customers: World, panel: Panel, new_page: NewPage) -> None:
    page = new_page(base_url=panel.address, java_script_enabled=False)
    sign_in(page, "anna")
    page.fill("#find-field", "kurger")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Search")
    expect(page.locator("#ask-field")).to_have_value("kurger")
    page.click(".hit--deal >> nth=0")
    expect(page.locator("h1")).to_contain_text("Krüger")
