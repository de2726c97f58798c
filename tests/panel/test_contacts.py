"""/contacts and /companies: who sees what, changes in place, merging, erasing, files (C1 to C3)."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from playhouse.test_utils import count_queries
from playwright.sync_api import expect

from fields import utcnow
from formats import contact_file
from models import CallRequest, Company, Contact, Deal, Merge, Note, Phone, Receipt, Task
from panel import create_app
from tests.desk import Enter
from tests.panel.conftest import Browser, Visit
from tests.world import CUSTOMER, Story, World
from verbs import contacts, erasure, notes, tasks, users
from verbs.deals import assign

OTHER = "+4940123456"
LIST_QUERIES = 12
PAGE_QUERIES = 20


@pytest.fixture
def joerg(world: World) -> Contact:
    """Anna's, with all that there can be; beside one of Ben's."""
    story = Story.begins(name="Jörg Krüger").rings("PJSIP/101").answered("PJSIP/101").ended()
    contact = story.call.contact
    assert contact
    contacts.change(
        contact, world.anna, company="Fitwerk", email="joerg@fitwerk.example", tags="vip",
        position="Head",
    )  # fmt: skip
    notes.add("Wants a roof <b>", world.anna, contact=contact)
    task = tasks.add("Send it", utcnow(), world.anna, world.anna, contact=contact)
    tasks.finish(task, world.anna, "sent")
    Contact.of_number(OTHER, "Bruno Ben", world.ben)
    return Contact.get_by_id(contact.id)


def names(page: str) -> list[str]:
    return re.findall(r'<p class="clients__who"><a [^>]*>(.*?)</a>', page)


def path_of(contact: Contact, more: str = "") -> str:
    return f"/contacts/{contact.id}{more}"


# The list


def test_everybody_sees_own_contacts(
    joerg: Contact, anna: Browser, hugo: Browser, olga: Browser
) -> None:
    own = anna.get("/contacts").text
    assert names(own) == ["Jörg Krüger"]
    # Called from the list by a click; what is filtered by is folded up until something is.
    assert "Call +49 30 44701182" in own
    assert '<details class="filters sieve__more">' in own
    assert '<details class="filters sieve__more" open>' in anna.get("/contacts?tag=vip").text
    assert set(names(hugo.get("/contacts").text)) == {"Jörg Krüger", "Bruno Ben"}
    page = olga.get("/contacts").text
    assert names(page) == []
    assert "No contacts yet" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=krueger", ["Jörg Krüger"]),
        ("q=1182", ["Jörg Krüger"]),
        ("q=fitwerk", ["Jörg Krüger"]),
        ("q=nobody", []),
        ("tag=vip", ["Jörg Krüger"]),
        ("tag=vi", []),
        ("company=fitw", ["Jörg Krüger"]),
        ("owner=none", []),
        ("q=bruno&tag=vip", []),
    ],
)
def test_filters_stand_in_the_address(
    joerg: Contact, hugo: Browser, query: str, found: list[str]
) -> None:
    assert names(hugo.get(f"/contacts?{query}").text) == found


def test_a_head_filters_by_owner(world: World, joerg: Contact, hugo: Browser) -> None:
    assert names(hugo.get(f"/contacts?owner={world.ben.id}").text) == ["Bruno Ben"]
    assert hugo.get("/contacts?owner=x").status_code == 404


def test_pages(world: World, anna: Browser) -> None:
    for n in range(60):
        Contact.add(f"Otto {n}", world.anna)
    first = anna.get("/contacts").text
    older = re.search(r'href="(/contacts\?before=[0-9]+)"', first)
    assert older
    second = anna.get(older[1]).text
    assert [*names(first), *names(second)] == [f"Otto {n}" for n in range(59, -1, -1)]
    assert anna.get("/contacts?before=x").status_code == 404


@pytest.mark.parametrize("number", [1, 30])
def test_the_number_of_queries_is_constant(
    world: World, joerg: Contact, hugo: Browser, number: int
) -> None:
    for n in range(number):
        one = Contact.of_number(f"+4930447{n:05}", f"Otto {n}", world.anna)
        contacts.change(one, world.anna, company=f"Firma {n}")
        notes.add("Note", world.anna, contact=joerg)
        Deal.open("Roof", world.anna, world.anna, contact=joerg)
    for path, most in (
        ("/contacts", LIST_QUERIES),
        (path_of(joerg), PAGE_QUERIES),
        (f"/companies/{joerg.company_id}", LIST_QUERIES),
    ):
        with count_queries() as counted:
            assert hugo.get(path).status_code == 200
        assert counted.count <= most, [q.msg for q in counted.get_queries()]


# By hand


def test_a_new_contact(world: World, anna: Browser) -> None:
    assert anna.get("/contacts/new").status_code == 200
    form = {"name": "Inga", "number": "040 123456", "email": "i@holm.example", "company": "Holm"}
    answer = anna.post("/contacts", form)
    inga = Contact.get()
    assert (answer.status_code, answer.location) == (303, path_of(inga))
    assert (inga.name, inga.email, inga.company.name, inga.owner) == (
        "Inga", "i@holm.example", "Holm", world.anna,
    )  # fmt: skip
    assert [p.e164 for p in inga.phones] == ["+4940123456"]


@pytest.mark.parametrize(
    ("form", "field"),
    [({"name": ""}, "name"), ({"name": "I", "number": "x"}, "number"),
     ({"name": "I", "email": "x"}, "email"), ({"name": "I", "number": OTHER}, "number")],
)  # fmt: skip
def test_what_is_wrong_with_a_new_one(
    joerg: Contact, anna: Browser, form: dict[str, str], field: str
) -> None:
    answer = anna.post("/contacts", form)
    assert answer.status_code == 422
    assert f'id="{field}-problem"' in answer.text
    assert Contact.select().count() == 2


# One contact


def test_the_page_shows_what_there_is(joerg: Contact, anna: Browser) -> None:
    page = anna.get(path_of(joerg)).text
    for text in (
        "Jörg Krüger",
        "Fitwerk",
        "joerg@fitwerk.example",
        "+49 30 44701182",
        "vip",
        "Wants a roof &lt;b&gt;",
        "Send it",
        "sent",
        "Incoming call",
        "Deal:",
    ):
        assert text in page, text
    assert "Erase this person" not in page


def test_for_others_it_is_not_there(world: World, joerg: Contact, olga: Browser) -> None:
    other = Contact.by_number(OTHER)
    assert other
    paths = ("", "/erasure", f"/merge/{other.id}")
    assert [olga.get(path_of(joerg, path)).status_code for path in paths] == [404] * 3
    for path in ("", "/check", "/numbers", "/notes", "/merges", "/erasure"):
        assert olga.post(path_of(joerg, path), {"name": "x"}).status_code == 404, path
    assert olga.get(f"/companies/{joerg.company_id}").status_code == 404
    assert olga.post(f"/companies/{joerg.company_id}", {"name": "x"}).status_code == 404
    form = {"contact": joerg.id, "number": CUSTOMER}
    assert olga.post("/call-requests", form).status_code == 404


def test_what_others_wrote_on_their_cards_is_not_shown(
    world: World, joerg: Contact, visit: Visit
) -> None:
    deal = Deal.open("Secret", world.ben, world.ben, contact=joerg)
    notes.add("Between us", world.ben, deal=deal)
    page = visit("anna").get(path_of(joerg)).text
    assert "Between us" not in page
    assert "Secret" not in page
    assert "Between us" in visit("ben").get(path_of(joerg)).text


def test_changes(world: World, joerg: Contact, anna: Browser, hugo: Browser) -> None:
    anna.get(path_of(joerg))
    form = {"name": "J. Krüger", "company": "", "email": "", "tags": "Old  friend", "owner": ""}
    assert anna.post(path_of(joerg), form).location == path_of(joerg)
    now = Contact.get_by_id(joerg.id)
    assert (now.name, now.company, now.email, now.tags) == ("J. Krüger", None, "", " old friend ")
    assert now.owner == world.anna, "sellers do not give contacts away"
    hugo.post(path_of(joerg), {"owner": world.ben.id})
    assert Contact.get_by_id(joerg.id).owner == world.ben
    answer = anna.post(path_of(joerg), {"name": "", "email": "x"})
    assert answer.status_code == 422
    assert 'id="name-problem"' in answer.text


def test_two_people_change_one(joerg: Contact, anna: Browser, hugo: Browser) -> None:
    """The second is told, and nothing of the first is written over."""
    form = {"name": "Jörg Krüger", "position": "Buyer"}
    found = re.search(r'name="seen" value="(.*?)"', anna.get(path_of(joerg)).text)
    assert found
    hugo.get(path_of(joerg))
    hugo.post(path_of(joerg), {"email": "new@example.com"})
    answer = anna.post(path_of(joerg), {**form, "seen": unescape(found[1])})
    assert answer.status_code == 409
    assert "Somebody else changed this just now" in answer.text
    assert 'value="Buyer"' in answer.text
    assert Contact.get_by_id(joerg.id).position == "Head"


def test_a_task_and_a_deal_from_the_page(world: World, joerg: Contact, anna: Browser) -> None:
    page = anna.get(path_of(joerg)).text
    assert "/deals/new?name=" in page
    form = {"title": "Send him the list", "when": "week", "contact": joerg.id}
    assert anna.post("/tasks", form).status_code == 303
    task = Task.get(Task.title == "Send him the list")
    assert (task.contact, task.deal, task.owner) == (joerg, None, world.anna)
    assert f'href="/tasks/{task.id}"' in anna.get(path_of(joerg)).text
    answer = anna.post("/tasks", {**form, "title": ""})
    assert (answer.status_code, f'name="contact" value="{joerg.id}"' in answer.text) == (422, True)
    stranger = Contact.add("Of nobody that she knows", world.ben)
    assert anna.post("/tasks", {**form, "contact": stranger.id}).status_code == 404


def test_numbers_come_and_go(joerg: Contact, anna: Browser) -> None:
    anna.post(path_of(joerg, "/numbers"), {"number": "0151 5552 2100"})
    assert joerg.phones.count() == 2
    phone = joerg.phones.order_by(Phone.id.desc()).get()
    anna.post(path_of(joerg, f"/numbers/{phone.id}/removal"))
    assert joerg.phones.count() == 1
    for number in ("x", "", OTHER):
        answer = anna.post(path_of(joerg, "/numbers"), {"number": number})
        assert answer.status_code == 422
        assert 'id="number-problem"' in answer.text
    assert joerg.phones.count() == 1


def test_notes_are_written_and_removed(joerg: Contact, anna: Browser, hugo: Browser) -> None:
    anna.post(path_of(joerg, "/notes"), {"text": "One\nTwo"})
    note = Note.get(Note.text == "One\nTwo")
    assert hugo.post(path_of(joerg, f"/notes/{note.id}/removal")).status_code == 422
    anna.post(path_of(joerg, f"/notes/{note.id}/removal"))
    assert Note.get_or_none(Note.id == note.id) is None
    assert anna.post(path_of(joerg, "/notes"), {"text": " "}).status_code == 422


def test_what_is_old_is_asked_about(joerg: Contact, anna: Browser) -> None:
    question = "Is it still right?"
    assert question not in anna.get(path_of(joerg)).text
    long_ago = utcnow() - timedelta(days=400)
    Contact.update(created_at=long_ago, checked_at=None).where(Contact.id == joerg.id).execute()
    assert question in anna.get(path_of(joerg)).text
    anna.post(path_of(joerg, "/check"))
    assert question not in anna.get(path_of(joerg)).text


def test_click_to_call_from_the_page(world: World, joerg: Contact, anna: Browser) -> None:
    page = anna.get(path_of(joerg)).text
    assert f'name="contact" value="{joerg.id}"' in page
    assert anna.post("/call-requests", {"contact": joerg.id, "number": CUSTOMER}).status_code == 303
    made = CallRequest.get()
    assert (made.number, made.deal.contact, made.user) == (CUSTOMER, joerg, world.anna)
    assert anna.post("/call-requests", {"contact": joerg.id, "number": OTHER}).status_code == 404


def test_the_timeline_goes_on_over_pages(world: World, joerg: Contact, anna: Browser) -> None:
    at = utcnow()
    for n in range(40):
        note = notes.add(f"Number {n}.", world.anna, contact=joerg)
        Note.update(at=at + timedelta(seconds=n // 2)).where(Note.id == note.id).execute()
    first = anna.get(path_of(joerg)).text
    older = re.search(rf'href="({path_of(joerg)}\?before=[0-9-]+)#history"', first)
    assert older
    second = anna.get(older[1]).text
    told = re.findall(r"<p>Number ([0-9]+)\.</p>", first + second)
    assert sorted(map(int, told)) == list(range(40))
    assert "Newest" in second
    assert anna.get(path_of(joerg, "?before=x")).status_code == 200


# Two entries of one person


@pytest.fixture
def twin(world: World, joerg: Contact) -> Contact:
    made = Contact.of_number("+4915155522100", "Jörg Krüger", world.anna)
    notes.add("Of the twin", world.anna, contact=made)
    return made


def test_merged_and_parted_again(joerg: Contact, twin: Contact, anna: Browser) -> None:
    assert path_of(joerg, f"/merge/{twin.id}") in anna.get(path_of(joerg)).text
    page = anna.get(path_of(joerg, f"/merge/{twin.id}")).text
    assert "+49 1515 5522100" in page
    assert "1 note" in page
    answer = anna.post(path_of(joerg, "/merges"), {"other": twin.id, "keep": twin.id})
    assert answer.location == path_of(twin)
    assert Contact.get_or_none(Contact.id == joerg.id) is None
    page = anna.get(path_of(twin)).text
    assert "It can be undone for a day" in page
    assert "Fitwerk" in page
    anna.post(path_of(twin, f"/merges/{Merge.get().id}/undo"))
    assert Contact.get_by_id(joerg.id).company.name == "Fitwerk"
    assert [p.e164 for p in twin.phones] == ["+4915155522100"]
    assert anna.get(path_of(joerg)).status_code == 200


def test_what_others_have_with_the_two_is_not_counted(
    world: World, joerg: Contact, twin: Contact, anna: Browser
) -> None:
    """R1: that Ben has deals with them does not exist for Anna."""
    for n in range(7):
        deal = Deal.open(f"Ben's {n}", world.ben, world.ben, contact=twin)
        notes.add("Secret", world.ben, deal=deal)
        tasks.add("Secret", utcnow(), world.ben, world.ben, deal=deal)
    page = anna.get(path_of(joerg, f"/merge/{twin.id}")).text
    counts = re.findall(r"<span>.*\d+ deals?</span>.*</span>", page)
    found = [re.findall(r">(\d+) ", line) for line in counts]
    assert found == [["1", "1", "1", "1"], ["0", "0", "0", "1"]]


def test_a_note_on_a_foreign_card_is_not_there(
    world: World, joerg: Contact, anna: Browser, visit: Visit
) -> None:
    """Also for who wrote it, before the card was somebody else's."""
    deal = Deal.open("Anna's", world.anna, world.anna, contact=joerg)
    note = notes.add("On the card", world.anna, deal=deal)
    assign(deal, world.ben, by=world.hugo)
    path = path_of(joerg, f"/notes/{note.id}/removal")
    assert anna.post(path).status_code == 404
    assert anna.post(f"/notes/{note.id}/remove").status_code == 404
    assert Note.get_or_none(Note.id == note.id)


