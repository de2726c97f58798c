"""GET /calls/ID/recording: in parts, from within the folders, to those who may see the deal."""

from __future__ import annotations

import logging
import os
import time
import wave
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

import settings
from fields import utcnow
from models import Call, Deal, Event
from panel import create_app, recordings
from telephony import recorded
from tests.panel.conftest import Browser, Visit
from tests.world import Story, World
from verbs import recordings as verbs
from verbs.call_consequences import is_untouched
from verbs.deals import assign

NAME = "call.wav"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "monitor"
    made.mkdir()
    return made


@pytest.fixture
def app(world: World, folder: Path) -> Flask:
    kept = settings.Recordings((str(folder),))
    return create_app(replace(world.settings, recordings=kept))


def sound(path: Path, seconds: float = 1) -> bytes:
    """A file of noise; its content."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(os.urandom(round(seconds * 16000)))
    return path.read_bytes()


def call_with(recording: str, linkedid: str = "1.1") -> Call:
    """Anna's call, on her deal, recorded so."""
    story = Story.begins(linkedid=linkedid).rings("PJSIP/101", "PJSIP/102")
    story.answered("PJSIP/101").ended()
    Call.update(recording=recording).where(Call.linkedid == linkedid).execute()
    return story.call


def address(call: Call) -> str:
    return f"/calls/{call.id}/recording"


def fetch(browser: Browser, path: str, **options: Any) -> TestResponse:
    """The answer, read to its end and closed, as a server does."""
    return browser.client.open(path, buffered=True, **options)


def test_the_whole_file(anna: Browser, folder: Path) -> None:
    content = sound(folder / NAME)
    answer = fetch(anna, address(call_with(NAME)))
    assert (answer.status_code, answer.data) == (200, content)
    assert answer.content_type == "audio/wav"
    headers = answer.headers
    assert headers["Accept-Ranges"] == "bytes"
    assert "private" in headers["Cache-Control"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert not [value for value in headers.values() if str(folder) in value or NAME in value]


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [("0-99", 0, 100), ("100-", 100, None), ("-50", -50, None), ("16000-99999999", 16000, None)],
)
def test_a_part(anna: Browser, folder: Path, asked: str, begin: int, end: int | None) -> None:
    content = sound(folder / NAME)
    answer = fetch(anna, address(call_with(NAME)), headers={"Range": f"bytes={asked}"})
    assert (answer.status_code, answer.data) == (206, content[begin:end])
    first = begin % len(content)
    last = first + len(answer.data) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(content)}"
    assert answer.content_length == len(answer.data)


def test_all_the_rest_is_given_part_by_part(anna: Browser, folder: Path) -> None:
    content = sound(folder / NAME, seconds=150)
    where, got = address(call_with(NAME)), b""
    while len(got) < len(content):
        answer = fetch(anna, where, headers={"Range": f"bytes={len(got)}-"})
        assert answer.status_code == 206
        assert 0 < len(answer.data) <= recordings.PART
        got += answer.data
    assert got == content
    assert Event.of_kind("recording.played").count() == 1


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=9-3", "bytes=a-b", "bytes=0-1,5-6"])
def test_a_part_that_there_is_not(anna: Browser, folder: Path, asked: str) -> None:
    content = sound(folder / NAME)
    answer = fetch(anna, address(call_with(NAME)), headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(content)}"
    assert Event.of_kind("recording.played").count() == 0


def test_only_if_it_is_still_the_same(anna: Browser, folder: Path) -> None:
    content = sound(folder / NAME)
    where = address(call_with(NAME))
    tag = fetch(anna, where).headers["ETag"]
    assert fetch(anna, where, headers={"If-None-Match": tag}).status_code == 304
    part = {"Range": "bytes=0-9", "If-Range": tag}
    assert fetch(anna, where, headers=part).status_code == 206
    changed = fetch(anna, where, headers=part | {"If-Range": '"another"'})
    assert (changed.status_code, changed.data) == (200, content)


def test_the_head_alone(anna: Browser, folder: Path) -> None:
    content = sound(folder / NAME)
    call = call_with(NAME)
    answer = fetch(anna, address(call), method="HEAD")
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.content_length == len(content)
    assert Event.of_kind("recording.played").count() == 0


