"""Digest authentication as a client (RFC 8760 over RFC 3261, 22)."""

import hashlib
import re

from tests.softphone.message import Message, token

HASHES = {"MD5": "md5", "SHA-256": "sha256"}


def authorization(
    challenge: Message, method: str, uri: str, user: str, password: str
) -> tuple[str, str] | None:
    """The header that answers a 401 or 407; None if it asks for nothing that we know."""
    proxy = challenge.status == 407
    for value in challenge.every("Proxy-Authenticate" if proxy else "WWW-Authenticate"):
        fields = _fields(value)
        name = fields.get("algorithm", "MD5").upper()
        if value.lower().startswith("digest") and name in HASHES:
            answer = _answer(fields, name, method, uri, user, password)
            return ("Proxy-Authorization" if proxy else "Authorization", answer)
    return None


def _fields(value: str) -> dict[str, str]:
    found = re.findall(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))', value)
    return {name.lower(): quoted or bare for name, quoted, bare in found}


def _answer(
    fields: dict[str, str], algorithm: str, method: str, uri: str, user: str, password: str
) -> str:
    def digest(text: str) -> str:
        return hashlib.new(HASHES[algorithm], text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce = fields.get("realm", ""), fields.get("nonce", "")
    secret, what = digest(f"{user}:{realm}:{password}"), digest(f"{method}:{uri}")
    parts = [f'username="{user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"']
    if "auth" in fields.get("qop", "").split(","):
        ours = token()
        response = digest(f"{secret}:{nonce}:00000001:{ours}:auth:{what}")
        parts += ["qop=auth", "nc=00000001", f'cnonce="{ours}"']
    else:
        response = digest(f"{secret}:{nonce}:{what}")
    parts += [f'response="{response}"', f"algorithm={algorithm}"]
    if "opaque" in fields:
        parts.append(f'opaque="{fields["opaque"]}"')
    return "Digest " + ", ".join(parts)
