"""The private Asterisk, callers and phones, and the sample configuration they run on."""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import websocket

from tests.asterisk_fixtures import UNHURRIED, Phones, PrivateAsterisk, Ring
from tests.calls.lived import written

# isort: split
from asterisk_runtime import Passwords, _addresses
from ports import Ports, free_port
from private_asterisk import AsteriskError, Running
from sip_parties import Caller, Phone, SippError

CHECKOUT = Path(__file__).resolve().parent.parent
HOSTILE_NAMES: dict[str, str | bytes | None] = {
    "none": None,
    "empty": "",
    "quotes": 'a"b\\"c',
    "script": "<script>alert(1)</script>",
    "dialplan": "${SHELL(id)} [call_id] ]]>",
    "not UTF-8": b"M\xfcller \xff\xfe",
    "10 kB": "x" * 10240,
}
HOSTILE_NUMBERS = ("anonymous", "101", "4" * 40, "letters", "49\n1&PJSIP/103,)${X}")


def eventually(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def channels(pbx: PrivateAsterisk) -> list[dict[str, str]]:
    request = urllib.request.Request(f"{pbx.ari_url}/ari/channels")  # noqa: S310
    login = base64.b64encode(f"{pbx.ari_username}:{pbx.ari_password}".encode()).decode()
    request.add_header("Authorization", f"Basic {login}")
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
        found: list[dict[str, str]] = json.load(reply)
    return found


def processes_of(runtime: Path) -> list[psutil.Process]:
    own = str(runtime)
    return [p for p in psutil.process_iter(["cmdline"]) if own in " ".join(p.info["cmdline"] or [])]


# ------------------------------------------------------------------ calls


def test_observed_call_has_two_channels_and_ends(
    asterisk: PrivateAsterisk, phones: Phones, ring: Ring
) -> None:
    phone = phones("101")
    caller = ring(number="+491701234567", name="Carla", way="observe", hold=0.5)
    caller.wait_for("answered")
    phone.wait_for("answered")

    names = sorted(channel["name"].rpartition("-")[0] for channel in channels(asterisk))
    assert names == ["PJSIP/101", "PJSIP/trunk-observed"]
    assert "2 active channels" in asterisk.cli("core show channels")
    assert {channel["state"] for channel in channels(asterisk)} == {"Up"}

    assert caller.wait() == "hung up"
    phone.wait_for("hung up by the other side")
    eventually(lambda: not channels(asterisk), "no channels")


def test_phones_busy_declining_and_ringing(phones: Phones, ring: Ring) -> None:
    phones("101", "busy")
    phones("102", "decline")
    ringing = phones("103", "ring")
    caller = ring(way="observe", rings_for=0.3)
    assert caller.wait() == "cancelled"
    ringing.wait_for("cancelled")


def test_phone_that_hangs_up_first(phones: Phones, ring: Ring) -> None:
    phones("101", talk_seconds=0.2)
    assert ring(way="observe", hold=None).wait() == "hung up by the other side"


def test_phone_takes_calls_at_once_and_again(phones: Phones, ring: Ring) -> None:
    phone = phones("101")
    for _ in range(2):
        callers = [ring(number=f"+4917012345{n}", way="observe", hold=0.3) for n in range(3)]
        assert [caller.wait() for caller in callers] == ["hung up"] * 3
    phone.wait_for("hung up by the other side", count=6)


def test_sellers_call_each_other_and_outside(phones: Phones, ring: Ring) -> None:
    phones("102")
    customer = phones("customer")
    assert ring("102", way="101", hold=0.1).wait() == "hung up"
    assert ring("0301234567", way="101", hold=0.1).wait() == "hung up"
    assert sum(event.startswith("invited") for event in customer.events()) == 1


def test_softphone_arrives_like_a_caller(phones: Phones, ring: Ring) -> None:
    phone = phones("101")
    assert ring(way="softphone", hold=0.1).wait() == "hung up"
    assert "+493055501234" in phone.events()[0]


# ------------------------------------------------------------------ hostile callers


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_any_caller_name_gets_through(phones: Phones, ring: Ring, name: str | bytes | None) -> None:
    phone = phones("101")
    assert ring(name=name, way="observe", hold=0.05).wait() == "hung up"
    assert len([event for event in phone.events() if event.startswith("invited")]) == 1


@pytest.mark.parametrize("number", HOSTILE_NUMBERS)
def test_caller_numbers_neither_inject_nor_impersonate(
    asterisk: PrivateAsterisk, phones: Phones, ring: Ring, number: str
) -> None:
    phone = phones("101")
    caller = ring(number=number, hold=0.3)
    caller.wait_for("answered")
    names = {channel["name"].rpartition("-")[0] for channel in channels(asterisk)}
    assert names == {"PJSIP/trunk", "PJSIP/101"}
    assert caller.wait() == "hung up"
    assert len([event for event in phone.events() if event.startswith("invited")]) == 1


@pytest.mark.parametrize(
    "did", ["49,1&PJSIP/103)", "49%0A%24%7BSHELL(id)%7D", "49%22%26,s,1", "+", "s", "T"]
)
def test_called_numbers_do_not_inject(phones: Phones, ring: Ring, did: str) -> None:
    phones("101")
    assert ring(did, hold=0.05).wait() == "hung up"


def test_outside_number_dials_one_place_only(phones: Phones, ring: Ring) -> None:
    customer, colleague = phones("customer"), phones("103")
    assert ring("030%26PJSIP/103", way="101", hold=0.05).wait() == "hung up"
    assert customer.events()
    assert not colleague.events()


def test_nobody_elsewhere_is_the_trunk(asterisk: PrivateAsterisk) -> None:
    stranger = Caller(asterisk, sender=b"<sip:trunk@127.0.0.1>")
    stranger._address = "127.0.0.9"  # no trunk's
    with stranger, pytest.raises(SippError, match="401"):
        stranger.wait()


# ------------------------------------------------------------------ Trichter absent or frozen


@contextmanager
def registered_app(pbx: PrivateAsterisk) -> Iterator[None]:
    """An application that is connected and never reacts, like a process that is stopped."""
    url = f"{pbx.ari_url.replace('http', 'ws')}/ari/events?app=trichter&subscribeAll=true"
    login = base64.b64encode(f"{pbx.ari_username}:{pbx.ari_password}".encode()).decode()
    connection = websocket.create_connection(url, header=[f"Authorization: Basic {login}"])
    try:
        yield
    finally:
        connection.close()


@pytest.mark.parametrize("release", [22, 16])
def test_fallback_when_trichter_is_absent_or_frozen(release: int) -> None:
    with PrivateAsterisk(release) as pbx, Phone(pbx.ports.phone("101"), ring_seconds=0.1):
        for way in ("route", "agi"):
            assert Caller(pbx, way=way, hold=0.1).run() == "hung up"
        with registered_app(pbx), socket.create_server(("127.0.0.1", pbx.ports.agi)):
            for way in ("route", "agi"):
                # Longer than the limit: it must not cut the conversation.
                assert Caller(pbx, way=way, hold=1.3).run() == "hung up"
        eventually(lambda: not channels(pbx), "no channels")
        absent, frozen = batched_by_two(seconds_until_dialled(pbx))
    assert max(absent) < 0.9
    assert 0.9 < min(frozen) <= max(frozen) < 2.5


def seconds_until_dialled(pbx: PrivateAsterisk) -> list[float]:
    """Of each call from outside, in order, by Asterisk's clock."""
    begun: dict[str, float] = {}
    dialled: dict[str, float] = {}
    for row in written(pbx):
        call, at = row["linkedid"], float(row["eventtime"])
        if row["eventtype"] == "CHAN_START" and row["uniqueid"] == call:
            begun[call] = at
        elif row["appname"] == "Dial":
            dialled.setdefault(call, at)
    return [dialled[call] - at for call, at in begun.items()]


def batched_by_two(four: list[float]) -> tuple[list[float], list[float]]:
    assert len(four) == 4
    return four[:2], four[2:]


def test_caller_gives_up_while_agi_is_frozen(asterisk: PrivateAsterisk, ring: Ring) -> None:
    """The call ends with its caller, and not only with the time that Trichter gets."""
    with socket.create_server(("127.0.0.1", asterisk.ports.agi)):
        assert ring(way="agi", cancel_after=0.3).wait() == "cancelled"
        eventually(lambda: not channels(asterisk), "no channels", UNHURRIED / 2)


# ------------------------------------------------------------------ start and stop


def test_starts_without_errors_and_leaves_nothing() -> None:
    pbx = PrivateAsterisk(22).start()
    runtime, ports = pbx.runtime, pbx.ports
    try:
        assert "ERROR" not in pbx.log()
        assert processes_of(runtime)
    finally:
        pbx.stop()
    assert not processes_of(runtime)
    assert not runtime.exists()
    ports.check_free()


def test_listens_on_this_machine_only(asterisk: PrivateAsterisk) -> None:
    assert asterisk.process is not None
    ours = (asterisk.ports.sip, asterisk.ports.http)
    bound = [c.laddr for c in psutil.Process(asterisk.process.pid).net_connections() if c.laddr]
    assert {address.ip for address in bound if address.port in ours} == {"127.0.0.1"}


def test_two_at_once(asterisk: PrivateAsterisk) -> None:
    with PrivateAsterisk(22) as other:
        assert other.ports.http != asterisk.ports.http
        assert channels(other) == []


def test_a_port_that_was_just_handed_out_is_not_free_for_the_next() -> None:
    """Whoever got it may be about to bind it."""
    assert len({free_port() for _ in range(150)}) == 150


def test_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AsteriskError, match=rf"port {port} \(http\)"):
            PrivateAsterisk(22, ports=Ports(http=port)).start()


