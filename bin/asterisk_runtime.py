"""The generated configuration of a private Asterisk: the samples, and what differs from them.

Every file here includes the sample of asterisk_conf/ and adds ports, passwords and addresses with
`[section](+)`. Of values given twice Asterisk takes the last one.
"""

import resource
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ports import LOOPBACK, RTP_PORTS, Ports

# Asterisk tells trunks apart by the address that a call comes from. All of 127/8 is this machine.
TRUNKS = {"route": "127.0.0.2", "agi": "127.0.0.3", "observe": "127.0.0.4"}
SELLERS = ("101", "102", "103")
MOST_FILES = 65536
SPEAKER = "en_US_f_Allison"


@dataclass(frozen=True)
class Passwords:
    """Passwords; made up when not given, so that no two private Asterisks share one."""

    ari: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    phones: str = field(default_factory=lambda: secrets.token_urlsafe(9), repr=False)
    softphone: str = field(default_factory=lambda: secrets.token_urlsafe(9), repr=False)


FOLDERS = (
    *(
        "etc",
        "run",
        "log",
        "log/cdr-csv",
        "log/cdr-custom",
        "log/cel-custom",
        "spool",
        "spool/monitor",
        "spool/recording",
        "db",
        "keys",
    ),
    *("agi", "cache"),
)


