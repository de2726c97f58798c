"""trichter setup and funnel: a file is loaded wholly, or says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats import setup_file
from models import Deal, Event, Funnel, Stage, User
from tests.cli import Run, installed
from tests.world import release, use
from verbs import reasons, wordings

CLOSED = """
[[funnel.stage]]
name = "Completed"
kind = "won"
[[funnel.stage]]
name = "Lost"
kind = "lost"
"""
GOOD = (
    """\
reasons = ["Price", "No need"]
[texts]
company = "Roofs Ltd"
[[department]]
name = "Service"
did = "030 555 001"
[[funnel]]
name = "Roofs"
[[funnel.stage]]
name = "New"
kind = "unsorted"
[[funnel.stage]]
name = "Offer"
probability = 30
stuck_after_days = 5
required = ["amount"]
colour = "blue"
"""
    + CLOSED
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/trichter.db"


@pytest.fixture
def run(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("setup", "show")`` with a database of its own, whose tables are made."""
    return installed(url, tmp_path, monkeypatch)


def test_a_file_is_loaded_shown_and_loaded_again(run: Run, url: str) -> None:
    said = run("setup", "load", "-", text=GOOD)
    assert said.exit_code == 0, said.output
    assert "+ funnel Roofs" in said.output
    shown = run("setup", "show").output
    assert run("setup", "load", "-", text=shown).output == "nothing to change\n"
    assert run("setup", "load", "-", text=GOOD).output == "nothing to change\n"
    use(url)
    offer = Stage.get(Stage.name == "Offer")
    assert (offer.probability, offer.stuck_after, offer.colour) == (30, 5 * 86400, "blue")
    assert [s.name for s in offer.funnel.in_order()] == ["New", "Offer", "Completed", "Lost"]
    assert [reason.name for reason in reasons.offered()] == ["Price", "No need"]
    assert wordings.texts()["company"] == "Roofs Ltd"
    assert Funnel.default().name == "Sales", "the others stay, and so does their order"
    assert Event.of_kind("setup.loaded").count() == 1
    release()


def test_a_dry_run_changes_nothing(run: Run) -> None:
    before = run("setup", "show").output
    said = run("setup", "load", "--dry-run", "-", text=GOOD)
    assert "to be changed" in said.output
    assert run("setup", "show").output == before


def test_funnel_load_takes_funnels_only(run: Run) -> None:
    assert "only funnel belong here" in run("funnel", "load", "-", text=GOOD).output
    alone = GOOD[GOOD.index("[[funnel]]") :]
    assert run("funnel", "load", "-", text=alone).exit_code == 0
    assert "Roofs" in run("funnel", "show").output