def test_nobody_merges_what_is_not_seen(joerg: Contact, anna: Browser) -> None:
    other = Contact.by_number(OTHER)
    assert other
    assert anna.get(path_of(joerg, f"/merge/{other.id}")).status_code == 404
    assert anna.post(path_of(joerg, "/merges"), {"other": other.id}).status_code == 404
    assert anna.get(path_of(joerg, f"/merge/{joerg.id}")).status_code == 404
    assert Contact.select().count() == 2


# Companies


def test_a_company(world: World, joerg: Contact, anna: Browser) -> None:
    path = f"/companies/{joerg.company_id}"
    page = anna.get(path).text
    assert names(page) == ["Jörg Krüger"]
    assert Deal.get(Deal.contact == joerg).title in page
    form = {"name": "Fitwerk GmbH", "website": "fitwerk.example", "notes": "One\nTwo"}
    assert anna.post(path, form).location == path
    company = Company.get()
    assert (company.name, company.website) == ("Fitwerk GmbH", "https://fitwerk.example")
    for form, field in (({"name": ""}, "name"), ({"website": "javascript:x"}, "website")):
        answer = anna.post(path, form)
        assert answer.status_code == 422
        assert f'id="{field}-problem"' in answer.text


def test_two_people_change_one_company(joerg: Contact, anna: Browser, hugo: Browser) -> None:
    path = f"/companies/{joerg.company_id}"
    found = re.search(r'name="seen" value="(.*?)"', anna.get(path).text)
    assert found
    hugo.get(path)
    hugo.post(path, {"notes": "Closed on Mondays"})
    form = {"name": "Fitwerk", "website": "", "notes": "Rings twice"}
    answer = anna.post(path, {**form, "seen": unescape(found[1])})
    assert answer.status_code == 409
    for text in ("Somebody else changed this just now", "Rings twice", "Closed on Mondays"):
        assert text in answer.text
    assert Company.get().notes == "Closed on Mondays"
    # The second time she knows, and means it.
    again = re.search(r'name="seen" value="(.*?)"', answer.text)
    assert again
    assert anna.post(path, {**form, "seen": unescape(again[1])}).status_code == 303
    assert Company.get().notes == "Rings twice"


