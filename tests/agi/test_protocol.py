import contextlib
import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agi_scripts.protocol import Agi, AgiError, HungUp, Request, set_command
from fields import clean
from tests.agi.speaking import environment, words


def hearing(*pieces: bytes) -> Agi:
    """A conversation in which Asterisk says these pieces, then ends it."""
    said = iter(pieces)
    return Agi(lambda _: next(said, b""), lambda _: None)


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_any_bytes_are_read_or_refused(pieces: list[bytes]) -> None:
    with contextlib.suppress(AgiError):
        said = hearing(*filter(None, pieces)).environment()
        assert all(name.startswith("agi_") for name in said)


@given(st.integers(0, len(environment()) - 1))
def test_a_request_cut_anywhere_says_so(length: int) -> None:
    with pytest.raises(AgiError, match="cut off"):
        hearing(environment()[:length] or b"a").environment()


@given(st.lists(st.integers(0, len(environment())), max_size=6))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    whole = environment()
    edges = [0, *sorted(cuts), len(whole)]
    pieces = [whole[a:b] for a, b in itertools.pairwise(edges) if a < b]
    assert hearing(*pieces).environment() == hearing(whole).environment()


def test_invalid_utf8_is_read_with_marks() -> None:
    said = hearing(environment(calleridname=b"M\xfcller\xff")).environment()
    assert said["agi_calleridname"] == "M\ufffdller\ufffd"


def test_a_name_of_10_kb_is_read() -> None:
    said = hearing(environment(calleridname="x" * 10_000)).environment()
    assert len(said["agi_calleridname"]) == 10_000


def test_more_than_any_exchange_says_is_refused() -> None:
    pieces = [b"agi_calleridname: ", *[b"x" * 8192] * 20]
    with pytest.raises(AgiError, match="more than 128 kB"):
        hearing(*pieces).environment()


def test_a_line_break_in_a_name_cannot_replace_what_follows() -> None:
    with pytest.raises(AgiError, match="agi_extension came twice"):
        hearing(environment(calleridname="x\nagi_extension: 0900123")).environment()


def test_other_lines_are_left_out() -> None:
    said = hearing(environment(calleridname="two\nlines: <b>")).environment()
    assert said == hearing(environment(calleridname="two")).environment()


def test_a_silent_peer_is_given_up() -> None:
    def silent(_: float) -> bytes:
        raise TimeoutError

    with pytest.raises(AgiError, match="not complete after 10 s"):
        Agi(silent, print).environment()


def test_a_peer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every piece comes in time, the whole does not."""
    now = iter(range(0, 1000, 3))
    monkeypatch.setattr("agi_scripts.protocol.time.monotonic", lambda: next(now))
    agi = Agi(lambda _: b"a", print)
    with pytest.raises(AgiError, match="not complete after 10 s"):
        agi.environment()


@given(st.text(max_size=300))
def test_values_arrive_as_one_word(value: str) -> None:
    command = set_command("TRICHTER_STAGE", value)
    assert command.count(b"\n") == 1
    assert len(command) <= 2047
    got = words(command)
    assert got[:3] == [b"SET", b"VARIABLE", b"TRICHTER_STAGE"]
    assert [w.decode() for w in got[3:]] == [clean(value, 2047)]


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        ("", ""),
        ('a "b" \\', 'a "b" \\'),
        ('x"\nEXEC System rm', 'x" EXEC System rm'),
        ("${SHELL(id)}", "${SHELL(id)}"),
        ("a\0b\x1b[1m", "ab[1m"),
    ],
)
def test_quotes_and_line_breaks_stay_inside(value: str, arrives: str) -> None:
    assert words(set_command("X", value))[3].decode() == arrives


@pytest.mark.parametrize("name", ["", "a b", "X\nY", "CALLERID(num)", "SHELL(id)", "X=1", "lower"])
def test_only_names_of_variables_are_set(name: str) -> None:
    with pytest.raises(ValueError, match="name of a variable"):
        set_command(name, "x")


def test_a_value_too_long_for_agi_is_refused_not_cut() -> None:
    with pytest.raises(AgiError, match="too long"):
        set_command("TRICHTER_DIAL_1", "x" * 2100)


@pytest.mark.parametrize(
    ("reply", "error", "says"),
    [
        (b"HANGUP\n", HungUp, "hung up"),
        (b"510 Invalid or unknown command\n", AgiError, "510"),
        (b"511 Command Not Permitted on a dead channel\n", AgiError, "511"),
        (b"", AgiError, "cut off"),
        (b"\xff\xfe\n", AgiError, "did not set"),
    ],
)
def test_replies_that_are_no_success(reply: bytes, error: type[AgiError], says: str) -> None:
    with pytest.raises(error, match=says):
        hearing(reply).set_variable("X", "1")


def test_a_connection_that_breaks_is_an_agi_error() -> None:
    def broken(_: object) -> bytes:
        raise BrokenPipeError(32, "Broken pipe")

    with pytest.raises(AgiError, match="broke"):
        Agi(lambda _: b"", broken).set_variable("X", "1")
    with pytest.raises(AgiError, match="broke"):
        Agi(broken, print).environment()
    Agi(lambda _: b"", broken).fail()


@pytest.mark.parametrize(
    ("said", "did"),
    [
        ({"agi_arg_1": "030555", "agi_extension": "1"}, "030555"),
        ({"agi_extension": "030555", "agi_dnid": "1"}, "030555"),
        ({"agi_extension": "s", "agi_dnid": "030555"}, "030555"),
        ({}, ""),
    ],
)
def test_the_called_number(said: dict[str, str], did: str) -> None:
    assert Request.of(said).did == did


def test_arguments_of_a_spawned_script_are_not_those_of_its_interpreter() -> None:
    said = {"agi_arg_1": "-m", "agi_arg_2": "agi_scripts.route_call", "agi_extension": "7"}
    assert Request.of(said, ["030555"]).did == "030555"
    assert Request.of(said, []).did == "7"


def test_the_path_without_slashes_and_query() -> None:
    assert Request.of({"agi_network_script": "/route_call?x=1"}).script == "route_call"


def test_no_thread_is_left() -> None:
    assert not [t for t in threading.enumerate() if t.name.startswith("agi")]