def test_runtime_folder_with_a_long_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AsteriskError, match="too long"):
        PrivateAsterisk(22, runtime=tmp_path / ("x" * 100)).start()


def test_command_starts_asks_and_stops(tmp_path: Path) -> None:
    runtime = Path(f"/tmp/trichter-test-{os.getpid()}")

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = [sys.executable, str(CHECKOUT / "bin" / "asterisk"), *arguments]
        program += ["--runtime", str(runtime)]
        return subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)

    started = command("start", "--release", "22")
    try:
        assert started.returncode == 0, started.stderr
        assert "http://127.0.0.1:" in started.stdout
        assert (runtime / "etc").stat().st_mode & 0o077 == 0
        secret = (runtime / "etc/ari.conf").read_text().split("password=")[1].strip()
        assert secret not in started.stdout
        assert command("start", "--release", "22").returncode == 1
        assert "0 active calls" in command("cli", "core show channels").stdout
    finally:
        stopped = command("stop")
        subprocess.run(["rm", "-r", runtime], check=True)
    assert stopped.returncode == 0, stopped.stderr
    assert Running.find(runtime) is None
    again = command("cli", "core show uptime")
    assert again.returncode == 1
    assert "bin/asterisk start" in again.stderr


# ------------------------------------------------------------------ the samples