def test_stages_are_renamed_moved_and_removed(run: Run, url: str) -> None:
    run("setup", "load", "-", text=GOOD)
    use(url)
    offer = Stage.get(Stage.name == "Offer")
    Deal.open("Roof", None, None, stage=offer)
    release()
    stage = '[[funnel.stage]]\nname = "Talk"\n'
    without = GOOD[: GOOD.index('[[funnel.stage]]\nname = "Offer"')] + stage + CLOSED
    refused = run("setup", "load", "-", text=without)
    assert refused.exit_code == 1
    assert 'takes = ["Offer"]' in refused.output
    taken = without.replace(stage, stage + 'takes = ["Offer"]\n')
    said = run("setup", "load", "-", text=taken)
    assert "- stage Offer of Roofs, 1 deals to Talk" in said.output
    assert run("setup", "load", "-", text=taken).output == "nothing to change\n"
    renamed = taken.replace('name = "Talk"', 'name = "Visit"\nwas = "Talk"')
    assert "~ stage Visit of Roofs" in run("setup", "load", "-", text=renamed).output
    assert run("setup", "load", "-", text=GOOD.replace('Offer"\n', 'Offer"\ntakes = ["Visit"]\n'))
    use(url)
    assert Deal.get().stage.name == "Offer", "a stage that comes back is the same one"
    assert Deal.get().stage == offer
    release()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "nothing in it"),
        ("x = ", "not TOML"),
        (b"reasons = []\n# \xff", "not text in UTF-8: save it so (line 2)"),
        ("[[rule]]\nsituation='missed'", "'trichter rules load' loads rules (line 1)"),
        ("[[user]]\nlogin='x y'\nname='X'\nrole='head'", "nothing was changed"),
        ("other = 1", "only reasons, texts"),
        ("reasons = 3", "a list of texts"),
        ("[texts]\ncompny = 'x'", "did you mean company?"),
        ("[texts]\ncompany = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'", "at most 40"),
        ("department = 1", "[[department]]"),
        ("[[department]]\ndid = '1'", "department 1 (line 1): name: a text"),
        ("[[department]]\nname='A'\n[[department]]\nname='A'", "keep one"),
        ("[[funnel]]\nname = 'A'", "the first stage"),
        ("[[funnel]]\nname='A'\n[[funnel.stage]]\nname='N'\nkind='unsorted'", '"won"'),
        ("[[funnel]]\nname='A'\nstage = 3", "[[stage]]"),
        ("[[funnel]]\nname='A'\n[[funnel.stage]]\nkind='unsorted'", "must not be empty"),
        ("[[funnel]]\nname='A'\n[[funnel.stage]]\nname='B'\nprobability=101", "0 to 100"),
        ("[[funnel]]\nname='A'\n[[funnel.stage]]\nname='B'\nstuck_after_days='x'", "days"),
        ("[[funnel]]\nname='A'\n[[funnel.stage]]\nname='B'\nadvice=3", "texts in quotes"),
        ("[[funnel]]\nname='A'\n[[funnel.stage]]\nname='B'\nrequired=['x']", "required: 'x' is"),
        ("[[funnel]]\nname='A'\n[[funnel.stage]]\nname='B'\nstuck_after_days=-1", "0 to 3650"),
        ("[[funnel]]\nname='A'\n[[funnel.stage]]\nname='B'\ncolour='pink'", "one of grey"),
        ("[[funnel]]\nname='A'\n[[funnel.stage]]\nname='B'\nkind=['x']", "one of unsorted"),
    ],
)
def test_what_cannot_be_used_is_named(run: Run, text: str | bytes, said: str) -> None:
    before = run("setup", "show").output
    refused = run("setup", "load", "-", text=text)
    assert refused.exit_code == 1
    assert said in refused.output
    assert run("setup", "show").output == before


def test_the_document_can_be_loaded(run: Run) -> None:
    page = (Path(setup_file.__file__).parents[1] / "docs" / "setup.md").read_text()
    example = page[page.index("    reasons = ") : page.index("A stage that the file")]
    lines = [line[4:] for line in example.splitlines() if line.startswith("    ")]
    said = run("setup", "load", "-", text="\n".join(lines))
    assert said.exit_code == 0, said.output
    assert "~ stage Offer of Sales" in said.output


def test_init_says_what_is_next_until_somebody_can_log_in(run: Run, url: str) -> None:
    assert "trichter user add" in run("init").output
    words = ("--name", "Ada", "--role", "admin", "--language", "de", "--password-stdin")
    assert run("user", "add", "ada", *words, text="correct horse\n").exit_code == 0
    assert "user add" not in run("init").output
    use(url)
    assert User.get().locale == "de"
    release()


def test_disabling_with_an_heir(run: Run, url: str) -> None:
    for login in ("ada", "anna", "ben"):
        words = ("--name", login, "--role", "admin" if login == "ada" else "seller")
        run("user", "add", login, *words, "--password-stdin", text="correct horse\n")
    use(url)
    Deal.open("Roof", User.get(User.login == "anna"), None)
    release()
    assert "1 deals to ben" in run("user", "disable", "anna", "--heir", "ben").output
    assert "last administrator" in run("user", "disable", "ada").output
