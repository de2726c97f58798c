"""trichter rules show and load: a file is loaded wholly, or says what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from formats import rules_file
from models import Event
from tests.cli import Run, installed
from tests.world import release, use
from verbs import rules
from verbs.rules import Rule

QUICK = hypothesis(max_examples=150, deadline=None)
WORDS = st.text(max_size=12) | st.integers() | st.booleans() | st.lists(st.text(max_size=6))
KEYS = st.sampled_from([*rules_file.RULE_KEYS, "number", "note", "x"])

GOOD = """\
# the evening
[[rule]]
situation = "missed"
number = "unknown"
makes = ["task", "contact"]
missed_owner = "turns"

[[rule]]
did = "030 / 555 000"
situation = "incoming"
number = "known"
makes = ["record", "deal"]
repeat_after_days = 30

[[ignore]]
number = "030 4470 1182"
note = "Taxi"
"""


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("rules", "show")`` with a database of its own, whose tables are made."""
    return installed("sqlite:///trichter.db", tmp_path, monkeypatch)


def shown(run: Run) -> str:
    result = run("rules", "show")
    assert result.exit_code == 0
    return result.stdout


def problems(run: Run, text: str | bytes) -> list[str]:
    """What is said of a bad file, which changes nothing."""
    before = shown(run)
    result = run("rules", "load", "-", text=text)
    assert (result.exit_code, result.stdout) == (1, "")
    *found, last = result.stderr.splitlines()
    assert last == "Error: nothing was changed"
    assert shown(run) == before
    return found


def test_show_and_load(run: Run) -> None:
    Path("rules.toml").write_text(shown(run))
    assert run("rules", "load", "rules.toml").stdout == "nothing to change\n"
    Path("good.toml").write_text(GOOD)
    told = run("rules", "load", "--dry-run", "good.toml").stdout
    assert told.endswith("8 to be changed\n")
    assert shown(run) == Path("rules.toml").read_text()
    done = run("rules", "load", "good.toml")
    assert (done.exit_code, done.stdout) == (0, told.replace("to be changed", "changed"))
    assert run("rules", "load", "good.toml").stdout == "nothing to change\n"
    assert run("rules", "load", "-", text=shown(run)).stdout == "nothing to change\n"
    use("sqlite:///trichter.db")
    assert rules.matrix() == [
        Rule("", "missed", False, ("contact", "task"), "turns"),
        Rule("+4930555000", "incoming", True, ("deal", "record"), "last", 30),
    ]
    assert [(row.e164, row.note) for row in rules.ignore_list()] == [("+493044701182", "Taxi")]
    assert Event.of_kind("rules.loaded").count() == 1
    release()


def test_show_for_programs(run: Run) -> None:
    run("rules", "load", "-", text=GOOD)
    assert json.loads(run("rules", "show", "--format", "json").stdout) == {
        "rule": [
            {
                "situation": "missed",
                "number": "unknown",
                "makes": ["contact", "task"],
                "missed_owner": "turns",
            },
            {
                "did": "+4930555000",
                "situation": "incoming",
                "number": "known",
                "makes": ["deal", "record"],
                "repeat_after_days": 30,
            },
        ],
        "ignore": [{"number": "+493044701182", "note": "Taxi"}],
    }