def test_every_sample_is_in_use(asterisk: PrivateAsterisk) -> None:
    samples = {path.name for path in (CHECKOUT / "asterisk_conf").glob("*.conf")}
    assert {"ari.conf", "http.conf", "pjsip.conf", "extensions.conf"} <= samples
    for name in samples - {"pjsip_addresses.conf"}:
        assert f'#include "{CHECKOUT}/asterisk_conf/{name}"' in (asterisk.etc / name).read_text()


@pytest.mark.parametrize("name", ["ari.conf", "http.conf"])
def test_samples_are_put_below_files_that_have_a_general_section(
    asterisk: PrivateAsterisk, name: str
) -> None:
    """As packages bring them. Asterisk refuses a second [general] in the one, ignores it in the
    other, and takes "[general](+)" only where there is one."""
    sample = (CHECKOUT / "asterisk_conf" / name).read_text()
    assert re.findall(r"^\[general\].*", sample, re.MULTILINE) == ["[general](+)"]
    assert (asterisk.etc / name).read_text().startswith("[general]\n#include")


def test_own_addresses_have_the_sections_of_the_sample() -> None:
    def sections(text: str) -> set[str]:
        return set(re.findall(r"^;?(\[.*)$", text, re.MULTILINE))

    sample = (CHECKOUT / "asterisk_conf/pjsip_addresses.conf").read_text()
    own = "\n".join(_addresses(Ports(), Passwords()))
    extra = {f"[{number}](+type=aor)" for number in ("101", "102", "103")}
    assert sections(own) - extra == sections(sample)


def test_observe_only_has_no_line_of_trichter() -> None:
    dialplan = (CHECKOUT / "asterisk_conf/extensions.conf").read_text()
    context = dialplan.split("\n[observe-only]\n")[1].split("\n[")[0]
    lines = [line for line in context.splitlines() if not line.startswith(";")]
    assert lines
    assert not [line for line in lines if "trichter" in line.lower()]
