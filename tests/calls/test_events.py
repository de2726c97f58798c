"""events.parse: typed events out of what Asterisk sends, and BadEvent for the rest."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ari_app import events
from ari_app.channels import LONGEST
from ari_app.events import BadEvent, Bridged, Channel, Dialled, Entered, HungUp, Updated, parse

QUICK = settings(max_examples=250, deadline=None)
TIME = "2026-11-23T15:42:46.567+0000"
AT = datetime(2026, 11, 23, 15, 42, 46, 567_000, UTC)


def raw_channel(**changes: Any) -> dict[str, Any]:
    return {
        "id": "1795448566.0",
        "name": "PJSIP/trunk-observed-00000000",
        "state": "Ring",
        "caller": {"name": "Miriam Sander", "number": "+493044701182"},
        "connected": {"name": "", "number": ""},
        "dialplan": {"context": "in", "exten": "4930555", "priority": 1, "app_name": "Dial",
                     "app_data": "PJSIP/101"},
        "creationtime": TIME,
        "channelvars": {"CHANNEL(linkedid)": "1795448566.0"},
        **changes,
    }  # fmt: skip


def raw(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": TIME, "application": "trichter", **fields}


CHANNEL = Channel(
    id="1795448566.0",
    linkedid="1795448566.0",
    endpoint="PJSIP/trunk-observed",
    state="Ring",
    number="+493044701182",
    name="Miriam Sander",
    exten="4930555",
    app="Dial(PJSIP/101)",
    created=AT,
    label="PJSIP/trunk-observed-00000000",
)
GOOD = {
    "ChannelCreated": (raw("ChannelCreated", channel=raw_channel()), Updated(AT, CHANNEL)),
    "ChannelStateChange": (raw("ChannelStateChange", channel=raw_channel()), Updated(AT, CHANNEL)),
    "Dial": (
        raw("Dial", caller=raw_channel(), peer=raw_channel(), dialstatus="RINGING"),
        Dialled(AT, CHANNEL, CHANNEL, "RINGING"),
    ),
    "ChannelEnteredBridge": (
        raw(
            "ChannelEnteredBridge",
            channel=raw_channel(),
            bridge={"id": "b1", "channels": ["1795448566.0", "2"]},
        ),
        Bridged(AT, "b1", ("1795448566.0", "2"), CHANNEL),
    ),
    "ChannelLeftBridge": (
        raw("ChannelLeftBridge", channel=raw_channel(), bridge={"id": "b1", "channels": []}),
        Bridged(AT, "b1", (), CHANNEL),
    ),
    "ChannelDestroyed": (
        raw("ChannelDestroyed", channel=raw_channel(), cause=17),
        HungUp(AT, CHANNEL, 17),
    ),
    "StasisStart": (
        raw("StasisStart", channel=raw_channel(), args=["route", "4930555"]),
        Entered(AT, CHANNEL, ("route", "4930555")),
    ),
}


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_understood(kind: str) -> None:
    message, event = GOOD[kind]
    assert parse(message) == event


@pytest.mark.parametrize("kind", ["ChannelVarset", "DeviceStateChanged", "NewInAsterisk99", ""])
def test_what_tells_nothing_about_calls(kind: str) -> None:
    assert parse({"type": kind}) is None
    assert parse({}) is None


@pytest.mark.parametrize("message", [None, [], "text", 5, [{"type": "Dial"}]])
def test_what_is_no_event(message: Any) -> None:
    with pytest.raises(BadEvent):
        parse(message)


@pytest.mark.parametrize(
    "time",
    [
        None, 5, "", "soon", "2026-13-01T00:00:00.000+0000", "0001-01-01T00:00:00.000+2359",
        "9999-12-31T23:59:59.999-2359", "2026-11-23T15:42:46.567", ["2026"], {},
    ],
)  # fmt: skip
def test_a_time_that_is_none(time: Any) -> None:
    with pytest.raises(BadEvent):
        parse({**GOOD["Dial"][0], "timestamp": time})
    with pytest.raises(BadEvent):
        events.channel(raw_channel(creationtime=time))


@pytest.mark.parametrize(
    "fields",
    [
        {"channel": None},
        {"channel": []},
        {"channel": "PJSIP/101"},
        {"channel": {}},
        {"channel": raw_channel(id="")},
        {"channel": raw_channel(id=5)},
        {"channel": raw_channel(name=None)},
        {"bridge": None},
        {"bridge": {"id": "b1"}},
        {"bridge": {"id": "b1", "channels": "1.1"}},
    ],
)
def test_parts_that_are_missing(fields: dict[str, Any]) -> None:
    with pytest.raises(BadEvent):
        parse({**GOOD["ChannelEnteredBridge"][0], **fields})


def test_a_dial_without_caller_is_normal_and_without_peer_is_not() -> None:
    message = GOOD["Dial"][0]
    assert parse({**message, "caller": None}) == Dialled(AT, None, CHANNEL, "RINGING")
    with pytest.raises(BadEvent):
        parse({**message, "peer": None})


def test_odd_parts_of_a_channel_are_left_out() -> None:
    odd = events.channel(
        raw_channel(caller=[], dialplan="x", channelvars=7, state={"a": 1}, connected=None)
    )
    assert (odd.number, odd.name, odd.exten, odd.state, odd.app) == ("", "", "", "", "()")
    assert odd.linkedid == ""


def test_texts_are_cut() -> None:
    name = "<script>" + "x" * 10_000
    assert len(events.channel(raw_channel(caller={"name": name})).name) == LONGEST


@pytest.mark.parametrize(
    ("name", "endpoint", "is_local"),
    [
        ("PJSIP/101-00000001", "PJSIP/101", False),
        ("PJSIP/trunk-observed-00000001", "PJSIP/trunk-observed", False),
        ("Local/101@phones-00000001;2", "Local/101@phones", True),
        ("SIP/101", "SIP/101", False),
    ],
)
def test_endpoints(name: str, endpoint: str, is_local: bool) -> None:
    made = events.channel(raw_channel(name=name))
    assert (made.endpoint, made.is_local) == (endpoint, is_local)


@pytest.mark.parametrize(
    ("name", "is_nobodys"),
    [
        ("Message/ast_msg_queue", True),
        ("Local/101@phones-00000001;1", True),
        ("Snoop/1795448566.0-00000003", True),
        ("PJSIP/Message-00000001", False),
        ("DAHDI/i1/03044701182-2", False),
        ("IAX2/branch-1142", False),
    ],
)
def test_channels_that_are_nobodys(name: str, is_nobodys: bool) -> None:
    assert events.channel(raw_channel(name=name)).is_nobodys == is_nobodys


@pytest.mark.parametrize(
    ("dialstring", "number"),
    [
        ("03044701182@trunk", "03044701182"),
        ("trunk/+493044701182", "+493044701182"),
        ("trunk/sip:03044701182@192.0.2.1:5060", "03044701182"),
        ("guest:secret@peer/03044701182@in", "03044701182"),
        ("g1/03044701182", "03044701182"),
        ("101", ""),
        ("alice@trunk", ""),
        ("", ""),
    ],
)
def test_the_number_that_was_sent(dialstring: str, number: str) -> None:
    event = parse({**GOOD["Dial"][0], "dialstring": dialstring})
    assert isinstance(event, Dialled)
    assert event.target == number


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@QUICK
@given(JSON)
def test_any_json_is_an_event_nothing_or_bad(message: Any) -> None:
    with suppress(BadEvent):
        parse(message)


@QUICK
@given(st.data())
def test_a_message_with_one_odd_part_is_an_event_or_bad(data: st.DataObject) -> None:
    message = json.loads(json.dumps(data.draw(st.sampled_from([m for m, _ in GOOD.values()]))))
    place = message
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not (isinstance(place[key], dict) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    times = st.datetimes().map(lambda t: t.isoformat() + "+2359")
    place[key] = data.draw(JSON | times)
    try:
        event = parse(message)
    except BadEvent as error:
        message = str(error)
        assert len(message) < 100
    else:
        assert event is None or hash(event)
