"""trichter import-contacts, export contacts --format vcard, erase."""

from __future__ import annotations

from pathlib import Path

import pytest

import settings
from models import Call, Contact, Receipt
from tests.test_cli import Run, ready, refusal, run, url
from tests.world import CUSTOMER, Story, release, use

__all__ = ["ready", "run", "url"]

FILE = "Name;Telefon\nOtto Meier;030 1234567\nX;by hand\n"


@pytest.fixture
def file(tmp_path: Path) -> str:
    made = tmp_path / "kunden.csv"
    made.write_text(FILE)
    return str(made)


def test_import(ready: Run, file: str, url: str) -> None:
    dry = ready("import-contacts", file, "--dry-run")
    assert dry.stdout == "1 would be new, 0 would be updated, 0 known already, 1 refused\n"
    done = ready("import-contacts", file)
    assert (done.exit_code, done.stdout) == (0, "1 new, 0 updated, 0 known already, 1 refused\n")
    assert "line 3: 'by hand' is not a telephone number" in done.stderr
    again = ready("import-contacts", file)
    assert again.stdout == "0 new, 0 updated, 1 known already, 1 refused\n"
    cards = ready("export", "contacts", "--format", "vcard").stdout
    assert "FN:Otto Meier" in cards
    assert "TEL:+49301234567" in cards


def test_an_import_that_can_not_be(ready: Run, tmp_path: Path, file: str) -> None:
    empty, odd = tmp_path / "empty.csv", tmp_path / "odd.csv"
    empty.write_text("")
    odd.write_text("A;B\n1;2\n")
    assert "The file is empty" in refusal(ready("import-contacts", str(empty)))
    assert "name a column" in refusal(ready("import-contacts", str(odd)))
    assert "nobody" in refusal(ready("import-contacts", file, "--owner", "nobody"))
    assert ready("import-contacts", str(tmp_path / "none.csv")).exit_code == 2
    assert ready("export", "calls", "--format", "vcard").exit_code == 2


def test_erase(ready: Run, url: str) -> None:
    use(url)
    Story.begins(name="Miriam Sand").rings("PJSIP/101").ended()
    release()
    key = {"TRICHTER_PANEL_SECRET_KEY": "k" * 32}
    asked = ready("erase", CUSTOMER, text="n\n", **key)
    assert asked.exit_code == 1
    assert "Erase Miriam Sand (1 calls, 1 deals, 1 tasks) for ever?" in asked.stdout
    done = ready("erase", "030 4470 1182", "--yes", **key)
    assert done.exit_code == 0
    assert done.stdout.startswith("receipt 1: erased 1 calls")
    use(url)
    assert (Contact.select().count(), Call.get().number, len(Receipt.get().mark)) == (0, None, 64)
    release()
    assert "Nothing is known" in refusal(ready("erase", CUSTOMER, "--yes", **key))
    assert "not a telephone number" in refusal(ready("erase", "Miriam", "--yes"))


def test_a_recording_is_erased_at_the_second_try(ready: Run, url: str, tmp_path: Path) -> None:
    folder = tmp_path / "monitor"
    use(url)
    Story.begins().rings("PJSIP/101").answered("PJSIP/101").ended()
    Call.update(recording="talk.wav").execute()
    release()
    about = {
        "TRICHTER_PANEL_SECRET_KEY": "k" * 32,
        "TRICHTER_RECORDINGS_FOLDERS": str(folder),
    }
    first = ready("erase", CUSTOMER, "--yes", **about)
    assert first.exit_code == 1
    assert "1 recordings could not be deleted" in first.stderr
    folder.mkdir()
    (folder / "talk.wav").write_bytes(b"x")
    assert ready("erase", CUSTOMER, "--yes", **about).exit_code == 0
    assert list(folder.iterdir()) == []
    use(url)
    assert Call.get().recording is None
    release()


def test_where_the_folders_are_named() -> None:
    loaded = settings.load({"TRICHTER_RECORDINGS_FOLDERS": "/a,/b"})
    assert loaded.recordings.folders == ("/a", "/b")