# Files


def test_a_head_saves_what_the_list_shows(joerg: Contact, hugo: Browser, anna: Browser) -> None:
    answer = hugo.get("/contacts/export.csv?tag=vip")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="contacts.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [(r["name"], r["company"], r["numbers"], r["email"]) for r in rows] == [
        ("Jörg Krüger", "Fitwerk", CUSTOMER, "joerg@fitwerk.example")
    ]
    cards = hugo.get("/contacts/export.vcf").text
    assert cards.count("BEGIN:VCARD\r\n") == 2
    assert f"TEL:{CUSTOMER}\r\n" in cards
    assert "Bruno" not in hugo.get("/contacts/export.vcf?q=krueger").text
    assert hugo.get("/contacts/export.xls").status_code == 404
    assert anna.get("/contacts/export.csv").status_code == 404


@pytest.mark.parametrize(
    ("locale", "headings"),
    [
        ("en", "id,name,company,numbers,email,owner,created_at"),
        ("de", "ID,Name,Firma,Telefonnummern,E-Mail,Zuständig,Angelegt"),
        ("ru", "ID,Имя,Компания,Телефоны,Эл. почта,Ответственный,Создан"),
    ],
)
def test_a_file_for_people_comes_back(
    world: World, hugo: Browser, locale: str, headings: str
) -> None:
    """Its headings are in their language, and the import knows them all."""
    users.change(world.hugo, locale=locale)
    Contact.of_number(CUSTOMER, "Inga Holm", world.anna)
    sheet = contact_file.read(hugo.get("/contacts/export.csv").data)
    assert ",".join(sheet.columns) == headings
    assert sheet.guess == ["", "name", "company", "number", "email", "owner", ""]
    assert sheet.rows[0][1] == "Inga Holm"


