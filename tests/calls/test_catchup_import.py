"""``trichter import-cdr``: months of old calls, as often as one likes, from files and databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import peewee
import pytest
from click.testing import CliRunner, Result
from playhouse import db_url

from ari_app import record_tables
from ari_app.record_files import CEL_CUSTOM
from fields import utcnow
from formats import exports
from models import Call, Contact, Deal, Event
from tests.calls.records import COLUMNS, CUSTOMER, answered_cel, lines, row
from tests.world import Story, World
from trichter import main

OTHER = "+493012345678"


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("TRICHTER_DATABASE_URL", world.settings.database.url)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["import-cdr", "--timezone", "UTC", *arguments])

    return invoke


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Master.csv"
    path.write_text(
        lines(
            [
                row(),
                row("PJSIP/102-0c", "NO ANSWER", duration=5, sequence=2),
                row(disposition="NO ANSWER", src=OTHER, clid=OTHER, linkedid="5.1", uniqueid="5.1"),
                row("", app="BackGround", src="anonymous", linkedid="6.1", uniqueid="6.1"),
                row("PJSIP/102-0c", channel="PJSIP/101-0a", linkedid="7.1", uniqueid="7.1"),
            ]
        )
    )
    return path


def rows() -> dict[str, list[dict[str, Any]]]:
    return {kind: list(read()) for kind, read in exports.KINDS.items()}


def test_old_calls_become_contacts_calls_and_the_missed_list(
    world: World, run: Callable[..., Result], file: Path
) -> None:
    result = run(str(file))
    assert result.exit_code == 0, result.output
    assert "4 calls entered" in result.output
    told = {c.linkedid: (c.direction, c.outcome, c.agent) for c in Call.select()}
    assert told == {
        "1772442000.10": ("incoming", "answered", world.anna),
        "5.1": ("incoming", "missed", None),
        "6.1": ("incoming", "missed", None),
        "7.1": ("internal", "answered", world.ben),
    }
    owners = {c.name: (c.owner, c.created_at.month) for c in Contact.select()}
    assert owners == {"Miriam Sander": (world.anna, 3), OTHER: (world.anna, 3)}
    assert Deal.select().count() == 0
    assert {c.linkedid for c in Call.awaiting_call_back()} == {"5.1", "6.1"}
    assert [e.kind for e in Event.select() if e.kind.startswith(("call", "deal"))] == [
        "calls.imported"
    ]
    answered = Call.get(Call.linkedid == "1772442000.10")
    assert (answered.wait, answered.talk, answered.contact.name) == (5, 60, "Miriam Sander")
    assert {leg.user.login: leg.outcome for leg in answered.legs} == {
        "anna": "answered",
        "ben": "missed",
    }


def test_importing_twice_changes_nothing(run: Callable[..., Result], file: Path) -> None:
    run(str(file))
    before = rows()
    result = run(str(file))
    assert (result.exit_code, rows()) == (0, before)
    assert "0 calls entered" in result.output


def test_a_source_that_has_grown_is_gone_on_with(run: Callable[..., Result], file: Path) -> None:
    run(str(file))
    with file.open("a") as more:
        more.write(lines([row(linkedid="8.1", uniqueid="8.1")]))
    assert "1 calls entered" in run(str(file)).output


def test_who_was_talked_with_later_is_not_missed_any_more(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "Master.csv"
    missed = row(disposition="NO ANSWER", begin="08:00:00", linkedid="2.1", uniqueid="2.1")
    file.write_text(lines([missed, row()]))
    run(str(file))
    assert list(Call.awaiting_call_back()) == []
    call = Call.get(Call.linkedid == "2.1")
    assert call.called_back_at == Call.get(Call.linkedid == "1772442000.10").answered_at


def test_calls_of_the_last_day_are_as_if_heard(
    world: World, run: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "Master.csv"
    now = (utcnow() - timedelta(hours=1)).isoformat()
    file.write_text(lines([row(start=now), row(linkedid="9.1", uniqueid="9.1", src=OTHER)]))
    assert run(str(file)).exit_code == 0
    (deal,) = Deal.select()
    assert (deal.owner, deal.contact.name) == (world.anna, "Miriam Sander")
    assert Contact.select().count() == 2


def test_deals_of_all(world: World, run: Callable[..., Result], file: Path) -> None:
    assert run("--deals", str(file)).exit_code == 0
    assert {d.contact.name for d in Deal.select()} == {"Miriam Sander", OTHER}
    assert Deal.select().first().created_at.month == 3


def test_since_and_pbx(run: Callable[..., Result], file: Path) -> None:
    later = lines([row(begin="12:00:00", linkedid="9.9", uniqueid="9.9")])
    with file.open("a") as more:
        more.write(later)
    assert "1 calls" in run("--since", "2026-03-02T10:00", "--pbx", "branch", str(file)).output
    assert [(c.pbx, c.linkedid) for c in Call.select()] == [("branch", "9.9")]


def test_bad_rows_are_said_and_counted(run: Callable[..., Result], file: Path) -> None:
    with file.open("a") as more:
        more.write("nonsense\n" + lines([row(start="never")]))
    result = run(str(file))
    assert result.exit_code == 0
    assert "line 6: 1 columns" in result.output
    assert "line 7: " in result.output
    assert "4 calls entered" in result.output
    assert "2 rows left out" in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "[calls] cdr"),
        (["--timezone", "Mars/Olympus", "x.csv"], 2, "Mars"),
        (["--since", "soon", "x.csv"], 2, "--since"),
        (["/nowhere/Master.csv"], 1, "No such file"),
        (["mysql://u:hushhush@127.0.0.1:1/x"], 1, "127.0.0.1"),
        (["setup.cfg"], 1, "is it CDR or CEL"),
    ],
)
def test_what_cannot_be_done(
    run: Callable[..., Result], arguments: list[str], code: int, said: str
) -> None:
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert said in result.output
    assert "hushhush" not in result.output
    assert "Traceback" not in result.output


def test_calls_that_were_heard_stay_as_they_are(
    world: World, run: Callable[..., Result], file: Path
) -> None:
    heard = Story.begins(linkedid="1772442000.10").rings("PJSIP/102").answered("PJSIP/102").ended()
    run(str(file))
    assert (heard.call.agent, heard.call.legs.count()) == (world.ben, 1)


def filled(url: str) -> None:
    """As FreePBX has it: CDR and CEL in one database, times in local time."""
    options = db_url.parse(url)
    assert options["database"]
    other = record_tables.connect(url)
    with other.connection_context():
        cdr: dict[str, Any] = {
            c if c != "start" else "calldate": peewee.TextField(default="") for c in COLUMNS
        }
        cdr |= {"calldate": peewee.DateTimeField(), "duration": peewee.IntegerField()}
        cel: dict[str, Any] = {c: peewee.TextField(default="") for c in CEL_CUSTOM}
        cel |= {"eventtime": peewee.DateTimeField(formats=["%Y-%m-%d %H:%M:%S.%f"])}
        for name, fields in (
            ("cdr", cdr),
            ("cel", cel),
            ("users", {"channel": peewee.TextField()}),
        ):
            meta = type("Meta", (), {"database": other, "table_name": name})
            model: Any = type(name.title(), (peewee.Model,), {**fields, "Meta": meta})
            model.create_table()
            if name == "cdr":
                model.insert_many(cdr_rows(fields)).execute()
            elif name == "cel":
                model.insert_many(cel_rows()).execute()


def cdr_rows(fields: dict[str, Any]) -> list[dict[str, str]]:
    kept = [
        row(linkedid="1.1", uniqueid="1.1", disposition="NO ANSWER"),
        row(),
        row(disposition="BUSY", begin="09:00:00", linkedid="5.1", uniqueid="5.1", src=OTHER),
    ]
    kept[2]["start"] = "2026-03-05 11:00:00"
    return [{k: v for k, v in {**r, "calldate": r["start"]}.items() if k in fields} for r in kept]


def cel_rows() -> list[dict[str, str]]:
    moments = [float(r["eventtime"]) for r in answered_cel()]
    texts = [
        datetime.fromtimestamp(m, UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        for m in moments
    ]
    return [{**r, "eventtime": t} for r, t in zip(answered_cel(), texts, strict=True)]


@pytest.mark.parametrize("kind", ["sqlite", "mariadb", "postgresql"])
def test_databases(
    world: World,
    run: Callable[..., Result],
    request: pytest.FixtureRequest,
    kind: str,
    tmp_path: Path,
) -> None:
    url = (
        f"sqlite:///{tmp_path}/asteriskcdrdb.sqlite"
        if kind == "sqlite"
        else str(request.getfixturevalue(f"{kind}_url"))
    )
    if kind == "sqlite":
        peewee.SqliteDatabase(url.removeprefix("sqlite:///")).execute_sql("VACUUM")
    filled(url)
    result = run(url)
    assert result.exit_code == 0, result.output
    assert "3 calls entered" in result.output
    told = {c.linkedid: (c.outcome, c.talk, c.number) for c in Call.select()}
    assert told == {
        "1.1": ("answered", 60, CUSTOMER),
        "1772442000.10": ("answered", 60, CUSTOMER),
        "5.1": ("busy", None, OTHER),
    }
    before = rows()
    assert "0 calls entered" in run(url).output
    assert rows() == before