def test_to_those_who_may_see_the_deal(
    world: World, folder: Path, visit: Visit, anna: Browser, hugo: Browser, olga: Browser
) -> None:
    sound(folder / NAME)
    call = call_with(NAME)
    ben = visit("ben")
    where = address(call)
    assert fetch(anna, where).status_code == fetch(hugo, where).status_code == 200
    for browser in (olga, ben):
        answer = fetch(browser, where)
        assert answer.status_code == 404, "Ben's phone rang, but Anna talked, on her deal"
        assert "Nothing here" in answer.text
    assign(Deal.get_by_id(call.deal_id), world.ben, by=world.hugo)
    assert fetch(anna, where).status_code == 404
    assert fetch(ben, where).status_code == 200


def test_without_a_deal_to_who_talked(visit: Visit, folder: Path) -> None:
    sound(folder / NAME)
    call = call_with(NAME)
    Call.update(deal=None).execute()
    seen = {who: fetch(visit(who), address(call)).status_code for who in ("anna", "ben", "hugo")}
    assert seen == {"anna": 200, "ben": 404, "hugo": 200}


def test_nobody_without_a_log_in(visit: Visit, folder: Path) -> None:
    sound(folder / NAME)
    answer = fetch(visit(""), address(call_with(NAME)), headers={"Accept": "audio/*"})
    assert answer.status_code == 401


def test_not_while_the_call_goes_on(anna: Browser, folder: Path) -> None:
    sound(folder / NAME)
    story = Story.begins().rings("PJSIP/101").answered("PJSIP/101")
    assert verbs.begin(story.call.id, NAME)
    assert fetch(anna, address(story.call)).status_code == 404
    story.ended()
    assert fetch(anna, address(story.call)).status_code == 200