# Erasure


def test_a_head_erases_by_typing_the_name(joerg: Contact, hugo: Browser, anna: Browser) -> None:
    assert anna.get(path_of(joerg, "/erasure")).status_code == 404
    assert anna.post(path_of(joerg, "/erasure"), {"name": joerg.name}).status_code == 404
    page = hugo.get(path_of(joerg, "/erasure")).text
    assert "Calls made anonymous" in page
    answer = hugo.post(path_of(joerg, "/erasure"), {"name": "Jörg"})
    assert answer.status_code == 422
    assert "This is not the name" in answer.text
    assert Contact.select().count() == 2
    answer = hugo.post(path_of(joerg, "/erasure"), {"name": "jörg  krüger "})
    receipt = Receipt.get()
    assert answer.location == f"/receipts/{receipt.id}"
    page = hugo.get(answer.location).text
    assert receipt.mark in page
    assert "Jörg" not in page
    assert hugo.get(path_of(joerg)).status_code == 404
    assert "Erased" in hugo.get("/").text


def test_a_call_that_goes_on_is_waited_for(joerg: Contact, hugo: Browser) -> None:
    Story.begins(linkedid="2.1").rings("PJSIP/101").answered("PJSIP/101")
    answer = hugo.post(path_of(joerg, "/erasure"), {"name": "Jörg Krüger"})
    assert answer.status_code == 422
    assert "going on" in answer.text
    assert Contact.by_number(CUSTOMER)


