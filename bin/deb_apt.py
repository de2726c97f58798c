"""Asking apt for packages of another suite, without root, beside the machine's own apt.

apt gets lists, cache and an empty dpkg status of its own, so that it resolves everything from
scratch. The mirror is the one that the machine uses.
"""

import contextlib
import os
import shutil
import subprocess
import textwrap
from collections.abc import Sequence
from pathlib import Path

KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)


class DebRootError(Exception):
    """The packages cannot be had; the message is one line and says what to do."""


def host_suite() -> str:
    """Codename of the Debian release that this machine runs; `sid` where it has none."""
    with contextlib.suppress(OSError):
        for line in Path("/etc/os-release").read_text().splitlines():
            if line.startswith("VERSION_CODENAME="):
                return line.partition("=")[2].strip().strip('"')
    return "sid"


def check_machine(packages: Sequence[str]) -> None:
    """DebRootError where there is no apt."""
    missing = [tool for tool in ("apt-get", "dpkg-deb") if not shutil.which(tool)]
    if missing:
        raise DebRootError(
            f"no {' and no '.join(missing)} here (not Debian?): install {', '.join(packages)} "
            "with your system's package manager"
        )


def _keyring() -> Path:
    for path in KEYRINGS:
        if path.exists():
            return path
    raise DebRootError("no Debian keyring: install the package debian-archive-keyring")


def mirrors() -> list[str]:
    """Addresses from the machine's own apt sources that may be the Debian archive, likeliest first.

    Whether one really is decides apt: its signature has to be that of the Debian keyring.
    """
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    command = ["apt-get", "indextargets", "--no-release-info", "--format", form]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    found: dict[str, bool] = {}
    for line in listed.stdout.splitlines():
        address, release, component = [*line.split(), "", ""][:3]
        if component == "main" and not release.endswith(("-security", "-updates", "/updates")):
            likely = release in (host_suite(), "stable", "testing", "unstable", "sid")
            found[address] = found.get(address, False) or likely
    return sorted(found, key=lambda address: (not found[address], "debian" not in address))


def download(work: Path, suite: str, packages: Sequence[str]) -> list[Path]:
    """Fetch the packages and all they need; the errors of the likeliest mirror are reported."""
    errors = [
        DebRootError(
            "the apt sources of this machine name no Debian mirror: install "
            f"{', '.join(packages)} with your system's package manager"
        )
    ]
    for address in mirrors():
        try:
            return _download_from(address, work, suite, packages)
        except DebRootError as error:
            errors.append(error)
    raise errors[1] if len(errors) > 1 else errors[0]


def _download_from(address: str, work: Path, suite: str, packages: Sequence[str]) -> list[Path]:
    apt = work / "apt"
    shutil.rmtree(apt, ignore_errors=True)
    for folder in ("lists/partial", "archives/partial"):
        (apt / folder).mkdir(parents=True)
    (apt / "status").touch()
    source = f"deb [signed-by={_keyring()}] {address} {suite} main\n"
    (apt / "sources.list").write_text(source)
    (apt / "apt.conf").write_text(_apt_conf(apt))
    _apt(apt, f"cannot read the list of packages of {suite}", "update")
    _apt(
        apt,
        f"cannot fetch {', '.join(packages)} of {suite}",
        *("install", "--yes", "--download-only", "--no-install-recommends", "--", *packages),
    )
    return sorted((apt / "archives").glob("*.deb"))


def _apt_conf(apt: Path) -> str:
    """Settings over those of the machine, so that its proxies and credentials stay in force.

    Hooks are cleared: those of container images delete downloads. As root apt would fetch as user
    `_apt`, who may not enter the folder. Retries are for mirrors that drop a connection.
    """
    return textwrap.dedent(f"""\
        #clear APT::Update::Pre-Invoke;
        #clear APT::Update::Post-Invoke;
        #clear APT::Update::Post-Invoke-Success;
        #clear DPkg::Pre-Install-Pkgs;
        #clear DPkg::Post-Invoke;
        Dir::Etc::sourcelist "{apt}/sources.list";
        Dir::Etc::sourceparts "-";
        Dir::Etc::preferences "-";
        Dir::Etc::preferencesparts "-";
        Dir::State "{apt}";
        Dir::State::lists "{apt}/lists";
        Dir::State::status "{apt}/status";
        Dir::State::extended_states "{apt}/extended_states";
        Dir::Cache "{apt}";
        Dir::Cache::archives "{apt}/archives";
        Dir::Cache::pkgcache "";
        Dir::Cache::srcpkgcache "";
        Dir::Log "{apt}";
        Debug::NoLocking "1";
        APT::Sandbox::User "";
        APT::Default-Release "";
        APT::Update::Error-Mode "any";
        APT::Install-Suggests "0";
        Acquire::Languages "none";
        Acquire::Retries "2";
        Acquire::PDiffs "0";
        """)


def in_english() -> dict[str, str]:
    """The environment for programs whose messages are read."""
    return os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}


def _apt(apt: Path, what: str, *arguments: str) -> None:
    command = ["apt-get", "-q", "-c", str(apt / "apt.conf"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=in_english())
    if done.returncode == 0:
        return
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith("E: ")]
    reason = lines[0][3:] if lines else f"apt-get ended with {done.returncode}"
    if any(word in reason for word in ("resolv", "onnect", "timed out", "unreachable")):
        what += " (is this machine online?)"
    raise DebRootError(f"{what}: {reason}")
