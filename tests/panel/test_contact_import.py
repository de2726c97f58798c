"""/contacts/imports: a file is looked at, its columns are chosen, then it is entered (C1)."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from models import Contact
from panel import contact_import
from tests.office import until
from tests.panel.conftest import Browser
from tests.world import CUSTOMER, World

FILE = "Name;Telefon;Firma\nOtto Meier;030 1234567;Meier\nInga Holm;040 123456;\nX;by hand;\n"


@pytest.fixture(autouse=True)
def _no_files_of_others() -> None:
    contact_import._uploads.clear()


def send(browser: Browser, data: bytes | str, name: str = "kunden.csv") -> TestResponse:
    content = data.encode() if isinstance(data, str) else data
    form: dict[str, Any] = {"file": (io.BytesIO(content), name)}
    return browser.post("/contacts/imports", form, content_type="multipart/form-data")


def entered(browser: Browser, path: str, form: dict[str, Any] | None = None) -> str:
    """The page that tells what became of the rows."""
    assert browser.post(path, form).location == f"{path}/result"

    def page() -> str:
        answer = browser.get(f"{path}/result")
        return "" if "Refresh" in answer.headers else answer.text

    return until(page, "the rows are entered", 20)


def tally(page: str) -> list[int]:
    return [int(n) for n in re.findall(r"<li[^>]*><b>([0-9]+)</b>", page)]


def test_from_the_file_to_the_contacts(world: World, hugo: Browser) -> None:
    assert hugo.get("/contacts/import").status_code == 200
    path = send(hugo, FILE).location
    page = hugo.get(path).text
    assert tally(page) == [2, 0, 0, 1]
    assert "+49 30 1234567" in page
    assert f'action="{path}"' in page
    assert "is not a telephone number" in page
    assert Contact.select().count() == 0, "it was only looked at"
    page = entered(hugo, path, {"m": ["name", "number", "company"], "owner": world.ben.id})
    assert tally(page) == [2, 0, 0, 1]
    assert {(c.name, c.owner.login) for c in Contact.select()} == {
        ("Otto Meier", "ben"), ("Inga Holm", "ben"),
    }  # fmt: skip


def test_the_refused_rows_can_be_saved_once(hugo: Browser) -> None:
    path = send(hugo, FILE.replace("X;", "=cmd();")).location
    assert "Save the refused rows" in entered(hugo, path)
    answer = hugo.get(f"{path}/refused.csv")
    lines = answer.data.decode("utf-8-sig").splitlines()
    assert lines[0] == "Name,Telefon,Firma,Line,Reason"
    assert lines[1] == "'=cmd(),by hand,,4,“by hand” is not a telephone number"
    assert hugo.get(f"{path}/refused.csv").status_code == 404
    assert "Save the refused rows" not in hugo.get(f"{path}/result").text


def test_columns_are_chosen(hugo: Browser) -> None:
    path = send(hugo, "A;B\nOtto;030 1234567\n").location
    assert "Say what the columns are" in hugo.get(path).text
    assert hugo.post(path, {"m": ["", ""]}).location == path
    page = hugo.get(f"{path}?m=name&m=number").text
    assert tally(page) == [1, 0, 0, 0]
    assert tally(entered(hugo, path, {"m": ["name", "number"]})) == [1, 0, 0, 0]
    assert Contact.by_number("+49301234567")


def test_again_nothing_is_entered_twice(hugo: Browser) -> None:
    for counts in ([2, 0, 0, 1], [0, 0, 2, 1]):
        path = send(hugo, FILE).location
        assert tally(hugo.get(path).text) == counts
        assert tally(entered(hugo, path)) == counts
        assert tally(entered(hugo, path)) == counts, "a second click"
    assert Contact.select().count() == 2


def test_what_the_file_says_replaces_what_is_here(world: World, hugo: Browser) -> None:
    Contact.of_number("+49301234567", "O. M.", world.anna)
    path = send(hugo, FILE).location
    entered(hugo, path, {"m": ["name", "number", ""], "known": "overwrite"})
    assert {c.name for c in Contact.select()} == {"Otto Meier", "Inga Holm"}


def test_cards(hugo: Browser) -> None:
    card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Jörg\r\nTEL:{CUSTOMER}\r\nEND:VCARD\r\n"
    path = send(hugo, card, "kunden.vcf").location
    assert tally(entered(hugo, path)) == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04", "This is a workbook."),
        (b"\x00\x01\x02" * 1000, "This is no text file"),
        (b"," * 200_000, "There are more than 100 columns."),
    ],
)
def test_hostile_files_are_refused_with_a_sentence(
    hugo: Browser, data: bytes, sentence: str
) -> None:
    answer = send(hugo, data)
    assert answer.status_code == 422
    assert sentence in answer.text


def test_a_large_file_and_one_that_is_too_large(hugo: Browser) -> None:
    rows = "".join(f"Otto {n};030 {1000000 + n}\n" for n in range(5000))
    assert len(rows) > 64 * 1024
    assert send(hugo, "Name;Telefon\n" + rows).status_code == 303
    kind = "multipart/form-data; boundary=x"
    data = b"x" * (11 * 1024 * 1024)
    answer = hugo.client.post("/contacts/imports", data=data, content_type=kind)
    assert answer.status_code == 413
    assert "Too much at once" in answer.text


def test_other_forms_are_no_larger_than_before(hugo: Browser) -> None:
    assert hugo.post("/contacts", {"name": "x" * 70_000}).status_code == 413


def test_who_is_not_logged_in_sends_no_large_file(visit: Any) -> None:
    nobody = visit("")
    nobody.get("/login")
    assert send(nobody, b"x" * 100_000).status_code == 413


def test_no_file(hugo: Browser) -> None:
    answer = hugo.post("/contacts/imports", {}, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "Choose a file first" in answer.text


def test_for_heads_and_for_who_sent_it(world: World, hugo: Browser, visit: Any) -> None:
    path = send(hugo, FILE).location
    for login, expected in (("anna", 404), ("ada", 404), ("hugo", 200)):
        assert visit(login).get(path).status_code == expected
    assert visit("anna").get("/contacts/import").status_code == 404
    assert send(visit("anna"), FILE).status_code == 404
    assert hugo.get("/contacts/imports/unknown").status_code == 404


def test_only_a_few_files_wait(hugo: Browser) -> None:
    paths = [send(hugo, FILE).location for _ in range(contact_import.WAITING + 2)]
    found = [hugo.get(path).status_code for path in paths]
    assert found.count(200) == contact_import.WAITING
    assert found[-1] == 200


def test_one_that_broke_off_says_so(hugo: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_about: Any) -> None:
        raise RuntimeError("out of paper")

    monkeypatch.setattr(contact_import.contact_import, "run", broken)
    path = send(hugo, FILE).location
    page = entered(hugo, path)
    assert "The import broke off" in page