def test_who_knows_the_number_finds_the_receipt(
    world: World, joerg: Contact, hugo: Browser, anna: Browser
) -> None:
    receipt = erasure.erase(erasure.of_contact(joerg), world.hugo, world.settings.panel.secret_key)
    link = f'href="/receipts/{receipt.id}"'
    assert link in hugo.get("/receipts").text
    assert link in hugo.post("/receipts", {"who": "030 4470 1182"}).text
    assert "nothing was erased" in hugo.post("/receipts", {"who": OTHER}).text
    assert anna.get("/receipts").status_code == 404
    assert anna.get(f"/receipts/{receipt.id}").status_code == 404


def test_recordings_that_were_left_are_tried_again(
    world: World, joerg: Contact, hugo: Browser
) -> None:
    from models import Call

    Call.update(recording="gone.wav").execute()
    receipt = erasure.erase(erasure.of_contact(joerg), world.hugo, "", ["/nowhere"])
    page = hugo.get(f"/receipts/{receipt.id}").text
    assert "1 recording could not be deleted" in page
    assert hugo.post(f"/receipts/{receipt.id}/again").status_code == 303


# In a browser


def test_a_file_becomes_contacts(world: World, enter: Enter, tmp_path: Path) -> None:
    file = tmp_path / "kunden.csv"
    rows = "".join(f"Otto {n};030 12345{n:02}\n" for n in range(60))
    file.write_bytes(("Name;Telefon\nJörg Krüger;by hand\n" + rows).encode("cp1252"))
    page = enter("hugo")
    page.get_by_role("link", name="Contacts").click()
    page.get_by_role("link", name="Import").click()
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Look at it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What “kunden.csv” holds")
    expect(page.locator(".grid tbody tr").nth(1)).to_contain_text("Otto 0")
    page.get_by_role("button", name="Import 60 contacts").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The contacts are in")
    with page.expect_download() as download:
        page.get_by_role("link", name="Save the refused rows").click()
    saved = Path(download.value.path()).read_text("utf-8-sig")
    assert "Jörg Krüger,by hand,2,“by hand” is not a telephone number" in saved
    page.get_by_role("link", name="To the contacts").click()
    expect(page.locator(".clients__one")).to_have_count(50)
    # Impatience makes no second one.
    page.goto("/contacts/new")
    page.fill("main [name=name]", "Only once")
    page.locator("main form").evaluate("form => [1, 2, 3].forEach(() => form.requestSubmit())")
    expect(page.get_by_role("heading", level=1)).to_have_text("Only once")
    assert Contact.select().where(Contact.name == "Only once").count() == 1


def test_a_key_that_is_made_up_marks_no_receipt(world: World, joerg: Contact) -> None:
    """As the server does where no secret key is set: nobody could tell the mark next year."""
    hugo = Browser(create_app(world.settings, receipt_key=""))
    hugo.log_in("hugo")
    answer = hugo.post(path_of(joerg, "/erasure"), {"name": "Jörg Krüger"})
    assert Receipt.get().mark == ""
    assert "bears no mark" in hugo.get(answer.location).text
    assert "Was it erased?" not in hugo.get("/receipts").text