def write(
    runtime: Path, conf: Path, ports: Ports, passwords: Passwords, modules: Path, data: Path
) -> None:
    """Write all configuration below `runtime`/etc, readable by this user only.

    Every *.conf of `conf` is included in the file of the same name; what this run needs is added.
    """
    for name in FOLDERS:
        (runtime / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    own = {
        "asterisk.conf": _asterisk(runtime, modules, data),
        "logger.conf": "[logfiles]\nmessages => warning,error,notice\n",
        "modules.conf": _modules(modules, conf),
        "rtp.conf": f"[general]\nrtpstart={ports.rtp}\nrtpend={ports.rtp + RTP_PORTS - 1}\n",
        "pjsip_addresses.conf": "\n".join(_addresses(ports, passwords)),
    }
    samples = _samples(conf, ports, passwords, data)
    for name, text in (dict.fromkeys(EMPTY, "") | samples | own).items():
        path = runtime / "etc" / name
        path.touch(mode=0o600)
        path.write_text(text)


def _samples(conf: Path, ports: Ports, passwords: Passwords, data: Path) -> dict[str, str]:
    added = {
        "http.conf": f"[general](+)\nbindport={ports.http}\n",
        "ari.conf": f"[trichter](+)\npassword={passwords.ari}\n",
        "extensions.conf": f"[globals](+)\nTRICHTER_AGI=agi://{LOOPBACK}:{ports.agi}\n",
        # Music is a package that is not fetched. Callers who wait hear digits instead.
        "musiconhold.conf": f"[default](+)\ndirectory={data}/sounds/{SPEAKER}/digits\n",
    }
    return {
        sample.name: _before(sample) + f'#include "{sample}"\n' + added.get(sample.name, "")
        for sample in conf.glob("*.conf")
    }


def _before(sample: Path) -> str:
    """A sample made to be put below an existing file adds to the [general] of that one."""
    return "[general]\n" if "\n[general](+)" in sample.read_text() else ""


# Asterisk takes its defaults for these, but calls a missing file an error.
EMPTY = (
    *("acl.conf", "ccss.conf", "cdr.conf", "cdr_custom.conf", "cel.conf", "cel_custom.conf"),
    *("confbridge.conf", "features.conf", "followme.conf", "indications.conf", "manager.conf"),
    *("pjproject.conf", "queues.conf", "queuerules.conf", "res_http_media_cache.conf"),
    *("res_parking.conf", "stasis.conf", "udptl.conf", "voicemail.conf", "websocket_client.conf"),
)


def _asterisk(runtime: Path, modules: Path, data: Path) -> str:
    places = {
        "astetcdir": runtime / "etc",
        "astmoddir": modules,
        "astvarlibdir": data,
        "astdatadir": data,
        "astdbdir": runtime / "db",
        "astkeydir": runtime,
        "astagidir": runtime / "agi",
        "astspooldir": runtime / "spool",
        "astrundir": runtime / "run",
        "astlogdir": runtime / "log",
        "astcachedir": runtime / "cache",
        "astsbindir": runtime,
    }
    lines = ["[directories]", *(f"{name} => {place}" for name, place in places.items())]
    # A two-leg call takes about ten descriptors. Only root could go above the hard limit.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    # Debian's prompts lie in the folder of their speaker; it is alternatives that link "en" to it.
    options = [f"maxfiles={files}", f"defaultlanguage={SPEAKER}"]
    return "\n".join([*lines, "[options]", *options, ""])


def _addresses(ports: Ports, passwords: Passwords) -> Iterator[str]:
    """Stands in for the sample pjsip_addresses.conf: the same sections, other values."""
    yield f"[transport-udp](+)\nbind={LOOPBACK}:{ports.sip}"
    for trunk, way in (("trunk", "route"), ("trunk-agi", "agi"), ("trunk-observed", "observe")):
        yield f"[{trunk}-identify](+)\nmatch={TRUNKS[way]}"
    yield f"[trunk](+type=aor)\ncontact=sip:{LOOPBACK}:{ports.customer}"
    for number in SELLERS:
        yield f"[{number}-auth](+)\npassword={passwords.phones}"
        yield f"[{number}](+type=aor)\ncontact=sip:{number}@{LOOPBACK}:{ports.phone(number)}"
    yield f"[softphone-auth](+)\npassword={passwords.softphone}\n"


# Families that a test or demo has no use for. Several would open ports of their own, which the
# Asterisk of the machine may have; others only complain that they are not configured.
UNUSED = (
    *("adsi", "aeap", "ael", "app_adsi", "app_alarm", "app_amd", "app_festival", "app_getcpe"),
    *("app_minivm", "app_meetme", "app_voicemail_", "app_skel", "app_jack", "app_ices", "app_mp3"),
    *("calendar", "cdr_", "cel_", "chan_", "codec_dahdi", "pbx_ael", "pbx_dundi", "pbx_lua"),
    *("pbx_gtk", "res_calendar", "res_config_", "res_corosync", "res_fax", "res_hep", "res_ldap"),
    *("res_mwi_external", "res_odbc", "res_phoneprov", "res_pjsip_phoneprov", "res_prometheus"),
    *("res_smdi", "res_snmp", "res_statsd", "res_stun", "res_timing_dahdi"),
    *("res_xmpp", "res_adsi", "res_ael", "res_aeap", "res_geolocation", "res_pjsip_geolocation"),
    *("res_resolver_unbound", "res_pjsip_transport_websocket", "res_pjsip_config_wizard"),
    *("res_stir", "res_pjsip_stir", "func_odbc", "res_chan_stats", "res_endpoint_stats"),
    *("app_sms", "app_dahdi", "app_flash", "app_agent_pool", "app_image", "app_url", "app_nbscat"),
    *("app_macro", "res_monitor", "res_clialiases", "res_pjsip_notify", "res_speech_aeap"),
)
USED = ("chan_pjsip", "chan_bridge_media")
# These refuse to load without a configuration that says what to write.
WITH_SAMPLE = {
    "cdr_csv": "cdr.conf",
    "cdr_custom": "cdr_custom.conf",
    "cel_custom": "cel_custom.conf",
}


def _modules(folder: Path, conf: Path) -> str:
    used = (*USED, *(name for name, sample in WITH_SAMPLE.items() if (conf / sample).exists()))
    names = sorted(path.stem for path in folder.glob("*.so"))
    unused = [name for name in names if name.startswith(UNUSED) and name not in used]
    return "\n".join(["[modules]", "autoload=yes", *(f"noload={name}.so" for name in unused), ""])
