"""GET /deals/ID, /deals/ID/timeline and /deals/ID/card"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from playhouse.test_utils import count_queries

from fields import utcnow
from models import Call, CallRequest, Contact, Deal, Event, Note, StageChange
from panel import timeline
from tests.panel.conftest import FRAGMENT, Browser
from tests.world import CUSTOMER, Story, World
from verbs import contacts, notes, tasks
from verbs.deals import assign

SELLER_QUERIES = 17
HEAD_QUERIES = 19


@pytest.fixture
def deal(world: World) -> Deal:
    contact = Contact.of_number(CUSTOMER, "Jonas Brandt", world.anna)
    return Deal.open(
        "Fitwerk GmbH", world.anna, world.anna, contact=contact, amount=Decimal("12000")
    )


def entries(page: str) -> list[str]:
    """The timeline as text, the newest first."""
    found = re.findall(r'<li class="story__one.*?</li>', page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", one).split()) for one in found]


def test_it_tells_the_whole_story(world: World, deal: Deal, anna: Browser) -> None:
    earlier = utcnow() - timedelta(hours=1)
    talk = Story.begins(linkedid="1.1", at=earlier).rings("PJSIP/101")
    talk.answered("PJSIP/101").ended(after=137)
    Story.begins(linkedid="1.2").rings("PJSIP/101").ended()
    Deal.get_by_id(deal.id).move_to(world.stage("Opportunity"), by=world.hugo)
    page = anna.get(f"/deals/{deal.id}").text
    for text in (
        "Fitwerk GmbH",
        "Jonas Brandt",
        "€\u00a012,000",
        'href="tel:+493044701182"',
        "+49 30 44701182",
        "talked 2:12",
        "missed, call back",
        "Moved to",
        "by Hugo Head",
        "Created in",
        "On to Commercial offer",
        "Ask for need, budget and who decides.",
    ):
        assert text in page, text


def test_calls_show_who_talked(world: World, deal: Deal, anna: Browser) -> None:
    Story.begins().rings("PJSIP/101", "PJSIP/102").answered("PJSIP/102")
    page = anna.get(f"/deals/{deal.id}").text
    assert "Ben Okafor" in page
    assert "talks now" in page


def test_a_deal_without_anything(world: World, anna: Browser) -> None:
    deal = Deal.open("Bare", world.anna, None)
    page = anna.get(f"/deals/{deal.id}").text
    assert "no amount yet" in page
    assert "Nobody yet" in page
    assert "No calls yet" in anna.get(f"/deals/{deal.id}?show=calls").text
    assert "No notes yet" in anna.get(f"/deals/{deal.id}?show=notes").text


@pytest.mark.parametrize("stage", ["Completed", "Lost"])
def test_a_closed_deal(world: World, deal: Deal, anna: Browser, stage: str) -> None:
    deal.move_to(world.stage(stage), by=world.anna, reason="Too dear")
    page = anna.get(f"/deals/{deal.id}").text
    assert "Closed" in page
    assert "On to " not in page


def test_only_heads_can_give_it_away(deal: Deal, anna: Browser, hugo: Browser) -> None:
    assert "Reassign" not in anna.get(f"/deals/{deal.id}").text
    assert "Reassign" in hugo.get(f"/deals/{deal.id}").text


def test_one_line_of_all_that_happened(world: World, deal: Deal, hugo: Browser) -> None:
    talk = Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    talk.ended(after=65)
    Call.update(started_at=utcnow() - timedelta(hours=2)).execute()
    notes.add("Wants the offer by Friday.\nAnd a <b>discount</b>.", world.anna, deal=deal)
    notes.add("Dear Ms Krüger", world.anna, deal=deal, kind="mail")
    contacts.change(Contact.get(), world.anna, email="jonas@example.com")
    done = tasks.add("Send the offer", utcnow(), world.anna, world.anna, "offer", deal=deal)
    tasks.finish(done, world.anna, "Sent")
    assign(Deal.get_by_id(deal.id), world.ben, by=world.hugo)
    Deal.get_by_id(deal.id).move_to(world.stage("Lost"), by=world.hugo, reason="Too dear")
    page = hugo.get(f"/deals/{deal.id}").text
    told = entries(page)
    assert "Moved to Lost by Hugo Head: Too dear" in told[0]
    assert told[1].startswith("Hugo Head gave the deal to Ben Okafor")
    # Written within a moment, so that some may have the same time.
    for begin in (
        "Done: Send the offer : Sent",
        "Anna Krüger changed: email",
        "Dear Ms Krüger Mail Anna Krüger",
        "Wants the offer by Friday. And a &lt;b&gt;discount",
    ):
        assert any(one.startswith(begin) for one in told[2:6]), begin
    assert told[6].startswith("Created in Unsorted by Anna Krüger")
    assert told[7].startswith("Incoming call Anna Krüger talked 1:00")
    assert len(told) == 8
    assert [t.split()[0] for t in entries(hugo.get(f"/deals/{deal.id}?show=notes").text)] == [
        "Dear",
        "Wants",
    ]
    (only,) = entries(hugo.get(f"/deals/{deal.id}?show=calls").text)
    assert only.startswith("Incoming call")


def test_who_listened_is_told_to_heads_alone(
    world: World, deal: Deal, anna: Browser, hugo: Browser
) -> None:
    call = Story.begins().rings("PJSIP/101").answered("PJSIP/101").call
    about = {"mode": "whisper", "whom": world.anna.id}
    Event.add("listen.started", call=call, by=world.hugo, payload=about, only_heads=True)
    assert "whispered to Anna Krüger" in entries(hugo.get(f"/deals/{deal.id}").text)[0]
    assert "whispered" not in anna.get(f"/deals/{deal.id}").text
    assert CallRequest.select().count() == 0


def test_a_note_of_the_contact_alone_is_there_and_of_another_card_not(
    world: World, deal: Deal, anna: Browser
) -> None:
    other = Deal.open("Another", world.ben, world.ben, contact=deal.contact)
    notes.add("Not for Anna", world.ben, deal=other)
    notes.add("Prefers mornings", world.ben, contact=deal.contact)
    page = anna.get(f"/deals/{deal.id}").text
    assert "Prefers mornings" in page
    assert "Not for Anna" not in page


def test_a_long_line_comes_in_pages_and_each_entry_once(
    world: World, deal: Deal, anna: Browser
) -> None:
    moment = utcnow() - timedelta(hours=1)
    stages = world.funnel.in_order()
    for number in range(40):
        notes.add(f"Note {number}.", world.anna, deal=deal)
        now = Deal.get_by_id(deal.id)
        now.move_to(stages[number % 2 + 1], by=world.anna)
    # All in one moment: the border of a page lies between rows of the same time.
    Note.update(at=moment).execute()
    StageChange.update(at=moment).execute()
    seen, address = [], f"/deals/{deal.id}/timeline"
    for _page in range(9):
        page = anna.get(address, headers=FRAGMENT).text
        ids = re.findall(r'id="(entry-[a-z]+-[0-9]+)"', page)
        assert len(ids) <= timeline.PAGE
        seen += ids
        older = re.search(r'data-older="([^"]+)"', page)
        if not older:
            break
        address = older[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 81
    # Without scripts the same is a page.
    assert 'id="entry-' in anna.get(address.replace("/timeline", "")).text
    assert anna.get(address).status_code == 302


@pytest.mark.parametrize("before", ["x", "1-1", "-1-0-1", "9" * 40 + "-0-1", "9" * 13 + "-5-1"])
def test_a_cursor_that_is_none(deal: Deal, anna: Browser, before: str) -> None:
    answer = anna.get(f"/deals/{deal.id}/timeline?before={before}&show=x", headers=FRAGMENT)
    assert answer.status_code == 200
    assert "Created in" in answer.text


def test_the_card(world: World, deal: Deal, anna: Browser) -> None:
    page = anna.get(f"/deals/{deal.id}/card", headers=FRAGMENT).text
    assert page.lstrip().startswith('<div class="card')
    assert f'id="deal-{deal.id}"' in page


def without_tokens(page: str) -> str:
    """Those of forms say in which second they were made."""
    return re.sub(r'((?:csrf[-_]token|form_key)" \w+=)"[^"]*"', r"\1", page)


@pytest.mark.parametrize("end", ["", "/card", "/timeline"])
def test_for_the_outsider_it_does_not_exist(
    deal: Deal, anna: Browser, olga: Browser, end: str
) -> None:
    assert anna.get(f"/deals/{deal.id}{end}", headers=FRAGMENT).status_code == 200
    answer = olga.get(f"/deals/{deal.id}{end}")
    assert answer.status_code == 404
    assert "Fitwerk" not in answer.text
    nowhere = olga.get(f"/deals/{deal.id + 99}{end}").text
    assert without_tokens(answer.text) == without_tokens(nowhere)


@pytest.mark.parametrize(
    "number", ["0", "99", "9" * 18, "9" * 19, str(2**63), "9" * 40, "-1", "x", "1e3", "٣"]
)
def test_bad_ids_are_404(anna: Browser, number: str) -> None:
    assert anna.get(f"/deals/{number}").status_code == 404
    assert anna.get(f"/deals/{number}/card").status_code == 404


@pytest.mark.parametrize("number", [1, 12])
def test_the_number_of_queries_is_constant(
    world: World, deal: Deal, anna: Browser, hugo: Browser, number: int
) -> None:
    stages = world.funnel.in_order()
    for n in range(number):
        Story.begins(linkedid=f"{n}.1").rings("PJSIP/101").answered("PJSIP/101").ended()
        notes.add(f"Note {n}", world.hugo, deal=deal)
        Deal.get_by_id(deal.id).move_to(stages[(n + 1) % 6], by=world.hugo)
    for browser, expected in ((anna, SELLER_QUERIES), (hugo, HEAD_QUERIES)):
        with count_queries() as counted:
            assert browser.get(f"/deals/{deal.id}").status_code == 200
        assert counted.count == expected, [q.msg for q in counted.get_queries()]