def test_a_file_that_is_gone_is_said_once(
    anna: Browser, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    recordings._said.clear()
    call = call_with("gone.wav")
    with caplog.at_level(logging.WARNING):
        assert [fetch(anna, address(call)).status_code for _ in range(3)] == [404] * 3
    assert caplog.text.count("gone.wav") == 1


@pytest.mark.parametrize(
    "name",
    [
        "../secret.wav",
        "../../../etc/passwd",
        "{folder}/../secret.wav",
        "{outside}",
        "/etc/passwd",
        "/dev/zero",
        "link.wav",
        "linked/secret.wav",
        "pipe.wav",
        "folder.wav",
        "call.wav\0.mp3",
        "call.wav\nSet-Cookie: a=b",
        "notes.txt",
        "",
        ".",
        "/",
        "a" * 255,
        "monitor/../../secret.wav",
    ],
)
def test_what_must_not_be_served(anna: Browser, folder: Path, tmp_path: Path, name: str) -> None:
    outside = tmp_path / "secret.wav"
    sound(outside)
    sound(folder / NAME)
    (folder / "link.wav").symlink_to(outside)
    (folder / "linked").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.wav")
    (folder / "folder.wav").mkdir()
    (folder / "notes.txt").write_text("not a recording")
    call = call_with(name.format(folder=folder, outside=outside))
    answer = fetch(anna, address(call))
    assert answer.status_code == 404
    assert "Set-Cookie: a=b" not in str(answer.headers)


def test_links_within_the_folders_may_be_followed(anna: Browser, folder: Path) -> None:
    content = sound(folder / "real.wav")
    (folder / NAME).symlink_to("real.wav")
    assert fetch(anna, address(call_with(NAME))).data == content


def test_where_it_can_be(folder: Path, world: World) -> None:
    """As MixMonitor and FreePBX name files."""
    at = Story.begins().call.started_at
    day = folder / f"{at:%Y/%m/%d}"
    other = folder / "2026/01/31"
    for place in (day, other):
        place.mkdir(parents=True)
    expected = {
        "plain.wav": folder / "plain.wav",
        "1700000000.1": folder / "1700000000.1.wav",
        f"{folder}/absolute.mp3": folder / "absolute.mp3",
        "/var/spool/asterisk/monitor/elsewhere.wav": folder / "elsewhere.wav",
        "of-the-day.WAV": day / "of-the-day.WAV",
        "in-101-0304-20260131-235959-1.2.wav": other / "in-101-0304-20260131-235959-1.2.wav",
        "2026/01/31/sub.ogg": other / "sub.ogg",
    }
    for path in expected.values():
        path.write_bytes(path.name.encode())
    for name, path in expected.items():
        file, kind = recorded.opened([str(folder)], name, at)
        with file:
            assert file.read() == path.name.encode()
        assert kind == recorded.TYPES[path.suffix]


@pytest.mark.parametrize(("zone", "hour"), [("Etc/GMT+11", 5), ("Etc/GMT-11", 20)])
def test_of_the_exchanges_day_or_ours(
    folder: Path, monkeypatch: pytest.MonkeyPatch, zone: str, hour: int
) -> None:
    """It is yesterday or tomorrow here, and the exchange goes by UTC."""
    at = datetime(2026, 3, 5, hour, tzinfo=UTC)
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        days = [f"{day:%Y/%m/%d}" for day in (at, at.astimezone())]
        assert len(set(days)) == 2
        for day in days:
            (folder / day).mkdir(parents=True)
            (folder / day / f"{day[-2:]}.wav").touch()
            recorded.opened([str(folder)], f"{day[-2:]}.wav", at)[0].close()
    time.tzset()


def test_an_unreadable_file_is_told_apart(folder: Path, world: World) -> None:
    at = Story.begins().call.started_at
    for name, why in (("gone.wav", "missing"), ("/elsewhere/x.wav", "outside"), ("..", "refused")):
        with pytest.raises(recorded.NotThere) as caught:
            recorded.opened([str(folder)], name, at)
        assert caught.value.why == why


def test_the_audit_trail_has_each_listener_once_a_day(
    world: World, anna: Browser, hugo: Browser, folder: Path
) -> None:
    sound(folder / NAME)
    call = call_with(NAME)
    deal = Deal.get_by_id(call.deal_id)
    for browser in (anna, anna, hugo):
        fetch(browser, address(call), headers={"Range": "bytes=0-"})
    events = list(Event.of_kind("recording.played").order_by(Event.id))
    assert [(e.user, e.call, e.deal_id) for e in events] == [
        (world.anna, call, None),
        (world.hugo, call, None),
    ]
    assert is_untouched(deal)
    Event.update(at=utcnow() - timedelta(days=1)).execute()
    fetch(anna, address(call))
    assert Event.of_kind("recording.played").count() == 3


def test_no_more_at_once_than_the_panel_can_bear(anna: Browser, folder: Path) -> None:
    sound(folder / NAME)
    where = address(call_with(NAME))
    for _ in range(recordings.AT_ONCE + 5):
        for method in ("GET", "HEAD"):
            assert fetch(anna, where, method=method).status_code == 200
        assert fetch(anna, where, headers={"Range": "bytes=99999999-"}).status_code == 416
    others = [-1 - at // recordings.EACH_AT_ONCE for at in range(recordings.AT_ONCE)]
    assert all(recordings._turns.take(user) for user in others), "every turn was given back"
    answer = fetch(anna, where)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    for user in others:
        recordings._turns.give_back(user)
    assert fetch(anna, where).status_code == 200


def test_nobody_takes_all_turns(world: World, anna: Browser, visit: Visit, folder: Path) -> None:
    sound(folder / NAME)
    where = address(call_with(NAME))
    for _ in range(recordings.EACH_AT_ONCE):
        assert recordings._turns.take(world.anna.id)
    assert not recordings._turns.take(world.anna.id)
    assert fetch(anna, where).status_code == 503
    assert fetch(visit("hugo"), where).status_code == 200
    for _ in range(recordings.EACH_AT_ONCE):
        recordings._turns.give_back(world.anna.id)
    assert fetch(anna, where).status_code == 200


def test_a_part_named_to_its_end_is_no_longer_than_any(anna: Browser, folder: Path) -> None:
    content = sound(folder / NAME, seconds=150)
    asked = {"Range": f"bytes=5-{len(content) - 1}"}
    answer = fetch(anna, address(call_with(NAME)), headers=asked)
    assert (answer.status_code, answer.data) == (206, content[5 : 5 + recordings.PART])


def test_lists_show_it_to_those_who_may_hear_it(
    world: World, visit: Visit, anna: Browser, folder: Path
) -> None:
    call = call_with(NAME)
    link = f'href="{address(call)}"'
    for path in ("/calls", f"/deals/{call.deal_id}"):
        assert link in fetch(anna, path).text
    listed = fetch(visit("ben"), "/calls").text
    assert f'id="call-{call.id}"' in listed
    assert link not in listed
