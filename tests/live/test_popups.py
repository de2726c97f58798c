"""The pop-up card (T1): to whom it shows what, and when it is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from flask import Flask

import database
from fields import utcnow
from models import Call, Contact, Deal, Department, Leg, User
from panel import callers, create_app
from panel.auth import SignedIn
from tests.world import CUSTOMER, Story, World

See = Callable[..., str]
READABLE = "+49 30 44701182"


@pytest.fixture
def app(world: World) -> Flask:
    return create_app(world.settings)


@pytest.fixture
def see(app: Flask) -> See:
    return seeing(app)


def seeing(app: Flask) -> See:
    """``see("anna")`` is the text of her pop-ups, ``see("anna", 3)`` that of one; '' for 404."""

    def look(login: str, call: int | None = None, html: bool = False) -> str:
        client = app.test_client()
        with client.session_transaction() as session:
            session["_user_id"] = SignedIn(User.get(User.login == login)).get_id()
        answer = client.get("/popups" if call is None else f"/popups/{call}")
        if answer.status_code == 404:
            return ""
        assert answer.status_code == 200
        found = answer.get_data(as_text=True)
        bare = re.sub(r"<[^>]*>", " ", found)
        return found if html else " ".join(unescape(bare).split())

    return look


@pytest.fixture
def customer(world: World) -> Contact:
    return Contact.of_number(CUSTOMER, "Inga Holm", world.anna)


def test_an_unknown_number_with_a_form(world: World, see: See) -> None:
    call = Story.begins(did="+4940123456").rings("PJSIP/101").call
    shown = see("anna")
    assert "Rings" in shown
    assert "Unknown number " + READABLE in shown
    assert "+49 40 123456" in shown
    assert "Create deal" in shown
    assert "Open deal" not in shown
    form = see("anna", call.id, html=True)
    assert f'name="call" value="{call.id}"' in form
    assert 'action="/deals"' in form
    assert "csrf_token" in form


def test_the_form_makes_the_deal_of_this_call(world: World, app: Flask, see: See) -> None:
    call = Story.begins().rings("PJSIP/101").call
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = SignedIn(world.anna).get_id()
    values = {"call": call.id, "name": "Inga Holm", "title": "New roof"}
    answer = client.post("/deals", data=values)
    assert answer.status_code == 303
    deal = Deal.get()
    assert (deal.title, deal.owner, deal.contact.name) == ("New roof", world.anna, "Inga Holm")
    shown = see("anna", call.id)
    assert "Inga Holm " + READABLE in shown
    assert "Open deal" in shown


def test_a_known_customer_with_a_deal(world: World, see: See, customer: Contact) -> None:
    since = utcnow() - timedelta(days=9, minutes=1)
    stage = world.stage("Commercial offer")
    deal = Deal.open(
        "Bakery",
        world.anna,
        world.anna,
        contact=customer,
        stage=stage,
        amount=Decimal(6200),
        at=since,
    )
    Story.begins().rings("PJSIP/101", "PJSIP/102")
    shown = see("anna")
    assert "Inga Holm " + READABLE in shown
    assert "Bakery Commercial offer · 9 d € 6,200" in shown
    assert f'href="/deals/{deal.id}"' in see("anna", html=True)
    assert "Open deal" in shown
    # Ben's phone rings, too, and Anna's deal is none of his.
    shown = see("ben")
    assert "Inga Holm" in shown
    assert "Bakery" not in shown
    assert "Open deal" not in shown
    assert "Create deal" in shown


def test_earlier_calls_only_as_far_as_they_are_ones_own(
    world: World, see: See, customer: Contact
) -> None:
    yesterday = utcnow() - timedelta(days=1)
    talk = Story.begins(linkedid="a", at=yesterday).rings("PJSIP/101").answered("PJSIP/101")
    talk.ended(after=257)
    Deal.update(owner=None).execute()
    Story.begins(linkedid="b", at=yesterday + timedelta(hours=1)).rings("PJSIP/102").ended()
    Story.begins(linkedid="c").rings("PJSIP/101", "PJSIP/102")
    anna, ben = see("anna"), see("ben")
    assert "4:12 · you" in anna
    assert "Missed call" not in anna
    assert "4:12" not in ben
    assert "Missed call, not called back · " in ben


def test_missed_calls_are_counted_until_somebody_talked(anywhere: World) -> None:
    see = seeing(create_app(anywhere.settings))
    hour_ago = utcnow() - timedelta(hours=1)
    for number in range(2):
        at = hour_ago + timedelta(minutes=number)
        Story.begins(linkedid=f"m{number}", at=at).rings("PJSIP/101").ended()
    story = Story.begins(linkedid="now").rings("PJSIP/101")
    assert "2 missed calls, not called back" in see("anna")
    story.answered("PJSIP/101")
    assert "missed call" not in see("anna")


def test_it_goes_for_the_others_when_one_picks_up(world: World, see: See) -> None:
    story = Story.begins().rings("PJSIP/101", "PJSIP/102")
    call = story.call.id
    assert see("anna", call)
    assert see("ben", call)
    story = story.answered("PJSIP/101")
    assert "Talks" in see("anna", call)
    assert see("ben", call) == ""
    assert see("ben") == ""
    story.ended()
    assert see("anna", call) == ""
    assert see("anna") == ""


def test_a_call_that_is_passed_on_rings_again(world: World, see: See) -> None:
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    (first,) = story.report.legs
    legs = (replace(first, ended_at=story._at(9), outcome="answered"),)
    story = Story(replace(story.report, legs=legs))._recorded().rings("PJSIP/102", after=9)
    assert see("anna") == ""
    assert "Rings" in see("ben")


def test_it_is_only_for_those_whose_phone_rings(world: World, see: See) -> None:
    call = Story.begins().rings("PJSIP/101").call.id
    for login in ("ben", "olga", "hugo", "ada"):
        assert see(login, call) == ""
        assert see(login) == ""
    assert see("anna", call + 1) == ""


def test_several_at_once_the_latest_first(world: World, see: See) -> None:
    Story.begins(linkedid="1", number="+493044701111", at=utcnow() - timedelta(seconds=9)).rings(
        "PJSIP/101"
    )
    Story.begins(linkedid="2", number="+493044702222").rings("PJSIP/101")
    shown = see("anna")
    assert 0 < shown.index("+49 30 44702222") < shown.index("+49 30 44701111")


def test_calls_that_one_dials(world: World, see: See) -> None:
    Story.begins(direction="outgoing").rings("PJSIP/101")
    assert "Calling" in see("anna")


def test_calls_between_two_desks_stay_quiet(world: World, see: See) -> None:
    Story.begins(direction="internal", number="102").rings("PJSIP/101")
    assert see("anna") == ""


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("", ""),
        ("anonymous", "Anonymous"),
        ("1" * 40, "x"),
        (CUSTOMER, '"><script>alert(1)</script>'),
        (CUSTOMER, "ä" * 10_000),
        (CUSTOMER, "line\nbreak \u202e evil"),
    ],
)
def test_whatever_the_network_says(world: World, see: See, number: str, name: str) -> None:
    Story.begins(number=number, name=name).rings("PJSIP/101")
    html = see("anna", html=True)
    assert "<script" not in html
    assert "\u202e" not in html
    assert "Create deal" in html
    assert len(html) < 4000


def test_the_department_that_was_called(world: World, see: See) -> None:
    Department.update(did="+4940123456").where(Department.name == "Service").execute()
    Story.begins(did="040 123456").rings("PJSIP/101")
    assert "Service · +49 40 123456" in see("anna")


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch, world: World) -> list[str]:
    asked: list[str] = []
    held = database.database.obj
    execute = held.execute_sql

    def counted(sql: str, *arguments: object, **options: object) -> object:
        asked.append(sql)
        return execute(sql, *arguments, **options)

    monkeypatch.setattr(held, "execute_sql", counted)
    return asked


def test_the_number_of_queries(
    world: World, see: See, customer: Contact, queries: list[str]
) -> None:
    """Who looks, the calls; for each: own phone, department, deals, missed calls and talks,
    the contact, overdue tasks and the last note; once, the words of the company."""
    before = utcnow() - timedelta(days=1)
    for number in range(4):
        at = before + timedelta(minutes=number)
        Deal.open(f"Deal {number}", world.anna, world.anna, contact=customer)
        talk = Story.begins(linkedid=f"t{number}", at=at).rings("PJSIP/101").answered("PJSIP/101")
        talk.ended()
    call = Story.begins(linkedid="now", did="+4940123456").rings("PJSIP/101").call
    queries.clear()
    assert see("anna", call.id)
    # One is this test's own: it looks up whose session to make.
    assert len(queries) - 1 == 11, queries


def test_no_pop_up_reads_all_calls_that_there_ever_were(
    world: World, see: See, queries: list[str]
) -> None:
    Story.begins(linkedid="missed").rings("PJSIP/101").ended()
    call = Story.begins(linkedid="now").rings("PJSIP/101").call
    queries.clear()
    assert "Missed call" in see("anna", call.id)
    about_calls = [sql for sql in queries if '"calls"' in sql]
    assert about_calls
    for sql in about_calls:
        plan = database.database.execute_sql(f"EXPLAIN QUERY PLAN {sql}", ["1"] * sql.count("?"))
        assert not [step for *_, step in plan if step.startswith("SCAN t1")], sql


@pytest.mark.parametrize("one", [True, False])
def test_a_talk_that_ends_while_it_is_read_is_over(
    world: World, see: See, monkeypatch: pytest.MonkeyPatch, one: bool
) -> None:
    """Shown as if it rang, it would go without a word about what is next."""
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    own_leg = callers.own_leg

    def late(call: Call, user: User) -> Leg | None:
        story.ended()
        return own_leg(call, user)

    monkeypatch.setattr(callers, "own_leg", late)
    assert see("anna", story.call.id if one else None).strip() == ""