def test_all_that_is_wrong_is_said_at_once(run: Run) -> None:
    bad = """\
colour = "red"
[[rule]]
situation = "ringing"
number = "unknown"
make = ["deal"]

[[rule]]
did = 5
situation = "missed"
number = "known"
makes = ["fax"]
missed_owner = "boss"
repeat_after_days = 0.5

  [[ rule ]]
situation = "missed"
number = "known"
makes = []
[[rule]]
situation = "missed"
number = "known"
makes = "deal"
[[ignore]]
number = "taxi"
[[ignore]]
number = "030 4470 1182"
notes = "x"
"""
    assert problems(run, bad) == [
        "'colour': only [[rule]] and [[ignore]] belong here",
        "rule 1 (line 2): unknown key 'make'; did you mean makes?",
        "rule 1 (line 2): situation: 'ringing' is none of incoming, missed, outgoing",
        "rule 2 (line 7): did: 5 must be a text in quotes",
        "rule 2 (line 7): repeat_after_days: 0.5 must be a whole number of days",
        "rule 2 (line 7): makes: 'fax' is none of contact, deal, task, record",
        "rule 2 (line 7): missed_owner: 'boss' is none of last, first, nobody, head, turns",
        "rule 4 (line 19): makes: 'deal' must be a list such as [\"contact\", \"deal\"], or [] for "
        "nothing",
        "rule 4 (line 19): an earlier rule has the same did, situation and number; keep one of "
        "them",
        "ignore 1 (line 23): number: 'taxi' is not a telephone number; write it in full, for "
        "example +493012345678",
        "ignore 2 (line 25): unknown key 'notes'; did you mean note?",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no [[rule]] in it; write rule = [] if calls shall make nothing"),
        ("[[ignore]]\nnumber = '030 4470 1182'", "no [[rule]] in it"),
        ("[[rule]\n", "this is not TOML: "),
        (b"rule = '\xff'", "this is not text in UTF-8: save it so (line 1)"),
        ("rule = 5", "rule: write each one below a line [[rule]]"),
        ("rule = [5]", "rule 1: 5 is not a table"),
        ("rule = [{}]", "rule 1: situation: is missing; write one of incoming"),
        ("[rule]\nsituation='missed'", "rule: write each one below a line [[rule]]"),
        ("[[rule]]\nsituation='missed'\nnumber='known'", "rule 1 (line 1): makes: is missing"),
        (
            GOOD + '[[ignore]]\nnumber="+493044701182"',
            "ignore 2 (line 18): number: +493044701182 is",
        ),
        (GOOD.replace("030 / 555 000", " "), "rule 2 (line 8): did: ' ' is not a called number"),
        (GOOD.replace("030 / 555 000", "9" * 41), "rule 2 (line 8): did: '9999"),
        (GOOD.replace("= 30", "= 4000"), "rule 2 (line 8): repeat_after_days: a number of days, 0"),
        ("x = " + "[" * 5000, "this is not TOML"),
        ("x = " + "1" * 5000, "this is not TOML"),
    ],
)
def test_what_is_wrong(run: Run, text: str | bytes, said: str) -> None:
    assert problems(run, text)[0].startswith(said)


def test_no_rule_at_all_must_be_meant(run: Run) -> None:
    assert run("rules", "load", "-", text="rule = []").exit_code == 0
    assert "rule = []" in shown(run)
    assert run("rules", "load", "-", text=shown(run)).stdout == "nothing to change\n"


def test_files_of_other_editors(run: Run) -> None:
    windows = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    assert run("rules", "load", "-", text=windows).exit_code == 0
    assert run("rules", "load", "nowhere.toml").exit_code == 2


@given(st.dictionaries(KEYS, WORDS), st.dictionaries(KEYS, WORDS))
@QUICK
def test_any_entries(rule: dict[str, object], ignored: dict[str, object]) -> None:
    """Whatever stands there, it is read or said to be wrong."""
    text = "\n".join(
        f"[[{name}]]\n" + "\n".join(f"{k} = {json.dumps(v)}" for k, v in entry.items())
        for name, entry in (("rule", rule), ("ignore", ignored))
    )
    found = rules_file.read(text.replace("\x7f", "").encode("utf-8", "replace"))
    assert found.problems or (len(found.rules) == 1 and len(found.ignored) == 1)


@given(st.binary(max_size=200))
@QUICK
def test_any_file(data: bytes) -> None:
    assert rules_file.read(data).problems or b"rule" in data


@given(st.text(max_size=60), st.text(max_size=200))
@QUICK
def test_any_names_can_be_loaded_again(did: str, note: str) -> None:
    rule = Rule(rules_file.normal_did(did), "missed", True, ("deal",), "head", 7)
    ignored = {"+493044701182": rules_file.clean(note, rules.NOTE)}
    found = rules_file.read(rules_file.as_toml([rule], ignored).encode())
    assert (found.problems, found.rules, found.ignored) == ([], [rule], ignored)
