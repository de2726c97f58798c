"""The configuration file and the secrets in it."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from urllib.parse import urlsplit

from doctor.check import FAULT, GOOD, NOTE, RELOAD, Check
from errors import Sentence, Words
from settings import Settings

SAMPLE_PASSWORD = "change-this-password"  # noqa: S105 (known to everybody)


def checks(settings: Settings) -> Iterator[Check]:
    subject = Words("configuration")
    if settings.path is None:
        yield Check(NOTE, subject, Words("no trichter.toml, defaults and environment only"))
    else:
        yield Check(GOOD, subject, str(settings.path))
        mode = settings.path.stat().st_mode
        in_address = urlsplit(settings.database.url).password
        secrets = (settings.ari.password, settings.panel.secret_key, in_address)
        if mode & stat.S_IROTH and any(secrets):
            yield Check(
                FAULT,
                subject,
                Words("holds a secret and can be read by everybody"),
                f"chmod o-rwx {settings.path}",
            )
    if settings.ari.password == SAMPLE_PASSWORD:
        fix = Sentence(
            "write one of your own into ari.conf and trichter.toml; then: {command}", command=RELOAD
        )
        finding = Words("is the sample's, which everybody knows")
        yield Check(FAULT, "ari.password", finding, fix)
    if len(settings.panel.secret_key) < 16:
        yield Check(
            NOTE,
            "panel.secret_key",
            Words("not set, or shorter than 16 characters: a restart logs everybody out"),
            Words("set it to a long random text, as from: openssl rand -hex 32"),
        )
