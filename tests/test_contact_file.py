"""contact_file and vcard: whatever a program writes is read, whatever is no table is refused."""

from __future__ import annotations

import csv
import io

import pytest

from errors import Refused
from formats import contact_file, vcard
from formats.contact_file import Sheet, read

ROWS = [["Name", "Telefon"], ["Jörg Krüger", "030 44701182"], ["Ann; Lee", "+44 20 7946 0000"]]
RUSSIAN = [["Имя", "Телефон"], ["Фёдор Соловьёв", "8 495 123-45-67"]]


def table(rows: list[list[str]], delimiter: str = ";") -> str:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize("delimiter", list(";,\t|"))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_any_delimiter_and_encoding(delimiter: str, encoding: str) -> None:
    sheet = read(table(ROWS, delimiter).encode(encoding))
    assert [sheet.columns, *sheet.rows] == ROWS
    assert sheet.guess == ["name", "number"]
    assert sheet.lines == [2, 3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1251"])
def test_russian(encoding: str) -> None:
    sheet = read(table(RUSSIAN).encode(encoding))
    assert [sheet.columns, *sheet.rows] == RUSSIAN
    assert sheet.guess == ["name", "number"]


def test_what_excel_says_of_the_delimiter() -> None:
    sheet = read(b"sep=|\r\nName|Phone\r\nA;B;C|030 1234567\r\n")
    assert sheet.rows == [["A;B;C", "030 1234567"]]
    assert sheet.lines == [3]


@pytest.mark.parametrize(
    ("heading", "guess"),
    [
        ("First Name,Last Name,E-mail Address,Business Phone,Company,Job Title,Notes",
         "first last email number company position note"),
        ("Vorname,Nachname,E-Mail,Telefon (geschäftlich),Mobiltelefon,Firma,Schlagworte",
         "first last email number number company tags"),
        ("Имя,Фамилия,Эл. почта,Мобильный телефон,Компания,Должность,Ответственный",
         "first last email number company position owner"),
        ("Name,Name,Shoe size,Phone 1 - Value,E-mail 1 - Value", "name - - number email"),
    ],
)  # fmt: skip
def test_headings_of_three_languages(heading: str, guess: str) -> None:
    wanted = [word if word != "-" else "" for word in guess.split()]
    assert contact_file.guessed(heading.split(",")) == wanted


def test_a_table_without_headings() -> None:
    sheet = read(b"Otto Meier,030 1234567\nInga Holm,040 1234567\n")
    assert (sheet.columns, sheet.guess) == (["", ""], ["", ""])
    assert len(sheet.rows) == 2


def test_cells_over_several_lines_and_short_rows() -> None:
    sheet = read(b'name,note,phone\n"A","one\ntwo",030 1234567\nB\n\n,,\nC,x\n')
    assert sheet.rows == [["A", "one\ntwo", "030 1234567"], ["B", "", ""], ["C", "x", ""]]
    assert sheet.lines == [2, 4, 7]


def test_our_own_apostrophes_are_taken_off() -> None:
    assert read(b"name,phone\n'=cmd(),'+49301234567\n").rows == [["=cmd()", "+49301234567"]]


def test_what_excel_puts_around_a_text_is_taken_off() -> None:
    data = b'name;phone;mail\nOtto;"=""030 1234567""";n/a\nInga;-;i@holm.example\n'
    assert read(data).rows == [["Otto", "030 1234567", ""], ["Inga", "", "i@holm.example"]]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b" \n \n", "empty"),
        (b"name,phone\n", "no contact"),
        (b"PK\x03\x04whatever", "workbook"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "no text file"),
        (b"\x7fELF" + bytes(range(256)) * 20, "no text file"),
        (b"x" * (contact_file.MOST_BYTES + 1), "10 MB"),
        (b"," * 1_000_000, "100 columns"),
        (b"a,b\n" + b"1,2\n" * 20_001, "20,000"),
        (b'name,phone\n"Otto' + b"x" * 200_000, "quotation mark"),
        (b"BEGIN:VCARD\nFN:Otto\n", "no contact"),
        (b"BEGIN:VCARD\nEND:VCARD\n" * 20_001, "20,000"),
    ],
    ids=range(12),
)
def test_what_is_no_table_is_refused(data: bytes, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refusal:
        read(data)
    assert refusal.value.field == "file"


def cards(text: str) -> Sheet:
    return read(text.encode())


def test_cards_of_each_version() -> None:
    sheet = cards(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Jörg Krüger\r\nN:Krüger;Jörg;;;\r\n"
        "ORG:Fitwerk\\, GmbH;Sales\r\nTITLE:Head\r\nitem1.TEL;TYPE=WORK:030 4470\r\n  1182\r\n"
        "TEL;TYPE=CELL:+49 151 55522100\r\nEMAIL;TYPE=INTERNET:joerg@fitwerk.example\r\n"
        "CATEGORIES:VIP,Old friends\r\nNOTE:one\\ntwo\\;three\r\nPHOTO:xxxx\r\nEND:VCARD\r\n"
        "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=A1=D0=BE;=\n"
        "=D0=A4\nTEL;CELL:030 1234567\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:4.0\nFN:Inga\nTEL;VALUE=uri:tel:+49-40-123456\n"
        "EMAIL:mailto:inga@holm.example\nEND:VCARD\n"
    )
    assert sheet.guess == ["name", "company", "position", "email", "number", "tags", "note"]
    assert sheet.rows == [
        ["Jörg Krüger", "Fitwerk, GmbH", "Head", "joerg@fitwerk.example",
         "030 4470 1182\n+49 151 55522100", "VIP Old-friends", "one\ntwo;three"],
        ["Ф Со", "", "", "", "030 1234567", "", ""],
        ["Inga", "", "", "inga@holm.example", "+49-40-123456", "", ""],
    ]  # fmt: skip


def test_what_is_written_is_read_again() -> None:
    row = {
        "id": 7, "name": "Ann, Lee; \\ & Söhne " + "я" * 60, "company": "A;B",
        "numbers": ["+493044701182", "+4915155522100"], "email": "a@b.example",
    }  # fmt: skip
    text = vcard.written(row)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    [(line, card)] = list(vcard.read(text))
    assert line == 1
    assert card == {
        "name": row["name"], "company": "A;B", "email": "a@b.example",
        "number": "+493044701182\n+4915155522100",
    }  # fmt: skip


@pytest.mark.parametrize(
    "hostile",
    [
        "NOTE;ENCODING=QUOTED-PRINTABLE:=\n" + "a=\n" * 400_000,
        "NOTE:\n" + " a\n" * 400_000,
        "TEL:1\n" * 400_000,
    ],
)
def test_a_card_without_end_is_read_in_time(hostile: str) -> None:
    """What is copied once for each of its lines would take hours."""
    sheet = cards(f"BEGIN:VCARD\nFN:Inga\n{hostile}\nEND:VCARD\n")
    assert sheet.rows[0][0] == "Inga"


@pytest.mark.parametrize("charset", ["UNDEFINED", "IDNA", "PUNYCODE", "ISO-8859-99", "ROT13"])
def test_a_card_names_no_codec_of_its_choice(charset: str) -> None:
    sheet = cards(
        f"BEGIN:VCARD\nN;CHARSET={charset};ENCODING=QUOTED-PRINTABLE:=D0=A1=D0=BE;{'a' * 80}.b\n"
        "END:VCARD\n"
    )
    assert sheet.rows[0][0].endswith("Со")
