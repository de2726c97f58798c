"""Where an Asterisk comes from: the machine's own, or one fetched from Debian without root."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import deb_root

SUITES = {22: "sid", 16: "bullseye"}
# Voice boxes were a package of their own.
PACKAGES = {22: ["asterisk"], 16: ["asterisk", "asterisk-voicemail"]}
OLDEST = 16
INSTALL_HINT = "install Asterisk 16 or newer with your system's package manager"


class AsteriskError(Exception):
    """Asterisk cannot be had, started or asked; one line that says what to do."""


@dataclass(frozen=True)
class Installation:
    """An Asterisk: how its program is called, and where its modules and data are."""

    program: tuple[str, ...]
    modules: Path
    data: Path

    @classmethod
    def of_system(cls) -> "Installation | None":
        """The Asterisk on PATH, if there is one of release 16 or newer with ARI."""
        program = _system_program()
        if not program or _release(program) < OLDEST:
            return None
        # Debian, Fedora and a build from source keep their modules in different places.
        modules = [Path("/usr/lib/asterisk/modules"), Path("/usr/lib64/asterisk/modules")]
        modules += sorted(Path("/usr/lib").glob("*/asterisk/modules"))
        data = [Path("/usr/share/asterisk"), Path("/var/lib/asterisk")]
        module = next((path for path in modules if (path / "res_ari.so").exists()), None)
        datum = next((path for path in data if (path / "rest-api").is_dir()), None)
        return cls((program,), module, datum) if module and datum else None

    @classmethod
    def fetched(cls, release: int) -> "Installation":
        """The Asterisk of the Debian suite that has `release` (22 or 16), fetched if need be."""
        try:
            root = deb_root.fetch(PACKAGES[release], SUITES[release])
            modules = next(root.glob("usr/lib/**/asterisk/modules"), None)
            if modules is None:
                raise deb_root.DebRootError(f"{root} holds no modules of Asterisk; remove it")
            program = (*deb_root.run_prefix(root), str(root / "usr/sbin/asterisk"))
        except deb_root.DebRootError as error:
            raise AsteriskError(f"{error} ({INSTALL_HINT})") from error
        return cls(program, modules, root / "usr/share/asterisk")

    @classmethod
    def find(cls, release: int | None) -> "Installation":
        """The system's one when no release is asked for, else a fetched one (22)."""
        return (cls.of_system() if release is None else None) or cls.fetched(release or 22)


def _system_program() -> str | None:
    """Ordinary users often do not have sbin on their PATH."""
    own = deb_root.CHECKOUT / "bin" / "asterisk"
    for path in (None, "/usr/sbin:/usr/local/sbin:/sbin"):
        program = shutil.which("asterisk", path=path)
        if program and Path(program).resolve() != own:
            return program
    return None


def _release(program: str) -> int:
    """22 for `Asterisk 22.10.1…`; 0 for a program that does not say."""
    try:
        told = subprocess.run(
            [program, "-V"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r"Asterisk\D+(\d+)\.", told.stdout)
    return int(found[1]) if found else 0
